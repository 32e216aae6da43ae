import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualClock } from './virtual-clock.ts';

test('starts at wall time and runs with the monotonic clock', () => {
  const clock = new VirtualClock();
  clock.start(1000, 5_000_000);
  expect(clock.read(1000)).toBe(5_000_000);
  expect(clock.read(1001.5)).toBe(5_001_500);
  expect(clock.whenMs(5_010_000)).toBe(1010);
});

test('goes on no earlier than the end of the last turn', () => {
  const clock = new VirtualClock();
  clock.start(0, 1000);
  clock.atLeast(9000);
  expect(clock.read(1)).toBe(9000);
  expect(clock.read(9)).toBe(10_000);
});

test('a takeover goes on from the records’ time, the delay of the bus aside', () => {
  const clock = new VirtualClock();
  clock.observe(100, 1_000_000);
  // This record was 30 ms late: the one before tells the time better.
  clock.observe(160, 1_030_000);
  clock.takeOver(170);
  // Less what a crystal may have drifted in 60 ms.
  expect(clock.read(170)).toBe(1_070_000 - 12);
});

test('a long gap is made up for slowly, without a jump', () => {
  const clock = new VirtualClock();
  clock.observe(0, 1_000_000);
  clock.takeOver(5000);
  const first = clock.read(5000);
  expect(first).toBe(1_100_000);
  expect(clock.read(5100) - first).toBe(110_000);
  // The gap less the jump is 4.9 s, made up for at a tenth: 49 s.
  expect(clock.read(60_000)).toBe(61_000_000);
});

test('never runs backwards, whatever is observed and whoever leads', () => {
  const step = fc.record({
    kind: fc.constantFrom('observe', 'takeOver', 'read', 'atLeast'),
    afterMs: fc.nat(500),
    us: fc.nat(3_000_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const clock = new VirtualClock();
      clock.start(0, 1_000_000);
      let now = 0;
      let last = 0;
      for (const { kind, afterMs, us } of steps) {
        now += afterMs;
        if (kind === 'observe') clock.observe(now, us);
        else if (kind === 'takeOver') clock.takeOver(now);
        else if (kind === 'atLeast') clock.atLeast(us);
        else {
          const read = clock.read(now);
          expect(read).toBeGreaterThanOrEqual(last);
          expect(Number.isInteger(read)).toBe(true);
          last = read;
        }
        expect(clock.lastUs).toBeGreaterThanOrEqual(last);
        last = clock.lastUs;
      }
    }),
  );
});

test('another history has its own time, whatever was seen before', () => {
  const clock = new VirtualClock();
  clock.observe(1000, 5_000_000_000);
  clock.reset();
  clock.observe(2000, 1_000_000_000);
  clock.takeOver(2001);
  expect(clock.read(2001)).toBeLessThan(1_000_002_000);
});
