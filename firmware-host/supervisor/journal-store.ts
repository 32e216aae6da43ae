/**
 * The board's journal as the supervisor's effects need it: opened at the start, begun afresh with each history,
 * appended to without waiting, read in chunks for a board that joins.
 *
 * Whatever happens to the disk, the pair goes on: entries wait in memory, the fault is reported, and writing is
 * tried again. What then is missing is the promise that the pair survives the power loss of both boards.
 */
import { access } from 'node:fs/promises';
import type { JournalNote } from '../../protocol/pair-message.ts';
import { decodeBatch, turnsOf } from '../../protocol/record.ts';
import { Fifo } from '../fifo.ts';
import { JournalError, type JournalHeader } from '../journal/entry.ts';
import { journalPath } from '../journal/journal-file.ts';
import { readJournal } from '../journal/reader.ts';
import { type JournalOptions, JournalWriter } from '../journal/writer.ts';
import type { JournalContents } from './effects.ts';

export interface JournalListener {
  durable(turns: number): void;
  fault(code: string, text: string): void;
}

type Entry = { kind: 'batch'; bytes: Uint8Array; turns: number } | { kind: 'note'; note: JournalNote };

const chunkBytesMax = 256 * 1024;
const retryMs = 1000;

export class JournalStore {
  readonly #directory: string;
  readonly #options: JournalOptions;
  readonly #listener: JournalListener;
  #writer: JournalWriter | null = null;
  #historyId: string | null = null;
  /** Entries for a journal that is being created. */
  #waiting: Entry[] = [];
  #opening: Promise<void> = Promise.resolve();
  /** Turns after each batch, by entry number, until it is durable. */
  readonly #batches = new Fifo<{ number: number; turns: number }>();
  #retryTimer: NodeJS.Timeout | null = null;

  constructor(directory: string, options: JournalOptions, listener: JournalListener) {
    this.#directory = directory;
    this.#options = options;
    this.#listener = listener;
  }

  /**
   * What the disk holds of the program with this bundle hash; null when there is no journal, or one of another
   * program. Throws JournalError when it is damaged in the middle: that is for the user to decide.
   */
  async open(bundleHash: string): Promise<JournalContents | null> {
    const path = journalPath(this.#directory);
    if (
      !(await access(path).then(
        () => true,
        () => false,
      ))
    )
      return null;
    let opened: Awaited<ReturnType<typeof JournalWriter.reopen>>;
    try {
      opened = await JournalWriter.reopen(this.#directory, this.#options);
    } catch (error) {
      // Nothing was recorded yet when power failed: there is nothing to lose.
      if (error instanceof JournalError && error.code === 'JOURNAL_NO_HEADER') return null;
      throw error;
    }
    if (opened.header.bundleHash !== bundleHash) {
      await opened.writer.close();
      this.#listener.fault(
        'JOURNAL_OF_ANOTHER_PROGRAM',
        `${path} belongs to another program and is set aside`,
      );
      return null;
    }
    if (opened.cut !== null) {
      const { cutBytes, atByte, reason } = opened.cut;
      this.#listener.fault(
        'JOURNAL_TORN_TAIL',
        `${path}: ${cutBytes} bytes cut at byte ${atByte} (${reason})`,
      );
    }
    this.#adopt(opened.writer, opened.header.historyId);
    const notes: JournalNote[] = [];
    let turns = 0;
    const reading = await readJournal(path);
    for await (const { entry } of reading.entries) {
      if (entry.kind === 'note') notes.push(entry.note as JournalNote);
      else if (entry.kind === 'batch') {
        const batch = decodeBatch(entry.bytes);
        turns = batch.firstTurn;
        for (const record of batch.records) turns += turnsOf(record);
      }
    }
    return { historyId: opened.header.historyId, startedAtMs: opened.header.startedAtMs, turns, notes };
  }

  #adopt(writer: JournalWriter, historyId: string): void {
    this.#writer = writer;
    this.#historyId = historyId;
    this.#batches.clear();
    writer.onDurable((number) => {
      if (this.#writer !== writer) return;
      let turns: number | null = null;
      while (this.#batches.first !== undefined && this.#batches.first.number <= number)
        turns = this.#batches.shift()!.turns;
      if (turns !== null) this.#listener.durable(turns);
    });
    writer.onFailure((error) => {
      this.#listener.fault(error.code, error.message);
      this.#retryTimer = setTimeout(() => writer.retry(), retryMs);
    });
  }

  create(header: JournalHeader): void {
    const previous = this.#writer;
    this.#writer = null;
    this.#historyId = header.historyId;
    this.#waiting = [];
    const attempt = async (): Promise<void> => {
      if (this.#historyId !== header.historyId) return;
      try {
        const writer = await JournalWriter.create(this.#directory, header, this.#options);
        if (this.#historyId !== header.historyId) {
          await writer.close();
          return;
        }
        this.#adopt(writer, header.historyId);
        for (const entry of this.#waiting.splice(0)) this.#append(entry);
      } catch (error) {
        if (!(error instanceof JournalError)) throw error;
        this.#listener.fault(error.code, error.message);
        this.#retryTimer = setTimeout(() => {
          this.#opening = this.#opening.then(attempt);
        }, retryMs);
      }
    };
    this.#opening = this.#opening
      .then(() => previous?.close())
      .catch((error: Error) => this.#listener.fault('JOURNAL_WRITE_FAILED', error.message))
      .then(attempt);
  }

  #append(entry: Entry): void {
    const writer = this.#writer;
    if (writer === null) {
      this.#waiting.push(entry);
      return;
    }
    const number = writer.append(entry);
    if (entry.kind === 'batch') this.#batches.push({ number, turns: entry.turns });
  }

  batch(bytes: Uint8Array, turns: number): void {
    this.#append({ kind: 'batch', bytes, turns });
  }

  note(note: JournalNote): void {
    this.#append({ kind: 'note', note });
  }

  /** Some batches from `fromTurn` on; none at the end. */
  async read(fromTurn: number): Promise<Uint8Array[]> {
    await this.#opening;
    const batches: Uint8Array[] = [];
    let bytes = 0;
    if (this.#writer === null) return batches;
    for await (const batch of this.#writer.readBatchesFrom(fromTurn)) {
      if (decodeBatch(batch).firstTurn < fromTurn) continue;
      batches.push(batch);
      bytes += batch.length;
      if (bytes >= chunkBytesMax) break;
    }
    return batches;
  }

  async close(): Promise<void> {
    await this.#opening;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    await this.#writer
      ?.close()
      .catch((error: Error) => this.#listener.fault('JOURNAL_WRITE_FAILED', error.message));
  }
}
