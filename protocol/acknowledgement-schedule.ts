/**
 * When the peer must be told what came and what is stored (protocol/README.md §7.4): at once when it may be waiting for it
 * or may be repeating in vain, else a little later, in the hope that the host has stored it by then.
 */
const delayMs = 2;
/** So many datagrams at once, so that the peer's window moves under bulk. */
const datagramsMax = 8;

export class AcknowledgementSchedule {
  #at = Number.POSITIVE_INFINITY;
  #datagrams = 0;

  /** When an acknowledgement is due; infinity when the peer knows everything. */
  get at(): number {
    return this.#at;
  }

  get isOwed(): boolean {
    return this.#at !== Number.POSITIVE_INFINITY;
  }

  /** A datagram with fragments came. `urgent`: something is missing, or was sent in vain. */
  received(now: number, urgent: boolean): void {
    this.#datagrams += 1;
    const at = urgent || this.#datagrams >= datagramsMax ? now : now + delayMs;
    this.#at = Math.min(this.#at, at);
  }

  stored(now: number): void {
    this.#at = Math.min(this.#at, now);
  }

  /** One that says everything was sent. */
  sent(): void {
    this.#at = Number.POSITIVE_INFINITY;
    this.#datagrams = 0;
  }
}
