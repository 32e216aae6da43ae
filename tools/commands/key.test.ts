import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPairKey } from '../../firmware-host/config/pair-key.ts';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { runCommand, scratchFolder } from '../command-line.test-rig.ts';

test('key makes a key that the boards can read and nobody else', async () => {
  const file = join(scratchFolder(), 'pair.key');
  const { code, stdout } = await runCommand('key', file);
  expect(code).toBe(exitCodes.ok.code);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readPairKey({ pairKey: { kind: 'file', path: file } })).toHaveLength(32);
  // The key itself is never shown.
  expect(stdout).not.toContain(readFileSync(file, 'utf8').trim());
});

test('two keys are different', async () => {
  const folder = scratchFolder();
  await Promise.all([runCommand('key', join(folder, 'one')), runCommand('key', join(folder, 'two'))]);
  expect(readFileSync(join(folder, 'one'))).not.toEqual(readFileSync(join(folder, 'two')));
});

test('key never overwrites', async () => {
  const file = join(scratchFolder(), 'pair.key');
  writeFileSync(file, 'precious');
  const { code, stderr } = await runCommand('key', file);
  expect(code).toBe(exitCodes.pairKey.code);
  expect(stderr).toContain('KEY_EXISTS');
  expect(readFileSync(file, 'utf8')).toBe('precious');
});

test('key into a folder that is not there says so', async () => {
  const { code, stderr } = await runCommand('key', join(scratchFolder(), 'absent', 'pair.key'), '--json');
  expect(code).toBe(exitCodes.pairKey.code);
  expect(stderr).toContain('KEY_NOT_WRITTEN');
});
