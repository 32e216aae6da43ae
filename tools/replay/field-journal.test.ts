/** Journals of a real pair on one computer, with a takeover in the middle, run again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { startLocalRig } from '../../hil-tests/rigs/local/local-rig.ts';
import { runCommand } from '../command-line.test-rig.ts';
import { parseVcd } from './vcd.test-rig.ts';

const tank = fileURLToPath(new URL('../../examples/tank.js', import.meta.url));

test('a journal with a takeover in it runs again, on either board’s account', {
  timeout: 180_000,
}, async () => {
  const rig = await startLocalRig({ program: tank, plant: 'tank', timing: { detectionTimeoutMs: 1000 } });
  try {
    const turnsOf = (board: 'a' | 'b'): number => rig.boards[board].status?.executedTurns ?? 0;
    const bothHave = (count: number): boolean => turnsOf('a') > count && turnsOf('b') > count;
    await rig.until((each) => each.isProtected() && bothHave(100), 60_000, 'both boards have run 100 turns');
    const dead = rig.primary()!;
    const heir = dead === 'a' ? 'b' : 'a';
    rig.kill(dead);
    await rig.until((each) => each.primary() === heir, 30_000, 'the backup has taken over');
    const before = turnsOf(heir);
    await rig.until(() => turnsOf(heir) > before + 100, 30_000, 'it goes on');
    await rig.stopBoards();
    const file = (board: 'a' | 'b'): string => join(rig.stateDirectory(board), 'journal.usj');
    const vcd = join(rig.directory, 'tank.vcd');
    const ofHeir = await runCommand('replay', file(heir), '--vcd', vcd);
    expect(ofHeir).toMatchObject({ code: exitCodes.ok.code, stderr: '' });
    expect(ofHeir.stdout).toMatch(/\d{2,} digests equal: equal\n$/);
    const { signals } = parseVcd(readFileSync(vcd, 'utf8'));
    // What drives the level bar is written every 30 ms: across the takeover too.
    const bar = signals.get('ttyACM0.D9_pwm')!;
    expect(bar.changes.length).toBeGreaterThan(10);
    // The dead board's journal ends where it died, and is the beginning of the same history.
    const ofDead = await runCommand('replay', file(dead));
    expect(ofDead.code).toBe(exitCodes.ok.code);
    const historyOf = (text: string): string => /^history {2}(\w+)/m.exec(text)![1]!;
    expect(historyOf(ofDead.stdout)).toBe(historyOf(ofHeir.stdout));
  } finally {
    await rig.stop();
  }
});
