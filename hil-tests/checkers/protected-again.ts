/**
 * Promises 5 and 7 (DESIGN section 1): solo time is unprotected, so it ends. After the last fault the pair becomes one
 * again within a bound, and stays one: a primary and its backup, of one term and one history.
 *
 * The bound is what the slowest way back takes, one thing after the other:
 *
 *     a replica that was made to hang            6 x turnTimeoutMs: its first turn may take five times as long
 *   + silence that has begun                     detection
 *   + boards that wait for each other            3 x waitForPeerMs
 *   + pauses before a restart or a new join      2 x restartDelayMs
 *   + a device that goes to its safe state       holdTimeMs
 *   + handshake, claims, disk retried, ports     1,500 ms
 *   + running the history again, on both boards  as long as turns are being run again, within a budget
 *
 * A program that fails or ends by itself disturbs the pair again, and the bound begins anew. Over is the wait when the pair
 * has ended as documented (the program ended, or failed too often), or when a copy diverged so often that it is
 * not joined any more (firmware-host/supervisor).
 */
import type { BoardName } from '../simulator/fault.ts';
import {
  type Checker,
  type LifeEnd,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';
import { BoardStates } from './board-states.ts';
import { detectionMs } from './detection-time.ts';
import { programEvents } from './program-events.ts';

const fixedMs = 1500;
/** Running one turn of a history again, generously. */
const replayTurnMs = 1;
/** Between two turns that are run again. */
const replayGapMs = 200;
/** Divergences after which a board is not joined again. */
const divergencesMax = 3;

export function protectedAgainWithinMs(facts: LifeFacts): number {
  const hangs = facts.faults.some((fault) => fault.kind === 'replica' && fault.how === 'hangs');
  return (
    (hangs ? 6 * facts.turnTimeoutMs : 0) +
    detectionMs(facts) +
    3 * facts.waitForPeerMs +
    2 * facts.restartDelayMs +
    facts.holdTimeMs +
    fixedMs
  );
}

class ProtectedAgain {
  readonly name = 'protected-again';
  readonly promise = '5 and 7: solo time is unprotected, loudly, and it ends';
  /** False while the life has not been long enough to tell. */
  judged = false;
  readonly #withinMs: number;
  readonly #states = new BoardStates();
  #dueAt: number;
  #turns = 0;
  #extendedMs = 0;
  /** Boards that have ended because the program has: the pair is over until somebody starts them again. */
  readonly #ended = new Set<BoardName>();
  #isOver = false;

  constructor(facts: LifeFacts) {
    this.#withinMs = protectedAgainWithinMs(facts);
    this.#dueAt = facts.quietAt + this.#withinMs;
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'turn':
        if (observed.mode === 'replay') this.#runAgain(observed.at);
        else if (observed.turn > this.#turns) this.#turns = observed.turn;
        return;
      case 'report':
        if (programEvents.has(observed.report.code)) {
          this.#dueAt = Math.max(this.#dueAt, observed.at + this.#withinMs);
        }
        return;
      case 'board-down':
        this.#states.observe(observed);
        if (observed.exit === 'PROGRAM_EXITED' || observed.exit === 'PROGRAM_FAILED') {
          this.#ended.add(observed.board);
        }
        return this.#judge(observed.at);
      case 'role':
      case 'status':
        this.#states.observe(observed);
        if (observed.status.divergences > divergencesMax) this.#isOver = true;
        return this.#judge(observed.at);
      case 'board-up':
        this.#isOver = false;
        this.#ended.delete(observed.board);
        this.#states.observe(observed);
        return;
      case 'fault':
        this.#states.observe(observed);
    }
  }

  /** While boards run a history again they are on their way, as long as it is not for ever. */
  #runAgain(at: number): void {
    const dueAt = at + replayGapMs;
    if (dueAt <= this.#dueAt || this.#states.protectedPrimary !== null) return;
    const byMs = dueAt - this.#dueAt;
    if (this.#extendedMs + byMs > 2 * replayTurnMs * this.#turns + replayGapMs) return;
    this.#extendedMs += byMs;
    this.#dueAt = dueAt;
  }

  #judge(at: number): void {
    if (at <= this.#dueAt || this.#isOver || this.#ended.size > 0) return;
    this.judged = true;
    if (this.#states.protectedPrimary !== null) return;
    const { a, b } = this.#states;
    throw new Violation(
      this.name,
      `the pair is no pair ${Math.round(this.#withinMs)} ms after the last disturbance: ` +
        `a is ${describe(a)}, b is ${describe(b)}`,
    );
  }

  end(end: LifeEnd): void {
    this.#judge(end.at);
  }
}

function describe({ up, role, term, protected: isProtected }: BoardStates['a']): string {
  return up ? `${role} of term ${term}${isProtected ? ', protected' : ''}` : 'down';
}

export const protectedAgain = (facts: LifeFacts): Checker & { readonly judged: boolean } =>
  new ProtectedAgain(facts);
