/**
 * Where in the journal a turn is, coarsely: one entry for every 64 KB of file, so that a day's journal costs some
 * hundred kilobytes of memory, and finding a turn costs reading 64 KB.
 */
const strideBytes = 64 * 1024;

export class TurnIndex {
  readonly #turns: number[] = [];
  readonly #offsets: number[] = [];

  /** Batches are added in the order of the file, and their turns rise. */
  add(firstTurn: number, offset: number): void {
    const last = this.#offsets.at(-1);
    if (last !== undefined && offset - last < strideBytes) return;
    this.#turns.push(firstTurn);
    this.#offsets.push(offset);
  }

  /** Offset of a batch that begins at or before `turn` (else the first batch); null when there is no batch. */
  before(turn: number): number | null {
    let low = 0;
    let high = this.#turns.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#turns[middle]! <= turn) low = middle + 1;
      else high = middle;
    }
    return this.#offsets[Math.max(0, low - 1)] ?? null;
  }
}
