import { expect, test } from 'vitest';
import type { Fault } from '../simulator/fault.ts';
import type { Observation } from '../simulator/observation.ts';
import { attached, down, end, facts, tells, up, violationOf } from './hand-made-life.fake.ts';
import { safeInTime } from './safe-in-time.ts';

const judge = (observations: (Observation | number)[], at = 1401) =>
  violationOf(safeInTime(facts()), observations, end({ at }));
const held = [attached('a', 1), attached('a', 1, 900, 1)];
const safe = (device: number): Observation => ({ kind: 'device-safe', device });

test('a device that nobody controls is safe after its hold time', () => {
  expect(judge([...held, down('a'), safe(0), safe(1)])).toBeNull();
  expect(judge([...held, down('a'), safe(0)], 1403)).toContain('device 1 is not in its safe state');
  expect(judge([...held, down('a'), 1404, tells('b', {})], 1404)).toContain('device 0');
  expect(judge([...held, { kind: 'device-released', device: 0, board: 'a', term: 1 }], 1404)).toContain(
    'device 0',
  );
});

test('or in the hands of another board, or was begun anew', () => {
  expect(judge([...held, down('b')], 5000)).toBeNull();
  const session: Observation = { kind: 'device-session', device: 1, session: 901 };
  expect(judge([...held, down('a'), attached('b', 2), session], 5000)).toBeNull();
  expect(judge([...held, down('a')], 1401)).toBeNull();
});

test('a board that stands still controls nothing, until it wakes', () => {
  const fault: Fault = { kind: 'pause', at: 0, until: 1, board: 'a' };
  const sleeps: Observation = { kind: 'fault', phase: 'begins', fault };
  const wakes: Observation = { kind: 'fault', phase: 'ends', fault };
  expect(judge([up('a'), ...held, sleeps], 1405)).toContain('device 0');
  expect(judge([up('a'), ...held, sleeps, wakes], 1405)).toBeNull();
});
