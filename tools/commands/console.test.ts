import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isPassword } from '../../firmware-host/console/password.ts';
import { exitCodes } from '../../firmware-host/exit-codes.ts';

const entry = fileURLToPath(new URL('../understudy.ts', import.meta.url));

function consolePassword(
  input: string,
  ...words: string[]
): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, 'console', 'password', ...words], {
    input,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

test('console password makes a hash of what it reads, and shows nothing else', async () => {
  const { code, stdout, stderr } = consolePassword('open sesame\n');
  expect(code).toBe(exitCodes.ok.code);
  expect(stderr).toBe('');
  const [, hash] = /^password: (\S+)\n$/.exec(stdout)!;
  expect(await isPassword('open sesame', hash!)).toBe(true);
  expect(stdout).not.toContain('sesame');
});

test('console password --json', async () => {
  const { stdout } = consolePassword('open sesame', '--json');
  const item = JSON.parse(stdout) as { password: string };
  expect(item).toMatchObject({ schema: 1, kind: 'console-password' });
  expect(await isPassword('open sesame', item.password)).toBe(true);
});

test.each([
  ['nothing', '', 'ended before a password came'],
  ['a short one', 'short\n', 'at least 8 characters (got 5)'],
  ['one that cannot be typed', 'open\tsesame\n', 'no control characters'],
])('console password refuses %s', (_name, input, rule) => {
  const { code, stdout, stderr } = consolePassword(input);
  expect(code).toBe(exitCodes.usage.code);
  expect(stderr).toContain(rule);
  expect(stdout).toBe('');
});
