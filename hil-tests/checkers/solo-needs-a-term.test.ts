import { expect, test } from 'vitest';
import type { Fault } from '../simulator/fault.ts';
import type { Observation } from '../simulator/observation.ts';
import { backs, down, facts, leads, role, up, violationOf } from './hand-made-life.fake.ts';
import { soloNeedsATerm } from './solo-needs-a-term.ts';

const judge = (observations: Observation[]) => violationOf(soloNeedsATerm(facts()), observations);
const pair = [leads('a', 3), backs('b', 3)];
const soloNow = leads('a', 3, { protected: false });

test('a backup that gave up being one leaves the primary solo under its term', () => {
  expect(judge([...pair, role('b', { role: 'joining', term: 3 }), soloNow])).toBeNull();
  expect(judge([...pair, down('b', 'exit'), soloNow])).toBeNull();
  const leaves: Fault = { kind: 'leave', at: 0, until: 100, board: 'b' };
  expect(judge([...pair, { kind: 'fault', phase: 'begins', fault: leaves }, soloNow])).toBeNull();
  expect(judge([...pair, leads('a', 3, { protected: false, historyId: 'new' })])).toBeNull();
});

test('a backup that fell silent does not: a new term has to be won', () => {
  const contending = role('a', { role: 'contending', term: 3, historyId: 'h' });
  expect(judge([...pair, down('b'), contending, leads('a', 4, { protected: false })])).toBeNull();
  for (const silent of [[], [down('b')], [down('b'), up('b', 2), role('b', { role: 'starting' })]]) {
    expect(judge([...pair, ...silent, soloNow])).toContain('went solo under its old term 3');
  }
});
