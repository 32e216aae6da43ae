/** What is told of a failing life: what broke, the fewest faults that do it, what happened, how to see it again. */
import type { Fault } from './fault.ts';
import { faultLine, msText } from './fault-text.ts';
import { type Failure, failureOf, isSameKind, type LiveOne } from './outcome.ts';
import { shrink } from './shrink.ts';
import { renderTimeline, type TimelineRow } from './timeline.ts';

export interface ShrinkBudget {
  /** Lives to try lists in; 0: tell of the life as it was drawn. */
  livesMax: number;
  wallMsMax: number;
  /** Monotonic, milliseconds. */
  now(): number;
}

export interface AccountOptions {
  scenario: string;
  /** False when they were given on the command line. */
  areFaultsDrawn: boolean;
  live: LiveOne;
  budget: ShrinkBudget;
}

export interface Account {
  failure: Failure;
  scenario: string;
  areFaultsDrawn: boolean;
  /** Null when nothing was tried or the failure did not come again. */
  shrunk: readonly Fault[] | null;
  livesTried: number;
  /** False when the budget ended the search: fewer faults may do it. */
  isSearchComplete: boolean;
  /** What the shrunk life broke, which may be worded otherwise than the first. */
  last: Failure;
  timeline: TimelineRow[];
  /** False: the same seed with the same faults ended otherwise, so that something in a life is not of its seed. */
  isReproducible: boolean;
}

/** Null when the run is ended meanwhile. */
export async function accountFor(failure: Failure, options: AccountOptions): Promise<Account | null> {
  const { seed, faults } = failure;
  const { scenario, areFaultsDrawn, live, budget } = options;
  const account: Account = {
    failure,
    scenario,
    areFaultsDrawn,
    shrunk: null,
    livesTried: 0,
    isSearchComplete: false,
    last: failure,
    timeline: [],
    isReproducible: true,
  };
  if (faults === null) return account;
  // As data that was sent and came back, which is what the command to reproduce it does.
  const again = await live({ seed, scenario, faults: [...faults] });
  if (again === null) return null;
  const same = failureOf(again);
  account.isReproducible = isSameKind(failure, same) && same?.digest === failure.digest;
  if (!isSameKind(failure, same)) return account;
  if (budget.livesMax > 0 && !(await search(account, live, budget))) return null;
  const shown = await live({
    seed,
    scenario,
    faults: [...(account.shrunk ?? faults)],
    wantsTimeline: true,
  });
  if (shown === null) return null;
  account.last = failureOf(shown) ?? failure;
  if (shown.kind === 'lived') account.timeline = shown.timeline;
  return account;
}

/** False when the run is ended meanwhile. */
async function search(account: Account, live: LiveOne, budget: ShrinkBudget): Promise<boolean> {
  const { failure, scenario } = account;
  const until = budget.now() + budget.wallMsMax;
  const attempts = shrink(failure.faults!);
  account.shrunk = failure.faults;
  for (let attempt = attempts.next(); ; ) {
    if (attempt.done === true) {
      account.isSearchComplete = true;
      return true;
    }
    if (account.livesTried >= budget.livesMax || budget.now() >= until) return true;
    const outcome = await live({ seed: failure.seed, scenario, faults: [...attempt.value] });
    if (outcome === null) return false;
    account.livesTried++;
    const fails = isSameKind(failure, failureOf(outcome));
    if (fails) account.shrunk = attempt.value;
    attempt = attempts.next(fails);
  }
}

/** For a POSIX shell: a list of faults has no single quote in it. */
export function commandToReproduce(seed: number, scenario: string, faults: readonly Fault[] | null): string {
  const command = `npm run sim -- --seed ${seed} --seeds 1 --scenario ${scenario}`;
  return faults === null ? command : `${command} --faults '${JSON.stringify(faults)}'`;
}

const firstLine = ({ message }: Failure): string => message.split('\n')[0]!;

const window = { rowsBefore: 40, rowsAfter: 12 };

export function accountLines(account: Account): string[] {
  const { failure, scenario, shrunk, last } = account;
  const when = failure.at === null ? '' : ` at ${msText(failure.at)} ms`;
  const lines = [
    `FAILED  seed ${failure.seed}  ${failure.checker}${when}`,
    ...failure.message.split('\n').map((line) => `  ${line}`),
  ];
  if (failure.summary !== null) lines.push(`  life: ${failure.summary}`);
  if (!account.isReproducible) {
    lines.push(
      '',
      'The same seed with the same faults ended otherwise: something in this life is not of its seed.',
    );
  }
  lines.push(...faultLines(account));
  if (firstLine(last) !== firstLine(failure)) {
    const lastAt = last.at === null ? '' : ` at ${msText(last.at)} ms`;
    lines.push('', `With these: ${last.checker}${lastAt}`, `  ${firstLine(last)}`);
  }
  if (account.timeline.length > 0) {
    const at = last.at ?? account.timeline.at(-1)!.at;
    const mark = `${last.checker}: ${last.message}`;
    lines.push('', ...renderTimeline(account.timeline, { at, mark, ...window }));
  }
  const given = account.areFaultsDrawn ? null : failure.faults;
  lines.push('', 'Reproduce it as it was:', `  ${commandToReproduce(failure.seed, scenario, given)}`);
  if (shrunk !== null) {
    lines.push('with these faults only:', `  ${commandToReproduce(failure.seed, scenario, shrunk)}`);
  }
  return lines;
}

function faultLines({ failure, shrunk, livesTried, isSearchComplete }: Account): string[] {
  if (failure.faults === null)
    return ['', 'It ended before it said which faults it has: none could be left out.'];
  const count = (faults: readonly Fault[]): string =>
    faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  const faults = shrunk ?? failure.faults;
  const searched = isSearchComplete ? 'none of them can go' : 'the budget was used up, fewer may do';
  const title =
    shrunk === null
      ? `${count(faults)}:`
      : `${count(shrunk)} of ${failure.faults.length} are enough (${livesTried} lives tried; ${searched}):`;
  if (faults.length === 0) return ['', `It takes no fault at all (of ${failure.faults.length} that it had).`];
  return ['', title, ...faults.map((fault) => `  ${faultLine(fault)}`)];
}
