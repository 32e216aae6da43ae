/** A stream that only grows, kept in the pieces in which it came. */
export class ByteStream {
  readonly start: number;
  end: number;
  readonly #chunks: { offset: number; bytes: Uint8Array }[] = [];

  constructor(start = 0) {
    this.start = start;
    this.end = start;
  }

  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push({ offset: this.end, bytes });
    this.end += bytes.length;
  }

  /** Offset of the first byte in [from, to) that differs from what is in `pieces`, as far as both go; or null. */
  firstDifference(
    from: number,
    to: number,
    pieces: readonly { offset: number; bytes: Uint8Array }[],
  ): number | null {
    let index = 0;
    let position = from;
    for (const piece of pieces) {
      const end = Math.min(piece.offset + piece.bytes.length, to, this.end);
      position = Math.max(position, piece.offset);
      for (; position < end; position++) {
        let chunk = this.#chunks[index];
        while (chunk !== undefined && chunk.offset + chunk.bytes.length <= position) {
          chunk = this.#chunks[++index];
        }
        if (chunk === undefined || chunk.offset > position) return null;
        if (chunk.bytes[position - chunk.offset] !== piece.bytes[position - piece.offset]) return position;
      }
      if (position >= to) return null;
    }
    return null;
  }
}
