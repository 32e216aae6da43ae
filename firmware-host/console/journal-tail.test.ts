import { expect, test } from 'vitest';
import { encodeBatch, type JournalRecord } from '../../protocol/record.ts';
import { JournalTail } from './journal-tail.ts';

function batch(firstTurn: number, records: JournalRecord[]): { kind: 'batch'; bytes: Uint8Array } {
  return { kind: 'batch', bytes: encodeBatch({ firstTurn, records }) };
}

function time(timeUs: number): JournalRecord {
  return {
    kind: 'turn',
    timeUs,
    event: { kind: 'time' },
    values: new Uint8Array(0),
    hasOutputs: true,
    digest: 0xabc,
  };
}

test('the newest entries, one line each, in their order', () => {
  const tail = new JournalTail();
  tail.add({ kind: 'note', note: { kind: 'term', term: 1, turn: 0, board: 'a' } });
  tail.add(batch(0, [time(1000), { kind: 'idle', timeUs: 2000, stepUs: 500, count: 10 }]));
  tail.add(batch(11, [time(9000)]));
  expect(tail.lines(10)).toEqual([
    { turn: 0, kind: 'note', text: 'term: term 1, board a' },
    { turn: 0, kind: 'record', text: 'time at 1.000 ms, outputs 00000abc' },
    { turn: 1, kind: 'idle', text: '10 turns, 500 us apart, from 2.000 ms' },
    { turn: 11, kind: 'record', text: 'time at 9.000 ms, outputs 00000abc' },
  ]);
  expect(tail.lines(2).map(({ turn }) => turn)).toEqual([1, 11]);
});

test('a new journal begins empty', () => {
  const tail = new JournalTail();
  tail.add(batch(0, [time(1)]));
  tail.add({ kind: 'create' });
  expect(tail.lines(10)).toEqual([]);
});

test('memory is bounded, by entries and by bytes', () => {
  const tail = new JournalTail();
  for (let turn = 0; turn < 5000; turn++) tail.add(batch(turn, [time(turn)]));
  const lines = tail.lines(100_000);
  expect(lines.length).toBe(1000);
  expect(lines.at(-1)?.turn).toBe(4999);
  const large = new Uint8Array(40_000);
  for (let turn = 0; turn < 50; turn++) {
    const event = { kind: 'port-data' as const, port: 0, bytes: large };
    tail.add(batch(5000 + turn, [{ ...time(turn), event } as JournalRecord]));
  }
  expect(tail.lines(100_000).length).toBeLessThan(10);
  expect(tail.lines(1)[0]?.text).toContain('40000 bytes');
});
