/**
 * Outputs that were released to the device and that it has not accepted yet (protocol/README.md §12.6).
 *
 * One contiguous stretch of the stream, `base` to `end`, full offsets. It is bounded by whoever writes: the
 * output gate counts what it released against what was accepted.
 */
export class HeldOutputs {
  readonly #pieces: Uint8Array[] = [];
  #base: number | null = null;
  #length = 0;

  get lengthBytes(): number {
    return this.#length;
  }

  /** Null until the first write or acceptance: the stretch has no place yet. */
  get base(): number | null {
    return this.#base;
  }

  get end(): number | null {
    return this.#base === null ? null : this.#base + this.#length;
  }

  /** Bytes already held or accepted are ignored. A gap is a fault of the writer and throws. */
  append(offset: number, bytes: Uint8Array): void {
    this.#base ??= offset;
    const end = this.#base + this.#length;
    if (offset > end) {
      throw new RangeError(`outputs must continue at ${end} (got ${offset})`);
    }
    const fresh = bytes.slice(Math.min(end - offset, bytes.length));
    if (fresh.length === 0) return;
    this.#pieces.push(fresh);
    this.#length += fresh.length;
  }

  /** Everything before `offset` is the device's. */
  accept(offset: number): void {
    let count = this.#base === null ? 0 : Math.min(offset - this.#base, this.#length);
    this.#length -= count;
    this.#base = offset;
    while (count > 0) {
      const first = this.#pieces[0]!;
      if (first.length > count) {
        this.#pieces[0] = first.subarray(count);
        return;
      }
      this.#pieces.shift();
      count -= first.length;
    }
  }

  /** A copy of up to `bytesMax` bytes from `offset`, which lies in `base`..`end`. */
  read(offset: number, bytesMax: number): Uint8Array {
    let skip = offset - (this.#base ?? offset);
    const bytes = new Uint8Array(Math.min(bytesMax, this.#length - skip));
    let filled = 0;
    for (const piece of this.#pieces) {
      if (filled === bytes.length) break;
      if (skip >= piece.length) {
        skip -= piece.length;
        continue;
      }
      const taken = piece.subarray(skip, skip + bytes.length - filled);
      bytes.set(taken, filled);
      filled += taken.length;
      skip = 0;
    }
    return bytes;
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#base = null;
    this.#length = 0;
  }
}
