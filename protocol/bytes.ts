/**
 * Reading and writing of the primitive values of the wire (protocol/README.md §1).
 *
 * Unsigned integers travel as LEB128 varints of at most 8 bytes (53 bits: the safe integers), signed ones
 * zig-zag coded. A reader never throws on short input by accident: every read checks its bounds and throws
 * `WireError('TRUNCATED')`, which decoders turn into a value.
 */

export type WireErrorCode = 'TRUNCATED' | 'VARINT_TOO_LONG' | 'TRAILING_BYTES' | 'BAD_VALUE';

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}

/** A damaged or foreign encoding. `code` is stable; the message names the place. */
export class WireError extends Error {
  readonly code: WireErrorCode;
  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.name = 'WireError';
    this.code = code;
  }
}

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: false });

/**
 * Room that no writer uses at present. A writer lives for a few lines, and to allocate a typed array costs more than
 * what is written into it, so writers borrow theirs. One that never finishes keeps what it has borrowed.
 */
const spareRoom: Uint8Array[] = [];
const spareRoomMax = 16;
const roomBytesMin = 1024;
const spareRoomBytesMax = 16 * 1024;

export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;
  /** What was written is in room of our own, not in the copy that `finish` gave out. */
  #hasRoom = true;

  constructor(initialCapacity = 64) {
    this.#bytes = spareRoom.pop() ?? new Uint8Array(Math.max(roomBytesMin, initialCapacity));
  }

  get length(): number {
    return this.#length;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value & 0xff;
    return this;
  }

  u16(value: number): this {
    return this.u8(value).u8(value >>> 8);
  }

  /** Little-endian, as every fixed-width integer on the wire. */
  u32(value: number): this {
    return this.u16(value & 0xffff).u16(value >>> 16);
  }

  /** A safe non-negative integer, 1 to 8 bytes. */
  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`varint must be 0..2^53-1 (got ${value})`);
    }
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
    return this;
  }

  /** A safe signed integer, zig-zag coded. */
  signed(value: number): this {
    return this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Length-prefixed bytes. */
  bytes(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes);
  }

  /** Length-prefixed UTF-8. */
  text(text: string): this {
    return this.bytes(textEncoder.encode(text));
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    const room = this.#bytes;
    const written = room.slice(0, this.#length);
    // It is full, so that whoever writes on is given room of their own.
    this.#bytes = written;
    // Of an odd long message nothing stays behind.
    if (this.#hasRoom && room.length <= spareRoomBytesMax && spareRoom.length < spareRoomMax) {
      spareRoom.push(room);
    }
    this.#hasRoom = false;
    return written;
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  get position(): number {
    return this.#position;
  }

  u8(): number {
    const value = this.#bytes[this.#position];
    if (value === undefined) throw new WireError('TRUNCATED', `input ends at byte ${this.#position}`);
    this.#position += 1;
    return value;
  }

  u16(): number {
    return this.u8() | (this.u8() << 8);
  }

  u32(): number {
    return (this.u16() | (this.u16() << 16)) >>> 0;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new WireError('VARINT_TOO_LONG', `varint before byte ${this.#position} exceeds 53 bits`);
  }

  signed(): number {
    const coded = this.varint();
    return coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
  }

  /** A view, not a copy. */
  raw(length: number): Uint8Array {
    if (length > this.remaining) {
      throw new WireError(
        'TRUNCATED',
        `${length} bytes wanted at byte ${this.#position}, ${this.remaining} left`,
      );
    }
    const view = this.#bytes.subarray(this.#position, this.#position + length);
    this.#position += length;
    return view;
  }

  bytes(): Uint8Array {
    return this.raw(this.varint());
  }

  text(): string {
    return textDecoder.decode(this.bytes());
  }

  rest(): Uint8Array {
    return this.raw(this.remaining);
  }

  /** Asserts that the whole input was read. */
  end(): void {
    if (this.remaining !== 0)
      throw new WireError('TRAILING_BYTES', `${this.remaining} bytes after the last field`);
  }
}
