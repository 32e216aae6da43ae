import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import { facts, tells, up, violationOf } from './hand-made-life.fake.ts';
import { timeNeverBackwards } from './time-never-backwards.ts';

const judge = (observations: (Observation | number)[]) =>
  violationOf(timeNeverBackwards(facts()), observations);
const shows = (timeUs: number, historyId = 'h') =>
  tells('a', { role: 'primary', historyId, virtualTimeUs: timeUs, executedTurns: 5 });

test('time goes on, begins anew with a history or a process, and may wait for a timer', () => {
  expect(judge([shows(1_000_000), shows(1_000_000), shows(1_500_000), shows(7, 'new')])).toBeNull();
  expect(judge([shows(1_000_000), up('a', 2), shows(7)])).toBeNull();
  expect(judge([shows(1_000_000), 100, shows(1_000_000), 90_000, shows(91_000_000)])).toBeNull();
});

test('time that falls within a history, or leaps with the wall clock, is found', () => {
  expect(judge([shows(1_000_000), shows(999_999)])).toContain('fell by 1 us');
  expect(judge([shows(1_000_000), 100, shows(3_601_000_000)])).toContain('leapt ahead');
});
