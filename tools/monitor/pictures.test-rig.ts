/**
 * Takes the pictures of docs/monitor.md from a real pair in a real terminal: `node tools/monitor/pictures.test-rig.ts`.
 * Each is written when the screen shows what it is a picture of, so they are of the software as it is.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLocalRig } from '../../hil-tests/rigs/local/local-rig.ts';
import { terminalSvg } from '../terminal/svg.ts';
import { TmuxScreen } from '../terminal/tmux.test-rig.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(repository, 'docs/pictures');
const isProtected = /^ PROTECTED: if board/m;

// A short name, because it is on every picture.
const directory = join(tmpdir(), 'pair');
const rig = await startLocalRig({ program: join(repository, 'examples/tank.js'), plant: 'tank', directory });
const words = [
  process.execPath,
  join(repository, 'tools/understudy.ts'),
  'monitor',
  '--directory',
  directory,
];
const small = new TmuxScreen(words, { columns: 80, rows: 24 });
const large = new TmuxScreen(words, { columns: 160, rows: 48 });

function take(screen: TmuxScreen, name: string, title: string): void {
  writeFileSync(join(folder, `monitor-${name}.svg`), terminalSvg(screen.capture(), title));
  process.stdout.write(`${name}\n`);
}

try {
  mkdirSync(folder, { recursive: true });
  await rig.until(() => rig.isProtected(), 20_000, 'the pair is protected');
  await large.until(/[\d,]+ {2}(device bytes|time).* the same/, 'turns of both boards');
  await small.until((text) => isProtected.test(text) && /clocks/.test(text), 'a protected pair');
  await small.until(/D13/, 'pins by name');
  await small.until(/turn [\d,]{4,}/, 'turns');
  await small.until((text) => /A0 +analog/.test(text) && isProtected.test(text), 'inputs and outputs');
  take(small, 'protected', 'A protected pair on 80 x 24');
  await large.until(isProtected, 'a protected pair on a large screen');
  take(large, 'large', 'A protected pair on 160 x 48');

  rig.cut('ethernet');
  await small.until(/PROTECTED, but ethernet is silent/, 'a cut cable');
  take(small, 'cable-cut', 'The Ethernet cable is cut');
  rig.restore('ethernet');
  await small.until(isProtected, 'PROTECTED again');

  const first = rig.primary()!;
  rig.kill(first);
  await small.until(/board . works alone.*\n.*Last one: \d+/m, 'a takeover');
  take(small, 'takeover', 'The primary was killed, the other board has taken over');
  await large.until(/PEER_(SILENT|PROCESS_GONE)/, 'why');
  take(large, 'why', 'The same on a large screen, with the reason');
  rig.restart(first);
  await rig.until(() => rig.isProtected(), 20_000, 'the pair is protected');
  await small.until(isProtected, 'PROTECTED again');

  small.keys('w');
  await small.until(/reason for the switchover/, 'the prompt');
  small.type('service of the pump');
  small.keys('Enter');
  await small.until(/\(y\/n\)/, 'the question');
  take(small, 'question', 'A switchover is asked for');
} finally {
  small.close();
  large.close();
  await rig.stop();
}
