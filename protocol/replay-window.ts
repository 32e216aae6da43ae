/**
 * Which counters were seen (protocol/README.md §6.3), after RFC 6479: a ring of bits that follows the highest counter.
 *
 * Two links with very different delays share one counter, so a frame may arrive thousands of counters late: a frame that
 * waits three seconds in the serial queue, at a thousand frames a second over Ethernet.
 */

const wordBits = 32;

/** Counters behind the highest that can still be told apart. */
export const replayWindowCounters = 4096;

const words = replayWindowCounters / wordBits + 1;

export class ReplayWindow {
  readonly #ring = new Uint32Array(words);
  #highest = -1;

  /** The highest counter seen; -1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  /**
   * Marks a counter, 0..2^32-1, as seen. False when it was seen before, or is too old to tell. Only for counters of
   * authenticated frames: a forged one would move the window.
   */
  accept(counter: number): boolean {
    if (counter <= this.#highest - replayWindowCounters) return false;
    const word = Math.floor(counter / wordBits);
    if (counter > this.#highest) {
      const previousWord = this.#highest < 0 ? -1 : Math.floor(this.#highest / wordBits);
      const cleared = Math.min(word - previousWord, words);
      for (let step = 0; step < cleared; step++) this.#ring[(word - step) % words] = 0;
      this.#highest = counter;
    }
    const slot = word % words;
    const bit = (1 << (counter % wordBits)) >>> 0;
    if ((this.#ring[slot]! & bit) !== 0) return false;
    this.#ring[slot] = this.#ring[slot]! | bit;
    return true;
  }
}
