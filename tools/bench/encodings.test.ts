import { expect, test } from 'vitest';
import { cbor, json, messagePack, protocolBuffers, recordAsMessage, recordAsObject } from './encodings.ts';

const hex = (bytes: number[]): string => Buffer.from(bytes).toString('hex');
const repeated = (count: number): Uint8Array => new Uint8Array(count);

/** RFC 8949, Appendix A. */
test.each([
  [0, '00'],
  [23, '17'],
  [24, '1818'],
  [100, '1864'],
  [1000, '1903e8'],
  [1_000_000, '1a000f4240'],
  [1_000_000_000_000, '1b000000e8d4a51000'],
  [-1, '20'],
  [-100, '3863'],
  [-1000, '3903e7'],
  [false, 'f4'],
  [true, 'f5'],
  [Uint8Array.of(1, 2, 3, 4), '4401020304'],
  ['IETF', '6449455446'],
  ['\u00fc', '62c3bc'],
  [[1, [2, 3], [4, 5]], '8301820203820405'],
  [{ a: 1, b: [2, 3] }, 'a26161016162820203'],
])('CBOR of %o', (value, bytes) => {
  expect(hex(cbor(value))).toBe(bytes);
});

/** spec.md of MessagePack: the formats' first bytes, at both sides of each limit; the map is the example of msgpack.org. */
test.each([
  [127, '7f'],
  [128, 'cc80'],
  [255, 'ccff'],
  [256, 'cd0100'],
  [65_535, 'cdffff'],
  [65_536, 'ce00010000'],
  [2 ** 32, 'cf0000000100000000'],
  [-1, 'ff'],
  [-32, 'e0'],
  [-33, 'd0df'],
  [-128, 'd080'],
  [-129, 'd1ff7f'],
  [true, 'c3'],
  ['', 'a0'],
  ['a'.repeat(31), `bf${'61'.repeat(31)}`],
  ['a'.repeat(32), `d920${'61'.repeat(32)}`],
  [repeated(2), 'c4020000'],
  [repeated(256), `c50100${'00'.repeat(256)}`],
  [{ compact: true, schema: 0 }, '82a7636f6d70616374c3a6736368656d6100'],
  [Array.from({ length: 16 }, () => 0), `dc0010${'00'.repeat(16)}`],
])('MessagePack of %o', (value, bytes) => {
  expect(hex(messagePack(value))).toBe(bytes);
});

/** protobuf.dev, "Encoding": a = 150; b = "testing" in field 2; an embedded message in field 3. */
test('Protocol Buffers', () => {
  expect(hex(protocolBuffers({ a: 150 }))).toBe('089601');
  expect(hex(protocolBuffers({ a: 0, b: 'testing' }))).toBe('120774657374696e67');
  expect(hex(protocolBuffers({ a: 0, b: '', c: { a: 150 } }))).toBe('1a03089601');
  expect(protocolBuffers({ a: false, b: repeated(0), c: [] })).toEqual([]);
});

test('a record says the same in each', () => {
  const record = {
    kind: 'turn' as const,
    timeUs: 1_800_000_000_123_456,
    event: { kind: 'port-data' as const, port: 0, bytes: Uint8Array.of(0xe0, 1, 2) },
    values: repeated(0),
    hasOutputs: true,
    digest: 0xdead_beef,
  };
  const asObject = recordAsObject(7, record);
  expect(JSON.parse(json(asObject))).toEqual({
    turn: 7,
    kind: 'turn',
    timeUs: 1_800_000_000_123_456,
    event: { kind: 'port-data', port: 0, bytes: '4AEC' },
    digest: 0xdead_beef,
  });
  // turn 2, kind 2, time 9, event 2 + (kind 2, bytes 5), digest 6: with a port that is 0, and so left out.
  expect(protocolBuffers(recordAsMessage(7, record))).toHaveLength(2 + 2 + 9 + 9 + 6);
});
