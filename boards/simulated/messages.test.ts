import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeFloat,
  decodeSigned32,
  encodeSigned32,
  from7Bit,
  fromPairs,
  to7Bit,
  toPairs,
} from './messages.ts';

const bytes = fc.uint8Array({ maxLength: 80 });

test('pairs and seven-bit groups carry any bytes', () => {
  fc.assert(
    fc.property(bytes, (content) => {
      expect(fromPairs(Uint8Array.from(toPairs(content)))).toEqual(content);
      expect(from7Bit(Uint8Array.from(to7Bit(content))).subarray(0, content.length)).toEqual(content);
      expect([...toPairs(content), ...to7Bit(content)].every((byte) => byte < 0x80)).toBe(true);
    }),
  );
});

test('signed numbers of 31 bits and a sign', () => {
  fc.assert(
    fc.property(fc.integer({ min: -0x7fffffff, max: 0x7fffffff }), (value) => {
      expect(decodeSigned32(Uint8Array.from(encodeSigned32(value)))).toBe(value);
    }),
  );
});

test("AccelStepper's floats, as its specification has them", () => {
  // 1 = significand 1, exponent 0 (11 with its bias); -0.5 = 5 * 10^-1, negative.
  expect(decodeFloat(Uint8Array.of(1, 0, 0, 11 << 2))).toBe(1);
  expect(decodeFloat(Uint8Array.of(5, 0, 0, (10 << 2) | 0x40))).toBeCloseTo(-0.5);
});
