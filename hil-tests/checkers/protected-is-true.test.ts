import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import { backs, facts, leads, role, stored, tells, turn, violationOf } from './hand-made-life.fake.ts';
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

test('who cannot reach the arbiter is no backup', () => {
  const device = {
    name: 'machine',
    kind: 'fenced',
    open: true,
    attached: false,
    session: null,
    produced: 0,
    confirmed: 0,
    inputs: 0,
    inputsLost: 0,
    discarded: 0,
  } as const;
  const closed = { ...device, open: false };
  expect(judge([backs('b', 1, { devices: [device, closed] })])).toBeNull();
  expect(judge([backs('b', 1, { devices: [closed, device] })])).toContain('port to device 0 is not open');
  expect(judge([tells('b', { role: 'backup', devices: [closed] })])).toContain('calls itself a backup');
  expect(judge([tells('b', { role: 'joining', devices: [closed] })])).toBeNull();
});

test('a history that the primary begins while it claims has its own count', () => {
  const claims = role('a', { role: 'contending', term: 1, historyId: 'n' });
  const anew = [joins, claims, stored('a', 2, 'n'), stored('b', 2, 'n'), runs(1)];
  expect(judge([...solo, ...anew, leads('a', 2, { historyId: 'n' })])).toBeNull();
});
