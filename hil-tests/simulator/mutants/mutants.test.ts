import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { mutantNamed, mutants } from './catalogue.ts';
import { editsOf, type Mutant, mutate } from './mutant.ts';
import { table, verdictOf } from './outcomes.ts';
import { type Life, type Outcome, Pairs, tryMutant } from './trial.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

function sourceOf(file: string): string {
  return readFileSync(`${root}${file}`, 'utf8');
}

const moduleOf = (query: string): string => new URL(`./mutant-life.ts${query}`, import.meta.url).href;

/** Tells what the mutant of this process has changed, and whether a damaged frame of either kind is taken. */
function runProbe(query: string): Promise<{ stdout: string }> {
  const probe = `
    const { changedFiles } = await import('${moduleOf(query)}');
    const { FrameDecoder, encodeFrame } = await import('${root}protocol/frame.ts');
    const takes = (crc) => {
      const line = encodeFrame(Uint8Array.of(1, 2, 3), crc);
      line[2] ^= 0x40;
      return new FrameDecoder({ frameBytesMax: 8, crc }).push(line)[0].kind === 'frame';
    };
    console.log(JSON.stringify({ changedFiles, crc16: takes('crc16'), crc32: takes('crc32') }));
  `;
  return run(process.execPath, ['--input-type=module', '--eval', probe]);
}

describe('the catalogue', () => {
  test('breaks many rules, each under a name of its own', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(35);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    expect(() => mutantNamed('no-such-mutant')).toThrow('no-such-mutant');
    expect(mutantNamed(mutants[0]!.name)).toBe(mutants[0]);
  });

  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))('%s still compiles', (_, mutant) => {
    expect(mutant.breaks).not.toBe('');
    expect(mutant.promise).toMatch(/^(DESIGN|protocol\/README\.md) §/);
    for (const file of new Set(editsOf(mutant).map((edit) => edit.file))) {
      const before = sourceOf(file);
      const after = mutate(mutant, file, before);
      expect(stripTypeScriptTypes(after)).not.toBe(stripTypeScriptTypes(before));
    }
  });
});

describe('the text of a mutant', () => {
  const mutant: Mutant = {
    name: 'm',
    breaks: 'a rule',
    promise: 'DESIGN §1.1',
    file: 'x.ts',
    find: 'a + b',
    replace: 'a - b',
  };

  test('is put in where it is found', () => {
    expect(mutate(mutant, 'x.ts', 'return a + b;')).toBe('return a - b;');
    expect(mutate(mutant, 'y.ts', 'return a + b;')).toBe('return a + b;');
    const also = [{ file: 'x.ts', find: 'return', replace: 'yield' }];
    expect(mutate({ ...mutant, also }, 'x.ts', 'return a + b;')).toBe('yield a - b;');
  });

  test.each(['return a;', 'a + b; a + b;'])('must occur exactly once: %s', (text) => {
    expect(() => mutate(mutant, 'x.ts', text)).toThrow('exactly once');
  });
});

describe('a process of a mutant', () => {
  test('has that one rule broken and no other', async () => {
    const { stdout } = await runProbe('?mutant=stream-checksum-not-compared');
    expect(JSON.parse(stdout)).toEqual({ changedFiles: ['protocol/frame.ts'], crc16: true, crc32: false });
  });

  test('has none broken without a name', async () => {
    const { stdout } = await runProbe('');
    expect(JSON.parse(stdout)).toEqual({ changedFiles: [], crc16: false, crc32: false });
  });

  test('does not begin under an unknown name', async () => {
    await expect(runProbe('?mutant=no-such-mutant')).rejects.toThrow('there is no mutant "no-such-mutant"');
  });
});

describe('a trial', () => {
  const mutant = mutantNamed('gate-open-before-acknowledgement');

  async function outcomeOf(blindCheckers: string[], lives: Life[]): Promise<Outcome> {
    const broken = new Pairs({ mutant: mutant.name, blindCheckers, jobs: 1 });
    const unbroken = new Pairs({ mutant: null, blindCheckers, jobs: 1 });
    try {
      return await tryMutant(mutant, lives, { broken, unbroken });
    } finally {
      await Promise.all([broken.close(), unbroken.close()]);
    }
  }

  test('ends with a checker that catches the mutant, and with none when all of them always pass', async () => {
    const lives = Array.from({ length: 8 }, (_, index) => ({ seed: index + 1, scenario: 'takeovers' }));
    const seen = await outcomeOf([], lives);
    expect(seen.caught).not.toBeNull();
    expect(seen.caught!.by).not.toBe('crash');
    const unseen = await outcomeOf(['*'], lives.slice(0, seen.lives));
    expect(unseen).toMatchObject({ caught: null, lives: seen.lives });
  });
});

describe('what is told', () => {
  const outcome = (name: string, lives: number, by: string | null): Outcome => ({
    mutant: { ...mutants[0]!, name },
    caught: by === null ? null : { by, seed: 7, scenario: 'any', message: 'first line\nsecond' },
    lives,
    seconds: 1.25,
    unsound: [],
  });

  test('a line for each mutant, survivors last', () => {
    expect(table([outcome('s', 20, null), outcome('late', 12, 'x'), outcome('early', 1, 'y')])).toBe(
      [
        'mutant  lives  caught by  seconds',
        'early       1  y              1.3',
        'late       12  x              1.3',
        's          20  SURVIVED       1.3',
        '',
        '2 of 3 mutants caught',
        '  x 1, y 1',
        'survived: s',
      ].join('\n'),
    );
  });

  test('the seed that shows it', () => {
    expect(verdictOf(outcome('m', 3, 'output-once'))).toBe(
      'm: output-once, after 3 lives, 1.3 s (seed 7, any)\n    first line',
    );
    expect(
      verdictOf({ ...outcome('m', 3, null), unsound: [{ seed: 4, scenario: 'bus', by: 'x', message: '' }] }),
    ).toContain('4 (bus: x)');
  });
});
