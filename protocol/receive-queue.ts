/**
 * The receiving end of the reliable stream (protocol/README.md §7.4): fragments come in any order and any number of
 * times, messages go out in order and once.
 *
 * Two positions matter and are never mixed: what was *received* (so that it is not sent again) and what the host
 * has *stored* (so that the peer may forget it). Only the host moves the second one.
 *
 * ```
 *   1 ......... stored ......... received ... gap ... [range] ... gap ... [range]
 *   cumulative ---^    not sent again ---^             selective acknowledgement
 * ```
 */
import { assert } from './assert.ts';
import type { AcknowledgementFrame, Fragment, SequenceRange } from './session-frames.ts';

/** So that fragments without bytes cannot fill the memory either. */
export const fragmentOverheadBytes = 64;
/** More gaps than this at once is not loss but a peer gone wrong; also bounds the work per fragment. */
const rangesMax = 256;

export type Acceptance = 'received' | 'duplicate' | 'receive-buffer-full' | 'stream-invalid';

export class ReceiveQueue {
  readonly #bufferBytesMax: number;
  readonly #messageBytesMax: number;
  #nextSequence = 1;
  /** Fragments beyond the first gap. */
  readonly #early = new Map<number, Fragment>();
  #earlyBytes = 0;
  readonly #ranges: SequenceRange[] = [];
  /** Fragments of the message that is being put together. */
  #parts: Uint8Array[] = [];
  #partsBytes = 0;
  #delivered = 0;
  #stored = 0;
  #storedFragment = 0;
  /** Last fragment of each delivered message that is not stored yet; the first one belongs to `#stored + 1`. */
  #lastFragments: number[] = [];
  #lastFragmentsHead = 0;

  constructor(options: { bufferBytesMax: number; messageBytesMax: number }) {
    this.#bufferBytesMax = options.bufferBytesMax;
    this.#messageBytesMax = options.messageBytesMax;
  }

  /** True while something is missing below something received. */
  get hasGap(): boolean {
    return this.#ranges.length > 0;
  }

  /** Number of the last delivered message. */
  get delivered(): number {
    return this.#delivered;
  }

  accept(fragment: Fragment, deliver: (sequence: number, message: Uint8Array) => void): Acceptance {
    const { sequence } = fragment;
    if (sequence < this.#nextSequence || this.#early.has(sequence)) return 'duplicate';
    if (sequence > this.#nextSequence) return this.#keepEarly(fragment);
    if (!this.#consume(fragment, deliver)) return 'stream-invalid';
    const range = this.#ranges[0];
    if (range?.from !== this.#nextSequence) return 'received';
    while (this.#nextSequence < range.to) {
      const early = this.#early.get(this.#nextSequence);
      assert(early !== undefined, 'a received range has all its fragments');
      if (!this.#consume(early, deliver)) return 'stream-invalid';
      this.#early.delete(early.sequence);
      this.#earlyBytes -= early.bytes.length + fragmentOverheadBytes;
      range.from = this.#nextSequence;
    }
    this.#ranges.shift();
    return 'received';
  }

  /** The host has stored every message up to this one. */
  stored(sequence: number): void {
    assert(sequence <= this.#delivered, `message ${sequence} cannot be stored before it is delivered`);
    while (this.#stored < sequence) {
      this.#storedFragment = this.#lastFragments[this.#lastFragmentsHead++]!;
      this.#stored += 1;
    }
    if (this.#lastFragmentsHead > 1024 && this.#lastFragmentsHead * 2 > this.#lastFragments.length) {
      this.#lastFragments = this.#lastFragments.slice(this.#lastFragmentsHead);
      this.#lastFragmentsHead = 0;
    }
  }

  acknowledgement(rangeCountMax: number): AcknowledgementFrame {
    return {
      kind: 'acknowledgement',
      cumulative: this.#storedFragment,
      received: this.#nextSequence - 1,
      ranges: this.#ranges.length === 0 ? [] : this.#ranges.slice(0, rangeCountMax),
    };
  }

  #keepEarly(fragment: Fragment): Acceptance {
    const { sequence } = fragment;
    const bytes = fragment.bytes.length + fragmentOverheadBytes;
    if (this.#earlyBytes + bytes > this.#bufferBytesMax) return 'receive-buffer-full';
    if (!this.#addToRanges(sequence)) return 'receive-buffer-full';
    // A copy: the view would keep the whole datagram alive.
    this.#early.set(sequence, { ...fragment, bytes: fragment.bytes.slice() });
    this.#earlyBytes += bytes;
    return 'received';
  }

  #addToRanges(sequence: number): boolean {
    const ranges = this.#ranges;
    let index = ranges.length;
    while (index > 0 && ranges[index - 1]!.from > sequence) index -= 1;
    const before = ranges[index - 1];
    const after = ranges[index];
    if (before?.to === sequence) {
      before.to += 1;
      if (after?.from === before.to) {
        before.to = after.to;
        ranges.splice(index, 1);
      }
      return true;
    }
    if (after?.from === sequence + 1) {
      after.from = sequence;
      return true;
    }
    if (ranges.length >= rangesMax) return false;
    ranges.splice(index, 0, { from: sequence, to: sequence + 1 });
    return true;
  }

  /** False: the fragment contradicts those before it. Only a peer that is not ours sends such a stream. */
  #consume(fragment: Fragment, deliver: (sequence: number, message: Uint8Array) => void): boolean {
    const { first, last, bytes } = fragment;
    if (first !== (this.#parts.length === 0)) return false;
    if (!last && bytes.length === 0) return false;
    if (this.#partsBytes + bytes.length > this.#messageBytesMax) return false;
    this.#nextSequence += 1;
    if (!last) {
      this.#parts.push(bytes.slice());
      this.#partsBytes += bytes.length;
      return true;
    }
    const message = first ? bytes.slice() : this.#joinParts(bytes);
    this.#delivered += 1;
    this.#lastFragments.push(fragment.sequence);
    deliver(this.#delivered, message);
    return true;
  }

  #joinParts(lastBytes: Uint8Array): Uint8Array {
    const message = new Uint8Array(this.#partsBytes + lastBytes.length);
    let position = 0;
    for (const part of this.#parts) {
      message.set(part, position);
      position += part.length;
    }
    message.set(lastBytes, position);
    this.#parts = [];
    this.#partsBytes = 0;
    return message;
  }
}
