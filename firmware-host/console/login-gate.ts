/**
 * How often a password may be tried on one line: each failure doubles the pause before the next try.
 *
 *   failures   1    2    3    4   ...   11 and more
 *   pause      1 s  2 s  4 s  8 s       15 min
 *
 * A try within the pause is refused unseen, costs no scrypt, and does not lengthen the pause. The gate belongs to the port,
 * not to who is on it: unplugging the cable does not reset it. It is forgotten after a success, or a day without a try.
 */

const firstPauseMs = 1000;
const pauseMsMax = 15 * 60_000;
const forgottenAfterMs = 24 * 3_600_000;

export class LoginGate {
  #failures = 0;
  #lastFailureAt = Number.NEGATIVE_INFINITY;

  get failures(): number {
    return this.#failures;
  }

  /** Milliseconds until a password may be tried; 0: at once. */
  waitMs(now: number): number {
    if (now - this.#lastFailureAt >= forgottenAfterMs) this.#failures = 0;
    if (this.#failures === 0) return 0;
    const pauseMs = Math.min(firstPauseMs * 2 ** (this.#failures - 1), pauseMsMax);
    return Math.max(0, this.#lastFailureAt + pauseMs - now);
  }

  failed(now: number): void {
    this.#failures += 1;
    this.#lastFailureAt = now;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#lastFailureAt = Number.NEGATIVE_INFINITY;
  }
}
