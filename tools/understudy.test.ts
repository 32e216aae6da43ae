import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../firmware-host/exit-codes.ts';
import { runCommand, scratchFolder, startCommand } from './command-line.test-rig.ts';
import { describeFault } from './fault.ts';
import { enterPinnedNode, pinnedNode } from './pinned-node.ts';

const commands = ['dev', 'run', 'journal', 'doctor', 'key', 'simulate'];

describe('understudy', () => {
  test('--help lists every command, examples and every exit code', async () => {
    const { code, stdout } = await runCommand('--help');
    expect(code).toBe(exitCodes.ok.code);
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    expect(stdout).toContain('Examples:');
    for (const end of Object.values(exitCodes)) {
      expect(stdout).toContain(`${String(end.code).padStart(5)}  ${end.meaning}\n`);
    }
  });

  test.each([...commands, 'journal show', 'journal verify'])('%s --help has examples', async (command) => {
    const { code, stdout } = await runCommand(...command.split(' '), '--help');
    expect(code).toBe(exitCodes.ok.code);
    expect(stdout).toMatch(new RegExp(`^Usage: understudy ${command}`));
    // What has commands of its own shows examples with those.
    if (command !== 'journal') expect(stdout).toMatch(/\nExamples?:\n {2}(understudy|npm|node) /);
  });

  test('--version is that of the package', async () => {
    const { code, stdout } = await runCommand('--version');
    expect(code).toBe(exitCodes.ok.code);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    ['nothing', []],
    ['an unknown command', ['frobnicate']],
    ['an unknown option', ['key', '--frobnicate']],
    ['a missing argument', ['journal', 'show']],
    ['a missing subcommand', ['journal']],
    ['a missing option', ['run', '--config', 'pair.yaml']],
    ['a board that is none', ['run', '--board', 'c', '--config', 'pair.yaml']],
    ['an argument too many', ['key', 'one', 'two']],
    ['a number that is none', ['journal', 'show', 'x.usj', '--turn', '-1']],
  ])('%s is refused with the code for usage', async (_, words) => {
    const { code, stdout, stderr } = await runCommand(...words);
    expect(code).toBe(exitCodes.usage.code);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
  });

  test('run without a config tells which file and ends with the code for configuration', async () => {
    const file = join(scratchFolder(), 'absent.yaml');
    const { code, stderr } = await runCommand('run', '--board', 'a', '--config', file);
    expect(code).toBe(exitCodes.config.code);
    expect(stderr).toContain('CONFIG_MISSING');
    expect(stderr).toContain(file);
  });
});

describe('the Node that runs', () => {
  test('the pinned one is installed and is the one that runs the tests', () => {
    const pinned = pinnedNode();
    expect(pinned.binary).not.toBeNull();
    expect(process.versions.node).toBe(pinned.version);
    expect(enterPinnedNode()).toBeNull();
  });

  test('an architecture without a pinned Node is refused', () => {
    expect(pinnedNode('riscv64', 'linux')).toMatchObject({ packageName: null, binary: null });
  });

  test('an old Node goes on in the pinned one through the plain door', async (context) => {
    const old = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => existsSync(path));
    if (old === undefined) return context.skip('this machine has no other Node');
    const door = fileURLToPath(new URL('understudy.js', import.meta.url));
    const found = spawnSync(old, [door, '--version'], { encoding: 'utf8' });
    expect(found).toMatchObject({ status: 0, stderr: '' });
    const refused = spawnSync(old, [door, 'frobnicate'], { encoding: 'utf8' });
    expect(refused.status).toBe(exitCodes.usage.code);
  });

  test('a pinned Node of the wrong version does not start itself for ever', () => {
    process.env.UNDERSTUDY_NODE_ENTERED = '1';
    try {
      expect(enterPinnedNode('1.2.3')).toContain('npm ci');
    } finally {
      delete process.env.UNDERSTUDY_NODE_ENTERED;
    }
  });

  test('the command line runs through a symbolic link, as npm installs it', async () => {
    const link = join(scratchFolder(), 'understudy');
    symlinkSync(fileURLToPath(new URL('understudy.js', import.meta.url)), link);
    const { status } = spawnSync(process.execPath, [link, '--version'], { encoding: 'utf8' });
    expect(status).toBe(0);
  });
});

test('a reader that goes away early is no fault', async () => {
  const { child, ended } = startCommand(['--help']);
  child.stdout!.destroy();
  expect((await ended).code).toBe(exitCodes.ok.code);
});

test('an error without a code of ours shows its stack', () => {
  expect(describeFault(new TypeError('x is no function'))).toMatchObject({
    exitCode: exitCodes.internal.code,
  });
  expect(describeFault(new TypeError('x is no function')).text).toContain('understudy.test.ts');
  const known = Object.assign(new Error('no such file'), { code: 'JOURNAL_MISSING' });
  expect(describeFault(known)).toEqual({
    text: 'JOURNAL_MISSING: no such file',
    exitCode: exitCodes.journal.code,
  });
});
