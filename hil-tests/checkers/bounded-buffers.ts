/**
 * Promise 5 (DESIGN section 1), section 8 "backup lags: bounded": what waits for the other board is bounded.
 *
 * A primary whose backup is live takes no new event while the send buffer is full, so at most the records of the turn
 * under way come on top of it. A board that joins is sent a whole history; then the session's own limit holds.
 */
import type { BoardName } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';

/** The records of the turn that was under way, and those it waited with: an input event has at most 4 KiB. */
const batchBytesMax = 16 * 1024;
/** So many looks one after the other at a buffer that is fuller than by one turn's ordinary records ... */
const looksMax = 5;
/** ... and in between the program went on each time. */
const recordsBytesMax = 1024;
/** The session refuses to queue more than twice its buffer and one largest message (protocol/session.ts). */
const messageBytesMax = 1024 * 1024;

class BoundedBuffers implements Checker {
  readonly name = 'bounded-buffers';
  readonly promise = '5: takeover within a budget; section 8: the lag is bounded';
  readonly #protectedBytesMax: number;
  readonly #bytesMax: number;
  readonly #overfullBytes: number;
  readonly #looks: Record<BoardName, number> = { a: 0, b: 0 };
  /** Turns that were performed since the last look. */
  readonly #performed: Record<BoardName, number> = { a: 0, b: 0 };
  /** Since it is protected its buffer has been within the bound. */
  readonly #drained: Record<BoardName, boolean> = { a: false, b: false };

  constructor(facts: LifeFacts) {
    this.#protectedBytesMax = facts.sendBufferBytesMax + batchBytesMax;
    this.#overfullBytes = facts.sendBufferBytesMax + recordsBytesMax;
    this.#bytesMax = 2 * (facts.sendBufferBytesMax + messageBytesMax);
  }

  observe(observed: Observed): void {
    if (observed.kind === 'turn' && observed.mode === 'perform') this.#performed[observed.board] += 1;
    if (observed.kind !== 'status') return;
    const { board, status, bufferedBytes } = observed;
    const goesOn = status.protected && this.#performed[board] > 0 && bufferedBytes > this.#overfullBytes;
    this.#looks[board] = goesOn ? this.#looks[board] + 1 : 0;
    this.#performed[board] = 0;
    if (this.#looks[board] >= looksMax) {
      throw new Violation(
        this.name,
        `board ${board} performs turn after turn, though ${bufferedBytes} bytes wait for the other board`,
      );
    }
    const isLive = status.role === 'primary' && status.protected;
    // What a board that was joining was still being sent when a new history began is behind nobody's back: it drains.
    this.#drained[board] = isLive && (this.#drained[board] || bufferedBytes <= this.#protectedBytesMax);
    const mayBuffer = this.#drained[board] ? this.#protectedBytesMax : this.#bytesMax;
    if (bufferedBytes <= mayBuffer) return;
    throw new Violation(
      this.name,
      `board ${board} (${status.role}) has ${bufferedBytes} bytes waiting for the other board, at most ${mayBuffer} may`,
    );
  }

  end(): void {}
}

export const boundedBuffers: CheckerFactory = (facts) => new BoundedBuffers(facts);
