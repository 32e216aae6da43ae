import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeededRandom } from './random.ts';

const seed = '000102030405060708090a0b0c0d0e0f';

function fractions(random: SeededRandom, count: number): number[] {
  return Array.from({ length: count }, () => random.nextFraction());
}

test('equal seeds and names give equal streams, others do not', () => {
  const stream = fractions(new SeededRandom(seed, 'Math.random'), 50);
  expect(fractions(new SeededRandom(seed, 'Math.random'), 50)).toEqual(stream);
  expect(fractions(new SeededRandom(seed, 'bytes'), 50)).not.toEqual(stream);
  expect(fractions(new SeededRandom(`${seed.slice(0, -1)}e`, 'Math.random'), 50)).not.toEqual(stream);
});

test('fractions lie in [0, 1) and spread evenly for any seed', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 32 }), (text) => {
      const values = fractions(new SeededRandom(text, 'x'), 2000);
      expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      // The standard deviation of this mean is 0.0065: seven of them.
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.045);
    }),
    { numRuns: 50 },
  );
});

test('bytes have the length asked for and are not constant', () => {
  const random = new SeededRandom(seed, 'bytes');
  for (const length of [0, 1, 3, 4, 5, 33]) expect(random.bytes(length)).toHaveLength(length);
  expect(new Set(random.bytes(256)).size).toBeGreaterThan(100);
});
