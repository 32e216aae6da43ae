import { expect, test } from 'vitest';
import type { Observation } from '../simulator/observation.ts';
import { forgedInput } from './forged-input.ts';
import { down, facts, violationOf } from './hand-made-life.fake.ts';

const forged = (changed: string[]): Observation => ({ kind: 'forged', board: 'a', how: 'replayed', changed });

test('what is forged may come as long as it changes nothing', () => {
  expect(violationOf(forgedInput(facts()), [forged([]), down('a', 'exit'), forged([])])).toBeNull();
});

test('a forged datagram that changed something is found', () => {
  expect(violationOf(forgedInput(facts()), [forged([]), forged(['role'])])).toContain('changed role');
});

test.each([
  'PEER_KEY_MISMATCH',
  'PAIR_MISMATCH',
] as const)('so is one that made a board end with %s', (exit) => {
  const ended: Observation = { kind: 'board-down', board: 'b', cause: 'exit', exit };
  expect(violationOf(forgedInput(facts()), [ended])).toContain(exit);
});
