/**
 * `npm run sim:mutants`: does anything notice when the protocol is broken? Every mutant lives until it is caught; the exit
 * code is not 0 if one survives.
 *
 *     --only NAME          this mutant; repeatable
 *     --seeds N            lives of each, default 400; without all checkers 1
 *     --seed S             the first one's seed, default 1
 *     --scenario NAME      instead of the mutant's own, and `any` every fourth time
 *     --jobs J             mutants at a time, default one a core
 *     --without CHECKER    as if this checker always passed; repeatable. Who survives, only it catches
 *     --without-checkers   as if all of them did: then mutants survive, or the checkers are for show
 *     --list               only their names, and what they break
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { exitCodes } from '../../../firmware-host/exit-codes.ts';
import { mutantNamed, mutants } from './catalogue.ts';
import { editsOf, type Mutant, mutate } from './mutant.ts';
import { table, verdictOf } from './outcomes.ts';
import { type Life, type Outcome, Pairs, tryMutant } from './trial.ts';

/** What a mutant's own scenario never provokes, `any` may. */
const anyEvery = 4;

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`--${name} must be a whole number from ${least} (got ${text})`);
  }
  return value;
}

function readOptions(words: string[]) {
  const { values } = parseArgs({
    args: words,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      seeds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      scenario: { type: 'string' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      without: { type: 'string', multiple: true, default: [] },
      'without-checkers': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  });
  return {
    mutants: values.only.length === 0 ? mutants : values.only.map(mutantNamed),
    seeds: wholeNumber('seeds', values.seeds ?? (values['without-checkers'] ? '1' : '400'), 1),
    firstSeed: wholeNumber('seed', values.seed, 0),
    scenario: values.scenario ?? null,
    jobs: wholeNumber('jobs', values.jobs, 1),
    blindCheckers: values['without-checkers'] ? ['*'] : values.without,
    list: values.list,
  };
}

type Options = ReturnType<typeof readOptions>;

/** A text that nobody finds any more is told at once, not after an hour of other mutants. */
function checkTexts(chosen: readonly Mutant[]): void {
  const root = new URL('../../../', import.meta.url);
  for (const mutant of chosen) {
    for (const { file } of editsOf(mutant)) mutate(mutant, file, readFileSync(new URL(file, root), 'utf8'));
  }
}

function* livesOf(mutant: Mutant, { scenario, seeds, firstSeed }: Options): Generator<Life> {
  const own = scenario ?? mutant.scenario ?? 'any';
  for (let index = 0; index < seeds; index++) {
    const isAny = scenario === null && index % anyEvery === anyEvery - 1;
    yield { seed: firstSeed + index, scenario: isAny ? 'any' : own };
  }
}

async function run(options: Options): Promise<Outcome[]> {
  const { blindCheckers, jobs } = options;
  const count = options.mutants.length;
  const unbroken = new Pairs({ mutant: null, blindCheckers, jobs });
  const outcomes: Outcome[] = [];
  const waiting = [...options.mutants];
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const broken = new Pairs({ mutant: mutant.name, blindCheckers, jobs: 1 });
      try {
        const outcome = await tryMutant(mutant, livesOf(mutant, options), { broken, unbroken });
        outcomes.push(outcome);
        console.log(`[${outcomes.length}/${count}] ${verdictOf(outcome)}`);
      } finally {
        await broken.close();
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, count) }, work));
  } finally {
    await unbroken.close();
  }
  return outcomes;
}

async function main(words: string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(words);
  } catch (error) {
    console.error((error as Error).message);
    return exitCodes.usage.code;
  }
  if (options.list) {
    for (const { name, breaks } of options.mutants) console.log(`${name}: ${breaks}`);
    return exitCodes.ok.code;
  }
  const { firstSeed, seeds, jobs, blindCheckers } = options;
  const without = blindCheckers.length === 0 ? '' : `, without ${blindCheckers.join(', ')}`;
  console.log(
    `seed ${firstSeed}: ${options.mutants.length} mutants, up to ${seeds} lives each, ${jobs} at a time${without}`,
  );
  checkTexts(options.mutants);
  const outcomes = await run(options);
  console.log(`\n${table(outcomes)}`);
  return outcomes.every(({ caught }) => caught !== null) ? exitCodes.ok.code : exitCodes.failed.code;
}

process.exitCode = await main(process.argv.slice(2));
