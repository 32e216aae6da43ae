/** Behaviour of the handshake. That its bytes are Noise's is shown in firmware-host/crypto.test.ts, by vectors. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFakeCrypto } from './crypto.fake.ts';
import { HandshakeState, handshakeOverheadBytes, type NoiseRole } from './noise.ts';

const pairKey = new Uint8Array(32).fill(0x42);
const prologue = new TextEncoder().encode('pair 7');
const side = (
  role: NoiseRole,
  seed: number,
  change: Partial<{ pairKey: Uint8Array; prologue: Uint8Array }> = {},
) => new HandshakeState({ role, pairKey, prologue, crypto: createFakeCrypto(seed), ...change });
const payload = Uint8Array.of(1, 2, 3);

describe('a handshake', () => {
  test('gives both sides the same keys, one for each direction, and carries the payloads', () => {
    const [initiator, responder] = [side('initiator', 1), side('responder', 2)];
    expect(responder.readMessage(initiator.writeMessage(payload)!)).toEqual({ ok: true, payload });
    expect(initiator.readMessage(responder.writeMessage(Uint8Array.of(9))!)).toEqual({
      ok: true,
      payload: Uint8Array.of(9),
    });
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash);
    const [ours, theirs] = [initiator.split(), responder.split()];
    const none = new Uint8Array(0);
    const sealed = ours[0].encryptWithAd(none, payload);
    expect(theirs[1].decryptWithAd(none, sealed)).toBeNull();
    expect(theirs[0].decryptWithAd(none, sealed)).toEqual(payload);
  });

  test('fails as a value under another pair key or prologue', () => {
    const message = side('initiator', 1).writeMessage(payload)!;
    const refused = { ok: false, reason: 'HANDSHAKE_UNSEALED' };
    expect(side('responder', 2, { pairKey: new Uint8Array(32) }).readMessage(message)).toEqual(refused);
    expect(side('responder', 2, { prologue: new Uint8Array(0) }).readMessage(message)).toEqual(refused);
  });

  test('a damaged message changes nothing: the right one still completes it', () => {
    const [initiator, responder] = [side('initiator', 1), side('responder', 2)];
    const damage = fc.record({ at: fc.nat(), flip: fc.integer({ min: 1, max: 255 }), length: fc.nat() });
    const message1 = initiator.writeMessage(payload)!;
    const tryDamaged = (reader: HandshakeState, message: Uint8Array): void =>
      fc.assert(
        fc.property(damage, ({ at, flip, length }) => {
          const changed = message.slice();
          changed[at % changed.length]! ^= flip;
          expect(reader.readMessage(changed).ok).toBe(false);
          const cut = reader.readMessage(message.subarray(0, length % message.length));
          expect(cut.ok).toBe(false);
        }),
      );
    tryDamaged(responder, message1);
    expect(responder.readMessage(message1).ok).toBe(true);
    const message2 = responder.writeMessage(payload)!;
    tryDamaged(initiator, message2);
    expect(initiator.readMessage(message2).ok).toBe(true);
  });

  test('a message shorter than a key and a tag, or longer than Noise allows, is refused by its length', () => {
    const refused = { ok: false, reason: 'HANDSHAKE_LENGTH' };
    const responder = side('responder', 2);
    expect(responder.readMessage(new Uint8Array(handshakeOverheadBytes - 1))).toEqual(refused);
    expect(responder.readMessage(new Uint8Array(65536))).toEqual(refused);
  });

  test('a public key of low order from someone who has the pair key is refused', () => {
    const weak = { ...createFakeCrypto(3), generateKeyPair: () => ({ publicKey: zero, privateKey: zero }) };
    const zero = new Uint8Array(32);
    const initiator = new HandshakeState({ role: 'initiator', pairKey, prologue, crypto: weak });
    const responder = side('responder', 2);
    expect(responder.readMessage(initiator.writeMessage(payload)!).ok).toBe(true);
    expect(responder.writeMessage(payload)).toBeNull();
  });

  test('a call out of turn is an error in the program', () => {
    const [initiator, responder] = [side('initiator', 1), side('responder', 2)];
    expect(() => initiator.readMessage(new Uint8Array(60))).toThrow(/turn/);
    expect(() => responder.writeMessage(payload)).toThrow(/turn/);
    expect(() => initiator.split()).toThrow(/complete/);
    expect(() => side('initiator', 1, { pairKey: new Uint8Array(31) })).toThrow(RangeError);
  });
});
