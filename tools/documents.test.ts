/** What the documents show must be there: files, links, commands, the sample configuration. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig, parseConfig } from '../firmware-host/config/config.ts';
import { type ExitCode, exitCodes } from '../firmware-host/exit-codes.ts';
import { runCommand } from './command-line.test-rig.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const sample = resolve(root, 'examples/pair.yaml');
const read = (document: string): string => readFileSync(resolve(root, document), 'utf8');

test.each([
  'README.md',
  'docs/architecture.md',
  'CHANGELOG.md',
  'examples/README.md',
  'docs/wiring.md',
])('what %s names is there', (document) => {
  const text = read(document);
  const named = [
    ...text.matchAll(/`((?:protocol|boards|firmware-host|hil-tests|tools|examples|docs)\/[^`\s]*)`/g),
  ]
    .map(([, path]) => resolve(root, path!))
    .concat(
      [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, path]) =>
        resolve(root, dirname(document), path!),
      ),
    );
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});

test('the sample configuration is valid and names a program that is there', () => {
  const config = loadConfig(sample);
  expect(existsSync(config.program)).toBe(true);
  const { a, b } = config.boards;
  expect(a.ethernet!.listen).toEqual(b.ethernet!.peer);
  expect(b.ethernet!.listen).toEqual(a.ethernet!.peer);
  expect(config.devices).toMatchObject([{ kind: 'fenced', arbiter: true }]);
  // johnny-five looks for its board by this pattern.
  expect(config.devices[0]!.name).toMatch(/usb|acm|^com/i);
});

test('the configuration in the README is valid, and a part of the sample', () => {
  const [, shown] = /```yaml\n([\s\S]*?)```/.exec(read('README.md'))!;
  expect(() => parseConfig(shown!, 'README.md')).not.toThrow();
  expect(parse(readFileSync(sample, 'utf8'))).toMatchObject(parse(shown!) as object);
});

test('the configuration for the wiring is valid', () => {
  const [, shown] = /```yaml\n([\s\S]*?)```/.exec(read('docs/wiring.md'))!;
  expect(parseConfig(shown!, 'docs/wiring.md').devices).toMatchObject([{ kind: 'fenced', arbiter: true }]);
});

test.each([
  'README.md',
  'examples/understudy.service',
])('the exit codes that systemd must not restart are those of the table, in %s', (document) => {
  const [, codes] = /RestartPreventExitStatus=([\d ]+)/.exec(read(document))!;
  const hopeless = Object.values<ExitCode>(exitCodes)
    .filter(({ code, isRetried }) => !isRetried && code > 1 && code < 100)
    .map(({ code }) => code);
  expect(codes!.trim().split(' ').map(Number)).toEqual(hopeless);
});

test('every command that the README shows exists, with its options', async () => {
  const shown = [...read('README.md').matchAll(/^\| `understudy (\w+)/gm)].map(([, command]) => command!);
  expect(shown).toEqual([
    'dev',
    'run',
    'doctor',
    'monitor',
    'device',
    'journal',
    'replay',
    'key',
    'console',
    'bench',
    'rig',
    'simulate',
  ]);
  for (const line of read('README.md').matchAll(/^understudy (\w+) (.*?)(?: +#.*)?$/gm)) {
    const { stdout } = await runCommand(line[1]!, '--help');
    for (const [option] of line[2]!.matchAll(/--[a-z-]+/g)) expect(stdout).toContain(option);
  }
});
