import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import {
  accepts,
  backs,
  down,
  end,
  facts,
  history,
  leads,
  role,
  stored,
  up,
  violationOf,
} from './hand-made-life.fake.ts';
import { outputRule } from './output-rule.ts';

const wrote = history('h', 5, { writes: { 1: 'one ', 3: 'three ' } });
const judge = (observations: Observation[]) =>
  violationOf(outputRule(facts()), observations, end({ histories: [wrote] }));
const pair = [leads('a', 1), backs('b', 1), stored('a', 4)];
const solo = leads('a', 2, { protected: false });

test('an output whose record the backup has is as promised', () => {
  expect(
    judge([
      ...pair,
      stored('b', 2),
      accepts('a', 1, 0, 'one '),
      stored('b', 4),
      accepts('a', 1, 4, 'three '),
    ]),
  ).toBeNull();
});

test('so is one of a primary that was solo when it had the record', () => {
  expect(judge([solo, stored('a', 4), accepts('a', 2, 0, 'one thr')])).toBeNull();
  expect(judge([solo, stored('a', 4), leads('a', 2), accepts('a', 2, 0, 'one thr')])).toBeNull();
  expect(judge([...pair, solo, accepts('a', 2, 0, 'one three')])).toBeNull();
});

test('one that came before the backup had its record is found', () => {
  expect(judge([...pair, stored('b', 3), accepts('a', 1, 0, 'one ')])).toBeNull();
  expect(judge([...pair, stored('b', 3), accepts('a', 1, 0, 'one t')])).toContain('turn 3 from board a');
  expect(judge([...pair, stored('b', 3), accepts('a', 1, 0, 'one t'), stored('b', 4)])).toContain('turn 3');
  expect(judge([...pair, stored('b', 4, 'another'), accepts('a', 1, 0, 'one ')])).toContain('turn 1');
});

test('one that came before its own journal had it is found, solo or not', () => {
  expect(judge([solo, stored('a', 3), accepts('a', 2, 0, 'one t'), stored('a', 4)])).toContain(
    'its own journal had 3',
  );
  expect(judge([leads('a', 1), stored('a', 3), stored('b', 4), accepts('a', 1, 0, 'one t')])).toContain(
    'own journal',
  );
});

test('what the backup once had counts, though its disk never took it', () => {
  const back = [down('b'), up('b', 2, 'older', 9)];
  expect(judge([...pair, stored('b', 4), ...back, accepts('a', 1, 0, 'one three ')])).toBeNull();
  expect(judge([...pair, stored('b', 3), ...back, accepts('a', 1, 0, 'one t')])).toContain('turn 3');
});

test('a backup that has given up being one makes the primary solo in fact', () => {
  const joins = role('b', { role: 'joining', term: 1, historyId: 'h' });
  expect(judge([...pair, stored('b', 3), joins, accepts('a', 1, 0, 'one t')])).toBeNull();
  expect(
    judge([...pair, stored('b', 3), joins, backs('b', 1), stored('a', 5), accepts('a', 1, 0, 'one t')]),
  ).toBeNull();
});

test('a claim is not solo time yet', () => {
  const claims = role('a', { role: 'contending', term: 1, historyId: 'h' });
  expect(judge([...pair, stored('b', 3), claims, stored('a', 5), accepts('a', 1, 0, 'one t')])).toContain(
    'turn 3',
  );
});
