/**
 * Cyclic redundancy checks of the wire (protocol/README.md §2).
 *
 * CRC-32 guards frames between two boards and records in the journal; CRC-16 guards the device stream, where a
 * microcontroller computes it for every byte and a table of 512 bytes is all it can spare. Neither is protection against
 * an adversary: that is the seal (§6).
 */

function tableOf(width: 16 | 32): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let register = width === 32 ? byte : byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      if (width === 32) register = register & 1 ? (register >>> 1) ^ 0xedb88320 : register >>> 1;
      else register = register & 0x8000 ? ((register << 1) ^ 0x1021) & 0xffff : register << 1;
    }
    table[byte] = register;
  }
  return table;
}

const crc32Table = tableOf(32);
const crc16Table = tableOf(16);

/**
 * CRC-32/ISO-HDLC (IEEE 802.3, zlib, PNG): reflected polynomial EDB88320, check value CBF43926.
 * `seed` is the CRC of the bytes before these: `crc32(b, crc32(a))` is the CRC of a followed by b.
 */
export function crc32(bytes: Uint8Array, seed = 0): number {
  let register = ~seed;
  for (let index = 0; index < bytes.length; index++) {
    register = (register >>> 8) ^ crc32Table[(register ^ bytes[index]!) & 0xff]!;
  }
  return ~register >>> 0;
}

/**
 * CRC-16/IBM-3740 (known as CCITT-FALSE): polynomial 1021, not reflected, start FFFF, check value 29B1.
 * `seed` is the CRC of the bytes before these.
 */
export function crc16(bytes: Uint8Array, seed = 0xffff): number {
  let register = seed;
  for (let index = 0; index < bytes.length; index++) {
    register = ((register << 8) & 0xff00) ^ crc16Table[(register >>> 8) ^ bytes[index]!]!;
  }
  return register;
}
