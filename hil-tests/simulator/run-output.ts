/**
 * Where a run shows itself: lines for people, with a line of progress that stays in place on a terminal, or NDJSON.
 * The seed comes first, before anything can go wrong.
 */
import { styleText } from 'node:util';
import { type Account, accountLines, commandToReproduce } from './account.ts';
import { failingSeeds } from './campaign.ts';
import type { Failure } from './outcome.ts';
import { countText, progressLine, type RunFacts, summaryLine, type Totals, totalsTable } from './totals.ts';

export interface RunEnd {
  totals: Totals;
  wallMs: number;
  failures: readonly Failure[];
  /** Of how the run ended before its time. */
  interruptedBy: string | null;
}

export interface RunOutput {
  /** `isSeedDrawn`: nobody gave it. `seeds` is null without a limit. */
  start(run: RunFacts, seeds: number | null, isSeedDrawn: boolean): void;
  progress(totals: Totals, wallMs: number): void;
  failure(failure: Failure): void;
  /** A failing life is being looked into, which can take a minute. */
  searching(failure: Failure): void;
  account(account: Account): void;
  end(end: RunEnd): void;
}

/** Stays the same for the whole process: what terminals and pipes have in common. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const seedsListedMax = 100;

export class TextOutput implements RunOutput {
  readonly #stream: OutputStream;
  readonly #hasColor: boolean;
  #run: RunFacts | null = null;
  #seeds: number | null = null;
  #hasLineInPlace = false;

  constructor(stream: OutputStream, environment: NodeJS.ProcessEnv) {
    this.#stream = stream;
    this.#hasColor =
      stream.isTTY === true && (environment.NO_COLOR ?? '') === '' && environment.TERM !== 'dumb';
  }

  start(run: RunFacts, seeds: number | null, isSeedDrawn: boolean): void {
    this.#run = run;
    this.#seeds = seeds;
    this.#lines(
      `seed ${run.firstSeed}${isSeedDrawn ? ' (drawn)' : ''}`,
      `${seeds === null ? 'lives without number' : `${countText(seeds)} ${seeds === 1 ? 'life' : 'lives'}`}, ` +
        `scenario ${run.scenario}, ${run.jobs} ${run.jobs === 1 ? 'job' : 'jobs'}, commit ${run.commit ?? 'unknown'}`,
    );
  }

  progress(totals: Totals, wallMs: number): void {
    const line = progressLine(totals, { seeds: this.#seeds, wallMs, cores: this.#run?.cores ?? 1 });
    if (this.#stream.isTTY !== true) {
      this.#lines(line);
      return;
    }
    // One column short: a full line would wrap, and then stay.
    this.#stream.write(`\r\x1b[K${line.slice(0, (this.#stream.columns ?? 80) - 1)}`);
    this.#hasLineInPlace = true;
  }

  failure({ seed, checker, message }: Failure): void {
    this.#lines(this.#color('red', `FAILED  seed ${seed}  ${checker}: ${message.split('\n')[0]}`));
  }

  searching({ seed }: Failure): void {
    this.#lines('', `looking for the fewest faults that make seed ${seed} fail ...`);
  }

  account(account: Account): void {
    const [title, ...rest] = accountLines(account);
    this.#lines('', this.#color('red', title!), ...rest);
  }

  end({ totals, wallMs, failures, interruptedBy }: RunEnd): void {
    const run = this.#run!;
    const lines = [''];
    if (interruptedBy !== null) lines.push(`Ended early by ${interruptedBy}.`, '');
    lines.push(...totalsTable(totals, run, wallMs), '');
    for (const [checker, seeds] of failingSeeds(failures)) {
      const more = seeds.length > seedsListedMax ? ` and ${seeds.length - seedsListedMax} more` : '';
      lines.push(
        this.#color('red', `FAILED  ${checker}  ${seeds.length === 1 ? '1 seed' : `${seeds.length} seeds`}`),
        `  ${seeds.slice(0, seedsListedMax).join(' ')}${more}`,
        // Of a single life, the account has the command already.
        ...(totals.lives > 1 ? [`  ${commandToReproduce(seeds[0]!, run.scenario, null)}`] : []),
        '',
      );
    }
    this.#lines(...lines, summaryLine(totals, run, wallMs));
  }

  #lines(...lines: string[]): void {
    if (this.#hasLineInPlace) this.#stream.write('\r\x1b[K');
    this.#hasLineInPlace = false;
    this.#stream.write(`${lines.join('\n')}\n`);
  }

  #color(color: 'red', text: string): string {
    return this.#hasColor ? styleText(color, text, { validateStream: false }) : text;
  }
}

export class JsonOutput implements RunOutput {
  readonly #stream: OutputStream;
  #run: RunFacts | null = null;

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  start(run: RunFacts, seeds: number | null, isSeedDrawn: boolean): void {
    this.#run = run;
    const { firstSeed: seed, ...rest } = run;
    this.#event('start', { seed, isSeedDrawn, seeds, ...rest });
  }

  progress(totals: Totals, wallMs: number): void {
    this.#event('progress', { wallMs, rate: totals.rate(wallMs), totals });
  }

  failure({ seed, checker, message, at }: Failure): void {
    this.#event('failure', { seed, checker, message, at });
  }

  searching(): void {}

  account({
    failure,
    scenario,
    shrunk,
    livesTried,
    isSearchComplete,
    isReproducible,
    timeline,
  }: Account): void {
    const command = commandToReproduce(failure.seed, scenario, shrunk ?? failure.faults);
    const search = { shrunk, livesTried, isSearchComplete, isReproducible };
    this.#event('account', { ...failure, ...search, command, timeline });
  }

  end({ totals, wallMs, failures, interruptedBy }: RunEnd): void {
    const failing = Object.fromEntries(failingSeeds(failures));
    const summary = summaryLine(totals, this.#run!, wallMs);
    this.#event('end', { wallMs, rate: totals.rate(wallMs), totals, failing, interruptedBy, summary });
  }

  #event(event: string, fields: Record<string, unknown>): void {
    this.#stream.write(`${JSON.stringify({ event, ...fields })}\n`);
  }
}
