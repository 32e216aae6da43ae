import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const script = fileURLToPath(new URL('install-debian-packages.sh', import.meta.url));
const bash = '/bin/bash';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-packages-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A machine whose only commands are these: nothing is ever installed. */
function machine(commands: Record<string, string>): (...words: string[]) => ReturnType<typeof run> {
  for (const [name, text] of Object.entries(commands)) {
    writeFileSync(join(folder, name), `#!${bash}\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return (...words) => run(words);
}

function run(words: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(bash, [script, ...words], {
    env: { PATH: folder },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const debian = { 'apt-get': 'echo apt-get "$@"', 'apt-cache': 'exit 0', id: 'echo 0' };
const firmware =
  'gcc-avr avr-libc avrdude make gcc libc6-dev clang libclang-rt-14-dev arduino-core-avr libsimavr-dev';

describe('install-debian-packages.sh', () => {
  test('installs what a group names, after the lists are fresh', () => {
    const { status, stdout } = machine(debian)('console', 'firmware');
    expect(stdout.trim().split('\n')).toEqual([
      'apt-get update',
      `apt-get install --yes --no-install-recommends ${firmware} picocom tmux`,
    ]);
    expect(status).toBe(0);
  });

  test('takes the runtime of another clang on another Debian', () => {
    const { stdout } = machine({ ...debian, 'apt-cache': 'exit 100' })('--dry-run', 'firmware');
    expect(stdout.trim().split('\n').join(' ')).toBe(
      firmware.replace('libclang-rt-14-dev', 'libclang-rt-dev'),
    );
  });

  test('a dry run needs no root and installs nothing', () => {
    const { status, stdout } = machine({ ...debian, id: 'echo 1000' })('--dry-run', 'bench', 'qemu');
    expect(stdout).toBe('keepalived\niproute2\nmosquitto\nqemu-system-arm\n');
    expect(status).toBe(0);
  });

  test("a failure of apt-get is the script's own", () => {
    expect(machine({ ...debian, 'apt-get': 'exit 100' })('qemu').status).toBe(100);
  });

  test.each([
    ['no root', { ...debian, id: 'echo 1000' }, ['qemu'], 12, /MACHINE_ROOT: .*sudo/],
    ['no apt', { id: 'echo 0' }, ['qemu'], 12, /MACHINE_APT: .*qemu-system-arm/],
    ['no group', debian, [], 2, /USAGE_ARGUMENT: name at least one GROUP/],
    ['an unknown group', debian, ['firm'], 2, /USAGE_ARGUMENT: GROUP must be .* \(got firm\)/],
    ['an unknown option', debian, ['--force', 'qemu'], 2, /USAGE_ARGUMENT: unknown option --force/],
  ] as const)('refuses %s', (_name, commands, words, code, message) => {
    const { status, stdout, stderr } = machine(commands)(...words);
    expect(stderr).toMatch(message);
    expect(stdout).not.toContain('install');
    expect(status).toBe(code);
  });

  test('the help tells what each package is for', () => {
    const { stdout, status } = machine({})('--help');
    for (const name of firmware.split(' ')) expect(stdout).toMatch(new RegExp(`^  ${name} +\\w`, 'm'));
    expect(status).toBe(0);
  });

  test('the README names it', () => {
    const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');
    expect(readme).toContain('tools/install-debian-packages.sh');
  });
});
