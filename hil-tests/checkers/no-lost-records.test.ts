import { describe, expect, test } from 'vitest';
import type { Fault } from '../simulator/fault.ts';
import type { LifeFacts, Observation } from '../simulator/observation.ts';
import { backs, down, facts, leads, reports, role, stored, up, violationOf } from './hand-made-life.fake.ts';
import { noLostRecords } from './no-lost-records.ts';

const judge = (observations: (Observation | number)[], changes: Partial<LifeFacts> = {}) =>
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

describe('a protected primary that ends before its disk has what its backup had acknowledged', () => {
  const kill: Fault = { kind: 'kill', at: 10, until: 12, board: 'b' };
  const slow: Fault = { kind: 'delay', at: 15, until: 30, link: 'serial', from: null, ms: 50, jitterMs: 0 };
  const durable: Observation = { kind: 'durable', board: 'b', historyId: 'h', turns: 4 };
  const path = [up('b'), leads('b', 1), backs('a', 1), stored('b', 9), durable, 10];
  const killed = down('b', 'killed');
  const cold = [role('b', { role: 'contending', term: 0, historyId: 'h' }), 40, lost];
  const always = (...faults: Fault[]) => ({ fsync: 'always' as const, faults: [kill, ...faults] });

  test('must not lead again without it while nothing else happens', () => {
    expect(judge([...path, killed, up('b', 2, 'h', 4), ...cold], always())).toContain('no disk');
    const other: Fault = { ...slow, at: 41, until: 45 };
    expect(judge([...path, killed, up('b', 2, 'h', 4), ...cold], always(other))).toContain('no disk');
  });

  test('may, when the backup was struck as well or the links were', () => {
    expect(judge([...path, killed, up('b', 2, 'h', 4), ...cold], always(slow))).toBeNull();
    const leaves: Fault = { kind: 'leave', at: 20, until: 22, board: 'a' };
    expect(judge([...path, killed, up('b', 2, 'h', 4), ...cold], always(leaves))).toBeNull();
    expect(judge([...path, down('a', 'killed'), killed, up('b', 2, 'h', 4), ...cold], always())).toBeNull();
  });

  test('is not excused when nothing was lost, or when it has had all of it since', () => {
    expect(judge([...path, killed, up('b', 2, 'h', 9), ...cold], always(slow))).toContain('no disk');
    const again = [up('b', 2, 'h', 4), backs('b', 2), role('b', { role: 'stepped-down', historyId: 'h' })];
    expect(judge([...path, killed, ...again, ...cold], always(slow))).toContain('no disk');
  });

  test('is not excused when both boards were there and compared their journals, unless the other one had left', () => {
    const text = 'both boards are here and this one leads: asking the device for term 2 (cold-start)';
    const report = { level: 'info' as const, code: 'PAIR_CLAIM', text };
    const chosen: Observation[] = [{ kind: 'report', board: 'b', report }];
    const back = [up('a', 2, 'h', 9), up('b', 2, 'h', 4), ...chosen, ...cold];
    const struck = [killed, down('a', 'power'), ...back];
    const powerless: Fault = { kind: 'power', at: 20, until: 30, board: 'a', disk: 'kept' };
    expect(judge([...path, ...struck], always(powerless))).toContain('no disk');
    const left = [killed, role('a', { role: 'stopped' }), down('a', 'exit'), ...back];
    expect(judge([...path, ...left], always(powerless))).toBeNull();
  });
});

describe('a device that was out of reach when a lone primary had ended with records that its disk had not', () => {
  const told = (code: string, board: 'a' | 'b'): Observation => ({
    kind: 'report',
    board,
    report: { level: 'info', code, text: `machine-3 ${code}` },
  });
  const alone = [up('b'), leads('b', 1), stored('b', 9), down('b', 'killed'), up('b', 2), leads('b', 2)];
  const tookOver = [backs('a', 2), role('a', { role: 'contending', term: 2, historyId: 'h' }), leads('a', 3)];
  const devices = [{ name: 'machine-3', arbiter: false }];

  test('tells the first board that reaches it, a backup that took over too', () => {
    const first = [30, told('DEVICE_ATTACHED', 'a'), 30, told('RECORDS_LOST', 'a')];
    expect(judge([...alone, ...tookOver, ...first], { devices })).toBeNull();
  });

  test('must not tell the second one, nor one whose primary was not alone', () => {
    const reached = told('DEVICE_ATTACHED', 'b');
    const later = [30, told('DEVICE_ATTACHED', 'a'), 30, told('RECORDS_LOST', 'a')];
    expect(judge([...alone, reached, ...tookOver, ...later], { devices })).toContain('was a backup');
    const pair = [up('b'), leads('b', 1), backs('a', 1), stored('b', 9), down('b', 'killed')];
    expect(judge([...pair, ...tookOver, ...later], { devices })).toContain('was a backup');
  });
});

test('a replica that was made to diverge counts otherwise', () => {
  const faults: Fault[] = [{ kind: 'replica', at: 0, board: 'b', how: 'diverges' }];
  expect(judge([up('b'), backs('b', 1), claims, lost], { faults })).toBeNull();
});
