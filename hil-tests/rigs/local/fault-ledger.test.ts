import { expect, test } from 'vitest';
import { FaultLedger } from './fault-ledger.ts';

test('a takeover answers the last fault that asks for one; its first output closes the gap', () => {
  const ledger = new FaultLedger();
  ledger.record('kill-primary', 'a', 100);
  ledger.termBegins(130);
  ledger.termActs(137);
  expect(ledger.records).toEqual([
    { kind: 'kill-primary', board: 'a', atMs: 100, attachGapMs: 30, outputGapMs: 37 },
  ]);
});

test('a replica that hangs is answered by a takeover, a cut cable is not', () => {
  const ledger = new FaultLedger();
  ledger.record('hang-replica', 'b', 10);
  ledger.termBegins(2010);
  ledger.record('cut-serial', null, 3000);
  ledger.termBegins(3500);
  expect(ledger.records.map(({ attachGapMs }) => attachGapMs)).toEqual([2000, null]);
});

test('a second term does not make a gap longer', () => {
  const ledger = new FaultLedger();
  ledger.record('switchover', 'a', 0);
  for (const atMs of [5, 50]) {
    ledger.termBegins(atMs);
    ledger.termActs(atMs + 1);
  }
  expect(ledger.records).toMatchObject([{ attachGapMs: 5, outputGapMs: 6 }]);
});
