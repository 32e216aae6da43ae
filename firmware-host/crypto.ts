/**
 * The protocol's cryptography over node:crypto (protocol/README.md §5, §6).
 *
 * Sealing runs hundreds of times a second on a Raspberry Pi. A cipher made from a prepared KeyObject starts about three
 * times faster than one made from raw bytes, so prepared keys are kept for as long as their bytes live.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type KeyObject,
  randomBytes as systemRandomBytes,
} from 'node:crypto';
import { type CryptoProvider, type KeyPair, keyBytes, sealTagBytes } from '../protocol/crypto.ts';

/** DER of RFC 8410 up to the key itself; the 32 bytes of an X25519 key follow. */
const privateKeyPrefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
const publicKeyPrefix = Buffer.from('302a300506032b656e032100', 'hex');

const algorithm = 'chacha20-poly1305';
const cipherOptions = { authTagLength: sealTagBytes };

function requireKeyBytes(bytes: Uint8Array, what: string): void {
  if (bytes.length !== keyBytes)
    throw new RangeError(`${what} must be ${keyBytes} bytes (got ${bytes.length})`);
}

function privateKeyOf(bytes: Uint8Array): KeyObject {
  requireKeyBytes(bytes, 'private key');
  return createPrivateKey({ key: Buffer.concat([privateKeyPrefix, bytes]), format: 'der', type: 'pkcs8' });
}

function publicKeyOf(bytes: Uint8Array): KeyObject {
  requireKeyBytes(bytes, 'public key');
  return createPublicKey({ key: Buffer.concat([publicKeyPrefix, bytes]), format: 'der', type: 'spki' });
}

/** A copy outside of Node's shared buffer pool, and no Buffer: `slice` of the two differs. */
function plain(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

/**
 * `randomBytes` makes the private keys: the system's generator, or the simulator's seeded one. What an attacker can
 * predict of it breaks every session.
 */
export function createNodeCrypto(
  randomBytes: (length: number) => Uint8Array = systemRandomBytes,
): CryptoProvider {
  const preparedKeys = new WeakMap<Uint8Array, KeyObject>();

  function prepared(key: Uint8Array): KeyObject {
    let object = preparedKeys.get(key);
    if (object === undefined) {
      requireKeyBytes(key, 'key');
      object = createSecretKey(key);
      preparedKeys.set(key, object);
    }
    return object;
  }

  return {
    generateKeyPair(): KeyPair {
      const privateKey = plain(randomBytes(keyBytes));
      const der = createPublicKey(privateKeyOf(privateKey)).export({ format: 'der', type: 'spki' });
      return { privateKey, publicKey: plain(der.subarray(publicKeyPrefix.length)) };
    },

    dh(privateKey, publicKey) {
      const keys = { privateKey: privateKeyOf(privateKey), publicKey: publicKeyOf(publicKey) };
      let secret: Buffer;
      try {
        secret = diffieHellman(keys);
      } catch (error) {
        // OpenSSL refuses the all-zero secret itself. Any other failure here is a defect and stays one.
        if (isFailedDerivation(error)) return null;
        throw error;
      }
      return secret.every((byte) => byte === 0) ? null : plain(secret);
    },

    sha256: (bytes) => plain(createHash('sha256').update(bytes).digest()),

    hmacSha256: (key, bytes) => plain(createHmac('sha256', key).update(bytes).digest()),

    seal(key, nonce, associatedData, plaintext) {
      const cipher = createCipheriv(algorithm, prepared(key), nonce, cipherOptions);
      cipher.setAAD(associatedData, { plaintextLength: plaintext.length });
      const sealed = new Uint8Array(plaintext.length + sealTagBytes);
      sealed.set(cipher.update(plaintext));
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      return sealed;
    },

    open(key, nonce, associatedData, sealed) {
      const length = sealed.length - sealTagBytes;
      if (length < 0) return null;
      const decipher = createDecipheriv(algorithm, prepared(key), nonce, cipherOptions);
      decipher.setAAD(associatedData, { plaintextLength: length });
      decipher.setAuthTag(sealed.subarray(length));
      const plaintext = plain(decipher.update(sealed.subarray(0, length)));
      try {
        decipher.final();
      } catch {
        // The one thing `final` of this cipher can fail at is the tag.
        return null;
      }
      return plaintext;
    },
  };
}

function isFailedDerivation(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ERR_OSSL_FAILED_DURING_DERIVATION' || code === 'ERR_CRYPTO_OPERATION_FAILED';
}

/** The provider of a real board. */
export const nodeCrypto: CryptoProvider = createNodeCrypto();
