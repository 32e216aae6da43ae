/**
 * Consistent Overhead Byte Stuffing (protocol/README.md §3; S. Cheshire and M. Baker, "Consistent Overhead Byte
 * Stuffing", IEEE/ACM Transactions on Networking 7(2), 1999): rewrites bytes so that none is zero, at a cost of
 * one byte in 254, so that zero can end a frame and a receiver finds the next frame after any damage.
 */

export type CobsReason =
  /** No bytes at all: even the empty text has one code byte. */
  | 'COBS_EMPTY'
  /** A zero inside. */
  | 'COBS_ZERO'
  /** The last group announces more bytes than there are. */
  | 'COBS_TRUNCATED';

export type CobsResult = { ok: true; bytes: Uint8Array } | { ok: false; reason: CobsReason };

/** The longest encoding that `length` bytes can have. */
export function cobsLengthMax(length: number): number {
  return length + Math.max(1, Math.ceil(length / 254));
}

/** Never contains a zero. A full group of 254 bytes at the very end gets no closing code. */
export function cobsEncode(bytes: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(cobsLengthMax(bytes.length));
  let codeAt = 0;
  let length = 1;
  let code = 1;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!;
    if (byte !== 0) {
      encoded[length++] = byte;
      code += 1;
    }
    if (byte === 0 || (code === 0xff && index + 1 < bytes.length)) {
      encoded[codeAt] = code;
      codeAt = length++;
      code = 1;
    }
  }
  encoded[codeAt] = code;
  return encoded.subarray(0, length);
}

/** Accepts a full last group with and without a closing code 01: implementations differ in it. */
export function cobsDecode(encoded: Uint8Array): CobsResult {
  if (encoded.length === 0) return { ok: false, reason: 'COBS_EMPTY' };
  const bytes = new Uint8Array(encoded.length);
  let length = 0;
  let position = 0;
  while (position < encoded.length) {
    const code = encoded[position]!;
    if (code === 0) return { ok: false, reason: 'COBS_ZERO' };
    const end = position + code;
    if (end > encoded.length) return { ok: false, reason: 'COBS_TRUNCATED' };
    for (let index = position + 1; index < end; index++) {
      const byte = encoded[index]!;
      if (byte === 0) return { ok: false, reason: 'COBS_ZERO' };
      bytes[length++] = byte;
    }
    position = end;
    if (code !== 0xff && position < encoded.length) bytes[length++] = 0;
  }
  return { ok: true, bytes: bytes.subarray(0, length) };
}
