import { expect, test } from 'vitest';
import type { Fault } from '../simulator/fault.ts';
import type { Observation } from '../simulator/observation.ts';
import { boundedLag } from './bounded-lag.ts';
import { backs, facts, leads, stored, turn, up, violationOf } from './hand-made-life.fake.ts';

const judge = (observations: (Observation | number)[], faults: Fault[] = []) =>
  violationOf(boundedLag(facts({ faults })), observations);
const pair = [up('a'), up('b'), leads('a', 1), backs('b', 1), turn('b', 9, { mode: 'replay' })];

test('turns and time up to the bounds are as promised', () => {
  expect(judge([...pair, turn('a', 10), turn('a', 110)])).toBeNull();
  expect(judge([...pair, turn('a', 10), 100, stored('a', 11), 200, turn('a', 11)])).toBeNull();
  const caughtUp = [stored('a', 11), turn('b', 10, { mode: 'replay' })];
  expect(judge([...pair, turn('a', 10), 100, ...caughtUp, 400, turn('a', 11)])).toBeNull();
});

test('nor does what was begun before the pair was protected, or while solo, count', () => {
  expect(judge([...pair, turn('a', 300)])).toBeNull();
  const solo = leads('a', 1, { protected: false });
  expect(judge([...pair, turn('a', 10), solo, turn('a', 300), turn('a', 301)])).toBeNull();
});

test('a primary that runs ahead of its backup is found', () => {
  expect(judge([...pair, turn('a', 10), turn('a', 113)])).toContain('103 turns behind');
  const late = [...pair, turn('a', 10), 100, stored('a', 11), 300, turn('a', 11)];
  expect(judge(late)).toContain('sent 200 ms before');
  expect(judge(late, [{ kind: 'slow-replica', at: 0, until: 9, board: 'a', turnMs: 60 }])).toBeNull();
  expect(judge(late, [{ kind: 'pause', at: 90, until: 200, board: 'a' }])).toBeNull();
  expect(judge(late, [{ kind: 'pause', at: 90, until: 200, board: 'b' }])).toContain('sent 200 ms before');
});
