/**
 * Is this journal one that a board could have written?
 *
 * The reader checks what the disk may have done to it (checksums, entries lost). Here follows what the writer must have
 * kept: batches that decode, turn numbers without gap or repetition from 0 on, a clock that never goes back.
 */
import { JournalError } from '../../firmware-host/journal/entry.ts';
import type { JournalTail } from '../../firmware-host/journal/entry-cut.ts';
import { type PlacedEntry, readJournal } from '../../firmware-host/journal/reader.ts';
import { WireError } from '../../protocol/bytes.ts';
import { decodeBatch, lastTimeOf, type RecordBatch, turnsOf } from '../../protocol/record.ts';

export type JournalFaultCode =
  | 'JOURNAL_DAMAGED'
  /** A batch has a right checksum and no right content. */
  | 'JOURNAL_BATCH_UNREADABLE'
  | 'JOURNAL_TURNS_MISSING'
  | 'JOURNAL_TURNS_REPEATED'
  | 'JOURNAL_TIME_BACKWARDS'
  | 'JOURNAL_START_MISPLACED';

export interface JournalFault {
  code: JournalFaultCode;
  text: string;
  atByte: number | null;
}

export interface Verification {
  faults: JournalFault[];
  entries: number;
  notes: number;
  turns: number;
  idleTurns: number;
  firstTimeUs: number;
  lastTimeUs: number;
  /** Up to the end of the last good entry. */
  bytes: number;
  /** Null when damage kept us from reaching the end. */
  tail: JournalTail | null;
}

/** One damaged place makes each later batch a fault too; more than this tell nothing. */
const faultsMax = 20;

/** Throws JournalError only when there is no journal to be read at all. */
export async function verifyJournal(file: string): Promise<Verification> {
  const reading = await readJournal(file);
  const result: Verification = {
    faults: [],
    entries: 1,
    notes: 0,
    turns: 0,
    idleTurns: 0,
    firstTimeUs: 0,
    lastTimeUs: 0,
    bytes: reading.headerEndByte,
    tail: null,
  };
  try {
    for await (const placed of reading.entries) {
      take(result, placed);
      if (result.faults.length >= faultsMax) return result;
    }
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    result.faults.push({ code: 'JOURNAL_DAMAGED', text: error.message, atByte: result.bytes });
  } finally {
    await reading.close();
  }
  result.tail = reading.tail;
  return result;
}

function take(result: Verification, placed: PlacedEntry): void {
  result.entries++;
  result.bytes = placed.endByte;
  if (placed.entry.kind === 'note') result.notes++;
  if (placed.entry.kind !== 'batch') return;
  try {
    takeBatch(result, decodeBatch(placed.entry.bytes), placed.startByte);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const text = `entry ${placed.number} at byte ${placed.startByte}: ${error.code}, ${error.message}`;
    result.faults.push({ code: 'JOURNAL_BATCH_UNREADABLE', text, atByte: placed.startByte });
  }
}

function takeBatch(result: Verification, batch: RecordBatch, atByte: number): void {
  const fault = (code: JournalFaultCode, text: string): void => {
    result.faults.push({ code, text: `${text} (batch at byte ${atByte})`, atByte });
  };
  if (batch.firstTurn > result.turns) {
    fault('JOURNAL_TURNS_MISSING', `turns ${result.turns}..${batch.firstTurn - 1} are missing`);
  } else if (batch.firstTurn < result.turns) {
    fault('JOURNAL_TURNS_REPEATED', `turn ${batch.firstTurn} comes again after turn ${result.turns - 1}`);
  }
  let turn = batch.firstTurn;
  for (const record of batch.records) {
    if (turn === 0) result.firstTimeUs = record.timeUs;
    else if (record.timeUs < result.lastTimeUs) {
      const backUs = result.lastTimeUs - record.timeUs;
      fault('JOURNAL_TIME_BACKWARDS', `turn ${turn} begins ${backUs} us before the one before it`);
    }
    const isStart = record.kind === 'turn' && record.event.kind === 'start';
    if (isStart !== (turn === 0)) {
      const text = isStart ? `turn ${turn} starts the program again` : 'turn 0 does not start the program';
      fault('JOURNAL_START_MISPLACED', text);
    }
    if (record.kind === 'idle') result.idleTurns += record.count;
    result.lastTimeUs = lastTimeOf(record);
    turn += turnsOf(record);
  }
  result.turns = Math.max(result.turns, turn);
}
