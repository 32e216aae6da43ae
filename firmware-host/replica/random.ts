/**
 * Seeded randomness of a replica: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2021). Equal seeds give equal streams on both boards; streams with different names are
 * independent, so that a program's `crypto.randomUUID()` does not shift its `Math.random()`.
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** `seed` is the start event's, `stream` names the use. */
  constructor(seed: string, stream: string) {
    // FNV-1a over the text seeds a SplitMix-like expansion: neighbouring seeds get unrelated states.
    let hash = 0x811c9dc5;
    for (const character of `${stream}:${seed}`) {
      hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
      hash ^= hash >>> 15;
    }
    let counter = 0;
    for (let index = 0; index < seed.length; index++) {
      counter = (Math.imul(counter, 0x9e3779b1) + seed.charCodeAt(index)) | 0;
    }
    const expand = () => {
      counter = (counter + 0x9e3779b9) | 0;
      let word = counter ^ hash;
      word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      return (word ^ (word >>> 15)) | 0;
    };
    this.#a = expand();
    this.#b = expand();
    this.#c = expand();
    this.#d = expand() | 1;
  }

  /** 32 random bits as an unsigned integer. */
  nextU32(): number {
    const b = this.#b;
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    this.#c ^= this.#a;
    this.#d ^= b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= b << 9;
    this.#d = rotate(this.#d, 11);
    return scrambled;
  }

  /** In [0, 1), with 53 random bits: the range of Math.random. */
  nextFraction(): number {
    const high = this.nextU32() >>> 5;
    const low = this.nextU32() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let position = 0; position < length; ) {
      let word = this.nextU32();
      for (let count = 0; count < 4 && position < length; count++) {
        bytes[position++] = word & 0xff;
        word >>>= 8;
      }
    }
    return bytes;
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
