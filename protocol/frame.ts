/**
 * Frames on a serial line (protocol/README.md §4).
 *
 *     payload -> payload + CRC (little-endian) -> COBS -> 00
 *
 * A line is a stream of bytes in which bytes get lost, damaged or added. Zero stands only between frames, so
 * whatever happened, the receiver is in step again at the next zero. Before its first frame a sender writes one more
 * zero (`frameDelimiter`): what was on the line before it then spoils nothing of ours.
 *
 * Rejected: a length field with a start mark (a damaged length swallows the frames after it), and HDLC escapes
 * (a payload of flag bytes doubles in size, which would break the byte budget of 115200 baud).
 */
import { cobsDecode, cobsEncode, cobsLengthMax } from './cobs.ts';
import { crc16, crc32 } from './crc.ts';

export type FrameCrc = 'crc16' | 'crc32';

export type FrameDiscardReason =
  /** More bytes without a delimiter than the longest frame has. */
  | 'FRAME_TOO_LONG'
  /** Not an encoding that COBS can make. */
  | 'FRAME_COBS'
  | 'FRAME_CRC'
  /** No room for a payload byte and the CRC. */
  | 'FRAME_TOO_SHORT';

export type FrameItem =
  /** `payload` is the receiver's own copy. */
  | { kind: 'frame'; payload: Uint8Array }
  /** `bytes` were thrown away, delimiter not counted. */
  | { kind: 'discarded'; reason: FrameDiscardReason; bytes: number };

/** Ends every frame; a sender also writes it once before its first. */
export const frameDelimiter: Uint8Array = Uint8Array.of(0);

const crcBytesOf = { crc16: 2, crc32: 4 } as const;

/** Bytes that a payload of this length can take on the line, delimiter included. */
export function frameLineBytesMax(payloadBytes: number, crc: FrameCrc = 'crc32'): number {
  return cobsLengthMax(payloadBytes + crcBytesOf[crc]) + 1;
}

/** The bytes for the line, the closing delimiter included. `payload` has at least one byte. */
export function encodeFrame(payload: Uint8Array, crc: FrameCrc = 'crc32'): Uint8Array {
  if (payload.length === 0) throw new RangeError('a frame carries at least one byte');
  const crcBytes = crcBytesOf[crc];
  const checked = new Uint8Array(payload.length + crcBytes);
  checked.set(payload);
  let rest = crc === 'crc32' ? crc32(payload) : crc16(payload);
  for (let index = 0; index < crcBytes; index++) {
    checked[payload.length + index] = rest & 0xff;
    rest >>>= 8;
  }
  const encoded = cobsEncode(checked);
  const line = new Uint8Array(encoded.length + 1);
  line.set(encoded);
  return line;
}

/**
 * The receiving end: bytes in any chunks in, frames and discarded stretches out, in order. The items do not
 * depend on how the bytes were cut into chunks. Holds at most one encoded frame; a stretch without delimiter that
 * is longer comes out as one FRAME_TOO_LONG for every such length, so that noise on the line (a wrong baud
 * rate, say) is seen while it lasts, and not only when it ends.
 */
export class FrameDecoder {
  readonly #crc: FrameCrc;
  readonly #frameBytesMax: number;
  readonly #buffer: Uint8Array;
  #length = 0;
  /** The buffer overflowed since the last delimiter: what comes before the next one is no frame. */
  #overflowed = false;

  /** `frameBytesMax`: payload bytes of the longest frame that is accepted, 1..65536. */
  constructor(options: { frameBytesMax: number; crc?: FrameCrc }) {
    const { frameBytesMax, crc = 'crc32' } = options;
    if (!Number.isInteger(frameBytesMax) || frameBytesMax < 1 || frameBytesMax > 65536) {
      throw new RangeError(`frameBytesMax must be 1..65536 (got ${frameBytesMax})`);
    }
    this.#crc = crc;
    this.#frameBytesMax = frameBytesMax;
    // One more than the longest: a decoder elsewhere may close a full last group with a code 01.
    this.#buffer = new Uint8Array(cobsLengthMax(frameBytesMax + crcBytesOf[crc]) + 1);
  }

  push(bytes: Uint8Array): FrameItem[] {
    const items: FrameItem[] = [];
    let position = 0;
    while (position < bytes.length) {
      const zeroAt = bytes.indexOf(0, position);
      const end = zeroAt < 0 ? bytes.length : zeroAt;
      this.#keep(bytes.subarray(position, end), items);
      position = end;
      if (zeroAt >= 0) {
        this.#finish(items);
        position += 1;
      }
    }
    return items;
  }

  /** Drops the unfinished frame, for a port that was closed. */
  reset(): void {
    this.#length = 0;
    this.#overflowed = false;
  }

  #keep(stretch: Uint8Array, items: FrameItem[]): void {
    let rest = stretch;
    while (rest.length > 0) {
      if (this.#length === this.#buffer.length) {
        items.push({ kind: 'discarded', reason: 'FRAME_TOO_LONG', bytes: this.#length });
        this.#length = 0;
        this.#overflowed = true;
      }
      const taken = rest.subarray(0, this.#buffer.length - this.#length);
      this.#buffer.set(taken, this.#length);
      this.#length += taken.length;
      rest = rest.subarray(taken.length);
    }
  }

  #finish(items: FrameItem[]): void {
    const encoded = this.#buffer.subarray(0, this.#length);
    const overflowed = this.#overflowed;
    this.reset();
    if (encoded.length === 0) return;
    items.push(
      overflowed
        ? { kind: 'discarded', reason: 'FRAME_TOO_LONG', bytes: encoded.length }
        : this.#decode(encoded),
    );
  }

  #decode(encoded: Uint8Array): FrameItem {
    const discarded = (reason: FrameDiscardReason): FrameItem => ({
      kind: 'discarded',
      reason,
      bytes: encoded.length,
    });
    const result = cobsDecode(encoded);
    if (!result.ok) return discarded('FRAME_COBS');
    const payloadLength = result.bytes.length - crcBytesOf[this.#crc];
    if (payloadLength < 1) return discarded('FRAME_TOO_SHORT');
    if (payloadLength > this.#frameBytesMax) return discarded('FRAME_TOO_LONG');
    const payload = result.bytes.slice(0, payloadLength);
    let carried = 0;
    for (let index = result.bytes.length - 1; index >= payloadLength; index--) {
      carried = ((carried << 8) | result.bytes[index]!) >>> 0;
    }
    const computed = this.#crc === 'crc32' ? crc32(payload) : crc16(payload);
    return carried === computed ? { kind: 'frame', payload } : discarded('FRAME_CRC');
  }
}
