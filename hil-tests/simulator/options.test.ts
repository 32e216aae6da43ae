import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { commandToReproduce } from './account.ts';
import type { Fault } from './fault.ts';
import { faultList, parseOptions } from './options.ts';
import { drawnFaults } from './planted-life.fake.ts';
import { drawLife, scenarios } from './swarm.ts';

const document = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');
let said = '';
beforeEach(() => {
  said = '';
  const listen = (text: string | Uint8Array): boolean => {
    said += text.toString();
    return true;
  };
  vi.spyOn(process.stderr, 'write').mockImplementation(listen);
  vi.spyOn(process.stdout, 'write').mockImplementation(listen);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const pause: Fault = { kind: 'pause', at: 1, until: 2, board: 'a' };

describe('the command line', () => {
  test('what nobody says has a default', () => {
    expect(parseOptions([], 2)).toEqual({
      seeds: 1000,
      seed: null,
      scenario: 'any',
      jobs: 2,
      minutes: null,
      faults: null,
      keepGoing: false,
      shrink: true,
      json: false,
      list: false,
    });
    expect(parseOptions(['--minutes', '5'], 1)).toMatchObject({ seeds: null, minutes: 5 });
    expect(parseOptions(['--minutes', '5', '--seeds', '7'], 1)).toMatchObject({ seeds: 7, minutes: 5 });
  });

  test('a command to reproduce a life is understood, with every fault as it was', () => {
    const faults = drawnFaults(7);
    const command = commandToReproduce(7, 'bus', faults);
    const [, words, json] = /^npm run sim -- (.*) --faults '([^']*)'$/.exec(command)!;
    const options = parseOptions([...words!.split(' '), '--faults', json!], 1);
    expect(options).toMatchObject({ seed: 7, seeds: 1, scenario: 'bus' });
    expect(options.faults).toEqual(faults);
  });

  test.each([
    [['--jobs', '0'], /--jobs.*must be a whole number, 1\.\.256 \(got 0\)/],
    [['--seeds', '1e3'], /--seeds.*must be a whole number/],
    [['--seed', '-1'], /--seed.*must be a whole number, 0\.\./],
    [['--minutes', '0.5'], /--minutes.*must be a whole number/],
    [['--nonsense'], /unknown option '--nonsense'/],
    [['seven'], /too many arguments/],
    [['--seed', '4294967295', '--seeds', '2'], /--seed \+ --seeds - 1 must be at most 4294967295/],
    [['--faults', '[]'], /--faults needs --seed/],
    [['--seed', '1', '--seeds', '2', '--faults', '[]'], /--seeds must be 1 \(got 2\)/],
    [['--seed', '1', '--faults', '{'], /must be JSON/],
    [['--seed', '1', '--faults', '{}'], /must be an array/],
    [['--seed', '1', '--faults', '[1]'], /fault 0: must be an object/],
    [['--seed', '1', '--faults', '[{"kind":"toString"}]'], /kind must be one of loss, .*\(got "toString"\)/],
    [
      ['--seed', '1', '--faults', JSON.stringify([pause, { ...pause, board: 'c' }])],
      /fault 1: board of pause must be one of "a", "b" \(got "c"\)/,
    ],
    [
      ['--seed', '1', '--faults', JSON.stringify([{ ...pause, until: undefined }])],
      /until of pause must be milliseconds/,
    ],
    [['--seed', '1', '--faults', JSON.stringify([{ ...pause, until: 0 }])], /until must not be before at/],
    [
      ['--seed', '1', '--faults', JSON.stringify([{ ...pause, link: 'serial' }])],
      /pause has no link, only at, until, board/,
    ],
  ])('%j is refused with the rule and the code', (words, rule) => {
    expect(() => parseOptions(words, 1)).toThrow(CommanderError);
    expect(said).toMatch(/^sim: USAGE_ARGUMENT: /);
    expect(said).toMatch(rule);
  });

  test('whatever is drawn can be given', () => {
    for (const scenario of Object.keys(scenarios)) {
      for (let seed = 0; seed < 100; seed++) {
        const { faults } = drawLife(seed, scenario);
        expect(faultList(JSON.stringify(faults))).toEqual(faults);
      }
    }
  });

  test('the document names every kind of fault', () => {
    expect(() => parseOptions(['--seed', '1', '--faults', '[{}]'], 1)).toThrow(CommanderError);
    const [, kinds] = /kind must be one of (.*) \(got/.exec(said)!;
    expect(kinds!.split(', ').length).toBeGreaterThan(20);
    for (const kind of kinds!.split(', ')) expect(document).toContain(`\`${kind}\``);
  });

  test('--help shows examples and every exit code', () => {
    let exitCode: number | null = null;
    try {
      parseOptions(['--help'], 1);
    } catch (error) {
      exitCode = (error as CommanderError).exitCode;
    }
    expect(exitCode).toBe(0);
    expect(said).toContain('npm run sim -- --seeds 1000');
    const options = [...said.matchAll(/^ +(--(?!help|list)[a-z-]+)/gm)].map(([, option]) => option!);
    expect(options.length).toBeGreaterThan(7);
    for (const option of options) expect(document).toMatch(new RegExp(`^\\| \`${option}\\b`, 'm'));
    for (const code of [0, 1, 2, 12, 70, 130, 143]) expect(said).toMatch(new RegExp(`^ +${code}  \\w`, 'm'));
  });
});
