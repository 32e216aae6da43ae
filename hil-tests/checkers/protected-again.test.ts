import { expect, test } from 'vitest';
import type { Fault } from '../simulator/fault.ts';
import type { Observation } from '../simulator/observation.ts';
import {
  backs,
  down,
  end,
  facts,
  leads,
  reports,
  role,
  tells,
  turn,
  up,
  violationOf,
} from './hand-made-life.fake.ts';
import { protectedAgain, protectedAgainWithinMs } from './protected-again.ts';

const within = protectedAgainWithinMs(facts());
const due = facts().quietAt + within;
const judge = (observations: (Observation | number)[], at = 10_000) =>
  violationOf(protectedAgain(facts()), observations, end({ at }));
const boards = [up('a'), up('b')];
const pair = [...boards, leads('a', 1), backs('b', 1)];
const joins = role('b', { role: 'joining', term: 1, historyId: 'h' });

test('a pair that is one again in time and stays so is as promised', () => {
  expect(judge([...boards, leads('a', 1), due - 1, backs('b', 1), due + 500, leads('a', 1)])).toBeNull();
});

test('one that is not in time is found, at the end or when it is told of', () => {
  expect(judge([...boards, leads('a', 1)])).toContain('b is null');
  expect(judge([...boards, leads('a', 1), joins, due + 1, joins])).toContain('b is joining');
  expect(judge([...boards, leads('a', 1)], due - 1)).toBeNull();
});

test('so is one that does not stay so', () => {
  expect(judge([...pair, due + 500, joins])).toContain('b is joining');
  expect(judge([...pair, due + 500, down('b')])).toContain('b is down');
});

test.each<[string, Observation]>([
  ['another term', backs('b', 2)],
  ['another history', backs('b', 1, { historyId: 'old' })],
  ['no protection', backs('b', 1, { protected: false })],
  ['two primaries', leads('b', 1)],
])('two boards are no pair with %s', (_, observation) => {
  expect(judge([...boards, leads('a', 1), observation])).toContain('the pair is no pair');
});

test('a program that fails begins the bound anew, once', () => {
  const fails = [...pair, due + 10, reports('a', 'PROGRAM_THREW'), joins];
  expect(judge([...fails, due + 1000, backs('b', 1)], due + within + 100)).toBeNull();
  expect(judge(fails, due + within + 100)).toContain('b is joining');
});

test('a history that is being run again is waited for, not for ever', () => {
  const runs = (count: number) =>
    Array.from({ length: count }, (_, index) => [
      due + 10 * index,
      turn('b', index, { mode: 'replay' }),
    ]).flat();
  const long = [...boards, leads('a', 1), joins, turn('a', 500), due - 10];
  expect(judge([...long, ...runs(60), joins, backs('b', 1)])).toBeNull();
  expect(judge([...long, ...runs(200), joins])).toContain('b is joining');
});

test('a pair that has ended, or a copy that diverged too often, is not waited for', () => {
  const ended: Observation = { kind: 'board-down', board: 'a', cause: 'exit', exit: 'PROGRAM_EXITED' };
  expect(judge([...pair, ended])).toBeNull();
  expect(judge([...pair, ended, up('a', 2)])).toContain('a is null');
  expect(judge([...pair, tells('b', { role: 'joining', divergences: 4 })])).toBeNull();
});

test('a replica that was made to hang is given its time', () => {
  const hangs: Fault = { kind: 'replica', at: 0, board: 'a', how: 'hangs' };
  expect(protectedAgainWithinMs(facts({ faults: [hangs] }))).toBe(within + 6 * facts().turnTimeoutMs);
});
