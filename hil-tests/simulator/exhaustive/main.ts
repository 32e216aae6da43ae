/**
 * `npm run sim:exhaustive -- [--jobs J] [--case ID]`: every crash point of a short run, struck at either board, led by
 * either board, with every single and every double loss of a datagram around the blow. docs/simulator.md.
 */
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { exitCodes } from '../../../firmware-host/exit-codes.ts';
import { renderTimeline, timelineRows } from '../timeline.ts';
import { liveCase } from './case-life.ts';
import { type CrashCase, caseFromId } from './crash-case.ts';
import { rowOf, tableOf } from './exploration-table.ts';
import { exploreAll } from './exploration-workers.ts';
import { crashesLedBy, type Exploration } from './explore.ts';

const progressMs = 10_000;
const failuresShownMax = 10;
const jobsMax = 256;

/** From a macrotask, as every life wants. */
function fromMacrotask<T>(run: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(run());
      } catch (error) {
        reject(error);
      }
    });
  });
}

async function exploreEverything(jobs: number): Promise<number> {
  const begunAt = performance.now();
  const crashes = await fromMacrotask(() => [
    ...crashesLedBy('a', ['power', 'kill']),
    ...crashesLedBy('b', ['power', 'kill']),
  ]);
  process.stdout.write(`${crashes.length} crashes, ${jobs} processes\n`);
  const explorations: Exploration[] = [];
  const seconds = (): string => ((performance.now() - begunAt) / 1000).toFixed(1);
  let toldAt = begunAt;
  await exploreAll(crashes, jobs, (exploration) => {
    explorations.push(exploration);
    if (performance.now() - toldAt < progressMs) return;
    toldAt = performance.now();
    const { lives, failed } = rowOf(explorations);
    process.stdout.write(
      `${seconds()} s: ${explorations.length} crashes, ${lives} lives, ${failed} failed\n`,
    );
  });
  process.stdout.write(`\n${tableOf(explorations).join('\n')}\n\n`);
  const failures = explorations.flatMap((exploration) => exploration.failures);
  const { lives } = rowOf(explorations);
  const slowest = explorations
    .map((exploration) => exploration.slowest)
    .toSorted((left, right) => right.returnMs - left.returnMs)[0]!;
  process.stdout.write(
    `the struck board was a backup again after ${slowest.returnMs.toFixed(0)} ms at most (${slowest.id})\n`,
  );
  if (failures.length === 0) {
    process.stdout.write(`all ${lives} lives passed in ${seconds()} s\n`);
    return exitCodes.ok.code;
  }
  // The shortest are the easiest to understand.
  failures.sort((left, right) => left.id.split('.').length - right.id.split('.').length);
  for (const { id, checker, message } of failures.slice(0, failuresShownMax)) {
    process.stdout.write(`FAILED ${id}: ${checker}: ${message.split('\n')[0]}\n`);
  }
  process.stdout.write(`${failures.length} of ${lives} lives failed in ${seconds()} s. The first of them:\n`);
  await tellCase(caseFromId(failures[0]!.id)!, failures[0]!.id);
  return exitCodes.failed.code;
}

async function tellCase(crash: CrashCase, id: string): Promise<number> {
  const { violation, observed, datagrams } = await fromMacrotask(() => liveCase(crash, { record: true }));
  process.stdout.write(`\ncase ${id}\n`);
  for (const number of crash.losses) {
    const lost = datagrams[number];
    const what =
      lost === undefined
        ? 'was never sent'
        : `of ${lost.from} on link ${lost.link} at ${lost.at.toFixed(2)} ms`;
    process.stdout.write(`lost: datagram ${number} ${what}\n`);
  }
  const mark = violation === null ? 'all passed' : `${violation.checker}: ${violation.message}`;
  const at = violation?.at ?? Number.POSITIVE_INFINITY;
  const rows = timelineRows(observed);
  const lines = renderTimeline(rows, { at, mark, rowsBefore: rows.length, rowsAfter: 20 });
  process.stdout.write(`${lines.join('\n')}\n`);
  if (violation !== null) process.stdout.write(`\n${mark}\nnpm run sim:exhaustive -- --case ${id}\n`);
  return violation === null ? exitCodes.ok.code : exitCodes.failed.code;
}

function jobsOf(text: string): number {
  const jobs = Number(text);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= jobsMax) return jobs;
  throw new InvalidArgumentError(`--jobs must be 1..${jobsMax}`);
}

function caseOf(text: string): CrashCase {
  const crash = caseFromId(text);
  if (crash === null) throw new InvalidArgumentError('--case must be as a failure prints it');
  return crash;
}

async function main(words: readonly string[]): Promise<number> {
  const command = new Command('sim:exhaustive')
    .description('every crash point of a short run, with every single and double loss around it')
    .option('--jobs <count>', 'processes', jobsOf, availableParallelism())
    .option('--case <id>', 'live one case and tell its story', caseOf)
    .exitOverride();
  try {
    command.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code;
  }
  const { jobs, case: crash } = command.opts<{ jobs: number; case?: CrashCase }>();
  if (crash === undefined) return exploreEverything(jobs);
  return tellCase(crash, words[words.indexOf('--case') + 1] ?? '');
}

process.exitCode = await main(process.argv.slice(2));
