/** Both providers under one contract, and the real one against published vectors, through Noise as well. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Channel } from '../protocol/channel.ts';
import { createFakeCrypto } from '../protocol/crypto.fake.ts';
import type { CryptoProvider } from '../protocol/crypto.ts';
import { CipherState, HandshakeState, type NoiseRole } from '../protocol/noise.ts';
import { createNodeCrypto, nodeCrypto } from './crypto.ts';

const hex = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('hex');
const of = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const bytes12 = fc.uint8Array({ minLength: 12, maxLength: 12 });

const providers: [string, () => CryptoProvider][] = [
  ['node', () => nodeCrypto],
  ['fake', () => createFakeCrypto(1)],
];

describe.each(providers)('contract of a CryptoProvider: %s', (_name, create) => {
  const crypto = create();

  test('both sides of an exchange come to one secret, others do not', () => {
    const [left, right, other] = [
      crypto.generateKeyPair(),
      crypto.generateKeyPair(),
      crypto.generateKeyPair(),
    ];
    const secret = crypto.dh(left.privateKey, right.publicKey);
    expect(secret).toHaveLength(32);
    expect(hex(crypto.dh(right.privateKey, left.publicKey))).toBe(hex(secret));
    expect(hex(crypto.dh(other.privateKey, left.publicKey))).not.toBe(hex(secret));
    expect(new Set([left, right, other].map((pair) => hex(pair.publicKey))).size).toBe(3);
  });

  test('a public key of zero is refused as a value', () => {
    expect(crypto.dh(crypto.generateKeyPair().privateKey, new Uint8Array(32))).toBeNull();
  });

  test('what is sealed opens, and is refused after any change of key, nonce, data or text', () => {
    fc.assert(
      fc.property(
        bytes32,
        bytes12,
        fc.uint8Array(),
        fc.uint8Array({ maxLength: 90 }),
        fc.nat(),
        (...given) => {
          const [key, nonce, data, plaintext, where] = given;
          const sealed = crypto.seal(key, nonce, data, plaintext);
          expect(sealed.length).toBe(plaintext.length + 16);
          expect(crypto.open(key, nonce, data, sealed)).toEqual(plaintext);
          const flip = (bytes: Uint8Array): Uint8Array => {
            const changed = bytes.slice();
            changed[where % bytes.length]! ^= 1 << (where % 8);
            return changed;
          };
          expect(crypto.open(flip(key), nonce, data, sealed)).toBeNull();
          expect(crypto.open(key, flip(nonce), data, sealed)).toBeNull();
          expect(crypto.open(key, nonce, Uint8Array.of(...data, 1), sealed)).toBeNull();
          expect(crypto.open(key, nonce, data, flip(sealed))).toBeNull();
          expect(crypto.open(key, nonce, data, sealed.subarray(0, where % sealed.length))).toBeNull();
        },
      ),
      { numRuns: 60 },
    );
  });

  test('results are plain arrays of their own', () => {
    const key = new Uint8Array(32);
    const sealed = crypto.seal(key, new Uint8Array(12), key, key);
    const opened = crypto.open(key, new Uint8Array(12), key, sealed);
    for (const bytes of [sealed, opened!, crypto.sha256(key), crypto.hmacSha256(key, key)]) {
      expect(bytes.constructor).toBe(Uint8Array);
      expect(bytes.buffer.byteLength).toBe(bytes.length);
    }
  });

  test('arguments may be views', () => {
    const block = Uint8Array.from({ length: 200 }, (_, index) => index);
    const [key, nonce, data] = [block.subarray(3, 35), block.subarray(40, 52), block.subarray(60, 66)];
    const sealed = crypto.seal(key, nonce, data, block.subarray(70, 100));
    expect(crypto.open(key.slice(), nonce.slice(), data.slice(), sealed)).toEqual(block.slice(70, 100));
  });
});

const bobPrivate = of('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);

describe('published vectors', () => {
  test('X25519, RFC 7748 section 6.1', () => {
    const alicePublic = of('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    const bob = createNodeCrypto(() => bobPrivate).generateKeyPair();
    expect(hex(bob.publicKey)).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    expect(hex(nodeCrypto.dh(bob.privateKey, alicePublic))).toBe(
      '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
    );
  });

  test('SHA-256, FIPS 180; HMAC, RFC 4231 case 2', () => {
    expect(hex(nodeCrypto.sha256(text('abc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(hex(nodeCrypto.hmacSha256(text('Jefe'), text('what do ya want for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  test.each([
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ])('the low-order public key %s is refused as a value', (publicKey) => {
    expect(nodeCrypto.dh(bobPrivate, of(publicKey))).toBeNull();
  });
});

interface NoiseVector {
  protocolName: string;
  prologue: string;
  psk: string;
  initiatorEphemeral: string;
  responderEphemeral: string;
  handshakeHash: string;
  messages: { payload: string; ciphertext: string }[];
}

describe('Noise_NNpsk0_25519_ChaChaPoly_SHA256 against the vector of cacophony', () => {
  const url = new URL('../protocol/golden/noise-nnpsk0.json', import.meta.url);
  const vector = JSON.parse(readFileSync(url, 'utf8')) as NoiseVector;
  const side = (role: NoiseRole, ephemeral: string): HandshakeState =>
    new HandshakeState({
      role,
      pairKey: of(vector.psk),
      prologue: of(vector.prologue),
      crypto: createNodeCrypto(() => of(ephemeral)),
    });

  test('handshake messages, hash and transport messages are the published ones', () => {
    const initiator = side('initiator', vector.initiatorEphemeral);
    const responder = side('responder', vector.responderEphemeral);
    const sides = [initiator, responder] as const;
    const [handshake, transport] = [vector.messages.slice(0, 2), vector.messages.slice(2)];
    for (const [index, { payload, ciphertext }] of handshake.entries()) {
      expect(hex(sides[index % 2]!.writeMessage(of(payload)))).toBe(ciphertext);
      expect(sides[1 - (index % 2)]!.readMessage(of(ciphertext))).toEqual({ ok: true, payload: of(payload) });
    }
    expect(hex(initiator.handshakeHash)).toBe(vector.handshakeHash);
    expect(hex(responder.handshakeHash)).toBe(vector.handshakeHash);
    const [writers, readers] = [initiator.split(), responder.split()];
    expect(transport).toHaveLength(4);
    const nothing = new Uint8Array(0);
    for (const [index, { payload, ciphertext }] of transport.entries()) {
      expect(hex(writers[index % 2]!.encryptWithAd(nothing, of(payload)))).toBe(ciphertext);
      expect(hex(readers[index % 2]!.decryptWithAd(nothing, of(ciphertext)))).toBe(payload);
    }
  });
});

test('REKEY is the first 32 bytes of zeros encrypted under the nonce 2^64-1', () => {
  const key = of('11'.repeat(32));
  const cipher = new CipherState(nodeCrypto, key);
  cipher.encryptWithAd(new Uint8Array(0), text('one message'));
  cipher.rekey();
  const nextKey = nodeCrypto.seal(key, of('00000000ffffffffffffffff'), new Uint8Array(0), new Uint8Array(32));
  const expected = nodeCrypto.seal(
    nextKey.slice(0, 32),
    of('000000000100000000000000'),
    text('a'),
    text('next'),
  );
  expect(hex(cipher.encryptWithAd(text('a'), text('next')))).toBe(hex(expected));
});

test('the worked examples of protocol/README.md §5.2, §6.1 and §6.4', () => {
  const readme = readFileSync(new URL('../protocol/README.md', import.meta.url), 'utf8');
  const ephemerals = JSON.parse(
    readFileSync(new URL('../protocol/golden/noise-nnpsk0.json', import.meta.url), 'utf8'),
  ) as NoiseVector;
  const boot = (role: NoiseRole, ephemeral: string, handshakePayload: string): Channel =>
    new Channel({
      role,
      pairKey: Uint8Array.from({ length: 32 }, (_, index) => index),
      prologue: text('example'),
      crypto: createNodeCrypto(() => of(ephemeral)),
      handshakePayload: of(handshakePayload),
    });
  const initiator = boot('initiator', ephemerals.initiatorEphemeral, 'a101');
  const responder = boot('responder', ephemerals.responderEphemeral, 'b101');
  const message1 = initiator.beginHandshake();
  const reply = responder.receive(message1) as { kind: 'reply'; bytes: Uint8Array };
  expect(initiator.receive(reply.bytes).kind).toBe('established');
  const hello = initiator.seal(text('hello'))!;
  expect(responder.receive(hello)).toMatchObject({ kind: 'established', bytes: text('hello') });
  const hi = responder.seal(text('hi'))!;
  expect(initiator.receive(hi)).toEqual({ kind: 'plaintext', bytes: text('hi') });
  const restarted = boot('responder', ephemerals.responderEphemeral, 'b102');
  const { poke } = restarted.receive(hello) as { poke: Uint8Array };
  const rows = readme.split('\n');
  for (const datagram of [message1, reply.bytes, hello, hi, poke]) expect(rows).toContain(hex(datagram));
});
