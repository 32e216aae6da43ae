/**
 * The device's bytes toward the program that are not yet safe at the backup (protocol/README.md §12.5).
 *
 * One static buffer; offsets modulo 2^32 as on the wire. `base` is the oldest byte kept, `end` the next one to come.
 */
import { offsetDistance } from './frames.ts';

export class InputRing {
  readonly #buffer: Uint8Array;
  #base: number;
  #length = 0;
  /** Index in the buffer of the byte at `base`. */
  #head = 0;

  constructor(options: { ringBytes: number; firstOffset: number }) {
    this.#buffer = new Uint8Array(options.ringBytes);
    this.#base = options.firstOffset >>> 0;
  }

  get base(): number {
    return this.#base;
  }

  get end(): number {
    return (this.#base + this.#length) >>> 0;
  }

  get roomBytes(): number {
    return this.#buffer.length - this.#length;
  }

  /** All or nothing: half a Firmata message would garble the ones after it. */
  append(bytes: Uint8Array): boolean {
    if (bytes.length > this.roomBytes) return false;
    for (const byte of bytes) {
      this.#buffer[(this.#head + this.#length) % this.#buffer.length] = byte;
      this.#length += 1;
    }
    return true;
  }

  contains(offset: number): boolean {
    const distance = offsetDistance(offset, this.#base);
    return distance >= 0 && distance <= this.#length;
  }

  /** Forgets what lies before `offset`, which the ring contains. */
  release(offset: number): void {
    const count = offsetDistance(offset, this.#base);
    this.#base = offset;
    this.#length -= count;
    this.#head = (this.#head + count) % this.#buffer.length;
  }

  /** A copy of up to `bytesMax` bytes from `offset`, which the ring contains. */
  read(offset: number, bytesMax: number): Uint8Array {
    const start = offsetDistance(offset, this.#base);
    const bytes = new Uint8Array(Math.min(bytesMax, this.#length - start));
    for (let index = 0; index < bytes.length; index++) {
      bytes[index] = this.#buffer[(this.#head + start + index) % this.#buffer.length]!;
    }
    return bytes;
  }

  restart(firstOffset: number): void {
    this.#base = firstOffset >>> 0;
    this.#length = 0;
    this.#head = 0;
  }
}
