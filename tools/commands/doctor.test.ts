import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { runCommand, scratchFolder } from '../command-line.test-rig.ts';
import type { Check } from '../doctor/check.ts';

test('doctor looks at this machine', async () => {
  const { code, stdout } = await runCommand('doctor', '--json');
  expect(code).toBe(exitCodes.ok.code);
  const report = JSON.parse(stdout) as { ready: boolean; checks: Check[] };
  expect(report.ready).toBe(true);
  expect(report.checks.map(({ id }) => id)).toEqual([
    'architecture',
    'node-version',
    'runtime-fingerprint',
    'native:serialport',
    'native:esbuild',
    'native:koffi',
    'pseudo-terminals',
    'group-dialout',
    'clock',
    'scheduling',
  ]);
  // Whoever is told that something is wrong is told what to do.
  for (const { verdict, remedy } of report.checks) {
    expect(remedy !== null).toBe(verdict === 'warning' || verdict === 'missing');
  }
});

test('a wrong config is one of the findings, beside all others', async () => {
  const file = join(scratchFolder(), 'pair.yaml');
  writeFileSync(file, 'programm: tank.js\n');
  const { code, stdout } = await runCommand('doctor', '--config', file);
  expect(code).toBe(exitCodes.machine.code);
  expect(stdout).toMatch(/^missing {2}config +CONFIG_INVALID/m);
  expect(stdout).toMatch(/^ok +native:koffi/m);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('Something is missing: see above.');
});
