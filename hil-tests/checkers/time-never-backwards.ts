/**
 * Promise 3 (DESIGN section 1), section 8 "clock at takeover: continues from the last recorded time, slewed, never
 * backwards": neither a takeover nor a step of the wall clock reaches the program's time.
 *
 * Within a history a board's virtual time never falls, unless its copy is made anew, from the history's begin: it joins, or
 * runs its journal again. Turn by turn it goes with true time: what it is ahead of that
 *
 *   - does not rise above what it was in the history before: a clock that leaps would, or a step of the wall clock that
 *     leaked in. A takeover makes it smaller, by what was on its way; running a little fast makes up for that
 *   - falls, within a reign, by less than half of the time that the reign lasts: a clock that stands still would not
 *
 * A board that sleeps between the beginning of a turn and its end has read its time before.
 */
import type { BoardName } from '../simulator/fault.ts';
import { type Checker, type CheckerFactory, type Observed, Violation } from '../simulator/observation.ts';

/** What a program that spins gains for a moment, and a turn takes: a program that hangs is given up after 400 ms. */
const slackMs = 500;
const leastRate = 0.5;

interface Seen {
  historyId: string | null;
  timeUs: number;
  term: number | null;
  /** Where this reign of the board began: how far the program's time was ahead of true time, and when that was. */
  reign: { historyId: string; aheadMs: number; at: number } | null;
  /** It slept since the turn that it performed last. */
  slept: boolean;
}

class TimeNeverBackwards implements Checker {
  readonly name = 'time-never-backwards';
  readonly promise = '3: the stream of one controller that never failed; section 8: never backwards';
  readonly #seen: Record<BoardName, Seen> = { a: nothingSeen(), b: nothingSeen() };
  /** By history: most that the program's time was ever ahead of true time. */
  readonly #mostAheadMs = new Map<string, number>();

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'board-up':
        this.#seen[observed.board] = nothingSeen();
        return;
      case 'fault':
        if (observed.fault.kind === 'pause') this.#seen[observed.fault.board].slept = true;
        return;
      case 'report':
        if (observed.report.code === 'RESUMING') this.#seen[observed.board].timeUs = 0;
        return;
      case 'turn':
        if (observed.mode === 'perform') this.#performed(observed);
        return;
      case 'role':
      case 'status':
        this.#look(observed);
    }
  }

  #look({ board, status, at }: Observed & { kind: 'role' | 'status' }): void {
    const seen = this.#seen[board];
    const { historyId, virtualTimeUs: timeUs } = status;
    const goesOn = seen.historyId !== null && seen.historyId === historyId;
    if (goesOn && timeUs < seen.timeUs) {
      this.#fail(`the program's time on board ${board} fell by ${seen.timeUs - timeUs} us`);
    }
    const reignsOn = goesOn && seen.term === status.term;
    seen.historyId = historyId;
    seen.timeUs = status.role === 'joining' ? 0 : timeUs;
    seen.term = status.role === 'primary' ? status.term : null;
    if (seen.term === null) seen.reign = null;
    else if (!reignsOn && historyId !== null && timeUs > 0) {
      seen.reign = { historyId, aheadMs: timeUs / 1000 - at, at };
    }
  }

  #performed({ board, historyId, timeUs, at }: Observed & { kind: 'turn' }): void {
    const seen = this.#seen[board];
    const hasSlept = seen.slept;
    seen.slept = false;
    if (hasSlept) return;
    const aheadMs = timeUs / 1000 - at;
    const mostMs = this.#mostAheadMs.get(historyId) ?? aheadMs;
    if (aheadMs > mostMs + slackMs) {
      this.#fail(`the program's time on board ${board} leapt ahead by ${Math.round(aheadMs - mostMs)} ms`);
    }
    this.#mostAheadMs.set(historyId, Math.max(aheadMs, mostMs));
    const { reign } = seen;
    if (reign === null || reign.historyId !== historyId) return;
    const lastsMs = at - reign.at;
    const fellMs = reign.aheadMs - aheadMs;
    if (fellMs <= (1 - leastRate) * lastsMs + slackMs) return;
    this.#fail(
      `the program's time on board ${board} fell ${Math.round(fellMs)} ms behind within ${Math.round(lastsMs)} ms`,
    );
  }

  end(): void {}

  #fail(message: string): never {
    throw new Violation(this.name, message);
  }
}

function nothingSeen(): Seen {
  return { historyId: null, timeUs: 0, term: null, reign: null, slept: false };
}

export const timeNeverBackwards: CheckerFactory = () => new TimeNeverBackwards();
