/**
 * Noise_NNpsk0_25519_ChaChaPoly_SHA256, exactly as The Noise Protocol Framework, revision 34, has it
 * (protocol/README.md §5). Names of the objects and their operations are that document's, section 5.
 *
 *     NNpsk0:   -> psk, e        both know the pair key; nobody has a lasting identity key to lose
 *               <- e, ee         keys of this boot are forgotten with it (forward secrecy)
 *
 * Rejected: TLS with a pre-shared key. It wants an ordered stream, so one lost datagram would stall both links, and its
 * handshake takes several kilobytes of a serial link that carries eleven a second.
 */
import { type CryptoProvider, type KeyPair, keyBytes, sealTagBytes } from './crypto.ts';

export const noiseProtocolName = 'Noise_NNpsk0_25519_ChaChaPoly_SHA256';

/** The longest Noise message (section 3 of the Noise document). */
export const noiseMessageBytesMax = 65535;

/** What a handshake message adds to its payload: an ephemeral public key and a tag. */
export const handshakeOverheadBytes = keyBytes + sealTagBytes;

const empty = new Uint8Array(0);
const zeroKey = new Uint8Array(keyBytes);

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let position = 0;
  for (const part of parts) {
    joined.set(part, position);
    position += part.length;
  }
  return joined;
}

/** ChaChaPoly's nonce: 32 zero bits, then the counter in 64 bits, little-endian (section 12.3). */
function writeNonce(nonce: Uint8Array, counter: number): void {
  const low = counter >>> 0;
  const high = Math.floor(counter / 0x1_0000_0000);
  for (let index = 0; index < 4; index++) {
    nonce[4 + index] = low >>> (8 * index);
    nonce[8 + index] = high >>> (8 * index);
  }
}

/** The nonce 2^64-1, which encrypts no message: `rekey` uses it. */
const rekeyNonce = Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255);

/** Section 5.1. Counters stay within 2^53-1, of the 2^64-2 that Noise allows. */
export class CipherState {
  readonly #crypto: CryptoProvider;
  #key: Uint8Array | null;
  #counter = 0;
  /** Written anew for every message: nobody keeps it (crypto.ts). */
  readonly #nonceBytes = new Uint8Array(12);

  constructor(crypto: CryptoProvider, key: Uint8Array | null) {
    this.#crypto = crypto;
    this.#key = key;
  }

  hasKey(): boolean {
    return this.#key !== null;
  }

  /** For messages that arrive out of order (section 11.4). The caller sees to it that no counter encrypts twice. */
  setNonce(counter: number): void {
    this.#counter = counter;
  }

  encryptWithAd(associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (this.#key === null) return plaintext;
    const sealed = this.#crypto.seal(this.#key, this.#nonce(), associatedData, plaintext);
    this.#counter += 1;
    return sealed;
  }

  /** Null, and the counter unchanged, when the text does not authenticate. */
  decryptWithAd(associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    if (this.#key === null) return sealed;
    const plaintext = this.#crypto.open(this.#key, this.#nonce(), associatedData, sealed);
    if (plaintext !== null) this.#counter += 1;
    return plaintext;
  }

  /** A one-way step to the next key; the counter goes on (sections 4.2 and 11.3). */
  rekey(): void {
    if (this.#key === null) throw new Error('rekey of a cipher that has no key');
    this.#key = this.#crypto.seal(this.#key, rekeyNonce, empty, zeroKey).slice(0, keyBytes);
  }

  clone(): CipherState {
    const copy = new CipherState(this.#crypto, this.#key);
    copy.#counter = this.#counter;
    return copy;
  }

  #nonce(): Uint8Array {
    if (!Number.isSafeInteger(this.#counter)) throw new Error('a counter would be used twice');
    writeNonce(this.#nonceBytes, this.#counter);
    return this.#nonceBytes;
  }
}

/** Section 5.2. */
class SymmetricState {
  readonly #crypto: CryptoProvider;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  #cipher: CipherState;

  constructor(crypto: CryptoProvider, protocolName: string) {
    const name = new TextEncoder().encode(protocolName);
    this.#crypto = crypto;
    this.#hash =
      name.length <= keyBytes ? concatBytes(name, zeroKey.slice(name.length)) : crypto.sha256(name);
    this.#chainingKey = this.#hash;
    this.#cipher = new CipherState(crypto, null);
  }

  get hash(): Uint8Array {
    return this.#hash;
  }

  mixKey(material: Uint8Array): void {
    const [chainingKey, key] = this.#hkdf(material);
    this.#chainingKey = chainingKey;
    this.#cipher = new CipherState(this.#crypto, key);
  }

  mixHash(bytes: Uint8Array): void {
    this.#hash = this.#crypto.sha256(concatBytes(this.#hash, bytes));
  }

  mixKeyAndHash(material: Uint8Array): void {
    const [chainingKey, hashMaterial, key] = this.#hkdf(material);
    this.#chainingKey = chainingKey;
    this.mixHash(hashMaterial);
    this.#cipher = new CipherState(this.#crypto, key);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#cipher.encryptWithAd(this.#hash, plaintext);
    this.mixHash(sealed);
    return sealed;
  }

  decryptAndHash(sealed: Uint8Array): Uint8Array | null {
    const plaintext = this.#cipher.decryptWithAd(this.#hash, sealed);
    if (plaintext !== null) this.mixHash(sealed);
    return plaintext;
  }

  split(): [CipherState, CipherState] {
    const [first, second] = this.#hkdf(empty);
    return [new CipherState(this.#crypto, first), new CipherState(this.#crypto, second)];
  }

  clone(): SymmetricState {
    const copy = new SymmetricState(this.#crypto, '');
    copy.#chainingKey = this.#chainingKey;
    copy.#hash = this.#hash;
    copy.#cipher = this.#cipher.clone();
    return copy;
  }

  /** Section 4.3, always with three outputs: the first two do not depend on how many are asked for. */
  #hkdf(material: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] {
    const temporaryKey = this.#crypto.hmacSha256(this.#chainingKey, material);
    const first = this.#crypto.hmacSha256(temporaryKey, Uint8Array.of(1));
    const second = this.#crypto.hmacSha256(temporaryKey, concatBytes(first, Uint8Array.of(2)));
    const third = this.#crypto.hmacSha256(temporaryKey, concatBytes(second, Uint8Array.of(3)));
    return [first, second, third];
  }
}

type Token = 'psk' | 'e' | 'ee';

/** Section 7.4 with the modifier psk0 of section 9.4. The initiator writes the even messages. */
const messagePatterns: readonly (readonly Token[])[] = [
  ['psk', 'e'],
  ['e', 'ee'],
];

export type NoiseRole = 'initiator' | 'responder';

/** Why a handshake message was refused. Nothing has changed then: a later message may still be the right one. */
export type HandshakeReason =
  /** Shorter than a public key and a tag, or longer than Noise allows. */
  | 'HANDSHAKE_LENGTH'
  /** Another pair key or prologue, or damage. */
  | 'HANDSHAKE_UNSEALED'
  /** A public key of low order, with which the shared secret would be known to everyone. */
  | 'HANDSHAKE_WEAK_KEY';

export type HandshakeResult = { ok: true; payload: Uint8Array } | { ok: false; reason: HandshakeReason };

/** Section 5.3. Turns are the caller's duty: reading when it is our turn to write is an error in the program. */
export class HandshakeState {
  readonly #crypto: CryptoProvider;
  readonly #role: NoiseRole;
  readonly #pairKey: Uint8Array;
  #symmetric: SymmetricState;
  #ephemeral: KeyPair | null = null;
  #remoteEphemeral: Uint8Array | null = null;
  #messages = 0;

  /** `pairKey`: 32 bytes that both sides know. `prologue`: what both must agree on, else nothing authenticates. */
  constructor(options: {
    role: NoiseRole;
    pairKey: Uint8Array;
    prologue: Uint8Array;
    crypto: CryptoProvider;
  }) {
    if (options.pairKey.length !== keyBytes) {
      throw new RangeError(`pairKey must be ${keyBytes} bytes (got ${options.pairKey.length})`);
    }
    this.#crypto = options.crypto;
    this.#role = options.role;
    this.#pairKey = options.pairKey.slice();
    this.#symmetric = new SymmetricState(options.crypto, noiseProtocolName);
    this.#symmetric.mixHash(options.prologue);
  }

  get complete(): boolean {
    return this.#messages === messagePatterns.length;
  }

  /** The handshake hash h: the same on both sides, different for every session (section 11.2). */
  get handshakeHash(): Uint8Array {
    return this.#symmetric.hash.slice();
  }

  /** Null when the peer's public key is of low order; the handshake is useless then. */
  writeMessage(payload: Uint8Array): Uint8Array | null {
    const symmetric = this.#symmetric;
    const parts: Uint8Array[] = [];
    for (const token of this.#tokens('write')) {
      if (token === 'psk') symmetric.mixKeyAndHash(this.#pairKey);
      else if (token === 'e') {
        this.#ephemeral = this.#crypto.generateKeyPair();
        parts.push(this.#ephemeral.publicKey);
        mixEphemeral(symmetric, this.#ephemeral.publicKey);
      } else {
        const secret = this.#sharedSecret(this.#remoteEphemeral);
        if (secret === null) return null;
        symmetric.mixKey(secret);
      }
    }
    parts.push(symmetric.encryptAndHash(payload));
    this.#messages += 1;
    const message = concatBytes(...parts);
    if (message.length > noiseMessageBytesMax) throw new RangeError('handshake payload is too long');
    return message;
  }

  readMessage(message: Uint8Array): HandshakeResult {
    const tokens = this.#tokens('read');
    if (message.length < handshakeOverheadBytes || message.length > noiseMessageBytesMax) {
      return { ok: false, reason: 'HANDSHAKE_LENGTH' };
    }
    const symmetric = this.#symmetric.clone();
    const remoteEphemeral = message.slice(0, keyBytes);
    for (const token of tokens) {
      if (token === 'psk') symmetric.mixKeyAndHash(this.#pairKey);
      else if (token === 'e') mixEphemeral(symmetric, remoteEphemeral);
      else {
        const secret = this.#sharedSecret(remoteEphemeral);
        if (secret === null) return { ok: false, reason: 'HANDSHAKE_WEAK_KEY' };
        symmetric.mixKey(secret);
      }
    }
    const payload = symmetric.decryptAndHash(message.subarray(keyBytes));
    if (payload === null) return { ok: false, reason: 'HANDSHAKE_UNSEALED' };
    this.#symmetric = symmetric;
    this.#remoteEphemeral = remoteEphemeral;
    this.#messages += 1;
    return { ok: true, payload };
  }

  /** Keys of the session: the initiator sends with the first and the responder with the second. */
  split(): [CipherState, CipherState] {
    if (!this.complete) throw new Error('split before the handshake is complete');
    return this.#symmetric.split();
  }

  #tokens(direction: 'write' | 'read'): readonly Token[] {
    const tokens = messagePatterns[this.#messages];
    const ourTurn = (this.#messages % 2 === 0) === (this.#role === 'initiator');
    if (tokens === undefined || ourTurn !== (direction === 'write')) {
      throw new Error(`not the ${this.#role}'s turn to ${direction} message ${this.#messages + 1}`);
    }
    return tokens;
  }

  #sharedSecret(remoteEphemeral: Uint8Array | null): Uint8Array | null {
    if (this.#ephemeral === null || remoteEphemeral === null) throw new Error('ee before both e');
    return this.#crypto.dh(this.#ephemeral.privateKey, remoteEphemeral);
  }
}

/** With a pre-shared key in the pattern every e is mixed into the key as well (section 9.2). */
function mixEphemeral(symmetric: SymmetricState, publicKey: Uint8Array): void {
  symmetric.mixHash(publicKey);
  symmetric.mixKey(publicKey);
}
