import { expect, test } from 'vitest';
import type { BoardName } from '../simulator/fault.ts';
import type { Observation } from '../simulator/observation.ts';
import { claimsGoUp } from './claims-go-up.ts';
import { attached, facts, up, violationOf } from './hand-made-life.fake.ts';

const judge = (observations: Observation[]) => violationOf(claimsGoUp(facts()), observations);
const stale = (board: BoardName, term: number, device = 0): Observation => {
  return { kind: 'device-stale', device, board, term, bytes: 0 };
};
const reign = [up('a'), up('b'), attached('a', 2), attached('a', 3)];

test('who was granted a term does not ask for an older one', () => {
  expect(judge([...reign, stale('a', 2)])).toContain('for term 2, after it was granted term 3');
});

test('a newer reign, the other board, another device and another process are other matters', () => {
  expect(judge([...reign, attached('b', 4), stale('a', 3)])).toBeNull();
  expect(judge([...reign, stale('b', 2)])).toBeNull();
  expect(judge([...reign, stale('a', 2, 1)])).toBeNull();
  expect(judge([...reign, up('a', 2), stale('a', 2)])).toBeNull();
});
