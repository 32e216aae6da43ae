/** Two clocks of a controller's patience with its device: when to ask again, and when to call it silent (protocol/README.md §12.6). */

const backoffMax = 16;

/** A request that is repeated until it is answered, ever more slowly. */
export class RequestRetry {
  #at: number | null = null;
  #backoff = 1;

  get at(): number | null {
    return this.#at;
  }

  /** Ask at once. */
  restart(now: number): void {
    this.#at = now;
    this.#backoff = 1;
  }

  stop(): void {
    this.#at = null;
  }

  isDue(now: number): boolean {
    return this.#at !== null && now >= this.#at;
  }

  /** Nothing could be asked yet. */
  postpone(now: number, delayMs: number): void {
    this.#at = now + delayMs;
  }

  asked(now: number, roundTripMs: number): void {
    this.#at = now + roundTripMs * this.#backoff;
    this.#backoff = Math.min(backoffMax, this.#backoff * 2);
  }
}

/** Reports a silence once. */
export class SilenceWatch {
  readonly #timeoutMs: number;
  #heardAt = 0;
  #reported = false;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  heard(now: number): void {
    this.#heardAt = now;
    this.#reported = false;
  }

  /** The listener was away: the time until now was not the device's silence. A report that was made stands. */
  excuse(now: number): void {
    this.#heardAt = now;
  }

  /** True once when the silence has lasted too long. */
  isBroken(now: number): boolean {
    if (this.#reported || now < this.#heardAt + this.#timeoutMs) return false;
    this.#reported = true;
    return true;
  }

  get at(): number | null {
    return this.#reported ? null : this.#heardAt + this.#timeoutMs;
  }
}
