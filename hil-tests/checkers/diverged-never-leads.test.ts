import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import { divergedNeverLeads } from './diverged-never-leads.ts';
import { attached, backs, facts, leads, reports, role, up, violationOf } from './hand-made-life.fake.ts';

const judge = (observations: Observation[]) => violationOf(divergedNeverLeads(facts()), observations);
const diverged = [
  backs('b', 1),
  reports('b', 'DIVERGED'),
  role('b', { role: 'joining', term: 1, historyId: 'h' }),
];

test('a board that diverged may lead again once it is a copy anew', () => {
  expect(judge([...diverged, backs('b', 1), attached('b', 2), leads('b', 2)])).toBeNull();
  expect(judge([...diverged, reports('b', 'RESUMED'), attached('b', 2), leads('b', 2)])).toBeNull();
  expect(judge([...diverged, up('b', 2, 'h', 9), attached('b', 2), leads('b', 2)])).toBeNull();
  expect(
    judge([...diverged, reports('b', 'PROGRAM_STARTED'), leads('b', 2, { historyId: 'new' })]),
  ).toBeNull();
  expect(judge([...diverged, attached('a', 2), leads('a', 2)])).toBeNull();
});

test('until then it does not lead, and may ask for the device only to begin anew', () => {
  const anew = leads('b', 2, { historyId: 'new' });
  expect(judge([...diverged, attached('b', 2), anew])).toBeNull();
  expect(judge([...diverged, leads('b', 2)])).toContain('leads term 2');
});
