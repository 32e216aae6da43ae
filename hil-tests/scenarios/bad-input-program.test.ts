/**
 * A program that fails by itself: the backup is asked first, and when it fails on the same turn the fault is the
 * program's. The device then reaches its safe state, and the pair restarts the program or ends, as the policy says.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { type LocalRig, startLocalRig } from '../rigs/local/local-rig.ts';
import { other } from '../rigs/local/rig-contract.ts';
import {
  exitCodeOf,
  faultyProgram,
  innardsShown,
  ledPin,
  patientTiming,
  reports,
  untilReported,
} from './bad-input.ts';

describe('a program that fails', { timeout: 30_000 }, () => {
  let rig: LocalRig;

  afterEach(async () => {
    await rig?.stop();
  });

  async function startProtected(fault: string, policy: Record<string, unknown> = {}): Promise<void> {
    rig = await startLocalRig({
      program: faultyProgram,
      arguments: [fault],
      plant: 'bench',
      // Longer than a busy machine takes over a takeover, shorter than the program stands still before it is restarted.
      holdTimeMs: 1500,
      timing: { ...patientTiming, turnTimeoutMs: 1500 },
      policy: { restartDelayMs: 2500, ...policy },
    });
    await untilActing();
  }

  const untilActing = (): Promise<void> =>
    rig.until((each) => each.isProtected() && each.pins[ledPin] === 1, 20_000, 'protected, the LED on');

  const fail = (): void => rig.deviceCommand({ command: 'send-string', text: 'fail' });

  const untilSafe = (): Promise<void> =>
    rig.until((each) => each.device.safe && each.pins[ledPin] !== 1, 5000, 'the safe state, the LED off');

  for (const { fault, code, told, stack } of [
    {
      fault: 'throws',
      code: 'PROGRAM_THREW',
      told: 'RangeError: the valve is neither open nor closed',
      // The program's own line first, by its source map.
      stack: /^RangeError: .*\n +at Object\.throws \(faulty\.js:9:\d+\)/,
    },
    { fault: 'hangs', code: 'PROGRAM_HANGS', told: 'no answer from the program for 1500 ms', stack: /^$/ },
  ]) {
    test(`that ${fault} on both boards is started again, and given up after restartsMax`, async () => {
      await startProtected(fault, { restartsMax: 1 });
      const first = rig.primary()!;
      fail();
      await untilReported(rig, 'PROGRAM_FAULT', other(first));
      expect(reports(rig, code, first)[0]?.text).toContain(told);
      expect(reports(rig, 'HANDOVER', other(first))).toHaveLength(1);
      expect(reports(rig, code, other(first))).toHaveLength(1);
      await untilSafe();
      await untilActing();
      fail();
      await untilReported(rig, 'RESTARTS_EXHAUSTED');
      expect(await exitCodeOf(rig, 'a')).toBe(exitCodes.program.code);
      expect(await exitCodeOf(rig, 'b')).toBe(exitCodes.program.code);
      await untilSafe();
      expect(innardsShown(rig)).toEqual([]);
    });

    test(`that ${fault} on both boards ends the pair at once under programFailure: stop`, async () => {
      await startProtected(fault, { programFailure: 'stop' });
      fail();
      expect(await exitCodeOf(rig, 'a')).toBe(exitCodes.program.code);
      expect(await exitCodeOf(rig, 'b')).toBe(exitCodes.program.code);
      expect(reports(rig, code)).toHaveLength(2);
      expect(reports(rig, code)[0]?.details).toMatchObject({ stack: expect.stringMatching(stack) });
      expect(reports(rig, 'PROGRAM_FAULT')).toHaveLength(1);
      expect(reports(rig, 'PROGRAM_STARTED')).toHaveLength(1);
      await untilSafe();
      expect(innardsShown(rig)).toEqual([]);
    });
  }

  for (const { code, exitCode } of [
    { code: 0, exitCode: exitCodes.ok.code },
    { code: 3, exitCode: exitCodes.program.code },
  ]) {
    test(`that exits with ${code} ends both boards with ${exitCode}`, async () => {
      await startProtected(`exits-${code}`);
      const first = rig.primary()!;
      fail();
      expect(await exitCodeOf(rig, first)).toBe(exitCode);
      expect(await exitCodeOf(rig, other(first))).toBe(exitCode);
      expect(reports(rig, 'PROGRAM_EXITED', first)[0]?.details).toMatchObject({ code });
      expect(reports(rig, 'PROGRAM_ENDED', other(first))).toHaveLength(1);
      await untilSafe();
      expect(innardsShown(rig)).toEqual([]);
    });
  }
});
