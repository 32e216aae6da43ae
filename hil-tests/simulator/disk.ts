/**
 * A board's disk and the journal on it: the bytes that firmware-host/journal writes, kept as the kernel and the medium
 * keep them, and read again by the same rules (entry-cut.ts).
 *
 *   append -> memory of the process -> kernel -> medium        fsync says when
 *             lost with the process    lost with the power     a crash may leave a torn piece of what was on its way
 */
import {
  checkMagic,
  encodeEntry,
  JournalError,
  type JournalHeader,
  journalMagic,
  type JournalNote as StoredNote,
} from '../../firmware-host/journal/entry.ts';
import { cutEntry, type JournalTail, judgeTail } from '../../firmware-host/journal/entry-cut.ts';
import type { JournalContents, Report } from '../../firmware-host/supervisor/effects.ts';
import { assert } from '../../protocol/assert.ts';
import type { JournalNote } from '../../protocol/pair-message.ts';
import { decodeBatch, turnsOf } from '../../protocol/record.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export type JournalEntryOfLife =
  | { kind: 'batch'; bytes: Uint8Array; turns: number }
  | { kind: 'note'; note: JournalNote };

interface Stored {
  entry: JournalEntryOfLife;
  encoded: Uint8Array;
}

/** One journal file. All counts are of `entries`. */
interface JournalFile {
  header: JournalHeader;
  headBytes: Uint8Array;
  entries: Stored[];
  endByte: number;
  written: number;
  synced: number;
}

export interface DiskListener {
  durable(turns: number): void;
  report(report: Report): void;
}

export interface DiskOptions {
  fsync: 'always' | 'interval' | 'never';
  fsyncIntervalMs: number;
  /** How long a write and a sync take, at least and at most. */
  writeMs: number;
  syncMs: number;
}

const retryMs = 1000;
const chunkBytesMax = 16 * 1024;
/** What the kernel does of itself. */
const writeBackMs = 5000;
const file = 'journal.usj';
/** Of an entry: its kind and length. */
const entryHeadBytes = 5;

export class Disk {
  isFull = false;
  /** Added to every write and sync. */
  slowMs = 0;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #options: DiskOptions;
  #file: JournalFile | null = null;
  /** A journal that is being begun: the old one is the journal until it is. */
  #beginning: JournalFile | null = null;
  #listener: DiskListener | null = null;
  /** Of the process that writes: what was begun by an earlier one ends with it. */
  #generation = 0;
  #isWriting = false;
  #isSyncing = false;
  #powerFailures = 0;

  constructor(time: VirtualTime, random: Random, options: DiskOptions) {
    this.#time = time;
    this.#random = random;
    this.#options = options;
  }

  /** A process opens what there is. */
  open(listener: DiskListener): { contents: JournalContents | null; entries: JournalEntryOfLife[] } {
    this.#listener = listener;
    this.#generation += 1;
    this.#isWriting = false;
    this.#isSyncing = false;
    this.#beginning = null;
    const current = this.#file;
    if (current === null) return { contents: null, entries: [] };
    return this.#read(current);
  }

  #read(current: JournalFile): { contents: JournalContents | null; entries: JournalEntryOfLife[] } {
    const bytes = Buffer.concat([current.headBytes, ...current.entries.map((stored) => stored.encoded)]);
    checkMagic(file, bytes);
    const entries: Stored[] = [];
    let at = journalMagic.length;
    let header: JournalHeader | null = null;
    let tail: JournalTail = 'clean';
    for (;;) {
      const cut = cutEntry(bytes, at, at, true);
      if (cut.kind === 'end') break;
      if (cut.kind !== 'entry') {
        assert(cut.kind === 'invalid', 'all of the file is there');
        tail = judgeTail(file, bytes.subarray(at), at, entries.length + 1, cut.reason);
        break;
      }
      if (cut.entry.kind === 'header') header = cut.entry.header;
      else {
        const encoded = bytes.subarray(at, at + cut.bytes);
        if (cut.entry.kind === 'note') {
          entries.push({ entry: { kind: 'note', note: cut.entry.note as JournalNote }, encoded });
        } else {
          const { bytes: batch } = cut.entry;
          entries.push({ entry: { kind: 'batch', bytes: batch, turns: endOfBatch(batch) }, encoded });
        }
      }
      at += cut.bytes;
    }
    if (header === null) throw new JournalError('JOURNAL_NO_HEADER', `${file} has no header`);
    if (tail !== 'clean') {
      const { tornAtByte, tornBytes, reason } = tail;
      const text = `${tornBytes} bytes cut at byte ${tornAtByte} (${reason})`;
      this.#listener!.report({ level: 'alarm', code: 'JOURNAL_TORN_TAIL', text });
    }
    current.entries = entries;
    current.endByte = at;
    current.written = entries.length;
    // A writer that goes on with a journal makes sure of what it has read.
    current.synced =
      this.#options.fsync === 'never' ? Math.min(current.synced, entries.length) : entries.length;
    const turns = entries.reduce((most, { entry }) => (entry.kind === 'batch' ? entry.turns : most), 0);
    const notes = entries.flatMap(({ entry }) => (entry.kind === 'note' ? [entry.note] : []));
    const { historyId, startedAtMs } = header;
    return {
      contents: { historyId, startedAtMs, turns, notes },
      entries: entries.map((stored) => stored.entry),
    };
  }

  create(historyId: string, startedAtMs: number): void {
    const header = { historyId, bundleHash: 'p', program: 'program', startedAtMs, runtime: {} };
    const head = encodeEntry({ kind: 'header', header }, journalMagic.length);
    const headBytes = Buffer.concat([journalMagic, head]);
    const begun: JournalFile = {
      header,
      headBytes,
      entries: [],
      endByte: headBytes.length,
      written: 0,
      synced: 0,
    };
    this.#beginning = begun;
    this.#tryToBegin(begun, this.#generation);
  }

  #tryToBegin(begun: JournalFile, generation: number): void {
    this.#later(this.#syncMs(), generation, () => {
      if (this.#beginning !== begun) return;
      if (this.isFull) {
        this.#fault();
        this.#later(retryMs, generation, () => this.#tryToBegin(begun, generation));
        return;
      }
      this.#file = begun;
      this.#beginning = null;
      this.#write();
    });
  }

  append(entry: JournalEntryOfLife): void {
    const target = this.#beginning ?? this.#file;
    assert(target !== null, 'a journal is begun before it is written');
    const encoded = encodeEntry(
      entry.kind === 'batch' ? entry : { kind: 'note', note: entry.note as StoredNote },
      target.endByte,
    );
    target.entries.push({ entry, encoded });
    target.endByte += encoded.length;
    if (target === this.#file) this.#write();
  }

  #write(): void {
    const current = this.#file!;
    if (this.#isWriting || current.written === current.entries.length) return;
    this.#isWriting = true;
    const upTo = current.entries.length;
    const generation = this.#generation;
    this.#later(this.slowMs + this.#options.writeMs * this.#random.unit(), generation, () => {
      this.#isWriting = false;
      if (this.#file !== current) {
        this.#write();
        return;
      }
      if (this.isFull) {
        this.#fault();
        this.#isWriting = true;
        this.#later(retryMs, generation, () => {
          this.#isWriting = false;
          this.#write();
        });
        return;
      }
      const from = current.written;
      current.written = upTo;
      if (this.#options.fsync !== 'always') this.#tellDurable(current, from, upTo);
      this.#sync();
      this.#write();
    });
  }

  #sync(): void {
    const current = this.#file!;
    if (this.#isSyncing || current.synced === current.written) return;
    this.#isSyncing = true;
    const { fsync, fsyncIntervalMs } = this.#options;
    const waitMs =
      fsync === 'always' ? 0 : fsync === 'interval' ? fsyncIntervalMs : writeBackMs * this.#random.unit();
    const generation = this.#generation;
    this.#later(waitMs, generation, () => {
      const upTo = current.written;
      this.#later(this.#syncMs(), generation, () => {
        this.#isSyncing = false;
        if (this.#file !== current) {
          this.#sync();
          return;
        }
        const from = current.synced;
        current.synced = upTo;
        if (fsync === 'always') this.#tellDurable(current, from, upTo);
        this.#sync();
      });
    });
  }

  #syncMs(): number {
    return this.slowMs + this.#options.syncMs * (0.3 + 0.7 * this.#random.unit());
  }

  #tellDurable(current: JournalFile, from: number, upTo: number): void {
    // Of a journal that is being replaced nobody wants to know.
    if (this.#beginning !== null) return;
    let turns: number | null = null;
    for (let index = from; index < upTo; index++) {
      const { entry } = current.entries[index]!;
      if (entry.kind === 'batch') turns = entry.turns;
    }
    if (turns !== null) this.#listener?.durable(turns);
  }

  #fault(): void {
    this.#listener?.report({ level: 'alarm', code: 'JOURNAL_DISK_FULL', text: 'no space left on the disk' });
  }

  #later(delayMs: number, generation: number, run: () => void): void {
    this.#time.after(delayMs, () => {
      if (generation === this.#generation) run();
    });
  }

  /** Nothing is on its way to the kernel any more, or nothing gets there: a journal can be closed. */
  get isSettled(): boolean {
    if (this.isFull) return true;
    if (this.#beginning !== null) return false;
    return this.#file === null || this.#file.written === this.#file.entries.length;
  }

  /** Some batches from that turn on, after a while; none at the end. */
  read(fromTurn: number, answer: (batches: Uint8Array[]) => void): void {
    const generation = this.#generation;
    this.#later(this.slowMs + 1 + this.#random.unit() * 2, generation, () => {
      const batches: Uint8Array[] = [];
      let bytes = 0;
      // While a journal is being begun there is nothing in it that could be read.
      const entries = this.#beginning === null ? (this.#file?.entries ?? []) : [];
      for (let index = this.#firstFrom(entries, fromTurn); index < entries.length; index++) {
        const { entry } = entries[index]!;
        if (entry.kind !== 'batch') continue;
        batches.push(entry.bytes);
        bytes += entry.bytes.length;
        if (bytes > chunkBytesMax) break;
      }
      answer(batches);
    });
  }

  #firstFrom(entries: readonly Stored[], fromTurn: number): number {
    for (let index = 0; index < entries.length; index++) {
      const { entry } = entries[index]!;
      // A batch that ends after this turn may begin before it: such a one is not given out.
      if (
        entry.kind === 'batch' &&
        entry.turns > fromTurn &&
        decodeBatch(entry.bytes).firstTurn >= fromTurn
      ) {
        return index;
      }
    }
    return entries.length;
  }

  /** The process ends: what it had not handed to the kernel is gone. The kernel writes the rest back in its time. */
  processEnds(): void {
    this.#generation += 1;
    this.#listener = null;
    const current = this.#file;
    this.#beginning = null;
    if (current === null) return;
    current.entries.length = current.written;
    this.#setEnd(current);
  }

  /** Power fails: what was not synced may be there, may be missing, may be torn. Call after `processEnds`. */
  powerFails(): void {
    const current = this.#file;
    if (current === null || current.synced >= current.entries.length) return;
    const kept = current.synced + this.#random.below(current.entries.length - current.synced + 1);
    const torn = current.entries[kept];
    current.entries.length = kept;
    current.written = kept;
    this.#setEnd(current);
    if (torn === undefined || this.#random.chance(0.3)) return;
    const encoded = torn.encoded.slice(0, this.#random.below(torn.encoded.length));
    // A file's length may reach the medium before what it is filled with.
    if (this.#random.chance(0.3)) encoded.fill(0, this.#random.below(encoded.length + 1));
    this.#powerFailures += 1;
    const whole = this.#random.stream(`power failure ${this.#powerFailures}`);
    // What an earlier power failure left of an entry may be shorter than that.
    if (whole.chance(0.3) && torn.encoded.length > entryHeadBytes) {
      // All of its length is there, and some of its sectors are not.
      const hollow = torn.encoded.slice();
      const from = entryHeadBytes + whole.below(hollow.length - entryHeadBytes);
      hollow.fill(0, from, from + 1 + whole.below(hollow.length - from));
      if (!hollow.every((byte, index) => byte === torn.encoded[index])) {
        current.entries.push({ entry: torn.entry, encoded: hollow });
        return;
      }
    }
    if (encoded.length > 0) current.entries.push({ entry: torn.entry, encoded });
  }

  #setEnd(current: JournalFile): void {
    current.endByte = current.headBytes.length;
    for (const { encoded } of current.entries) current.endByte += encoded.length;
  }

  erase(): void {
    this.#file = null;
    this.#beginning = null;
  }
}

function endOfBatch(bytes: Uint8Array): number {
  const batch = decodeBatch(bytes);
  let turn = batch.firstTurn;
  for (const record of batch.records) turn += turnsOf(record);
  return turn;
}
