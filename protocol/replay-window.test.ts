import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReplayWindow, replayWindowCounters } from './replay-window.ts';

test('the window is wide enough for the slowest link', () => {
  expect(replayWindowCounters).toBeGreaterThanOrEqual(1024);
});

test('every counter is accepted once, in any order within the window', () => {
  const window = new ReplayWindow();
  for (let counter = replayWindowCounters - 1; counter >= 0; counter--)
    expect(window.accept(counter)).toBe(true);
  for (let counter = 0; counter < replayWindowCounters; counter++) expect(window.accept(counter)).toBe(false);
  expect(window.highest).toBe(replayWindowCounters - 1);
});

test('what is older than the window is refused, its last counter is not', () => {
  const window = new ReplayWindow();
  window.accept(10_000);
  expect(window.accept(10_000 - replayWindowCounters)).toBe(false);
  expect(window.accept(10_000 - replayWindowCounters + 1)).toBe(true);
});

test('agrees with a set of all counters ever seen, at any jumps up to the greatest counter', () => {
  const jumps = fc.oneof(
    fc.integer({ min: -5000, max: 200 }),
    fc.integer({ min: 3900, max: 4400 }),
    fc.integer({ min: 0, max: 2 ** 31 }),
  );
  fc.assert(
    fc.property(fc.array(jumps, { maxLength: 120 }), (steps) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const step of steps) {
        const counter = Math.min(2 ** 32 - 1, Math.max(0, highest + step));
        const fresh = !seen.has(counter) && counter > highest - replayWindowCounters;
        expect(window.accept(counter)).toBe(fresh);
        seen.add(counter);
        highest = Math.max(highest, counter);
        expect(window.highest).toBe(highest);
      }
    }),
  );
});
