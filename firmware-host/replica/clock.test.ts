import { expect, test } from 'vitest';
import { VirtualClock } from './clock.ts';

test('reads advance by one microsecond and a turn never begins before the last read', () => {
  const clock = new VirtualClock();
  expect(clock.begin(1000)).toBe(1000);
  expect([clock.read(), clock.read(), clock.us]).toEqual([1000, 1001, 1002]);
  expect(clock.begin(500)).toBe(1002);
  clock.advance(10);
  expect(clock.begin(1005)).toBe(1012);
});
