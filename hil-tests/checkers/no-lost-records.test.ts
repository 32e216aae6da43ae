import { expect, test } from 'vitest';
import type { Fault } from '../simulator/fault.ts';
import type { LifeFacts, Observation } from '../simulator/observation.ts';
import { backs, facts, leads, reports, role, up, violationOf } from './hand-made-life.fake.ts';
import { noLostRecords } from './no-lost-records.ts';

const judge = (observations: Observation[], changes: Partial<LifeFacts> = {}) =>
  violationOf(noLostRecords(facts(changes)), observations);
const lost = reports('b', 'RECORDS_LOST');
const claims = role('b', { role: 'contending', term: 1, historyId: 'h' });

test('a backup that takes over has every record', () => {
  expect(judge([up('b'), backs('b', 1), claims, lost])).toContain('was a backup');
  expect(judge([up('b'), backs('b', 1), claims, leads('b', 2), lost])).toContain('was a backup');
});

test('who has been started since may lack what its disk has not kept', () => {
  expect(judge([up('b'), backs('b', 1), up('b', 2), claims, lost])).toBeNull();
  expect(judge([up('b'), role('b', { role: 'joining' }), claims, lost])).toBeNull();
});

test('not under fsync always, unless a disk was lost', () => {
  const power: Fault = { kind: 'power', at: 0, until: 9, board: 'a', disk: 'kept' };
  const always = { fsync: 'always', faults: [power] } as const;
  expect(judge([up('b', 2), claims, lost], { fsync: 'always', faults: [...always.faults] })).toContain(
    'no disk',
  );
  const gone: Fault[] = [{ ...power, disk: 'lost' }];
  expect(judge([up('b', 2), claims, lost], { fsync: 'always', faults: gone })).toBeNull();
});

test('a replica that was made to diverge counts otherwise', () => {
  const faults: Fault[] = [{ kind: 'replica', at: 0, board: 'b', how: 'diverges' }];
  expect(judge([up('b'), backs('b', 1), claims, lost], { faults })).toBeNull();
});
