/** `npm run firmware:fuzz`: libFuzzer on the C stream code of the fenced board, for as long as asked. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { describeFault } from '../fault.ts';
import {
  buildFuzzer,
  FuzzerError,
  type FuzzFigures,
  type FuzzOutcome,
  firmwareFolder,
  missingForFuzzing,
  runFuzzer,
  writeSeeds,
} from './fuzzer.ts';

interface Options {
  minutes: number;
  seed: number;
  corpus?: string;
  findings: string;
}

const progressMs = 10_000;

function number(least: number, most: number, whole: boolean): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      throw new InvalidArgumentError(`must be ${whole ? 'whole, ' : ''}${least}..${most} (got ${text})`);
    }
    return value;
  };
}

/** Throws commander's `CommanderError` after it has printed what is wrong, or the help that was asked for. */
function parseOptions(words: readonly string[]): Options {
  const command = new Command('firmware:fuzz')
    .description('fuzz the C code of the device stream with libFuzzer, AddressSanitizer and UBSan')
    .option('--minutes <n>', 'how long, 0.05..10080', number(0.05, 10_080, false), 1)
    .option('--seed <n>', 'of the mutations (0: drawn)', number(0, 0xffff_ffff, true), 0)
    .option('--corpus <folder>', 'begin with the inputs of this folder and add to them (default: none)')
    .option('--findings <folder>', 'where an input that breaks something is kept', '.understudy/fuzz')
    .allowExcessArguments(false)
    .showHelpAfterError('(--help shows what is possible)')
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'firmware:fuzz: USAGE_ARGUMENT: ')),
    })
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  npm run firmware:fuzz -- --minutes 30
  npm run firmware:fuzz -- --minutes 0.25 --seed 7 --corpus .understudy/corpus

Exit codes: 0 nothing found, 1 something found, 2 command line, 12 no clang with libFuzzer here, 130 interrupted.`,
    );
  command.parse(words, { from: 'user' });
  return command.opts<Options>();
}

function figuresText({ executions, edgesReached, edgesAll, corpus, elapsedMs }: FuzzFigures): string {
  const seconds = elapsedMs / 1000;
  const rate = Math.round(executions / Math.max(seconds, 0.001));
  const coverage = edgesAll === 0 ? '' : `, ${edgesReached} of ${edgesAll} edges`;
  return `${seconds.toFixed(0)} s, ${executions} executions (${rate}/s)${coverage}, ${corpus} inputs kept`;
}

function tell({ figures, finding }: FuzzOutcome): void {
  process.stdout.write(`end: ${figuresText(figures)}\n`);
  if (finding === null) {
    process.stdout.write('findings: none\n');
    return;
  }
  process.stdout.write(`findings: 1\n  ${finding.what}\n`);
  if (finding.file !== null) process.stdout.write(`  the input that does it: ${finding.file}\n`);
}

async function fuzz(options: Options, folder: string): Promise<number> {
  const missing = missingForFuzzing();
  if (missing !== null) throw new FuzzerError('MACHINE_FUZZER', missing);
  const program = buildFuzzer({ firmware: firmwareFolder, folder });
  const corpus = resolve(options.corpus ?? join(folder, 'corpus'));
  const seeds = writeSeeds(corpus);
  process.stdout.write(
    `start: ${options.minutes} min, seed ${options.seed || 'drawn'}, ${seeds} inputs to begin with\n`,
  );
  const interruption = new AbortController();
  let interruptedBy: NodeJS.Signals | null = null;
  const interrupt = (signal: NodeJS.Signals): void => {
    interruptedBy ??= signal;
    interruption.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  let toldMs = 0;
  const outcome = await runFuzzer({
    program,
    corpus,
    findings: resolve(options.findings),
    seconds: Math.ceil(options.minutes * 60),
    seed: options.seed,
    signal: interruption.signal,
    onProgress: (figures) => {
      if (figures.elapsedMs - toldMs < progressMs) return;
      toldMs = figures.elapsedMs;
      process.stdout.write(`${figuresText(figures)}\n`);
    },
  });
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  tell(outcome);
  if (outcome.finding !== null) return exitCodes.failed.code;
  if (interruptedBy === 'SIGINT') return exitCodes.interrupted.code;
  return interruptedBy === 'SIGTERM' ? exitCodes.terminated.code : exitCodes.ok.code;
}

/** Resolves with the exit code. */
async function main(words: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(words);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code;
  }
  const folder = mkdtempSync(join(tmpdir(), 'understudy-fuzz-'));
  try {
    return await fuzz(options, folder);
  } catch (error) {
    const fault = describeFault(error);
    process.stderr.write(`firmware:fuzz: ${fault.text}\n`);
    return fault.exitCode;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
