/**
 * The state blob that rides on heartbeats (protocol/README.md §7.6): it is numbered whenever it changes, and a slow link
 * leaves it out once the peer has confirmed the number, so that a heartbeat at rest is a few bytes.
 */
import { sameBytes } from './bytes.ts';
import type { HeartbeatFrame } from './session-frames.ts';

const nothing: Uint8Array = new Uint8Array(0);

export class HeartbeatState {
  #own = nothing;
  #ownVersion = 0;
  /** The newest of our versions that the peer says it holds. */
  #confirmedVersion = 0;
  #peer = nothing;
  #peerVersion = 0;

  get own(): Uint8Array {
    return this.#own;
  }

  get peer(): Uint8Array {
    return this.#peer;
  }

  /** True while the peer may not hold our newest state. */
  get isUnconfirmed(): boolean {
    return this.#confirmedVersion < this.#ownVersion;
  }

  change(bytes: Uint8Array): void {
    if (sameBytes(bytes, this.#own) && this.#ownVersion > 0) return;
    this.#own = bytes.slice();
    this.#ownVersion += 1;
  }

  /** The heartbeat to send; `counters` are the link's part. */
  frame(
    counters: Pick<HeartbeatFrame, 'counter' | 'echo' | 'heldEighthsMs'>,
    withPayload: boolean,
  ): HeartbeatFrame {
    return {
      kind: 'heartbeat',
      ...counters,
      payloadVersion: this.#ownVersion,
      knownVersion: this.#peerVersion,
      payload: withPayload ? this.#own : null,
    };
  }

  arrived(frame: HeartbeatFrame): void {
    if (frame.knownVersion <= this.#ownVersion) {
      this.#confirmedVersion = Math.max(this.#confirmedVersion, frame.knownVersion);
    }
    if (frame.payload === null || frame.payloadVersion <= this.#peerVersion) return;
    this.#peer = frame.payload;
    this.#peerVersion = frame.payloadVersion;
  }

  /** The peer is another process than before: it knows nothing of us, and its versions start anew. */
  restart(): void {
    this.#confirmedVersion = 0;
    this.#peer = nothing;
    this.#peerVersion = 0;
  }
}
