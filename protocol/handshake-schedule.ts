/**
 * When the initiator begins a handshake (protocol/README.md §7.1): at once when one is wanted, then at most every 100 ms,
 * and ever more seldom while nobody answers. Anyone can forge the wish for one, so a wish never beats the 100 ms.
 */
const intervalMsMin = 100;
const intervalMsMax = 1000;
const growth = 1.5;

export class HandshakeSchedule {
  #lastAt = Number.NEGATIVE_INFINITY;
  #unanswered = 0;
  #wanted = false;

  /** The peer says that it cannot open our datagrams: it is there, so asking seldom has no reason any more. */
  want(): void {
    this.#wanted = true;
    this.#unanswered = 0;
  }

  done(): void {
    this.#wanted = false;
    this.#unanswered = 0;
  }

  /** When to begin one, or null when none is needed. */
  dueAt(needsHandshake: boolean): number | null {
    if (!needsHandshake && !this.#wanted) return null;
    return (
      this.#lastAt + Math.min(intervalMsMax, intervalMsMin * growth ** Math.max(0, this.#unanswered - 1))
    );
  }

  began(now: number): void {
    this.#unanswered += 1;
    this.#lastAt = now;
  }
}
