/**
 * The pair's clock, in microseconds since the Unix epoch, as the control program sees it.
 *
 * The primary starts it at wall time and lets it run with the board's monotonic clock; wall-clock steps do not
 * reach the program. The backup follows the times in the records: the newest offset between record time and
 * its own monotonic clock, late ones being delays on the bus. At a takeover it goes on from there, never
 * backwards; a distance of more than `jumpUsMax` is made up by running a little fast, because a jump of the
 * clock is deadly to programs that poll it.
 */
const jumpUsMax = 100_000;
const slewRate = 0.1;
/** Crystals differ by less than this: an offset older than a while must be allowed to sink. */
const driftPerMs = 0.2;

export class VirtualClock {
  #offsetUs = 0;
  #lastUs = 0;
  #debtUs = 0;
  #readAt = 0;
  #observedAt: number | null = null;

  get lastUs(): number {
    return this.#lastUs;
  }

  /** Another history, or the same one from its begin: its times have nothing to do with those before. */
  reset(): void {
    this.#offsetUs = 0;
    this.#lastUs = 0;
    this.#debtUs = 0;
    this.#observedAt = null;
  }

  /** Primary of a new history. */
  start(now: number, wallUs: number): void {
    this.#offsetUs = Math.round(wallUs) - Math.round(now * 1000);
    this.#lastUs = Math.round(wallUs);
    this.#debtUs = 0;
    this.#observedAt = null;
    this.#readAt = now;
  }

  /** Backup: a record with this time came in. */
  observe(now: number, recordUs: number): void {
    const sample = recordUs - Math.round(now * 1000);
    if (this.#observedAt === null) this.#offsetUs = sample;
    else this.#offsetUs = Math.max(sample, this.#offsetUs - (now - this.#observedAt) * driftPerMs);
    this.#observedAt = now;
    if (recordUs > this.#lastUs) this.#lastUs = recordUs;
  }

  /** The backup becomes primary: from here on `read` is the program's time. */
  takeOver(now: number): void {
    const aheadUs = Math.round(now * 1000) + this.#offsetUs - this.#lastUs;
    this.#debtUs = Math.max(0, aheadUs - jumpUsMax);
    this.#offsetUs -= this.#debtUs;
    this.#readAt = now;
    this.#observedAt = null;
  }

  /** Time now, never before any time given out or observed. */
  read(now: number): number {
    if (this.#debtUs > 0) {
      const repaid = Math.min(this.#debtUs, (now - this.#readAt) * 1000 * slewRate);
      this.#debtUs -= repaid;
      this.#offsetUs += repaid;
    }
    this.#readAt = now;
    const us = Math.round(now * 1000 + this.#offsetUs);
    if (us > this.#lastUs) this.#lastUs = us;
    return this.#lastUs;
  }

  /** A turn ended at this time (reads of the clock advance it). */
  atLeast(us: number): void {
    if (us > this.#lastUs) this.#lastUs = us;
  }

  /** Monotonic time in ms at which the clock will show `us`. */
  whenMs(us: number): number {
    return (us - this.#offsetUs) / 1000;
  }
}
