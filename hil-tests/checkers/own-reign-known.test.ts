import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import { attached, facts, leads, reports, role, up, violationOf } from './hand-made-life.fake.ts';
import { ownReignKnown } from './own-reign-known.ts';

const judge = (observations: Observation[]) => violationOf(ownReignKnown(facts()), observations);
const stale = reports('b', 'PAIR_STALE_JOURNAL');
const reign = [up('b'), attached('b', 2), leads('b', 2, { turns: 5 })];

test('who is started with records of the newest reign, its own, knows it', () => {
  expect(judge([...reign, up('b', 2, 'h', 6), stale])).toContain('holds term 2, its own');
  const dropped: Observation = {
    kind: 'report',
    board: 'b',
    report: { level: 'info', code: 'PAIR_CLAIM', text: "this board's journal (term 1) is dropped" },
  };
  expect(judge([...reign, up('b', 2, 'h', 6), dropped])).toContain('takes its journal for a stale one');
  expect(judge([...reign, up('b', 2, 'h', 6), reports('b', 'PAIR_CLAIM')])).toBeNull();
});

test('who has none of them, or of another history, or was followed by somebody, need not', () => {
  expect(judge([...reign, up('b', 2, 'h', 5), stale])).toBeNull();
  expect(judge([...reign, up('b', 2, 'other', 6), stale])).toBeNull();
  expect(judge([...reign, attached('a', 3), up('b', 2, 'h', 6), stale])).toBeNull();
  expect(judge([...reign, up('b', 2, 'h', 6), role('b', { role: 'joining' }), stale])).toBeNull();
});
