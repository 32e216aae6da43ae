import { expect, test } from 'vitest';
import { decodeBatch, type JournalRecord } from '../../protocol/record.ts';
import { RecordLog } from './record-log.ts';

function turn(timeUs: number, options: { hasOutputs?: boolean; values?: Uint8Array } = {}): JournalRecord {
  const { hasOutputs = false, values = new Uint8Array(0) } = options;
  return { kind: 'turn', timeUs, event: { kind: 'time' }, values, hasOutputs, digest: hasOutputs ? 7 : 0 };
}

test('idle turns of an even step become one record', () => {
  const log = new RecordLog();
  for (let index = 0; index < 100; index++) log.append(0, turn(1000 + index * 5));
  expect(log.turns).toBe(100);
  expect(log.openTurns).toBe(100);
  expect(decodeBatch(log.cut()!.bytes)).toEqual({
    firstTurn: 0,
    records: [{ kind: 'idle', timeUs: 1000, stepUs: 5, count: 100 }],
  });
});

test('what has outputs or values, or another step, is kept apart', () => {
  const log = new RecordLog();
  log.append(0, turn(0));
  log.append(0, turn(5));
  log.append(0, turn(11));
  log.append(0, turn(17, { values: Uint8Array.of(1) }));
  expect(log.urgent).toBe(false);
  log.append(0, turn(23, { hasOutputs: true }));
  expect(log.urgent).toBe(true);
  const { records } = decodeBatch(log.cut()!.bytes);
  expect(records.map((record) => (record.kind === 'idle' ? record.count : record.timeUs))).toEqual([
    2, 11, 17, 23,
  ]);
});

test('batches number their turns without a gap; an empty one is none', () => {
  const log = new RecordLog();
  expect(log.cut()).toBeNull();
  log.append(10, turn(1));
  expect(log.openSince).toBe(10);
  log.append(20, turn(2, { hasOutputs: true }));
  expect(log.openSince).toBe(10);
  expect(log.cut()).toMatchObject({ firstTurn: 0, endTurn: 2 });
  expect(log.openSince).toBeNull();
  expect(log.urgent).toBe(false);
  log.append(30, turn(3, { hasOutputs: true }));
  expect(log.cut()).toMatchObject({ firstTurn: 2, endTurn: 3 });
  expect(log.batchesFrom(2)!.map((batch) => batch.firstTurn)).toEqual([2]);
  expect(log.batchesFrom(3)).toEqual([]);
});

test('memory is bounded: what lies further back is the journal’s', () => {
  const log = new RecordLog();
  const adopt = (index: number, bytes: Uint8Array) =>
    log.adopt({ firstTurn: index, endTurn: index + 1, bytes });
  const large = new Uint8Array(1024 * 1024);
  for (let index = 0; index < 40; index++) adopt(index, large);
  expect(log.tailStart).toBe(37);
  expect(log.batchesFrom(36)).toBeNull();
  expect(log.batchesFrom(37)).toHaveLength(3);

  // Of small ones what each takes in memory counts, which is more than its bytes.
  const small = new Uint8Array(20);
  for (let index = 40; index < 100_040; index++) adopt(index, small);
  expect(100_040 - log.tailStart).toBe(Math.floor((4 * 1024 * 1024) / 450));
});
