/**
 * The device follows a reign of which the other board has said nothing yet (protocol/README.md §10, rule 4). Who but
 * that one can lead it? What is heard of it is older, then, and its newer words are under way: for a while nobody acts on
 * the older ones. Not for ever: the other board may have lost its memory of it, or be gone.
 */
export class ReignAwaited {
  readonly #waitForPeerMs: number;
  /** The newest that the device has named to this board, and when it first did. */
  #named = { term: 0, at: 0 };

  constructor(waitForPeerMs: number) {
    this.#waitForPeerMs = waitForPeerMs;
  }

  named(now: number, term: number): void {
    if (term > this.#named.term) this.#named = { term, at: now };
  }

  /** `knownTerm`: the newest that this board has led or the other one has named. */
  isAwaited(now: number, knownTerm: number): boolean {
    const { term, at } = this.#named;
    return term > knownTerm && now - at < this.#waitForPeerMs;
  }
}
