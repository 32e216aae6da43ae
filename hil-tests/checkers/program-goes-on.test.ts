import { expect, test } from 'vitest';
import type { Fault } from '../simulator/fault.ts';
import type { Observation } from '../simulator/observation.ts';
import { backs, facts, leads, reports, role, turn, up, violationOf } from './hand-made-life.fake.ts';
import { programGoesOn } from './program-goes-on.ts';

/** Quiet from 5000 on, over at 10,000: a pause before a restart is 50 ms, so 1600 ms are the bound. */
const judge = (observations: (Observation | number)[], faults: Fault[] = []) =>
  violationOf(programGoesOn(facts({ faults })), observations);
const whole = [up('a'), up('b'), leads('a', 1), backs('b', 1)];

test('a pair that is whole runs its program', () => {
  expect(judge(whole)).toContain('board a leads a pair that is whole, and has not run a turn for 5000 ms');
  expect(judge([...whole, 8000, turn('a', 5)])).toContain('for 2000 ms');
  expect(judge([...whole, 8500, turn('a', 5)])).toBeNull();
  expect(judge([...whole, 8500, turn('b', 5, { mode: 'replay' })])).toContain('for 5000 ms');
});

test('it takes its time after a change, a program’s failure, or a replica that hangs', () => {
  expect(judge([...whole, 9000, leads('a', 2), role('b', { role: 'joining' }), backs('b', 2)])).toBeNull();
  expect(judge([...whole, 9000, reports('a', 'PROGRAM_THREW')])).toBeNull();
  const hangs: Fault = { kind: 'replica', at: 4000, board: 'a', how: 'hangs' };
  expect(judge([...whole, 7500, turn('a', 5)], [hangs])).toBeNull();
  expect(judge([...whole, 7000, turn('a', 5)], [hangs])).toContain('for 3000 ms');
});

test('a program that waits for nothing, and a pair that is none, are asked for nothing', () => {
  expect(judge([...whole, reports('a', 'PROGRAM_IDLE')])).toBeNull();
  expect(
    judge([
      ...whole,
      reports('a', 'PROGRAM_IDLE'),
      turn('a', 0, {
        event: {
          kind: 'start',
          seed: '',
          argv: [],
          env: {},
          hostname: '',
          ports: [],
          stdinIsTerminal: false,
        },
      }),
    ]),
  ).toContain('leads a pair');
  expect(judge([...whole, role('b', { role: 'joining', term: 1 })])).toBeNull();
});
