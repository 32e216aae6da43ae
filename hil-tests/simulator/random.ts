/**
 * Randomness of a life: one seed, and streams that branch off by name. What one part draws does not move what another
 * draws, so a fault that is left out of a plan leaves everything else as it was: that is what makes shrinking work.
 */

/** 32 bits from text (FNV-1a, finished as in MurmurHash3). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export class Random {
  readonly #name: string;
  #state: number;

  constructor(name: string | number) {
    this.#name = String(name);
    this.#state = hashOf(this.#name);
  }

  /** A stream of its own, which depends on the names alone, not on what was drawn. */
  stream(name: string | number): Random {
    return new Random(`${this.#name}/${name}`);
  }

  /** Uniform in [0, 1): mulberry32. */
  readonly unit = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    const state = this.#state;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** 0..limit-1. */
  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  between(low: number, high: number): number {
    return low + this.unit() * (high - low);
  }

  /** Small values as likely as large ones, by their order of magnitude; both ends positive. */
  magnitude(low: number, high: number): number {
    // Without logarithms, whose last bit is not the same on every machine: doublings, then uniform within one.
    let doublings = 0;
    while (low * 2 ** (doublings + 1) <= high) doublings += 1;
    const from = low * 2 ** this.below(doublings + 1);
    return Math.min(high, this.between(from, from * 2));
  }

  pick<T>(among: readonly T[]): T {
    return among[this.below(among.length)]!;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index++) bytes[index] = this.below(256);
    return bytes;
  }

  hex(bytes: number): string {
    let text = '';
    for (let index = 0; index < bytes * 2; index++) text += this.below(16).toString(16);
    return text;
  }
}
