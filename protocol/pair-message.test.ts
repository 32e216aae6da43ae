import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter, WireError } from './bytes.ts';
import {
  decodeHeartbeat,
  decodePairMessage,
  encodeHeartbeat,
  encodePairMessage,
  type Heartbeat,
  type PairMessage,
} from './pair-message.ts';

const turns = fc.nat();
const heartbeat: fc.Arbitrary<Heartbeat> = fc.record({
  role: fc.constantFrom('starting', 'contending', 'primary', 'joining', 'backup', 'stepped-down', 'stopped'),
  term: fc.nat(),
  protected: fc.boolean(),
  copy: fc.integer({ min: 0, max: 0xffff_ffff }),
  journalTerm: fc.nat(),
  turns,
  executedTurns: turns,
  releasedTurns: turns,
  confirmed: fc.array(fc.record({ session: fc.integer({ min: 0, max: 0xffff_ffff }), outputs: fc.nat() }), {
    maxLength: 8,
  }),
});

test('a heartbeat comes back as it went', () => {
  fc.assert(
    fc.property(heartbeat, (given) => {
      expect(decodeHeartbeat(encodeHeartbeat(given))).toEqual(given);
    }),
  );
});

test('the heartbeat of a pair with eight devices fits its frame', () => {
  const large = 0xffff_ffff;
  const confirmed = Array.from({ length: 8 }, () => ({ session: large, outputs: 2 ** 45 }));
  const worst = { role: 'stopped' as const, protected: true, term: large, copy: large, journalTerm: large };
  const counts = { turns: 2 ** 45, executedTurns: 0, releasedTurns: 0, confirmed };
  expect(encodeHeartbeat({ ...worst, ...counts }).length).toBeLessThanOrEqual(200);
});

const messages: PairMessage[] = [
  { kind: 'follow', join: 3, historyId: null, fromTurn: 0 },
  { kind: 'protected', join: 3, term: 9 },
  { kind: 'reign', term: 4 },
  { kind: 'note', note: { kind: 'device', device: 'm', session: 1, outputs: 2, inputs: 3, turn: 4 } },
  { kind: 'records', batch: Uint8Array.of(1, 2, 3) },
  { kind: 'records', batch: new Uint8Array(0) },
];

test.each(messages)('$kind comes back as it went', (message) => {
  expect(decodePairMessage(encodePairMessage(message))).toEqual(message);
});

test('arbitrary bytes are a message, a heartbeat or a WireError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (given) => {
      for (const decode of [decodeHeartbeat, decodePairMessage]) {
        try {
          decode(given);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test.each(['', '3', 'null', '[]', '{}', '{"kind":3}', '{"kind":"records"}'])('%s is no message', (json) => {
  const message = new ByteWriter().u8(2).raw(new TextEncoder().encode(json)).finish();
  expect(() => decodePairMessage(message)).toThrow(WireError);
});

test('a heartbeat with too many devices is refused', () => {
  const writer = new ByteWriter().u8(2).varint(1).varint(1).varint(0).signed(0).signed(0);
  expect(() => decodeHeartbeat(writer.varint(2 ** 40).finish())).toThrow(WireError);
});
