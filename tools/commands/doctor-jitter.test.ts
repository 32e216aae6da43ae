import { expect, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { runCommand } from '../command-line.test-rig.ts';
import type { Check } from '../doctor/check.ts';
import type { Trial } from '../doctor/timing-advice.ts';

test('doctor --jitter tries every load and judges the timing by all of them', async () => {
  const { code, stdout } = await runCommand('doctor', '--json', '--jitter', '--seconds', '1');
  const report = JSON.parse(stdout) as { checks: Check[]; trials: Trial[] };
  expect(report.trials.map(({ load }) => load)).toEqual(['none', 'cpu', 'memory', 'disk']);
  for (const { result } of report.trials) {
    expect(result.falseTakeovers.map(({ timeoutMs }) => timeoutMs)).toContain(200);
  }
  const check = report.checks.at(-1)!;
  expect(check.id).toBe('heartbeats');
  expect(code).toBe(check.verdict === 'missing' ? exitCodes.machine.code : exitCodes.ok.code);
});

test('a length that is none is refused with the rule', async () => {
  const { code, stderr } = await runCommand('doctor', '--jitter', '--seconds', '0');
  expect(code).toBe(exitCodes.usage.code);
  expect(stderr).toContain('must be a whole number, 1..3600 (got 0)');
});
