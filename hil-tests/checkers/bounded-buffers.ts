/**
 * Promise 5 (DESIGN section 1), section 8 "backup lags: bounded": what waits for the other board is bounded.
 *
 * A primary whose backup is live takes no new event while the send buffer is full, so at most the records of the turn
 * under way come on top of it. A board that joins is sent a whole history; then the session's own limit holds.
 */
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';

/** The records of the turn that was under way, and those it waited with: an input event has at most 4 KiB. */
const batchBytesMax = 16 * 1024;
/** The session refuses to queue more than twice its buffer and one largest message (protocol/session.ts). */
const messageBytesMax = 1024 * 1024;

class BoundedBuffers implements Checker {
  readonly name = 'bounded-buffers';
  readonly promise = '5: takeover within a budget; section 8: the lag is bounded';
  readonly #protectedBytesMax: number;
  readonly #bytesMax: number;

  constructor(facts: LifeFacts) {
    this.#protectedBytesMax = facts.sendBufferBytesMax + batchBytesMax;
    this.#bytesMax = 2 * (facts.sendBufferBytesMax + messageBytesMax);
  }

  observe(observed: Observed): void {
    if (observed.kind !== 'status') return;
    const { board, status, bufferedBytes } = observed;
    const mayBuffer =
      status.role === 'primary' && status.protected ? this.#protectedBytesMax : this.#bytesMax;
    if (bufferedBytes <= mayBuffer) return;
    throw new Violation(
      this.name,
      `board ${board} (${status.role}) has ${bufferedBytes} bytes waiting for the other board, at most ${mayBuffer} may`,
    );
  }

  end(): void {}
}

export const boundedBuffers: CheckerFactory = (facts) => new BoundedBuffers(facts);
