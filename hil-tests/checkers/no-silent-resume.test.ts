import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import { accepts, facts, leads, turn, up, violationOf } from './hand-made-life.fake.ts';
import { noSilentResume } from './no-silent-resume.ts';

const judge = (observations: Observation[]) => violationOf(noSilentResume(facts()), observations);
const before = [up('a'), leads('a', 1), accepts('a', 1, 0, 'one')];
const after = accepts('a', 1, 0, 'two', { session: 101 });
const lost = turn('a', 5, { event: { kind: 'port-lost', port: 0, reason: 'gone' } });
const closed = turn('a', 5, {
  outputs: [{ kind: 'request', request: 1, operation: 'close', port: 0, argument: '' }],
});

test('a program that was told, or closed the port itself, or is a new one, may write to the new session', () => {
  expect(judge([...before, lost, after])).toBeNull();
  expect(judge([...before, closed, after])).toBeNull();
  expect(judge([...before, leads('a', 1, { historyId: 'new' }), after])).toBeNull();
});

test('one that was not told, or was told of an earlier loss, may not', () => {
  expect(judge([...before, after])).toContain('without a word');
  expect(judge([lost, ...before, after])).toContain('without a word');
  expect(judge([...before, { ...lost, mode: 'replay' } as Observation, after])).toContain('without a word');
});
