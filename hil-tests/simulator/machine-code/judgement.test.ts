/** Who judges the judge: evidence of a good life, and every way in which it can be spoilt. */
import { describe, expect, test } from 'vitest';
import { complaintsOf, type Evidence } from './judgement.ts';

function good(): Evidence {
  const letters = [1, 2, 3, 4].map((number) => ({ drawn: 17 * number, number, edges: number - 1 }));
  return {
    histories: 1,
    sessions: 1,
    isReplayable: true,
    intent: { letters, steps: 12, changes: 30 },
    done: { letters: [...letters], steps: 12, changes: 30 },
    edgesApplied: 3,
    inputLevels: [0, 1, 0, 1],
  };
}

test('a life in which all was done once has no complaints', () => {
  expect(complaintsOf(good())).toEqual([]);
});

const spoilt: [string, (evidence: Evidence) => void, RegExp][] = [
  ['a lost letter', ({ done }) => done.letters.splice(1, 1), /letter 1 .*not the one/],
  ['a repeated letter', ({ done }) => done.letters.splice(1, 0, done.letters[1]!), /letter 2 .*not the one/],
  ['a letter too many at the end', ({ done }) => done.letters.push(done.letters[3]!), /5 letters, meant 4/],
  ['letters in another order', ({ done }) => done.letters.reverse(), /letter 0/],
  [
    'what another board drew',
    ({ done }) => (done.letters[2] = { ...done.letters[2]!, drawn: 0 }),
    /letter 2/,
  ],
  ['a lost step', ({ done }) => (done.steps -= 1), /11 steps, meant 12/],
  ['a repeated step', ({ done }) => (done.steps += 1), /13 steps, meant 12/],
  ['a pin that moved without need', ({ done }) => (done.changes += 2), /32 changes/],
  ['a lost edge', (evidence) => (evidence.inputLevels = [0, 1, 1]), /lost, repeated or reordered/],
  ['two lost edges', (evidence) => (evidence.inputLevels = [0, 1]), /1 input edges reported, applied 3/],
  ['a repeated edge', (evidence) => (evidence.inputLevels = [0, 1, 1, 0, 1]), /lost, repeated or reordered/],
  ['an edge that the program did not count', (evidence) => (evidence.edgesApplied = 4), /counts 3 edges/],
  ['a program started afresh', (evidence) => (evidence.histories = 2), /started afresh/],
  ['a device that restarted', (evidence) => (evidence.sessions = 2), /2 sessions/],
  ['a history that does not run again', (evidence) => (evidence.isReplayable = false), /run again/],
];

describe('complained of:', () => {
  test.each(spoilt)('%s', (_, spoil, complaint) => {
    const evidence = good();
    spoil(evidence);
    expect(complaintsOf(evidence).join('\n')).toMatch(complaint);
  });
});
