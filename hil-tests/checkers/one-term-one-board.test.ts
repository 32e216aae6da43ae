import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import { accepts, attached, end, facts, history, leads, violationOf } from './hand-made-life.fake.ts';
import { oneTermOneBoard } from './one-term-one-board.ts';

const judge = (observations: (Observation | number)[]) => violationOf(oneTermOneBoard(facts()), observations);
const session = (number: number): Observation => ({ kind: 'device-session', device: 0, session: number });
const released: Observation = { kind: 'device-released', device: 0, board: 'a', term: 1 };
const reignOfA = [session(100), attached('a', 1), leads('a', 1), accepts('a', 1, 0, 'one')];

test('reigns that follow each other, and the same board attaching again, are as promised', () => {
  const life = [...reignOfA, attached('a', 1), attached('b', 2), leads('b', 2), accepts('b', 2, 3, 'two')];
  expect(judge([...life, session(101), attached('b', 2, 101)])).toBeNull();
});

test.each<[string, Observation[]]>([
  ['gave term 1 to board b', [...reignOfA, attached('b', 1)]],
  ['after term 3', [...reignOfA, attached('b', 3), attached('a', 2)]],
  ['board a is attached', [...reignOfA, accepts('b', 1, 3, 'x')]],
  ['under term 1', [...reignOfA, attached('b', 2), accepts('a', 1, 3, 'x')]],
  ['nobody is attached', [...reignOfA, released, accepts('a', 1, 3, 'x')]],
  ['nobody is attached', [...reignOfA, session(101), accepts('a', 1, 3, 'x')]],
  ['in session 101', [...reignOfA, accepts('a', 1, 0, 'x', { session: 101 })]],
  ['granted to nobody', [...reignOfA, leads('a', 2)]],
  ['granted to a', [...reignOfA, leads('b', 1)]],
])('%s', (complaint, observations) => {
  expect(judge(observations)).toContain(complaint);
});

test('a journal names each reign once, in order', () => {
  const judgeJournal = (terms: number[]) =>
    violationOf(oneTermOneBoard(facts()), reignOfA, end({ histories: [history('h', 5, { terms })] }));
  expect(judgeJournal([1, 2, 4])).toBeNull();
  expect(judgeJournal([1, 2, 2])).toContain('names term 2 after term 2');
  expect(judgeJournal([2, 1])).toContain('names term 1 after term 2');
});
