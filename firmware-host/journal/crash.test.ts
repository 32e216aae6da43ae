/** The journal of a process that is killed in the middle of writing, as by a crash of the supervisor. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import { journalPath } from './journal-file.ts';
import { readJournal } from './reader.ts';
import { JournalWriter } from './writer.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

/** Appends without end and prints the number of the last durable entry at every progress. */
const program = `
import { JournalWriter } from ${JSON.stringify(new URL('./writer.ts', import.meta.url).href)};
const [directory, fsync] = process.argv.slice(1);
const header = { historyId: '00', bundleHash: '00', program: 'crash', startedAtMs: 0, runtime: {} };
const writer = await JournalWriter.create(directory, header, { fsync, fsyncIntervalMs: 5 });
writer.onDurable((number) => process.stdout.write(number + '\\n'));
let count = 0;
setInterval(() => {
  for (let index = 0; index < 20; index++) {
    count += 1;
    const bytes = new Uint8Array(50 + (count * 37) % 3000);
    new DataView(bytes.buffer).setUint32(1, count);
    writer.append({ kind: 'batch', bytes });
  }
}, 1);
`;

for (const fsync of ['always', 'interval', 'never'] as const) {
  it(`holds every entry that a killed process called durable, in order (fsync: ${fsync})`, async () => {
    for (const linesBeforeKill of [1, 7, 20]) {
      const directory = mkdtempSync(join(tmpdir(), 'journal-'));
      directories.push(directory);
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, directory, fsync], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      let durable = 0;
      let lines = 0;
      for await (const line of createInterface(child.stdout)) {
        durable = Number(line);
        lines += 1;
        if (lines === linesBeforeKill) child.kill('SIGKILL');
      }
      await ended;
      expect(lines).toBeGreaterThanOrEqual(linesBeforeKill);
      const { writer } = await JournalWriter.reopen(directory, { fsync: 'never' });
      await writer.close();
      const reading = await readJournal(journalPath(directory));
      let count = 0;
      for await (const { entry } of reading.entries) {
        count += 1;
        expect(entry.kind === 'batch' && Buffer.from(entry.bytes).readUInt32BE(1)).toBe(count);
      }
      expect(reading.tail).toBe('clean');
      expect(count).toBeGreaterThanOrEqual(durable);
    }
  });
}
