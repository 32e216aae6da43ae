/**
 * Promise 2 (DESIGN section 1), section 8 "old primary wakes": its term is stale at the device; it learns, steps down.
 *
 * The arbiter answers a stale frame with the term that it holds. A running board whose frames are refused must not lead under that term so much longer. A noisy line, a lost port or a pause may
 * keep the word from it.
 */
import type { BoardName } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';
import { BoardStates } from './board-states.ts';
import { anyFaultBetween } from './fault-windows.ts';

/** Way of the word on a busy line, and the step. */
const learnsMs = 150;
/** What was lost on the line before is not said again. */
const lookbackMs = 300;

class StaleStepsDown implements Checker {
  readonly name = 'stale-steps-down';
  readonly promise = '2: no split brain; section 8: an old primary learns that its term is stale';
  readonly #facts: LifeFacts;
  readonly #states = new BoardStates();
  readonly #arbiter: number;
  /** First refusal under the term, and the term. */
  readonly #refused: Record<BoardName, { at: number; term: number } | null> = { a: null, b: null };

  constructor(facts: LifeFacts) {
    this.#facts = facts;
    this.#arbiter = facts.devices.findIndex((device) => device.arbiter);
  }

  observe(observed: Observed): void {
    this.#states.observe(observed);
    switch (observed.kind) {
      case 'device-stale': {
        const { board, device, term, at } = observed;
        if (device !== this.#arbiter) return;
        const refused = this.#refused[board];
        if (refused?.term !== term) this.#refused[board] = { at, term };
        return;
      }
      case 'status':
        return this.#judge(observed.board, observed.at);
      case 'board-down':
        this.#refused[observed.board] = null;
    }
  }

  end(): void {}

  #judge(board: BoardName, at: number): void {
    const refused = this.#refused[board];
    if (refused === null) return;
    const state = this.#states.of(board);
    if (at - refused.at <= learnsMs || !state.up || state.pauses > 0) return;
    if (state.role !== 'primary' || state.term !== refused.term) return;
    const { faults } = this.#facts;
    const isDeaf = anyFaultBetween(faults, refused.at - lookbackMs, at, (fault) => {
      const isOnLine = fault.kind === 'line-noise' || fault.kind === 'device-port-lost';
      return isOnLine && fault.board === board && fault.device === this.#arbiter;
    });
    const isLate = anyFaultBetween(
      faults,
      refused.at,
      at,
      (fault) => (fault.kind === 'pause' || fault.kind === 'late-wakes') && fault.board === board,
    );
    if (isDeaf || isLate) return;
    throw new Violation(
      this.name,
      `board ${board} still leads term ${refused.term}, ${Math.round(at - refused.at)} ms after the device called it stale`,
    );
  }
}

export const staleStepsDown: CheckerFactory = (facts) => new StaleStepsDown(facts);
