import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import { accepts, bytesOf, facts, leads, turn, up, violationOf } from './hand-made-life.fake.ts';
import { noSilentResume } from './no-silent-resume.ts';

const judge = (observations: Observation[]) => violationOf(noSilentResume(facts()), observations);
const writes = turn('a', 2, {
  outputs: [
    { kind: 'request', request: 0, operation: 'open', port: 0, argument: '{"path":"machine"}' },
    { kind: 'write', port: 0, bytes: bytesOf('one') },
  ],
});
const before = [up('a'), leads('a', 1), writes, accepts('a', 1, 0, 'one')];
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

test('what is accepted of the history before is not the new one that goes on', () => {
  const given = [up('a'), leads('a', 1), accepts('a', 1, 0, 'of the old')];
  expect(judge([...given, after, writes])).toBeNull();
  expect(judge([...given, writes, accepts('a', 1, 0, 'one'), after])).toContain('without a word');
});

test('one that was not told, or was told of an earlier loss, may not', () => {
  expect(judge([...before, after])).toContain('without a word');
  expect(judge([lost, ...before, after])).toContain('without a word');
  expect(judge([...before, { ...lost, mode: 'replay' } as Observation, after])).toContain('without a word');
});
