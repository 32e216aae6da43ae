/**
 * The records of the running history: numbers them, run-length codes idle turns, cuts them into batches that
 * go to the journal and to the bus in one encoding, and keeps the newest ones for a board that joins.
 */
import { encodeBatch, idleTurnsMax, type JournalRecord, turnsOf } from '../../protocol/record.ts';
import { Fifo } from '../fifo.ts';

export interface Batch {
  firstTurn: number;
  /** Number of the turn after the last one. */
  endTurn: number;
  bytes: Uint8Array;
}

/** For a join, which reads the journal up to where memory begins: a few seconds of the fastest program. */
const tailBytesMax = 4 * 1024 * 1024;
/** What a batch takes beside its bytes, measured with Node 24: for most programs far more than these. */
const batchOverheadBytes = 430;

export class RecordLog {
  /** Turns recorded so far, those that wait to be cut into a batch included. */
  turns = 0;
  #open: JournalRecord[] = [];
  #openFirstTurn = 0;
  #openSince = 0;
  #openUrgent = false;
  readonly #tail = new Fifo<Batch>();
  #tailBytes = 0;

  /** Turn from which on the batches are in memory. */
  get tailStart(): number {
    return this.#tail.first?.firstTurn ?? this.#openFirstTurn;
  }

  get openSince(): number | null {
    return this.#open.length === 0 ? null : this.#openSince;
  }

  /** Turns in the open batch. */
  get openTurns(): number {
    return this.turns - this.#openFirstTurn;
  }

  /** Something with outputs waits: it should be cut now. */
  get urgent(): boolean {
    return this.#openUrgent;
  }

  append(now: number, record: JournalRecord): void {
    if (this.#open.length === 0) {
      this.#openFirstTurn = this.turns;
      this.#openSince = now;
    }
    this.turns += turnsOf(record);
    if (record.kind === 'turn' && record.hasOutputs) this.#openUrgent = true;
    const previous = this.#open.at(-1);
    if (isIdle(record) && previous !== undefined && extend(previous, record.timeUs, this.#open)) return;
    this.#open.push(record);
  }

  /** Ends the open batch; null when there is none. */
  cut(): Batch | null {
    if (this.#open.length === 0) return null;
    const batch: Batch = {
      firstTurn: this.#openFirstTurn,
      endTurn: this.turns,
      bytes: encodeBatch({ firstTurn: this.#openFirstTurn, records: this.#open }),
    };
    this.#open = [];
    this.#openUrgent = false;
    this.#openFirstTurn = this.turns;
    this.#keep(batch);
    return batch;
  }

  /** A batch that came ready-made: from the primary, or from the own journal. */
  adopt(batch: Batch): void {
    this.turns = batch.endTurn;
    this.#openFirstTurn = batch.endTurn;
    this.#keep(batch);
  }

  #keep(batch: Batch): void {
    this.#tail.push(batch);
    this.#tailBytes += keptBytes(batch);
    while (this.#tailBytes > tailBytesMax && this.#tail.length > 1) {
      this.#tailBytes -= keptBytes(this.#tail.shift()!);
    }
  }

  /** Batches in memory from `turn` on, or null when memory does not reach back so far. */
  batchesFrom(turn: number): Batch[] | null {
    if (turn < this.tailStart) return null;
    return [...this.#tail].filter((batch) => batch.firstTurn >= turn);
  }
}

function keptBytes({ bytes }: Batch): number {
  return bytes.length + batchOverheadBytes;
}

function isIdle(record: JournalRecord): record is JournalRecord & { kind: 'turn' } {
  return (
    record.kind === 'turn' && record.event.kind === 'time' && !record.hasOutputs && record.values.length === 0
  );
}

/** Makes `previous` one turn longer when the time fits its step. */
function extend(previous: JournalRecord, timeUs: number, open: JournalRecord[]): boolean {
  if (previous.kind === 'idle') {
    if (previous.count >= idleTurnsMax) return false;
    if (previous.timeUs + previous.stepUs * previous.count !== timeUs) return false;
    previous.count += 1;
    return true;
  }
  if (!isIdle(previous) || timeUs < previous.timeUs) return false;
  open[open.length - 1] = {
    kind: 'idle',
    timeUs: previous.timeUs,
    stepUs: timeUs - previous.timeUs,
    count: 2,
  };
  return true;
}
