import { describe, expect, test } from 'vitest';
import { RoundTrip } from './round-trip.ts';

describe('RoundTrip', () => {
  test('follows RFC 6298 §2', () => {
    const roundTrip = new RoundTrip();
    expect(roundTrip.timeoutMs).toBe(100);
    roundTrip.sample(40);
    expect(roundTrip.smoothedMs).toBe(40);
    expect(roundTrip.timeoutMs).toBe(40 + 4 * 20);
    roundTrip.sample(80);
    expect(roundTrip.smoothedMs).toBe(0.875 * 40 + 0.125 * 80);
    expect(roundTrip.timeoutMs).toBe(45 + 4 * (0.75 * 20 + 0.25 * 40));
  });

  test('is never below 20 ms', () => {
    const roundTrip = new RoundTrip();
    for (let count = 0; count < 50; count++) roundTrip.sample(0.1);
    expect(roundTrip.timeoutMs).toBe(20);
  });

  test('doubles with each timeout up to 500 ms, and recovers with progress', () => {
    const roundTrip = new RoundTrip();
    roundTrip.sample(1);
    expect(
      Array.from({ length: 7 }, () => {
        roundTrip.backOff();
        return roundTrip.timeoutMs;
      }),
    ).toEqual([40, 80, 160, 320, 500, 500, 500]);
    roundTrip.progress();
    expect(roundTrip.timeoutMs).toBe(20);
  });
});
