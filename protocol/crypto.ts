/**
 * The cryptographic primitives that the protocol needs and does not contain (protocol/README.md §5, §6): the host hands
 * an implementation in, so that this room stays free of the runtime's modules and of randomness.
 */

export interface KeyPair {
  /** 32 bytes. */
  publicKey: Uint8Array;
  /** 32 bytes. */
  privateKey: Uint8Array;
}

/**
 * An implementer returns plain copies that the caller may keep. Arguments may be views into larger buffers, which the
 * caller writes over as soon as the call has returned. Not so a key: one given
 * to `seal` or `open` is never changed by its owner afterwards: an implementation may keep what it
 * prepared from it for as long as the array lives.
 */
export interface CryptoProvider {
  /** A fresh X25519 pair, unpredictable to everyone else. */
  generateKeyPair(): KeyPair;
  /** X25519 (RFC 7748). Null for a public key of low order: the shared secret would be all zero. */
  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | null;
  sha256(bytes: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  /** ChaCha20-Poly1305 (RFC 8439): ciphertext followed by the 16-byte tag. Key 32 bytes, nonce 12. */
  seal(key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Null when the tag does not fit, or when `sealed` is too short to have one. */
  open(key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | null;
}

/** Bytes that sealing adds. */
export const sealTagBytes = 16;
/** Length of a key, of a public key and of a SHA-256 hash. */
export const keyBytes = 32;
