import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cobsDecode, cobsEncode, cobsLengthMax } from './cobs.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const of = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
/** Zeros, and runs around the length of a full group, are what COBS is about: make both likely. */
const someBytes = fc
  .array(
    fc.oneof(
      fc.constant([0]),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => [...bytes]),
      fc.integer({ min: 252, max: 256 }).map((length) => new Array<number>(length).fill(7)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Uint8Array.from(parts.flat()));

describe('examples of the specification §3', () => {
  test.each([
    ['', '01'],
    ['00', '0101'],
    ['0000', '010101'],
    ['11220033', '0311220233'],
    ['11223344', '0511223344'],
    ['11000000', '0211010101'],
  ])('%s <-> %s', (plain, encoded) => {
    expect(hex(cobsEncode(of(plain)))).toBe(encoded);
    expect(cobsDecode(of(encoded))).toEqual({ ok: true, bytes: of(plain) });
  });

  test('a full last group has no closing code, and may have one', () => {
    const plain = new Uint8Array(254).fill(1);
    const encoded = cobsEncode(plain);
    expect(hex(encoded)).toBe(`ff${'01'.repeat(254)}`);
    expect(cobsDecode(of(`${hex(encoded)}01`))).toEqual({ ok: true, bytes: plain });
  });
});

test.each([
  ['', 'COBS_EMPTY'],
  ['00', 'COBS_ZERO'],
  ['0300', 'COBS_TRUNCATED'],
  ['030011', 'COBS_ZERO'],
  ['0511', 'COBS_TRUNCATED'],
  ['02110511', 'COBS_TRUNCATED'],
])('%s is refused: %s', (encoded, reason) => {
  expect(cobsDecode(of(encoded))).toEqual({ ok: false, reason });
});

test('any bytes come back, without a zero on the way, within the stated length', () => {
  fc.assert(
    fc.property(someBytes, (bytes) => {
      const encoded = cobsEncode(bytes);
      expect(encoded.includes(0)).toBe(false);
      expect(encoded.length).toBeLessThanOrEqual(cobsLengthMax(bytes.length));
      expect(cobsDecode(encoded)).toEqual({ ok: true, bytes });
    }),
  );
});

test('decoding any bytes gives a value', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), someBytes), (bytes) => {
      const result = cobsDecode(bytes);
      if (result.ok) expect(result.bytes.length).toBeLessThan(bytes.length);
      else expect(result.reason).toMatch(/^COBS_/);
    }),
  );
});
