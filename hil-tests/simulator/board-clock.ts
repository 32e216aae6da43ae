/**
 * A board's two clocks. The monotonic one begins anywhere at a boot and may run a little fast or slow; the wall clock is
 * right but for the steps that somebody made in it. Supervisors live by the first and name times of day by the second.
 */
export class BoardClock {
  /** Life time at which the monotonic clock showed `#monotonicMs`. */
  #sinceMs = 0;
  #monotonicMs: number;
  #rate = 1;
  #stepMs = 0;

  constructor(uptimeMs: number) {
    this.#monotonicMs = uptimeMs;
  }

  /** The board's `performance.now()` at that time of the life. */
  monotonicMs(lifeMs: number): number {
    return this.#monotonicMs + (lifeMs - this.#sinceMs) * this.#rate;
  }

  /** When the monotonic clock will show that, if it goes on as it does. */
  lifeMsAt(monotonicMs: number): number {
    return this.#sinceMs + (monotonicMs - this.#monotonicMs) / this.#rate;
  }

  drift(lifeMs: number, partsPerMillion: number): void {
    this.#monotonicMs = this.monotonicMs(lifeMs);
    this.#sinceMs = lifeMs;
    this.#rate = 1 + partsPerMillion / 1_000_000;
  }

  step(ms: number): void {
    this.#stepMs += ms;
  }

  wallUs(lifeMs: number): number {
    return 1_700_000_000_000_000 + Math.round((lifeMs + this.#stepMs) * 1000);
  }
}
