import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import {
  accepts,
  attached,
  backs,
  end,
  facts,
  history,
  leads,
  stored,
  up,
  violationOf,
} from './hand-made-life.fake.ts';
import { staleJournalNeverLeads } from './stale-journal-never-leads.ts';

const wrote = history('h', 5, { writes: { 1: 'one ', 3: 'three ', 4: 'four' } });
const judge = (observations: Observation[]) =>
  violationOf(staleJournalNeverLeads(facts()), observations, end({ histories: [wrote] }));
const heardByB: Observation = { kind: 'heard', board: 'b', link: 0 };
const reignOfA = [
  up('a'),
  up('b'),
  attached('a', 1),
  leads('a', 1),
  stored('a', 5),
  accepts('a', 1, 0, 'one t'),
];

test('who has every record whose outputs were accepted may go on', () => {
  expect(
    judge([...reignOfA, backs('b', 1), stored('b', 4), attached('b', 2), accepts('b', 2, 5, 'h')]),
  ).toBeNull();
});

test('who has fewer may not, though it begins where the device stands', () => {
  const stale = [...reignOfA, backs('b', 1), stored('b', 3), attached('b', 2)];
  expect(judge([...stale, accepts('b', 2, 5, 'h')])).toContain(
    'at turn 3, though device 0 had accepted outputs of turn 3',
  );
  expect(judge([...stale, stored('b', 4), accepts('b', 2, 5, 'h')])).toContain('at turn 3');
});

test('it may begin a new history', () => {
  const stale = [...reignOfA, backs('b', 1), stored('b', 3), attached('b', 2)];
  expect(judge([...stale, stored('b', 1, 'new'), accepts('b', 2, 5, 'new')])).toBeNull();
});

test('who is alone does not take a session over in whose last reign it had no part', () => {
  expect(judge([...reignOfA, attached('b', 2)])).toContain('had led term 1 without it');
  expect(judge([...reignOfA, heardByB, up('b', 2), attached('b', 2)])).toContain('had led term 1 without it');
  expect(judge([...reignOfA, heardByB, attached('b', 2)])).toBeNull();
  expect(judge([...reignOfA, backs('b', 1), up('b', 2), attached('b', 2)])).toBeNull();
  const safe: Observation = { kind: 'device-session', device: 0, session: 101 };
  expect(judge([...reignOfA, safe, attached('b', 2, 101)])).toBeNull();
});
