/**
 * Window, pace and retransmission of the outputs of an attached controller (protocol/README.md §12.6).
 *
 *        base           sent              base + window       end
 *     ----|---in flight---|----may be sent------|---must wait---|
 *
 * Go-back-N: the device takes outputs strictly in order, so after a loss everything from `base` is sent again. The device
 * says at once that it saw a gap; the timer is for the loss of the last frame or of the answer.
 */
import { type DeviceMessage, offsetDistance, pieceBytesMax } from './frames.ts';
import type { HeldOutputs } from './held-outputs.ts';
import type { LinePace } from './line-pace.ts';

/** A DATA frame with a full piece and the ACCEPTED that answers it, on the line. */
const exchangeBytes = 77 + 18;
const backoffMax = 8;

export type AcceptedResult = 'progress' | 'nothing' | 'invalid';

export class OutputSender {
  readonly held: HeldOutputs;
  readonly #pace: LinePace;
  readonly #responseMs: number;
  #accepted = 0;
  #sent = 0;
  /** The greatest `sent` of this attachment: the device cannot have accepted more. */
  #sentMost = 0;
  #limit = 0;
  #rewound = false;
  #backoff = 1;
  #retransmitAt: number | null = null;

  constructor(options: { held: HeldOutputs; pace: LinePace; responseMs: number }) {
    this.held = options.held;
    this.#pace = options.pace;
    this.#responseMs = options.responseMs;
  }

  get accepted(): number {
    return this.#accepted;
  }

  /** Begins an attachment at which the device had accepted `outputs`. */
  begin(outputs: number, windowBytes: number): void {
    this.held.accept(outputs);
    this.#accepted = outputs;
    this.#sent = outputs;
    this.#sentMost = outputs;
    this.#limit = outputs + windowBytes;
    this.#rewound = false;
    this.#backoff = 1;
    this.#retransmitAt = null;
  }

  /** What the device says it has accepted, checked against what it can have. */
  accept(now: number, message: DeviceMessage & { kind: 'accepted' }): AcceptedResult {
    const progress = offsetDistance(message.outputs, this.#accepted);
    if (progress < 0) return 'nothing';
    const outputs = this.#accepted + progress;
    if (outputs > this.#sentMost) return 'invalid';
    this.#limit = Math.max(this.#limit, outputs + message.windowBytes);
    if (progress > 0) {
      this.held.accept(outputs);
      this.#accepted = outputs;
      this.#sent = Math.max(this.#sent, outputs);
      this.#rewound = false;
      this.#backoff = 1;
      this.#retransmitAt = this.#sent > outputs ? this.#deadline(now) : null;
    }
    if (message.gap && !this.#rewound) this.#rewind();
    return progress > 0 ? 'progress' : 'nothing';
  }

  /** The pieces to send at this time, in order. `transmitted` is called for each and moves the pace. */
  pump(now: number, transmit: (offset: number, bytes: Uint8Array) => void): void {
    if (this.#retransmitAt !== null && now >= this.#retransmitAt) {
      this.#rewind();
      this.#backoff = Math.min(backoffMax, this.#backoff * 2);
    }
    while (this.#pieceBytes() > 0 && this.#pace.readyAt <= now) {
      const bytes = this.held.read(this.#sent, this.#pieceBytes());
      transmit(this.#sent, bytes);
      this.#sent += bytes.length;
      this.#sentMost = Math.max(this.#sentMost, this.#sent);
      this.#retransmitAt ??= this.#deadline(now);
    }
  }

  /** When `pump` wants to be called, or null. */
  get wakeAt(): number | null {
    if (this.#pieceBytes() === 0) return this.#retransmitAt;
    return Math.min(this.#pace.readyAt, this.#retransmitAt ?? Number.POSITIVE_INFINITY);
  }

  /** Length of the next piece; 0 when there is none or the window forbids it. */
  #pieceBytes(): number {
    const waiting = (this.held.end ?? 0) - this.#sent;
    const allowed = Math.min(waiting, this.#limit - this.#sent, pieceBytesMax);
    if (allowed <= 0) return 0;
    // A sliver of window while an answer is due: that answer will open more (silly window syndrome, RFC 1122 §4.2.3.4).
    const sliver = allowed < waiting && allowed < pieceBytesMax;
    return sliver && this.#sent > this.#accepted ? 0 : allowed;
  }

  #rewind(): void {
    this.#sent = this.#accepted;
    this.#rewound = true;
    this.#retransmitAt = null;
  }

  #deadline(now: number): number {
    const roundTripMs = this.#pace.durationMs(exchangeBytes) + this.#pace.backlogMs(now) + this.#responseMs;
    return now + roundTripMs * this.#backoff;
  }
}
