import { expect, test } from 'vitest';
import { LoneStart } from './lone-start.ts';
import { Pair } from './pair.ts';
import type { PairEffect } from './pair-contract.ts';

const options = { board: 'a', waitForPeerMs: 1000, alone: 'lead', claimRetryMs: 250 } as const;

/** What matters of the effects. */
function short(effects: PairEffect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.kind === 'gate') return [`gate ${effect.mode}`];
    if (effect.kind === 'attach') return [`attach ${effect.term} ${effect.claim}`];
    if (effect.kind === 'report') return effect.level === 'info' ? [] : [effect.code];
    return [effect.kind];
  });
}

test('the records go on only where they are not older than what the device has obeyed', () => {
  const journal = { term: 3, turns: 900 };
  const alone = new LoneStart(1000);
  alone.ask();
  expect(alone.answered(0, { kind: 'held-term', heldTerm: 3, safe: false, session: 7 }, journal)).toEqual({
    kind: 'claim',
    why: 'alone',
    afresh: false,
  });
  alone.order();
  expect(
    alone.answered(0, { kind: 'held-term', heldTerm: 4, safe: false, session: 7 }, journal),
  ).toMatchObject({ kind: 'claim', afresh: true });
});

test('an answer that nobody waits for says nothing', () => {
  const alone = new LoneStart(1000);
  expect(
    alone.answered(0, { kind: 'held-term', heldTerm: 3, safe: true, session: 7 }, { term: 3, turns: 1 }),
  ).toEqual({ kind: 'wait', effects: [] });
  alone.ask();
  alone.cancel();
  expect(
    alone.answered(0, { kind: 'held-term', heldTerm: 3, safe: true, session: 7 }, { term: 3, turns: 1 }),
  ).toEqual({ kind: 'wait', effects: [] });
});

test('alone with a stale journal and a device that says it is safe: asks twice, for the first answer may be old', () => {
  const pair = new Pair(options);
  pair.step(0, { kind: 'begin', journal: { term: 3, turns: 900 } });
  expect(short(pair.step(1000, { kind: 'tick' }))).toEqual(['query']);
  expect(short(pair.step(1001, { kind: 'held-term', heldTerm: 4, safe: true, session: 7 }))).toEqual([]);
  expect(short(pair.step(2000, { kind: 'tick' }))).toEqual(['query']);
  expect(short(pair.step(2001, { kind: 'held-term', heldTerm: 4, safe: true, session: 7 }))).toEqual([
    'gate closed',
    'attach 5 cold-start',
  ]);
});

/** Claims on a safe device's word, at 2001. */
function claimsOnSafety(): Pair {
  const pair = new Pair(options);
  pair.step(0, { kind: 'begin', journal: { term: 3, turns: 900 } });
  for (const at of [1000, 2000]) {
    pair.step(at, { kind: 'tick' });
    pair.step(at + 1, { kind: 'held-term', heldTerm: 4, safe: true, session: 7 });
  }
  expect(pair.claimsAfresh).toBe('while-safe');
  return pair;
}

test('a claim on the device’s word that nobody leads does not outlive that word', () => {
  const led = claimsOnSafety();
  expect(short(led.step(2003, { kind: 'held-term', heldTerm: 4, safe: false, session: 7 }))).toContain(
    'step-down',
  );
  const unanswered = claimsOnSafety();
  expect(short(unanswered.step(2250, { kind: 'tick' }))).toEqual([]);
  expect(short(unanswered.step(2251, { kind: 'tick' }))).toContain('step-down');
  expect(short(unanswered.step(3251, { kind: 'tick' }))).toEqual(['query']);
  // What it says of our own reign is no such word.
  const granted = claimsOnSafety();
  expect(granted.step(2003, { kind: 'held-term', heldTerm: 5, safe: false, session: 7 })).toEqual([]);
  expect(granted.step(2004, { kind: 'attached', term: 5 })).toContainEqual(
    expect.objectContaining({ kind: 'lead', afresh: true }),
  );
});

test('a device that is safe in another session than before may have been led in between', () => {
  const alone = new LoneStart(1000);
  const journal = { term: 3, turns: 900 };
  const says = (now: number, session: number) => {
    alone.ask();
    return alone.answered(now, { kind: 'held-term', heldTerm: 4, safe: true, session }, journal).kind;
  };
  expect(says(0, 7)).toBe('wait');
  expect(says(1000, 8)).toBe('wait');
  expect(says(1999, 8)).toBe('wait');
  expect(says(2000, 8)).toBe('claim');
});

test('alone: waits, asks for the device’s term, claims the next one', () => {
  const pair = new Pair(options);
  pair.step(0, { kind: 'begin', journal: { term: 4, turns: 1 } });
  expect(short(pair.step(999, { kind: 'tick' }))).toEqual([]);
  expect(pair.nextWakeAt).toBe(1000);
  expect(short(pair.step(1000, { kind: 'tick' }))).toEqual(['query']);
  expect(short(pair.step(1001, { kind: 'held-term', heldTerm: 4, safe: false, session: 7 }))).toEqual([
    'gate closed',
    'attach 5 cold-start',
  ]);
  expect(short(pair.step(1251, { kind: 'tick' }))).toEqual(['attach 5 cold-start']);
});

test('alone with a stale journal: never, unless the operator orders it', () => {
  const pair = new Pair(options);
  pair.step(0, { kind: 'begin', journal: { term: 3, turns: 900 } });
  pair.step(1000, { kind: 'tick' });
  expect(short(pair.step(1001, { kind: 'held-term', heldTerm: 4, safe: false, session: 7 }))).toEqual([
    'PAIR_STALE_JOURNAL',
  ]);
  expect(pair.role).toBe('starting');
  expect(short(pair.step(1500, { kind: 'operator', command: 'lead' }))).toEqual(['query']);
  expect(short(pair.step(1501, { kind: 'held-term', heldTerm: 4, safe: false, session: 7 }))).toEqual([
    'gate closed',
    'attach 5 cold-start',
  ]);
});

test('alone with policy wait: never', () => {
  const pair = new Pair({ ...options, alone: 'wait' });
  pair.step(0, { kind: 'begin', journal: { term: 0, turns: 0 } });
  expect(short(pair.step(1000, { kind: 'tick' }))).toEqual(['PAIR_WAITING_FOR_PEER']);
});
