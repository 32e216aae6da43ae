/**
 * Promise 5 (DESIGN section 1): a takeover ends with a program that goes on. When the pair is one again and nothing strikes any
 * more, its primary runs the program: a turn comes within a bound, as long as the program waits for anything at all.
 *
 * The bound is what may lie between the last disturbance and the next turn: a replica that hangs is given up (its first turn may
 * take five times as long), pauses before a restart, and a program's own slowest timer. That the pair is one at all by then is
 * asked by protected-again.
 */
import {
  type Checker,
  type CheckerFactory,
  type LifeEnd,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';
import { BoardStates } from './board-states.ts';
import { programEvents } from './program-events.ts';

/** The slowest timer of a program, and what else takes a while: ports opened again, the disk, a backup that lags. */
const fixedMs = 1500;

class ProgramGoesOn implements Checker {
  readonly name = 'program-goes-on';
  readonly promise = '5: takeover within a budget, and the program goes on';
  readonly #withinMs: number;
  readonly #states = new BoardStates();
  /** The last turn of a primary, or what excuses that there is none yet. */
  #waitsSince: number;
  /** Nothing can wake the program any more. */
  #isIdle = false;

  constructor(facts: LifeFacts) {
    const hangs = facts.faults.some((fault) => fault.kind === 'replica' && fault.how === 'hangs');
    this.#withinMs = (hangs ? 6 * facts.turnTimeoutMs : 0) + 2 * facts.restartDelayMs + fixedMs;
    this.#waitsSince = facts.quietAt;
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'turn':
        if (observed.mode !== 'perform') return;
        if (observed.event?.kind === 'start') this.#isIdle = false;
        return this.#excuse(observed.at);
      case 'report':
        if (observed.report.code === 'PROGRAM_IDLE') this.#isIdle = true;
        if (programEvents.has(observed.report.code)) this.#excuse(observed.at);
        return;
      case 'board-up':
      case 'board-down':
      case 'role': {
        const before = this.#states.protectedPrimary;
        this.#states.observe(observed);
        if (this.#states.protectedPrimary !== before) this.#excuse(observed.at);
      }
    }
  }

  #excuse(at: number): void {
    this.#waitsSince = Math.max(this.#waitsSince, at);
  }

  end(end: LifeEnd): void {
    const primary = this.#states.protectedPrimary;
    const silentMs = end.at - this.#waitsSince;
    if (primary === null || this.#isIdle || silentMs <= this.#withinMs) return;
    throw new Violation(
      this.name,
      `board ${primary} leads a pair that is whole, and has not run a turn for ${Math.round(silentMs)} ms`,
    );
  }
}

export const programGoesOn: CheckerFactory = (facts) => new ProgramGoesOn(facts);
