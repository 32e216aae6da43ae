/**
 * Promise 5 (DESIGN section 1), section 8 "backup lags: bounded": the primary slows its intake before the lag exceeds
 * the takeover budget.
 *
 * Lag is what a takeover would have to run first. A protected primary begins no turn while its backup's replica is
 * more than `lagTurnsMax` turns behind, or has not run what was sent `lagMsMax` ago. The primary knows of the
 * backup's progress later than it happens, so it may only be stricter than what is checked here. A turn that
 * was under way when the pair became protected is excepted.
 */
import { type BoardName, otherBoard } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';
import { BoardStates } from './board-states.ts';
import { anyFaultBetween, clockFactor } from './fault-windows.ts';

/** The turn that was begun at the last moment, and the one after `turns`. */
const turnsSlack = 2;
/** Running time of an ordinary turn, and of the steps around it. */
const turnMs = 50;
/** How far back a pause of the primary can have fallen into a turn under way. */
const pauseMs = 2000;

interface Sent {
  endTurn: number;
  at: number;
}

class BoundedLag implements Checker {
  readonly name = 'bounded-lag';
  readonly promise = '5: takeover within a budget; section 8: the lag is bounded';
  readonly #facts: LifeFacts;
  readonly #states = new BoardStates();
  readonly #executed: Record<BoardName, number> = { a: 0, b: 0 };
  readonly #allowedMs: Record<BoardName, number>;
  #primary: BoardName | null = null;
  #turnsUnderProtection = 0;
  #sent: Sent[] = [];
  #head = 0;

  constructor(facts: LifeFacts) {
    this.#facts = facts;
    const allowedMsOf = (board: BoardName): number => {
      let slowMs = 0;
      for (const fault of facts.faults) {
        if (fault.kind === 'slow-replica' && fault.board === board) slowMs += fault.turnMs;
      }
      return facts.lagMsMax * clockFactor(facts.faults) + turnMs + slowMs;
    };
    this.#allowedMs = { a: allowedMsOf('a'), b: allowedMsOf('b') };
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'role':
      case 'board-up':
      case 'board-down':
        this.#states.observe(observed);
        this.#protection();
        return;
      case 'stored':
        if (observed.board === this.#primary) {
          this.#sent.push({ endTurn: observed.turns, at: observed.at });
        }
        return;
      case 'turn':
        if (observed.mode === 'replay') this.#replayed(observed.board, observed.turn + observed.count);
        else if (observed.board === this.#primary)
          this.#performed(observed.board, observed.turn, observed.at);
    }
  }

  end(): void {}

  #protection(): void {
    const primary = this.#states.protectedPrimary;
    if (primary === this.#primary) return;
    this.#primary = primary;
    this.#turnsUnderProtection = 0;
    this.#sent = [];
    this.#head = 0;
  }

  #replayed(board: BoardName, executed: number): void {
    this.#executed[board] = executed;
    if (this.#primary === null || board === this.#primary) return;
    while (this.#head < this.#sent.length && this.#sent[this.#head]!.endTurn <= executed) this.#head += 1;
    if (this.#head < 4096) return;
    this.#sent.splice(0, this.#head);
    this.#head = 0;
  }

  #performed(board: BoardName, turn: number, at: number): void {
    this.#turnsUnderProtection += 1;
    if (this.#turnsUnderProtection === 1) return;
    const backup = otherBoard(board);
    const lagTurns = turn - this.#executed[backup];
    if (lagTurns > this.#facts.lagTurnsMax + turnsSlack) {
      this.#fail(board, `turn ${turn} while its backup was ${lagTurns} turns behind`);
    }
    const oldest = this.#sent[this.#head];
    if (oldest === undefined || at - oldest.at <= this.#allowedMs[board]) return;
    const hindered = anyFaultBetween(
      this.#facts.faults,
      at - pauseMs,
      at,
      (fault) => (fault.kind === 'pause' || fault.kind === 'late-wakes') && fault.board === board,
    );
    if (hindered) return;
    const lagMs = Math.round(at - oldest.at);
    this.#fail(board, `turn ${turn} while its backup had not run what was sent ${lagMs} ms before`);
  }

  #fail(board: BoardName, what: string): never {
    throw new Violation(this.name, `board ${board} performed ${what}`);
  }
}

export const boundedLag: CheckerFactory = (facts) => new BoundedLag(facts);
