/**
 * A CryptoProvider for tests and the simulator: pure, seeded and quick, and NOT SECURE in any way. It keeps
 * every promise of the interface that an honest peer and a damaging line can notice (firmware-host/crypto.test.ts holds it and the real
 * one to the same contract); whoever reads it can break it.
 */
import { type CryptoProvider, keyBytes, sealTagBytes } from './crypto.ts';

/** A Mersenne prime: residues fit 4 bytes. */
const prime = 2 ** 31 - 1;
const generator = 7;

/** 256 bits that depend on every byte and on where one part ends. */
function mixed(...parts: readonly Uint8Array[]): Uint8Array {
  const lanes = Uint32Array.from({ length: 8 }, (_, lane) => 0x811c9dc5 + lane * 0x9e3779b9);
  const absorb = (byte: number): void => {
    for (let lane = 0; lane < 8; lane++) {
      const value = Math.imul(lanes[lane]! ^ (byte + lane * 0x101), 0x01000193);
      lanes[lane] = value ^ (value >>> 15);
    }
  };
  for (const part of parts) {
    for (let index = 0; index < part.length; index++) absorb(part[index]!);
    absorb(part.length & 0xff);
    absorb((part.length >>> 8) & 0xff);
  }
  for (let round = 0; round < 16; round++) {
    const lane = round % 8;
    absorb(lanes[(lane + 3) % 8]! & 0xff);
  }
  return new Uint8Array(lanes.buffer);
}

function residueOf(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = (value * 256 + byte) % prime;
  return value;
}

function bytesOf(residue: number): Uint8Array {
  const bytes = new Uint8Array(keyBytes);
  new DataView(bytes.buffer).setUint32(keyBytes - 4, residue);
  return bytes;
}

/** In two steps of 16 bits, so that no product leaves the safe integers. */
function product(left: number, right: number): number {
  const high = (left * (right >>> 16)) % prime;
  return (high * 0x1_0000 + left * (right & 0xffff)) % prime;
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let square = base, rest = exponent; rest > 0; rest >>>= 1) {
    if (rest & 1) result = product(result, square);
    square = product(square, square);
  }
  return result;
}

const counterBytes = (counter: number): Uint8Array =>
  Uint8Array.of(counter, counter >>> 8, counter >>> 16, counter >>> 24);

function maskedWith(key: Uint8Array, nonce: Uint8Array, bytes: Uint8Array): Uint8Array {
  const masked = bytes.slice();
  for (let block = 0; block * keyBytes < bytes.length; block++) {
    const mask = mixed(key, nonce, counterBytes(block));
    const end = Math.min(bytes.length, (block + 1) * keyBytes);
    for (let index = block * keyBytes; index < end; index++) masked[index]! ^= mask[index % keyBytes]!;
  }
  return masked;
}

/** The same seed gives the same keys in the same order. */
export function createFakeCrypto(seed: number): CryptoProvider {
  let keys = 0;
  const tagOf = (key: Uint8Array, nonce: Uint8Array, ...rest: Uint8Array[]): Uint8Array =>
    mixed(key, nonce, ...rest).slice(0, sealTagBytes);
  return {
    generateKeyPair() {
      const privateKey = mixed(counterBytes(seed), counterBytes(keys++));
      return { privateKey, publicKey: bytesOf(power(generator, exponentOf(privateKey))) };
    },
    dh(privateKey, publicKey) {
      const residue = residueOf(publicKey);
      // The elements of order 1 and 2, and zero, which is no element: their "secret" is known to everyone.
      if (residue <= 1 || residue === prime - 1) return null;
      return bytesOf(power(residue, exponentOf(privateKey)));
    },
    sha256: (bytes) => mixed(bytes),
    hmacSha256: (key, bytes) => mixed(key, bytes, key),
    seal(key, nonce, associatedData, plaintext) {
      const ciphertext = maskedWith(key, nonce, plaintext);
      const sealed = new Uint8Array(ciphertext.length + sealTagBytes);
      sealed.set(ciphertext);
      sealed.set(tagOf(key, nonce, associatedData, ciphertext), ciphertext.length);
      return sealed;
    },
    open(key, nonce, associatedData, sealed) {
      const length = sealed.length - sealTagBytes;
      if (length < 0) return null;
      const ciphertext = sealed.subarray(0, length);
      const tag = tagOf(key, nonce, associatedData, ciphertext);
      if (!tag.every((byte, index) => byte === sealed[length + index])) return null;
      return maskedWith(key, nonce, ciphertext);
    },
  };
}

/** At least 2, so that no private key is without effect. */
function exponentOf(privateKey: Uint8Array): number {
  return (residueOf(privateKey) % (prime - 3)) + 2;
}
