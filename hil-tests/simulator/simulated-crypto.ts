/**
 * Sealing for the simulator: quick, and as strict as the real thing towards whoever has another key, changes a bit, or
 * uses a nonce twice. Anybody who reads it could break it; nobody in a life tries.
 */
import { createFakeCrypto } from '../../protocol/crypto.fake.ts';
import { type CryptoProvider, sealTagBytes } from '../../protocol/crypto.ts';
import { Violation } from './observation.ts';

/** Two 32-bit hashes over everything that the tag must depend on. */
function tagOf(
  key: Uint8Array,
  nonce: Uint8Array,
  associatedData: Uint8Array,
  text: Uint8Array,
  length: number,
  tag: Uint8Array,
  tagAt: number,
): void {
  let left = 0x811c9dc5 ^ length;
  let right = 0x9e3779b9 ^ associatedData.length;
  for (let index = 0; index < 32; index++) left = Math.imul(left ^ key[index]!, 0x01000193);
  for (let index = 0; index < nonce.length; index++) left = Math.imul(left ^ nonce[index]!, 0x01000193);
  for (let index = 0; index < associatedData.length; index++) {
    right = Math.imul(right ^ associatedData[index]!, 0x85ebca6b);
  }
  for (let index = 0; index < length; index++) left = Math.imul(left ^ text[index]!, 0x01000193);
  left = Math.imul(left ^ (left >>> 15), 0x85ebca6b);
  right = Math.imul(right ^ left ^ (left >>> 13), 0xc2b2ae35);
  right ^= right >>> 16;
  for (let index = 0; index < sealTagBytes; index++) {
    const word = (index & 1) === 0 ? left : right;
    tag[tagAt + index] = (word >>> ((index & 3) * 8)) ^ index;
  }
}

const scratch = new Uint8Array(sealTagBytes);

export function createSimulatedCrypto(seed: number): CryptoProvider {
  /** By key: nonces are counted up, so the newest one tells about all. */
  const newestNonce = new WeakMap<Uint8Array, number>();
  return {
    ...createFakeCrypto(seed),
    seal(key, nonce, associatedData, plaintext) {
      noticeReuse(newestNonce, key, nonce);
      const sealed = new Uint8Array(plaintext.length + sealTagBytes);
      sealed.set(plaintext);
      tagOf(key, nonce, associatedData, sealed, plaintext.length, sealed, plaintext.length);
      return sealed;
    },
    open(key, nonce, associatedData, sealed) {
      const length = sealed.length - sealTagBytes;
      if (length < 0) return null;
      tagOf(key, nonce, associatedData, sealed, length, scratch, 0);
      for (let index = 0; index < sealTagBytes; index++) {
        if (scratch[index] !== sealed[length + index]) return null;
      }
      return sealed.slice(0, length);
    },
  };
}

/** RFC 8439 section 4: a nonce used twice under one key gives both messages away. */
function noticeReuse(newest: WeakMap<Uint8Array, number>, key: Uint8Array, nonce: Uint8Array): void {
  let counter = 0;
  for (let index = 11; index >= 4; index--) counter = counter * 256 + nonce[index]!;
  const last = newest.get(key);
  if (last !== undefined && counter <= last) {
    throw new Violation('nonce-once', `nonce ${counter} was used after ${last} under one key`);
  }
  newest.set(key, counter);
}
