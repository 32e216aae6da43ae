import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter, WireError } from './bytes.ts';
import {
  decodeBatch,
  decodeOutputs,
  encodeBatch,
  encodeOutputs,
  type JournalRecord,
  lastTimeOf,
  type Output,
  type ReplicaEvent,
  turnsOf,
} from './record.ts';

const bytes = fc.uint8Array({ maxLength: 40 });
const port = fc.nat(1000);
const event: fc.Arbitrary<ReplicaEvent> = fc.oneof(
  fc.record({
    kind: fc.constant('start' as const),
    seed: fc.string(),
    argv: fc.array(fc.string(), { maxLength: 3 }),
    env: fc.dictionary(
      fc.string().filter((name) => name !== '__proto__'),
      fc.string(),
      { maxKeys: 3, noNullPrototype: true },
    ),
    hostname: fc.string(),
    ports: fc.array(fc.string(), { maxLength: 3 }),
    stdinIsTerminal: fc.boolean(),
  }),
  fc.constant({ kind: 'time' as const }),
  fc.constant({ kind: 'stdin-end' as const }),
  fc.record({ kind: fc.constant('port-data' as const), port, bytes }),
  fc.record({
    kind: fc.constant('completed' as const),
    request: fc.nat(),
    ok: fc.boolean(),
    result: fc.string(),
  }),
  fc.record({ kind: fc.constant('port-lost' as const), port, reason: fc.string() }),
  fc.record({ kind: fc.constant('port-credit' as const), port, bytes: fc.nat() }),
  fc.record({ kind: fc.constant('stdin' as const), bytes }),
  fc.record({ kind: fc.constant('signal' as const), signal: fc.string() }),
);
const timeUs = fc.integer({ min: 1_600_000_000_000_000, max: 1_900_000_000_000_000 });
const journalRecord: fc.Arbitrary<JournalRecord> = fc.oneof(
  fc
    .record({
      kind: fc.constant('turn' as const),
      timeUs,
      event,
      values: bytes,
      hasOutputs: fc.boolean(),
      digest: fc.integer({ min: 0, max: 0xffff_ffff }),
    })
    .map((record) => ({ ...record, digest: record.hasOutputs ? record.digest : 0 })),
  fc.record({
    kind: fc.constant('idle' as const),
    timeUs,
    stepUs: fc.nat(10_000_000),
    count: fc.integer({ min: 1, max: 1_000_000 }),
  }),
);
const output: fc.Arbitrary<Output> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), port, bytes }),
  fc.record({
    kind: fc.constant('request' as const),
    request: fc.nat(),
    operation: fc.constantFrom('open', 'close', 'update', 'set', 'get', 'flush', 'drain', 'list'),
    port,
    argument: fc.string(),
  }),
  fc.record({
    kind: fc.constant('console' as const),
    stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    bytes,
  }),
  fc.record({ kind: fc.constant('exit' as const), code: fc.integer({ min: -1000, max: 1000 }) }),
);

test('a batch comes back as it went', () => {
  const batch = fc.record({ firstTurn: fc.nat(), records: fc.array(journalRecord, { maxLength: 12 }) });
  fc.assert(
    fc.property(batch, (given) => {
      expect(decodeBatch(encodeBatch(given))).toEqual(given);
    }),
  );
});

test('outputs come back as they went', () => {
  fc.assert(
    fc.property(fc.array(output, { maxLength: 12 }), (given) => {
      expect(decodeOutputs(encodeOutputs(given))).toEqual(given);
    }),
  );
});

function onlyWireErrors(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
  }
}

test('arbitrary bytes are a batch or a WireError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (given) => {
      onlyWireErrors(() => decodeBatch(given));
      onlyWireErrors(() => decodeOutputs(given));
    }),
    { numRuns: 2000 },
  );
});

test('a damaged batch is a batch or a WireError', () => {
  const batch = fc.record({
    firstTurn: fc.nat(),
    records: fc.array(journalRecord, { minLength: 1, maxLength: 6 }),
  });
  fc.assert(
    fc.property(batch, fc.nat(), fc.nat(255), fc.boolean(), (given, at, value, cut) => {
      const encoded = encodeBatch(given);
      const position = at % encoded.length;
      if (cut) onlyWireErrors(() => decodeBatch(encoded.subarray(0, position)));
      else {
        encoded[position] = value;
        onlyWireErrors(() => decodeBatch(encoded));
      }
    }),
    { numRuns: 1000 },
  );
});

/** A batch's head, then whatever follows. */
function crafted(count: number, ...rest: number[]): Uint8Array {
  const writer = new ByteWriter().varint(0).varint(count).varint(1_700_000_000_000_000);
  for (const byte of rest) writer.u8(byte);
  return writer.finish();
}

test('a count of records that the bytes cannot hold is refused before anything is allocated', () => {
  expect(() => decodeBatch(crafted(Number.MAX_SAFE_INTEGER))).toThrow(WireError);
});

test('an idle run is as long as turns can be numbered, and no longer', () => {
  const idle = (stepUs: number, count: number): Uint8Array => {
    const writer = new ByteWriter().varint(5).varint(1).varint(1_700_000_000_000_000);
    return writer.u8(15).signed(0).varint(stepUs).varint(count).finish();
  };
  expect(() => decodeBatch(idle(1000, 0))).toThrow(WireError);
  expect(() => decodeBatch(idle(1000, Number.MAX_SAFE_INTEGER))).toThrow(WireError);
  expect(() => decodeBatch(idle(Number.MAX_SAFE_INTEGER, 2))).toThrow(WireError);
  expect(decodeBatch(idle(1000, 4)).records).toHaveLength(1);
});

test('no time lies before the epoch', () => {
  const writer = new ByteWriter().varint(0).varint(1).varint(5);
  expect(() => decodeBatch(writer.u8(1).signed(-6).finish())).toThrow(WireError);
});

test('a start event of another shape is refused', () => {
  const start = (text: string): Uint8Array =>
    new ByteWriter().varint(0).varint(1).varint(0).u8(0).signed(0).text(text).finish();
  for (const text of ['', '{', 'null', '[]', '{"seed":1}', '{"seed":"s"}', '{"seed":"s","kind":"time"}'])
    expect(() => decodeBatch(start(text)), text).toThrow(WireError);
});

test('turns and last time of a record', () => {
  const idle: JournalRecord = { kind: 'idle', timeUs: 100, stepUs: 10, count: 4 };
  expect(turnsOf(idle)).toBe(4);
  expect(lastTimeOf(idle)).toBe(130);
});
