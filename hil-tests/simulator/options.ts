/** The command line of the simulator: what can be asked, and the rule that each answer must obey. */
import { Command, InvalidArgumentError } from 'commander';
import { type ExitCode, exitCodes } from '../../firmware-host/exit-codes.ts';
import { boardNames, type Fault, type FaultKind, linkNames } from './fault.ts';

export interface SimOptions {
  /** Null: as many as the minutes allow. */
  seeds: number | null;
  /** Null: drawn. */
  seed: number | null;
  scenario: string;
  jobs: number;
  minutes: number | null;
  faults: Fault[] | null;
  keepGoing: boolean;
  shrink: boolean;
  json: boolean;
  list: boolean;
}

/** Every exit code that the command can end with. */
const exitCodesHere = [
  exitCodes.ok,
  exitCodes.failed,
  exitCodes.usage,
  exitCodes.machine,
  exitCodes.internal,
  exitCodes.interrupted,
  exitCodes.terminated,
];

export const seedMax = 0xffff_ffff;
const seedsDefault = 1000;
const usageCode = 'USAGE_ARGUMENT';

/** Throws commander's `CommanderError` after it has printed what is wrong, or the help that was asked for. */
export function parseOptions(words: readonly string[], jobsDefault: number): SimOptions {
  const command = new Command('sim')
    .description('live many lives of a pair in virtual time, each from one seed, and judge each of them')
    .option('--seeds <n>', `how many lives (default ${seedsDefault})`, wholeNumber(1, 1_000_000_000))
    .option('--seed <n>', 'of the first life; the others follow it (default: drawn)', wholeNumber(0, seedMax))
    .option('--scenario <name>', 'what narrows the draw, see --list', 'any')
    .option('--jobs <n>', 'lives at a time, a process each', wholeNumber(1, 256), jobsDefault)
    .option(
      '--minutes <n>',
      'begin no life after so long; without --seeds the only limit',
      wholeNumber(1, 10_080),
    )
    .option('--faults <json>', 'these instead of those that the seed draws; one life only', faultList)
    .option('--keep-going', 'go on after a failure, and list all of them at the end')
    .option('--no-shrink', 'tell of a failing life as it was drawn')
    .option('--json', 'NDJSON: start, progress, failure, end')
    .option('--list', 'print the scenarios and end')
    .allowExcessArguments(false)
    .showHelpAfterError('(--help shows what is possible)')
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, `sim: ${usageCode}: `)),
    })
    .exitOverride()
    .addHelpText('after', helpText());
  command.parse(words, { from: 'user' });
  const given = command.opts<Partial<SimOptions> & Pick<SimOptions, 'scenario' | 'jobs' | 'shrink'>>();
  const refuse = (rule: string): never => command.error(`error: ${rule}`, { exitCode: exitCodes.usage.code });
  if (given.faults !== undefined) {
    if (given.seed === undefined) refuse('--faults needs --seed: everything else comes from it');
    if ((given.seeds ?? 1) !== 1) refuse(`--faults is for one life: --seeds must be 1 (got ${given.seeds})`);
  }
  const seeds =
    given.faults !== undefined ? 1 : (given.seeds ?? (given.minutes === undefined ? seedsDefault : null));
  if ((given.seed ?? 0) + (seeds ?? 1) - 1 > seedMax) {
    refuse(`--seed + --seeds - 1 must be at most ${seedMax} (got ${given.seed} + ${seeds} - 1)`);
  }
  return {
    seeds,
    seed: given.seed ?? null,
    scenario: given.scenario,
    jobs: given.jobs,
    minutes: given.minutes ?? null,
    faults: given.faults ?? null,
    keepGoing: given.keepGoing ?? false,
    shrink: given.shrink,
    json: given.json ?? false,
    list: given.list ?? false,
  };
}

function helpText(): string {
  const codes = exitCodesHere.map(
    ({ code, meaning }: ExitCode) => `  ${String(code).padStart(3)}  ${meaning}`,
  );
  return `
Examples:
  npm run sim -- --seeds 1000                            a thousand lives from a seed that is drawn and printed
  npm run sim -- --seed 7 --seeds 100000 --jobs 2        the same lives on every machine, whatever the jobs
  npm run sim -- --minutes 30 --keep-going               half an hour; all failures, grouped by checker
  npm run sim -- --seed 7 --seeds 1 --faults '[]'        that life without its faults

Exit codes (0 only if every life passed):
${codes.join('\n')}

docs/simulator.md tells how to read a failure. Colours are left out when NO_COLOR is set or the output is no terminal.`;
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`must be a whole number, ${least}..${most} (got ${text})`);
    }
    return value;
  };
}

/** The rule that a field breaks, or null. */
type Rule = (value: unknown) => string | null;

const number = (least: number, most: number, what: string): Rule => {
  return (value) =>
    typeof value === 'number' && value >= least && value <= most
      ? null
      : `must be ${what}, ${least}..${most}`;
};
const oneOf = (...values: readonly (string | null)[]): Rule => {
  return (value) =>
    values.includes(value as string | null)
      ? null
      : `must be one of ${values.map((each) => JSON.stringify(each)).join(', ')}`;
};

const time = number(0, 1e9, 'milliseconds');
const anyMs = number(-1e9, 1e9, 'milliseconds');
const probability = number(0, 1, 'a probability');
const board = oneOf(...boardNames);
const link = oneOf(...linkNames);
const from = oneOf(...boardNames, null);
const device: Rule = (value) =>
  Number.isInteger(value) && (value as number) >= 0 ? null : 'must be the number of a device, from 0';

/** Every field of every kind, so that a list that was mistyped is refused and not half obeyed. */
const fieldsOf: { [K in FaultKind]: Record<Exclude<keyof Extract<Fault, { kind: K }>, 'kind'>, Rule> } = {
  loss: { at: time, until: time, link, from, probability },
  delay: { at: time, until: time, link, from, ms: time, jitterMs: time },
  duplication: { at: time, until: time, link, from, probability },
  reordering: { at: time, until: time, link, from, probability },
  corruption: { at: time, until: time, link, from, probability },
  cut: { at: time, until: time, link, from },
  stall: { at: time, until: time, link, from },
  'slow-link': { at: time, until: time, link, bitsPerSecond: number(1, 1e12, 'bits per second') },
  kill: { at: time, until: time, board },
  power: { at: time, until: time, board, disk: oneOf('kept', 'lost') },
  pause: { at: time, until: time, board },
  'late-wakes': { at: time, until: time, board, ms: time },
  'slow-replica': { at: time, until: time, board, turnMs: time },
  replica: { at: time, board, how: oneOf('killed', 'hangs', 'diverges') },
  'disk-full': { at: time, until: time, board },
  'slow-disk': { at: time, until: time, board, ms: time },
  'clock-step': { at: time, board, ms: anyMs },
  'clock-drift': { at: time, until: time, board, partsPerMillion: number(-1e5, 1e5, 'parts per million') },
  'device-restart': { at: time, device },
  'device-port-lost': { at: time, until: time, device, board },
  'line-noise': { at: time, until: time, device, board, probability },
  'slow-device': { at: time, until: time, device, msPerByte: time },
  switchover: { at: time, board },
  leave: { at: time, until: time, board },
  forgery: {
    at: time,
    until: time,
    link,
    to: board,
    how: oneOf('random', 'replayed', 'reflected', 'other-key', 'truncated'),
    everyMs: number(0.001, 1e9, 'milliseconds'),
  },
};

/** Reads what `commandToReproduce` wrote. */
export function faultList(text: string): Fault[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`must be JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(list)) throw new InvalidArgumentError('must be an array of faults');
  for (const [index, each] of list.entries()) {
    const broken = brokenRule(each);
    if (broken !== null) throw new InvalidArgumentError(`fault ${index}: ${broken}`);
  }
  return list as Fault[];
}

function brokenRule(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'must be an object';
  const { kind, ...rest } = value as Record<string, unknown>;
  if (typeof kind !== 'string' || !Object.hasOwn(fieldsOf, kind)) {
    return `kind must be one of ${Object.keys(fieldsOf).join(', ')} (got ${JSON.stringify(kind)})`;
  }
  const rules: Record<string, Rule> = fieldsOf[kind as FaultKind];
  for (const [name, rule] of Object.entries(rules)) {
    const broken = rule(rest[name]);
    if (broken !== null) return `${name} of ${kind} ${broken} (got ${JSON.stringify(rest[name])})`;
  }
  const unknown = Object.keys(rest).find((name) => !Object.hasOwn(rules, name));
  if (unknown !== undefined) return `${kind} has no ${unknown}, only ${Object.keys(rules).join(', ')}`;
  const { at, until } = rest as { at: number; until?: number };
  return until !== undefined && until < at ? `until must not be before at (got ${until} and ${at})` : null;
}
