/**
 * A journal's records in the order in which the program ran them, checked on the way: a replay of turns that are
 * missing or misplaced would differ for a reason that is not the program's.
 */
import { JournalError } from '../../firmware-host/journal/entry.ts';
import type { JournalReading } from '../../firmware-host/journal/reader.ts';
import { WireError } from '../../protocol/bytes.ts';
import {
  decodeBatch,
  type JournalRecord,
  lastTimeOf,
  type RecordBatch,
  turnsOf,
} from '../../protocol/record.ts';

export interface PlacedRecord {
  /** Of the record's first turn. */
  turn: number;
  record: JournalRecord;
  /** Of the batch that holds it. */
  atByte: number;
}

/** Throws JournalError JOURNAL_DAMAGED where no writer's journal could go on so. */
export async function* recordsOf(reading: JournalReading): AsyncGenerator<PlacedRecord, void, undefined> {
  let turn = 0;
  let lastTimeUs = 0;
  for await (const { entry, startByte } of reading.entries) {
    if (entry.kind !== 'batch') continue;
    const batch = batchOf(entry.bytes, startByte);
    if (batch.firstTurn !== turn)
      damaged(startByte, `turn ${turn} was to follow, turn ${batch.firstTurn} does`);
    for (const record of batch.records) {
      const isStart = record.kind === 'turn' && record.event.kind === 'start';
      if (isStart !== (turn === 0)) {
        damaged(
          startByte,
          isStart ? `turn ${turn} starts the program again` : 'turn 0 does not start the program',
        );
      }
      if (record.timeUs < lastTimeUs) damaged(startByte, `turn ${turn} begins before the one before it`);
      yield { turn, record, atByte: startByte };
      lastTimeUs = lastTimeOf(record);
      turn += turnsOf(record);
    }
  }
}

function batchOf(bytes: Uint8Array, atByte: number): RecordBatch {
  try {
    return decodeBatch(bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return damaged(atByte, error.message, error);
  }
}

function damaged(atByte: number, text: string, cause?: unknown): never {
  throw new JournalError('JOURNAL_DAMAGED', `the batch at byte ${atByte}: ${text}`, cause);
}
