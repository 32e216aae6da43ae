import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import { facts, leads, role, stored, turn, violationOf } from './hand-made-life.fake.ts';
import { protectedIsTrue } from './protected-is-true.ts';

const judge = (observations: Observation[]) => violationOf(protectedIsTrue(facts()), observations);
const solo = [leads('a', 1, { protected: false }), stored('a', 10)];
const joins = role('b', { role: 'joining', term: 1, historyId: 'h' });
const runs = (number: number) => turn('b', number, { mode: 'replay' });

test('a copy that has caught up protects', () => {
  expect(judge([...solo, joins, stored('b', 10), runs(9), leads('a', 1)])).toBeNull();
  expect(judge([...solo, joins, stored('b', 10), runs(9), stored('a', 12), leads('a', 1)])).toBeNull();
  // It was no backup for a while, but has not begun anew.
  expect(judge([...solo, stored('b', 8), joins, stored('b', 9), leads('a', 1)])).toBeNull();
});

test('one that has not does not, whatever it had before', () => {
  expect(judge([...solo, joins, stored('b', 10), runs(8), leads('a', 1)])).toContain('stored 10 and run 9');
  expect(judge([...solo, joins, stored('b', 9), runs(9), leads('a', 1)])).toContain('stored 9 and run 10');
  const before = [stored('b', 10), runs(9), joins, stored('b', 3)];
  expect(judge([...solo, ...before, leads('a', 1)])).toContain('stored 3 and run 0');
});
