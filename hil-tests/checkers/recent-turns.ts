/** Which turns are how old, as far back as matters: entries that are older than `keptMs` are forgotten. */
export class RecentTurns {
  readonly #keptMs: number;
  #entries: { turn: number; at: number }[] = [];
  #head = 0;

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** Turns before `turn` exist from now on. A smaller number than before begins anew. */
  reached(turn: number, at: number): void {
    const entries = this.#entries;
    const last = entries.at(-1);
    if (last !== undefined && last.turn >= turn) {
      this.#entries = [];
      this.#head = 0;
    }
    this.#entries.push({ turn, at });
    // One entry that is older stays: it tells up to where everything is old.
    while (this.#head + 1 < this.#entries.length && this.#entries[this.#head + 1]!.at < at - this.#keptMs) {
      this.#head += 1;
    }
    if (this.#head > 1024) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Turns before this one existed at `at` already; 0 when that is not known. */
  before(at: number): number {
    let turn = 0;
    for (let index = this.#head; index < this.#entries.length; index++) {
      const entry = this.#entries[index]!;
      if (entry.at > at) break;
      turn = entry.turn;
    }
    return turn;
  }
}
