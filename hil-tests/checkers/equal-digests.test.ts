import { expect, test } from 'vitest';
import type { Fault } from '../simulator/fault.ts';
import type { Observation } from '../simulator/observation.ts';
import { equalDigests } from './equal-digests.ts';
import { end, facts, history, reports, turn, violationOf } from './hand-made-life.fake.ts';

const judge = (observations: Observation[], divergedAtTurn: number | null = null) =>
  violationOf(equalDigests(facts()), observations, end({ histories: [history('h', 9, { divergedAtTurn })] }));
const struck: Fault = { kind: 'replica', at: 0, board: 'b', how: 'diverges' };
const strikes: Observation = { kind: 'fault', phase: 'begins', fault: struck };
const performed = [turn('a', 0, { digest: 10 }), turn('a', 1), turn('a', 2), turn('a', 3, { digest: 13 })];
const replay = (board: 'a' | 'b', number: number, digest: number, count = 1) =>
  turn(board, number, { mode: 'replay', digest, count });

test('the same turns with the same digests, by whom and how often ever, are as promised', () => {
  const again = (board: 'a' | 'b') => [replay(board, 0, 10), replay(board, 1, 0, 2), replay(board, 3, 13)];
  expect(judge([...performed, ...again('b'), ...again('a'), ...again('b')])).toBeNull();
});

test('a turn that a dead primary performed may be performed otherwise, and both are run again', () => {
  const forked = [...performed, turn('b', 1, { digest: 21 }), turn('b', 3)];
  expect(
    judge([...forked, replay('a', 1, 21), replay('a', 1, 0), replay('a', 3, 0), replay('a', 3, 13)]),
  ).toBeNull();
  expect(judge([...forked, replay('a', 1, 22)])).toContain('digest 22');
});

test.each<[string, Observation]>([
  ['came to digest 14, not 13', replay('b', 3, 14)],
  ['did nothing, not 10', replay('b', 0, 0)],
  ['where nothing was done', replay('b', 2, 12)],
  ['did nothing', replay('b', 2, 0, 2)],
  ['nobody has performed it', replay('b', 4, 0)],
])('a replay that differs is found: %s', (complaint, replayed) => {
  expect(judge([...performed, replayed])).toContain(complaint);
});

test('so is a divergence that nobody caused, on a board or in the independent run', () => {
  expect(judge([...performed, reports('b', 'DIVERGED')])).toContain('no replica was made to diverge');
  expect(judge([...performed, reports('a', 'BACKUP_DIVERGED')])).toContain('no replica was made to diverge');
  expect(judge(performed, 3)).toContain('differs from its records at turn 3');
});

test('a replica that was made to compute something else is excepted, until it is another process', () => {
  expect(judge([...performed, strikes, replay('b', 3, 14), reports('b', 'DIVERGED')])).toBeNull();
  const anew = [strikes, replay('b', 3, 14), reports('b', 'DIVERGED'), replay('b', 0, 11)];
  expect(judge([...performed, ...anew])).toContain('digest 11');
  const tookOver = [strikes, replay('b', 3, 13), turn('b', 4, { digest: 99 })];
  expect(judge([...performed, ...tookOver], 4)).toBeNull();
  expect(judge([...performed, ...tookOver], 3)).toContain('turn 3');
});
