/**
 * `npm run sim`: lives of a pair from many seeds, and a full account of one that fails. docs/simulator.md.
 *
 * Lives are lived in processes of their own (life-workers.ts), which begin each from a macrotask (campaign-worker.ts);
 * here is only what is asked, shown and ended.
 */
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { CommanderError } from 'commander';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { accountFor, type ShrinkBudget } from './account.ts';
import { runCampaign } from './campaign.ts';
import { LifeWorkers } from './life-workers.ts';
import { parseOptions, type SimOptions, seedMax } from './options.ts';
import { type Failure, failureOf, isSameKind } from './outcome.ts';
import { JsonOutput, type RunOutput, TextOutput } from './run-output.ts';
import { scenarios } from './swarm.ts';
import { Totals } from './totals.ts';

export interface Surroundings {
  /** Exports `live` (campaign-worker.ts, LifeModule). */
  lifeModule: URL;
  /** What `--scenario` can name. */
  scenarios: Readonly<Record<string, { about: string }>>;
}

const root = new URL('../../', import.meta.url);
/** A drawn seed leaves room for as many lives as anybody will wait for. */
const drawnSeedMax = 2_000_000_000;
const shrinkLivesMax = 300;
const shrinkWallMsMax = 60_000;
const progressMs = { terminal: 1000, other: 10_000 };

/** Resolves with the exit code. */
export async function sim(
  words: readonly string[],
  { lifeModule, scenarios }: Surroundings,
): Promise<number> {
  let options: SimOptions;
  try {
    options = parseOptions(words, availableParallelism());
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code;
  }
  const wrongNode = nodeFault();
  if (wrongNode !== null) {
    process.stderr.write(`sim: MACHINE_NODE: ${wrongNode}\n`);
    return exitCodes.machine.code;
  }
  const names = Object.keys(scenarios);
  if (options.list) {
    const width = Math.max(...names.map((name) => name.length));
    for (const name of names) process.stdout.write(`${name.padEnd(width)}  ${scenarios[name]!.about}\n`);
    return exitCodes.ok.code;
  }
  if (!names.includes(options.scenario)) {
    const rule = `--scenario must be one of ${names.join(', ')} (got ${options.scenario})`;
    process.stderr.write(`sim: USAGE_SCENARIO: ${rule}\n`);
    return exitCodes.usage.code;
  }
  const output = options.json ? new JsonOutput(process.stdout) : new TextOutput(process.stdout, process.env);
  return await new Run(options, lifeModule, output).toItsEnd();
}

class Run {
  readonly #options: SimOptions;
  readonly #output: RunOutput;
  readonly #workers: LifeWorkers;
  readonly #totals = new Totals();
  readonly #begunAt = performance.now();
  #interruptedBy: 'SIGINT' | 'SIGTERM' | null = null;
  #failures: Failure[] = [];

  constructor(options: SimOptions, lifeModule: URL, output: RunOutput) {
    this.#options = options;
    this.#output = output;
    this.#workers = new LifeWorkers({ jobs: options.jobs, lifeModule });
  }

  async toItsEnd(): Promise<number> {
    const { seeds, scenario, jobs, json } = this.#options;
    const firstSeed = this.#options.seed ?? randomInt(1, Math.min(drawnSeedMax, seedMax - (seeds ?? 0)));
    const date = new Date().toISOString().slice(0, 10);
    const cores = Math.min(jobs, availableParallelism());
    const run = { date, commit: commitName(), firstSeed, scenario, jobs, cores };
    this.#output.start(run, seeds, this.#options.seed === null);
    const isInPlace = process.stdout.isTTY === true && !json;
    const progress = setInterval(
      () => this.#output.progress(this.#totals, this.#elapsedMs()),
      isInPlace ? progressMs.terminal : progressMs.other,
    );
    const interrupt = (signal: NodeJS.Signals): void => {
      this.#interruptedBy ??= signal === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
      void this.#workers.close();
    };
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
    try {
      await this.#campaign(firstSeed);
      const wallMs = this.#elapsedMs();
      clearInterval(progress);
      await this.#accounts();
      const end = { totals: this.#totals, wallMs, failures: this.#failures };
      this.#output.end({ ...end, interruptedBy: this.#interruptedBy });
    } finally {
      clearInterval(progress);
      await this.#workers.close();
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    }
    if (this.#interruptedBy === 'SIGINT') return exitCodes.interrupted.code;
    if (this.#interruptedBy === 'SIGTERM') return exitCodes.terminated.code;
    return this.#failures.length === 0 ? exitCodes.ok.code : exitCodes.failed.code;
  }

  #elapsedMs(): number {
    return performance.now() - this.#begunAt;
  }

  async #campaign(firstSeed: number): Promise<void> {
    const { seeds, scenario, jobs, minutes, faults, keepGoing } = this.#options;
    const plan = { firstSeed, seeds, scenario, jobs, keepGoing, ...(faults === null ? {} : { faults }) };
    this.#failures = await runCampaign(plan, this.#workers.live, {
      isOver: () =>
        this.#interruptedBy !== null || (minutes !== null && this.#elapsedMs() >= minutes * 60_000),
      onOutcome: (outcome) => {
        this.#totals.add(outcome);
        const failure = failureOf(outcome);
        if (failure !== null) this.#output.failure(failure);
      },
    });
  }

  /** Of the lowest failing seed, or with --keep-going of the lowest of each kind. */
  async #accounts(): Promise<void> {
    const { scenario, faults, keepGoing, shrink } = this.#options;
    const told: Failure[] = [];
    const budget: ShrinkBudget = {
      livesMax: shrink ? shrinkLivesMax : 0,
      wallMsMax: shrinkWallMsMax,
      now: () => performance.now(),
    };
    for (const failure of this.#failures) {
      if (told.some((each) => isSameKind(each, failure)) || (told.length > 0 && !keepGoing)) continue;
      if (this.#interruptedBy !== null) return;
      told.push(failure);
      this.#output.searching(failure);
      const areFaultsDrawn = faults === null;
      const account = await accountFor(failure, {
        scenario,
        areFaultsDrawn,
        live: this.#workers.live,
        budget,
      });
      if (account !== null) this.#output.account(account);
    }
  }
}

/** Only the pinned runtime lives the same lives everywhere (firmware-host runs under no other either). */
function nodeFault(): string | null {
  const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const pinned = manifest.optionalDependencies[`node-${process.platform}-${process.arch}`];
  const runs = process.versions.node;
  if (pinned === runs) return null;
  if (pinned === undefined)
    return `runs on linux x64 and linux arm64 (this is ${process.platform} ${process.arch})`;
  return `runs under Node ${pinned} only (this is ${runs}): run "npm ci", then use "npm run sim"`;
}

function commitName(): string | null {
  const git = (...words: string[]): string =>
    execFileSync('git', ['-c', 'safe.directory=*', ...words], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short=12', 'HEAD')}${isChanged ? '+changes' : ''}`;
  } catch {
    return null;
  }
}

if (import.meta.main) {
  // `npm run sim | head`: a reader that has seen enough is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
  try {
    const lifeModule = new URL('life.ts', import.meta.url);
    process.exitCode = await sim(process.argv.slice(2), { lifeModule, scenarios });
  } catch (error) {
    process.stderr.write(`sim: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = exitCodes.internal.code;
  }
}
