/**
 * Promise 3 (DESIGN section 1), section 8 "clock at takeover: continues from the last recorded time, slewed, never
 * backwards": neither a takeover nor a step of the wall clock reaches the program's time.
 *
 * Within a history a board's virtual time never falls, and it never runs away from true time by more than a program that
 * spins on the clock can drive it: a step of the wall clock that leaked in would.
 */
import type { BoardName } from '../simulator/fault.ts';
import { type Checker, type CheckerFactory, type Observed, Violation } from '../simulator/observation.ts';

/** A program that spins on the clock moves it faster than true time, by at most so much between two looks. */
const aheadMsMax = 60_000;

interface Seen {
  historyId: string | null;
  timeUs: number;
  at: number;
  executedTurns: number;
}

class TimeNeverBackwards implements Checker {
  readonly name = 'time-never-backwards';
  readonly promise = '3: the stream of one controller that never failed; section 8: never backwards';
  readonly #seen: Record<BoardName, Seen> = { a: nothingSeen(), b: nothingSeen() };

  observe(observed: Observed): void {
    if (observed.kind === 'board-up') {
      this.#seen[observed.board] = nothingSeen();
      return;
    }
    if (observed.kind !== 'status' && observed.kind !== 'role') return;
    const { board, status, at } = observed;
    const seen = this.#seen[board];
    const goesOn = seen.historyId !== null && seen.historyId === status.historyId;
    if (goesOn && status.virtualTimeUs < seen.timeUs) {
      throw new Violation(
        this.name,
        `the program's time on board ${board} fell by ${seen.timeUs - status.virtualTimeUs} us`,
      );
    }
    // What is run again, or joined, passes in its own time.
    const performs = status.role === 'primary' && seen.timeUs > 0 && seen.executedTurns > 0;
    if (goesOn && performs) {
      const aheadMs = (status.virtualTimeUs - seen.timeUs) / 1000 - 1.5 * (at - seen.at);
      if (aheadMs > aheadMsMax) {
        throw new Violation(
          this.name,
          `the program's time on board ${board} leapt ahead by ${Math.round(aheadMs)} ms`,
        );
      }
    }
    // Between its turns a program that waits for a timer reads no clock.
    if (!goesOn || status.virtualTimeUs !== seen.timeUs) seen.at = at;
    seen.historyId = status.historyId;
    seen.timeUs = status.virtualTimeUs;
    seen.executedTurns = status.role === 'primary' ? status.executedTurns : 0;
  }

  end(): void {}
}

function nothingSeen(): Seen {
  return { historyId: null, timeUs: 0, at: 0, executedTurns: 0 };
}

export const timeNeverBackwards: CheckerFactory = () => new TimeNeverBackwards();
