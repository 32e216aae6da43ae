/**
 * Round trip of one link and the retransmission timeout that follows from it (protocol/README.md §7.5; RFC 6298).
 *
 * Samples come from the counters that heartbeats echo, never from data, so a sample always belongs to exactly one
 * transmission: the ambiguity that Karn's rule avoids cannot arise, and a link that carries no data is measured too.
 */

/** Below this a busy peer's scheduling jitter would look like loss (FACTS: 13 ms between heartbeats under load). */
const timeoutMsMin = 20;
const timeoutMsMax = 500;
/** Before the first sample. RFC 6298 says 1 s for the Internet; both our links are one cable long. */
const timeoutMsInitial = 100;
const clockGranularityMs = 1;
const backOffExponentMax = 5;

export class RoundTrip {
  #smoothedMs: number | null = null;
  #variationMs = 0;
  #backOffExponent = 0;

  /** Smoothed round trip, or null before the first sample. */
  get smoothedMs(): number | null {
    return this.#smoothedMs;
  }

  get variationMs(): number {
    return this.#variationMs;
  }

  /** What to wait for an acknowledgement, without the time the datagram itself spends in the link's queue. */
  get timeoutMs(): number {
    const base =
      this.#smoothedMs === null
        ? timeoutMsInitial
        : Math.max(timeoutMsMin, this.#smoothedMs + Math.max(clockGranularityMs, 4 * this.#variationMs));
    return Math.min(timeoutMsMax, base * 2 ** this.#backOffExponent);
  }

  sample(ms: number): void {
    const measuredMs = Math.max(0, ms);
    if (this.#smoothedMs === null) {
      this.#smoothedMs = measuredMs;
      this.#variationMs = measuredMs / 2;
      return;
    }
    this.#variationMs = 0.75 * this.#variationMs + 0.25 * Math.abs(this.#smoothedMs - measuredMs);
    this.#smoothedMs = 0.875 * this.#smoothedMs + 0.125 * measuredMs;
  }

  /** A timeout expired: the next one is twice as long, up to 500 ms. */
  backOff(): void {
    this.#backOffExponent = Math.min(backOffExponentMax, this.#backOffExponent + 1);
  }

  /** Something sent on this link was acknowledged. */
  progress(): void {
    this.#backOffExponent = 0;
  }
}
