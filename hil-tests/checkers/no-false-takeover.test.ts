import { expect, test } from 'vitest';
import type { Fault } from '../simulator/fault.ts';
import type { Observation } from '../simulator/observation.ts';
import { backs, down, facts, leads, reports, role, up, violationOf } from './hand-made-life.fake.ts';
import { noFalseTakeover } from './no-false-takeover.ts';

const judge = (observations: (Observation | number)[], faults: Fault[] = []) =>
  violationOf(noFalseTakeover(facts({ faults })), observations);
const heard = (link: number): Observation => ({ kind: 'heard', board: 'b', link });
const red = (silentForMs: number) => reports('b', 'PEER_RED', { silentForMs });
const claims = role('b', { role: 'contending', term: 1, historyId: 'h' });
/** One step's reports and the role after it. */
const step = (at: number, ...observations: Observation[]) => observations.flatMap((each) => [at, each]);
const pair = [up('a'), up('b'), leads('a', 1), backs('b', 1), 2900, heard(1), 3000, heard(0)];

test('a silence that lasted long enough on every link is a cause', () => {
  expect(judge([...pair, ...step(3101, red(100), claims)])).toBeNull();
});

test('one that did not is found, by what the board itself says', () => {
  expect(judge([...pair, ...step(3090, red(90), claims)])).toContain('after 90 ms, 100 are needed');
  expect(judge([...pair, ...step(3101, red(Number.NaN), claims)])).toContain('after NaN ms');
});

test('and by what it was seen to hear on a link on which nothing was wrong', () => {
  expect(judge([...pair, 3050, heard(0), ...step(3101, red(100), claims)])).toContain('heard it on ethernet');
  const patient = noFalseTakeover(facts({ detectionTimeoutMs: 400 }));
  expect(violationOf(patient, [...pair, 3350, heard(1), ...step(3450, red(400), claims)])).toContain(
    'serial',
  );
  const loss: Fault = { kind: 'loss', at: 2950, until: 3040, link: 'ethernet', from: null, probability: 0.5 };
  expect(judge([...pair, 3050, heard(0), ...step(3101, red(100), claims)], [loss])).toBeNull();
  expect(
    judge([...pair, 3050, heard(0), ...step(3101, red(100), claims)], [{ ...loss, from: 'b' }]),
  ).toContain('ethernet');
});

test('when the process is gone its kernel may say so, and a shorter silence is enough', () => {
  expect(judge([...pair, down('a'), ...step(3030, red(16), claims)])).toBeNull();
  expect(judge([...pair, down('a'), ...step(3030, red(10), claims)])).toContain('15 are needed');
  expect(judge([...pair, down('a', 'power'), ...step(3030, red(16), claims)])).toContain('100 are needed');
});

test('a primary that restarted, or asked with a reason, may be followed', () => {
  expect(judge([...pair, down('a'), up('a', 2), claims])).toBeNull();
  expect(
    judge([...pair, reports('a', 'OPERATOR'), ...step(3010, reports('b', 'HANDOVER'), claims)]),
  ).toBeNull();
  expect(judge([...pair, reports('b', 'HANDOVER'), claims])).toContain('reported no reason');
});

test('a board that slept while the primary restarted learns it when it wakes, and only then', () => {
  const pause: Fault = { kind: 'pause', at: 3010, until: 5000, board: 'b' };
  const strikes = (phase: 'begins' | 'ends'): Observation => ({ kind: 'fault', phase, fault: pause });
  const slept = [
    ...pair,
    3010,
    strikes('begins'),
    3020,
    down('a'),
    up('a', 2),
    leads('a', 2),
    5000,
    strikes('ends'),
  ];
  const becomes = backs('b', 1, { protected: false });
  expect(judge([...slept, role('b', { role: 'joining' }), becomes, 5003, claims], [pause])).toBeNull();
  expect(judge([...slept, role('b', { role: 'joining' }), becomes, 6500, claims], [pause])).toContain(
    'neither fell silent',
  );
});

test('a claim without any cause is found', () => {
  expect(judge([...pair, claims])).toContain('neither fell silent nor restarted nor asked');
  expect(judge([...pair, 3101, red(100), 3200, claims])).toContain('neither fell silent');
  expect(judge([...pair, leads('b', 2)])).toContain('neither fell silent');
});
