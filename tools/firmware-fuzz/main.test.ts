import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** On a machine without any command: no clang either. */
function run(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], {
    encoding: 'utf8',
    env: { PATH: '/nonexistent', NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}

test.each([
  [['--minutes', '0'], /USAGE_ARGUMENT: .*must be 0.05..10080 \(got 0\)/],
  [['--minutes', 'soon'], /USAGE_ARGUMENT: .*must be 0.05..10080 \(got soon\)/],
  [['--seed', '1.5'], /USAGE_ARGUMENT: .*must be whole, 0..4294967295 \(got 1.5\)/],
  [['--nonsense'], /USAGE_ARGUMENT: unknown option '--nonsense'/],
  [['more'], /USAGE_ARGUMENT: too many arguments/],
])('refuses %j', (words, message) => {
  const { status, stderr } = run(...words);
  expect(stderr).toMatch(message);
  expect(status).toBe(exitCodes.usage.code);
});

test('says what is missing where there is no clang, and what would help', () => {
  const { status, stderr } = run();
  expect(stderr).toBe(
    'firmware:fuzz: MACHINE_FUZZER: there is no clang here (tools/install-debian-packages.sh firmware)\n',
  );
  expect(status).toBe(exitCodes.machine.code);
});

test('the help has examples and the exit codes', () => {
  const { status, stdout } = run('--help');
  expect(stdout).toMatch(
    /Examples:[\s\S]*npm run firmware:fuzz -- --minutes 30[\s\S]*Exit codes: 0 nothing found, 1/,
  );
  expect(status).toBe(exitCodes.ok.code);
});
