import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import { facts, reports, tells, turn, up, violationOf } from './hand-made-life.fake.ts';
import { timeNeverBackwards } from './time-never-backwards.ts';

const judge = (observations: (Observation | number)[]) =>
  violationOf(timeNeverBackwards(facts()), observations);
const shows = (timeUs: number, historyId = 'h', board: 'a' | 'b' = 'a', term = 1) =>
  tells(board, { role: 'primary', term, historyId, virtualTimeUs: timeUs, executedTurns: 5 });
const runs = (timeMs: number, board: 'a' | 'b' = 'a') => turn(board, 5, { timeUs: timeMs * 1000 });
const sleeps: Observation = {
  kind: 'fault',
  phase: 'ends',
  fault: { kind: 'pause', at: 0, until: 1, board: 'b' },
};

test('time goes on, begins anew with a history or a process, and may wait for a timer', () => {
  expect(judge([shows(1_000_000), shows(1_000_000), shows(1_500_000), shows(7, 'new')])).toBeNull();
  expect(judge([shows(1_000_000), up('a', 2), shows(7)])).toBeNull();
  expect(judge([shows(1_000_000), 90_000, runs(91_000), shows(91_000_000)])).toBeNull();
});

test('time that falls within a history, or leaps with the wall clock, is found', () => {
  expect(judge([shows(1_000_000), shows(999_999)])).toContain('fell by 1 us');
  expect(judge([1000, runs(5000), 2000, runs(6000), 2100, runs(3_606_100)])).toContain(
    'leapt ahead by 3600000',
  );
});

test('a takeover may leave the clock behind, and it may run a little fast for that', () => {
  const before = [1000, runs(5000), 3000];
  const takesOver = shows(6_100_000, 'h', 'b', 2);
  expect(judge([...before, takesOver, 3001, runs(6200, 'b'), 4000, runs(7300, 'b')])).toBeNull();
  expect(judge([...before, takesOver, 3001, runs(8000, 'b')])).toContain('board b leapt ahead by 999 ms');
  expect(judge([...before, takesOver, 3001, runs(6100, 'b'), 4200, runs(6100, 'b')])).toContain(
    'fell 1200 ms behind within 1200 ms',
  );
  expect(judge([...before, takesOver, sleeps, 6000, runs(6100, 'b')])).toBeNull();
  expect(judge([...before, takesOver, sleeps, 6000, runs(6100, 'b'), 6001, runs(6100, 'b')])).toContain(
    'behind',
  );
});

test('a copy that is made anew begins with the history', () => {
  const joins = tells('a', { role: 'joining', historyId: 'h', virtualTimeUs: 5 });
  expect(judge([joins, shows(1_000_000), joins])).toContain('fell');
  expect(
    judge([tells('a', { role: 'joining', historyId: 'h', virtualTimeUs: 1_000_000 }), joins]),
  ).toBeNull();
  expect(judge([shows(1_000_000), reports('a', 'RESUMING'), shows(5)])).toBeNull();
});
