/** One process of a load (load.ts): `node load-worker.ts KIND FOLDER`. Ends with its input. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const spellMs = 10;
const memoryBytes = 64 * 1024 * 1024;
const diskBytes = 4 * 1024 * 1024;
const [kind = 'cpu', folder = '.'] = process.argv.slice(2);

function busyFor(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** What is done in one spell, and what is rested after it, in ms. */
function spellOf(): { work: () => void; restMs: number } {
  switch (kind) {
    case 'cpu-50':
      return { work: () => busyFor(spellMs * 0.5), restMs: spellMs * 0.5 };
    case 'cpu-90':
      return { work: () => busyFor(spellMs * 0.9), restMs: spellMs * 0.1 };
    case 'memory': {
      // More than any cache holds: every copy goes over the memory bus.
      const from = Buffer.alloc(memoryBytes, 1);
      const to = Buffer.alloc(memoryBytes);
      return { work: () => void from.copy(to), restMs: 0 };
    }
    case 'disk': {
      const file = openSync(join(folder, `load-${process.pid}`), 'w');
      process.once('exit', () => closeSync(file));
      const bytes = Buffer.alloc(diskBytes, 1);
      const work = (): void => {
        writeSync(file, bytes, 0, bytes.length, 0);
        fsyncSync(file);
      };
      return { work, restMs: 0 };
    }
    default:
      return { work: () => busyFor(spellMs), restMs: 0 };
  }
}

const { work, restMs } = spellOf();
const again = (): void => {
  work();
  if (restMs > 0) setTimeout(again, restMs);
  else setImmediate(again);
};
process.stdin.on('end', () => process.exit(0)).resume();
process.stdout.write('begun\n');
again();
