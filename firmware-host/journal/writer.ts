/**
 * Writing a journal without ever holding up the event loop.
 *
 * ```
 *   append -> tail in memory --one write at a time--> kernel --one fdatasync at a time--> disk
 *             |                                         |                                 |
 *             |<- what is not yet safe stays here ----->|<----------- fsync: always, interval
 * ```
 *
 * Entries stay in memory until they are safe: on the disk, or, with `fsync: never`, in the kernel. Writes name their
 * offset, so whatever failed half-way is written again over itself. After a failed fdatasync the kernel may call pages
 * clean that never reached the disk (the "fsyncgate" of PostgreSQL, 2018); so everything since the last good one is
 * written again, not only synced again.
 *
 * Durable, for `flush` and `onDurable`, means what the policy promises:
 *
 * | fsync    | durable when            | survives a killed process | survives power loss |
 * | always   | fdatasync returned      | yes                       | yes                 |
 * | interval | the kernel has it       | yes                       | but for the last fsyncIntervalMs and one fdatasync |
 * | never    | the kernel has it       | yes                       | what the kernel happened to write |
 *
 * When the file fails the writer stops, tells `onFailure` once, keeps everything, takes appends on, and tries again when
 * told (`retry` or `flush`).
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { encodeEntry, JournalError, type JournalHeader, type JournalNote, journalMagic } from './entry.ts';
import {
  adopt,
  type JournalFile,
  journalPath,
  newJournalPath,
  type OpenJournalFile,
  openJournalFile,
  writeError,
} from './journal-file.ts';
import { batchesFrom, firstTurnOf, type LiveJournal } from './live-reader.ts';
import { dropOldest, keepBytesDefault } from './past-journals.ts';
import { readJournal } from './reader.ts';
import { TurnIndex } from './turn-index.ts';

export interface JournalOptions {
  fsync: 'always' | 'interval' | 'never';
  /** 1..60,000 ms; for `interval`. Default 50. */
  fsyncIntervalMs?: number;
  /** What past journals and their programs may take, in bytes. Default 256 MiB. */
  keepBytes?: number;
  /** Past journals were deleted, or could not be. */
  onPastDropped?: (result: { deleted: string[] } | { error: Error }) => void;
  openFile?: OpenJournalFile;
}

export interface ReopenedJournal {
  writer: JournalWriter;
  header: JournalHeader;
  /** The torn tail that was cut off; null when the file ended cleanly. */
  cut: { atByte: number; cutBytes: number; reason: string } | null;
}

/** An entry that is not yet safe. */
interface TailEntry {
  number: number;
  startByte: number;
  bytes: Uint8Array;
}

interface Waiter {
  endByte: number;
  resolve: () => void;
  reject: (error: JournalError) => void;
}

const slabBytesMax = 1024 * 1024;

export class JournalWriter {
  readonly path: string;
  readonly #file: JournalFile;
  readonly #fsync: JournalOptions['fsync'];
  readonly #fsyncIntervalMs: number;
  readonly #index: TurnIndex;
  #tail: TailEntry[] = [];
  #nextNumber: number;
  #endByte: number;
  #writtenByte: number;
  #syncedByte: number;
  #durableNumber: number;
  #isWriting = false;
  #isSyncing = false;
  #isSyncDue = false;
  /** Durable means on the disk: with `always`, and for all policies but `never` when closing. */
  #needsDisk: boolean;
  #isRunScheduled = false;
  #syncTimer: NodeJS.Timeout | null = null;
  #failure: JournalError | null = null;
  #waiters: Waiter[] = [];
  #onDurable: ((entryNumber: number) => void)[] = [];
  #onFailure: ((error: JournalError) => void)[] = [];
  #closing: Promise<void> | null = null;
  #isClosed = false;

  private constructor(
    path: string,
    file: JournalFile,
    options: JournalOptions,
    state: { endByte: number; nextNumber: number; index: TurnIndex },
  ) {
    const { fsyncIntervalMs = 50 } = options;
    if (!(fsyncIntervalMs >= 1 && fsyncIntervalMs <= 60_000)) {
      throw new RangeError(`fsyncIntervalMs must be 1..60000 (got ${fsyncIntervalMs})`);
    }
    this.path = path;
    this.#file = file;
    this.#fsync = options.fsync;
    this.#needsDisk = options.fsync === 'always';
    this.#fsyncIntervalMs = fsyncIntervalMs;
    this.#index = state.index;
    this.#endByte = state.endByte;
    this.#writtenByte = state.endByte;
    this.#syncedByte = state.endByte;
    this.#nextNumber = state.nextNumber;
    this.#durableNumber = state.nextNumber - 1;
  }

  /**
   * A new journal in `directory`; one that is there already is kept as a past one (past-journals.ts). On return the header
   * is on the disk (with `never`: in the kernel). Throws JournalError.
   */
  static async create(
    directory: string,
    header: JournalHeader,
    options: JournalOptions,
  ): Promise<JournalWriter> {
    const path = journalPath(directory);
    try {
      await mkdir(directory, { recursive: true });
      const file = await (options.openFile ?? openJournalFile)(newJournalPath(directory), 'w+');
      try {
        const first = encodeEntry({ kind: 'header', header }, journalMagic.length);
        await writeWhole(file, Buffer.concat([journalMagic, first]), 0);
        const isSynced = options.fsync !== 'never';
        if (isSynced) await file.datasync();
        await adopt(directory, isSynced);
        await shortenPast(directory, header.bundleHash, options);
        const endByte = journalMagic.length + first.length;
        return new JournalWriter(path, file, options, { endByte, nextNumber: 1, index: new TurnIndex() });
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      throw error instanceof RangeError ? error : writeError(path, error);
    }
  }

  /** Goes on with the journal in `directory`, read and checked whole. Throws JournalError. */
  static async reopen(directory: string, options: JournalOptions): Promise<ReopenedJournal> {
    const path = journalPath(directory);
    const reading = await readJournal(path);
    const index = new TurnIndex();
    let nextNumber = 1;
    let endByte = reading.headerEndByte;
    for await (const placed of reading.entries) {
      if (placed.entry.kind === 'batch') index.add(firstTurnOf(placed.entry.bytes), placed.startByte);
      nextNumber = placed.number + 1;
      endByte = placed.endByte;
    }
    const tail = reading.tail;
    assert(tail !== null, 'entries were read to their end');
    const cut =
      tail === 'clean' ? null : { atByte: tail.tornAtByte, cutBytes: tail.tornBytes, reason: tail.reason };
    if (cut !== null) endByte = cut.atByte;
    try {
      const file = await (options.openFile ?? openJournalFile)(path, 'r+');
      try {
        if (cut !== null) await file.truncate(cut.atByte);
        // The process before this one may have ended between its last write and the sync: what was read counts as
        // durable from here on, so it has to be.
        if (cut !== null || options.fsync !== 'never') await file.datasync();
        const writer = new JournalWriter(path, file, options, { endByte, nextNumber, index });
        return { writer, header: reading.header, cut };
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      throw error instanceof RangeError ? error : writeError(path, error);
    }
  }

  /** Bytes in memory that are not yet safe. A supervisor bounds them by slowing its intake. */
  get pendingBytes(): number {
    return this.#endByte - (this.#fsync === 'never' ? this.#writtenByte : this.#syncedByte);
  }

  /** Why the writer has stopped; null while it runs. */
  get failure(): JournalError | null {
    return this.#failure;
  }

  /** Greatest entry number such that it and all before it are durable. */
  get durableEntryNumber(): number {
    return this.#durableNumber;
  }

  /** Takes the entry, which then is the journal's, and returns its number. The header is 0. */
  append(entry: { kind: 'batch'; bytes: Uint8Array } | { kind: 'note'; note: JournalNote }): number {
    assert(this.#closing === null, 'append to a closed journal');
    const bytes = encodeEntry(entry, this.#endByte);
    if (entry.kind === 'batch') this.#index.add(firstTurnOf(entry.bytes), this.#endByte);
    const number = this.#nextNumber++;
    this.#tail.push({ number, startByte: this.#endByte, bytes });
    this.#endByte += bytes.length;
    // Entries of one turn of the event loop go into one write.
    if (!this.#isRunScheduled) {
      this.#isRunScheduled = true;
      setImmediate(() => {
        this.#isRunScheduled = false;
        this.#run();
      });
    }
    return number;
  }

  /** Resolves when all that was appended so far is durable; rejects when the file fails. Tries again after a failure. */
  flush(): Promise<void> {
    if (this.#durableByte() >= this.#endByte) return Promise.resolve();
    if (this.#isClosed)
      return Promise.reject(new JournalError('JOURNAL_WRITE_FAILED', `${this.path} is closed`));
    this.#failure = null;
    return new Promise((resolve, reject) => {
      this.#waiters.push({ endByte: this.#endByte, resolve, reject });
      this.#run();
    });
  }

  /** Tries again after a failure; what comes of it is told by `onDurable` or `onFailure`. */
  retry(): void {
    this.#failure = null;
    this.#run();
  }

  onDurable(callback: (entryNumber: number) => void): void {
    this.#onDurable.push(callback);
  }

  onFailure(callback: (error: JournalError) => void): void {
    this.#onFailure.push(callback);
  }

  /** Writes and, but for `never`, syncs everything, then closes the file. Rejects when that fails; closed it is. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  /**
   * The batches that hold `turn` and what follows, while the writer goes on: ends when it has caught up with the last
   * append. The first batch may begin before `turn`. Batches still in memory are taken from there.
   */
  readBatchesFrom(turn: number): AsyncGenerator<Uint8Array, void, undefined> {
    const live: LiveJournal = {
      path: this.path,
      endByte: () => this.#endByte,
      writtenByte: () => this.#writtenByte,
      inMemory: (startByte) => {
        const found = this.#tail[this.#tailIndexAt(startByte)];
        return found?.startByte === startByte ? found.bytes : null;
      },
      readAt: (position, length) => this.#readAt(position, length),
    };
    return batchesFrom(live, this.#index.before(turn) ?? this.#endByte, turn);
  }

  async #shutDown(): Promise<void> {
    try {
      await this.flush();
      this.#needsDisk = this.#fsync !== 'never';
      await this.flush();
    } finally {
      if (this.#syncTimer !== null) clearTimeout(this.#syncTimer);
      this.#isClosed = true;
      await this.#file.close();
    }
  }

  #durableByte(): number {
    return this.#needsDisk ? this.#syncedByte : this.#writtenByte;
  }

  /** Index in the tail of the first entry that begins at or after `byte`. */
  #tailIndexAt(byte: number): number {
    let low = 0;
    let high = this.#tail.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#tail[middle]!.startByte < byte) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Starts whatever can be started. Called at every change. */
  #run(): void {
    if (this.#failure !== null || this.#isClosed) return;
    if (!this.#isWriting && this.#writtenByte < this.#endByte) void this.#writeNext();
    if (this.#fsync === 'never' || this.#isSyncing || this.#syncedByte >= this.#writtenByte) return;
    if (this.#needsDisk || this.#isSyncDue) void this.#syncNext();
    else if (this.#syncTimer === null) {
      this.#syncTimer = setTimeout(() => {
        this.#syncTimer = null;
        this.#isSyncDue = true;
        this.#run();
      }, this.#fsyncIntervalMs);
    }
  }

  async #writeNext(): Promise<void> {
    this.#isWriting = true;
    const from = this.#writtenByte;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (let index = this.#tailIndexAt(from); index < this.#tail.length && bytes < slabBytesMax; index++) {
      parts.push(this.#tail[index]!.bytes);
      bytes += this.#tail[index]!.bytes.length;
    }
    try {
      await writeWhole(this.#file, Buffer.concat(parts, bytes), from);
      // A failed sync in the meantime may have set the mark back: then this is to be written again.
      if (this.#writtenByte === from) this.#writtenByte = from + bytes;
    } catch (error) {
      this.#fail(error);
    }
    this.#isWriting = false;
    this.#settle();
  }

  async #syncNext(): Promise<void> {
    this.#isSyncing = true;
    this.#isSyncDue = false;
    const target = this.#writtenByte;
    try {
      await this.#file.datasync();
      this.#syncedByte = target;
    } catch (error) {
      this.#writtenByte = this.#syncedByte;
      this.#isSyncDue = true;
      this.#fail(error);
    }
    this.#isSyncing = false;
    this.#settle();
  }

  /** After progress: lets go of what is safe, tells who waits, starts what is next. */
  #settle(): void {
    const durableByte = this.#durableByte();
    let durableNumber = this.#durableNumber;
    for (const entry of this.#tail) {
      if (entry.startByte + entry.bytes.length > durableByte) break;
      durableNumber = Math.max(durableNumber, entry.number);
    }
    const safeByte = this.#fsync === 'never' ? this.#writtenByte : this.#syncedByte;
    const unsafeFrom = this.#tailIndexAt(safeByte);
    if (unsafeFrom > 0) this.#tail = this.#tail.slice(unsafeFrom);
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.endByte > durableByte) return true;
      waiter.resolve();
      return false;
    });
    if (durableNumber > this.#durableNumber) {
      this.#durableNumber = durableNumber;
      for (const callback of this.#onDurable) callback(durableNumber);
    }
    this.#run();
  }

  #fail(error: unknown): void {
    const failure = writeError(this.path, error);
    const isFirst = this.#failure === null;
    this.#failure = failure;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(failure);
    if (isFirst) for (const callback of this.#onFailure) callback(failure);
  }

  async #readAt(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#file.read(bytes, filled, length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }
}

/** A ring that cannot be shortened is told, and keeps no board from recording. */
async function shortenPast(directory: string, bundleHash: string, options: JournalOptions): Promise<void> {
  const { keepBytes = keepBytesDefault, onPastDropped = () => {} } = options;
  try {
    const deleted = await dropOldest(directory, keepBytes, bundleHash);
    if (deleted.length > 0) onPastDropped({ deleted });
  } catch (error) {
    onPastDropped({ error: error as Error });
  }
}

async function writeWhole(file: JournalFile, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const result = await file.write(bytes, written, bytes.length - written, position + written);
    assert(result.bytesWritten > 0, 'a write of some bytes writes some or fails');
    written += result.bytesWritten;
  }
}
