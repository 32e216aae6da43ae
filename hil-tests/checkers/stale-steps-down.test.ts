import { expect, test } from 'vitest';
import type { Fault } from '../simulator/fault.ts';
import type { Observation } from '../simulator/observation.ts';
import { facts, leads, role, tells, up, violationOf } from './hand-made-life.fake.ts';
import { staleStepsDown } from './stale-steps-down.ts';

const judge = (observations: (Observation | number)[], faults: Fault[] = []) =>
  violationOf(staleStepsDown(facts({ faults })), observations);
const stale = (term: number, device = 0): Observation => ({
  kind: 'device-stale',
  device,
  board: 'a',
  term,
  bytes: 0,
});
const looks = (term: number) => tells('a', { role: 'primary', term, historyId: 'h' });
const reign = [up('a'), leads('a', 1), 1000, stale(1)];

test('who is told that its term is stale steps down', () => {
  const stepsDown = role('a', { role: 'stepped-down', term: 1 });
  expect(judge([...reign, stepsDown, 1200, tells('a', { role: 'stepped-down', term: 1 })])).toBeNull();
  expect(judge([...reign, 1100, looks(1)])).toBeNull();
  expect(judge([...reign, 1200, looks(1)])).toContain('still leads term 1, 200 ms after');
});

test('a new claim, or another device, is another matter', () => {
  expect(judge([...reign, leads('a', 3), 1200, looks(3)])).toBeNull();
  expect(judge([up('a'), leads('a', 1), 1000, stale(1, 1), 1200, looks(1)])).toBeNull();
});

test('the word may be lost on a noisy line', () => {
  const noise: Fault = { kind: 'line-noise', at: 900, until: 1100, device: 0, board: 'a', probability: 0.4 };
  expect(judge([...reign, 1200, looks(1)], [noise])).toBeNull();
  expect(judge([...reign, 1200, looks(1)], [{ ...noise, board: 'b' }])).toContain('still leads');
});
