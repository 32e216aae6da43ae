import { expect, test } from 'vitest';
import { boundedBuffers } from './bounded-buffers.ts';
import { facts, tells, turn, violationOf } from './hand-made-life.fake.ts';

const judge = (bytes: number, isProtected: boolean) =>
  violationOf(boundedBuffers(facts()), [tells('a', { role: 'primary', protected: isProtected }, bytes)]);

test('a full buffer and the records of one turn may wait; a whole history for a board that joins', () => {
  expect(judge(4096 + 16_000, true)).toBeNull();
  expect(judge(2_000_000, false)).toBeNull();
});

test('more may not', () => {
  const look = (bytes: number) => tells('a', { role: 'primary', protected: true }, bytes);
  const judgeLooks = (...bytes: number[]) => violationOf(boundedBuffers(facts()), bytes.map(look));
  expect(judgeLooks(100, 4096 + 17_000)).toContain('21096 bytes waiting');
  // What is left of the history before drains.
  expect(judgeLooks(2_000_000, 4096 + 17_000, 4096)).toBeNull();
  expect(judgeLooks(2_000_000, 4096, 4096 + 17_000)).toContain('21096 bytes waiting');
  expect(judge(2_200_000, false)).toContain('2200000 bytes waiting');
});

test('a full buffer stops the program', () => {
  const look = [turn('a', 1), tells('a', { role: 'primary', protected: true }, 4096 + 1100)];
  const four = [look, look, look, look].flat();
  expect(violationOf(boundedBuffers(facts()), four)).toBeNull();
  expect(violationOf(boundedBuffers(facts()), [...four, ...look])).toContain('turn after turn');
  const idle = [look, look, look, look, look[1]!, look, look].flat();
  expect(violationOf(boundedBuffers(facts()), idle)).toBeNull();
});
