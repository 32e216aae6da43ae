/**
 * How far ahead of the wire a sender has written (protocol/README.md §12.6).
 *
 * An operating system takes kilobytes into its buffer at once and the line then needs hundreds of milliseconds for them, behind
 * which a keepalive or an ATTACHED must queue. So stream bytes are handed over only while the line is at most `aheadMs` behind;
 * meanwhile small writes gather into full frames.
 */
export class LinePace {
  readonly #bitsPerSecond: number;
  readonly #aheadMs: number;
  #freeAt = 0;

  constructor(options: { bitsPerSecond: number; aheadMs: number }) {
    this.#bitsPerSecond = options.bitsPerSecond;
    this.#aheadMs = options.aheadMs;
  }

  /** Time on the wire with 8N1: 10 bits a byte. */
  durationMs(bytes: number): number {
    return (bytes * 10_000) / this.#bitsPerSecond;
  }

  sent(now: number, bytes: number): void {
    this.#freeAt = Math.max(this.#freeAt, now) + this.durationMs(bytes);
  }

  backlogMs(now: number): number {
    return Math.max(0, this.#freeAt - now);
  }

  /** When the next stream frame may be handed over: now or earlier means at once. */
  get readyAt(): number {
    return this.#freeAt - this.#aheadMs;
  }

  reset(): void {
    this.#freeAt = 0;
  }
}
