/**
 * The inputs of one attachment in order, each byte once (protocol/README.md §12.5).
 *
 * The line keeps its order, so an INPUT that begins too late, or an ACCEPTED that names more inputs sent than have
 * come, proves that some were lost on it. Offsets given here are full ones, those of messages are modulo 2^32.
 */
import { expandOffset } from './frames.ts';

export class InputOrder {
  #next: number;
  #stored: number | null = null;
  #lostBytes = 0;
  #askedUntil = Number.NEGATIVE_INFINITY;

  constructor(next: number) {
    this.#next = next;
  }

  /** Offset of the next byte to be delivered. */
  get next(): number {
    return this.#next;
  }

  /** Inputs before this are safe at the backup; null while nobody has said so in this attachment. */
  get stored(): number | null {
    return this.#stored;
  }

  /** False when it says nothing new, or speaks of inputs that have not come. */
  store(offset: number): boolean {
    if (offset > this.#next || offset <= (this.#stored ?? -1)) return false;
    this.#stored = offset;
    return true;
  }

  /** The bytes to be delivered at `next` (none when all are known), or 'gap'. */
  take(wireOffset: number, bytes: Uint8Array): Uint8Array | 'gap' {
    const offset = expandOffset(wireOffset, this.#next);
    if (offset > this.#next) return 'gap';
    const fresh = bytes.slice(Math.min(this.#next - offset, bytes.length));
    this.#next += fresh.length;
    if (fresh.length > 0) this.#askedUntil = Number.NEGATIVE_INFINITY;
    return fresh;
  }

  isBehind(wireSent: number): boolean {
    return expandOffset(wireSent, this.#next) > this.#next;
  }

  /** Once for each gap and round trip: the frames behind it are on their way, and each shows the same gap. */
  mayAskAgain(now: number, roundTripMs: number): boolean {
    if (now < this.#askedUntil) return false;
    this.#askedUntil = now + roundTripMs;
    return true;
  }

  /** True when the device has lost more than was known. */
  noteLost(totalBytes: number): boolean {
    if (totalBytes <= this.#lostBytes) return false;
    this.#lostBytes = totalBytes;
    return true;
  }
}
