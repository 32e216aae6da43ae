/** Reading a journal, in chunks: a day's journal may be larger than the memory of a board. */
import { type FileHandle, open } from 'node:fs/promises';
import {
  checkMagic,
  type EntryFault,
  type JournalEntry,
  JournalError,
  type JournalHeader,
  journalMagic,
} from './entry.ts';
import { cutEntry, type JournalTail, judgeTail } from './entry-cut.ts';

export interface PlacedEntry {
  /** From 0, the header. */
  number: number;
  /** Offset in the file, and of what follows the entry. */
  startByte: number;
  endByte: number;
  entry: JournalEntry;
}

export interface JournalReading {
  readonly header: JournalHeader;
  /** Offset in the file of what follows the header. */
  readonly headerEndByte: number;
  /**
   * All entries but the header, in order; once. Throws JournalError JOURNAL_DAMAGED where the damage is met, which
   * names the byte and the entry. Closes the file when it ends or is left.
   */
  readonly entries: AsyncGenerator<PlacedEntry, void, undefined>;
  /** How the file ends: null until `entries` has been read to its end. */
  readonly tail: JournalTail | null;
  /** For a reader that never began with `entries`; may be called twice. */
  close(): Promise<void>;
}

const chunkBytes = 256 * 1024;

/** Reads the file in order and cuts it into entries. */
class EntryCutter {
  readonly #file: string;
  readonly #handle: FileHandle;
  /** Bytes of the file from `#bufferAtByte` on. */
  #buffer: Buffer = Buffer.alloc(0);
  #bufferAtByte = 0;
  /** Where the next entry begins. */
  #atByte = 0;
  #number = 0;
  #hasEnded = false;

  constructor(file: string, handle: FileHandle) {
    this.#file = file;
    this.#handle = handle;
  }

  async readMagic(): Promise<void> {
    await this.#need(journalMagic.length);
    const begun = this.#buffer.subarray(0, journalMagic.length);
    if (begun.length < journalMagic.length && begun.equals(journalMagic.subarray(0, begun.length))) {
      throw new JournalError(
        'JOURNAL_NO_HEADER',
        `${this.#file} ends within its first ${journalMagic.length} bytes`,
      );
    }
    checkMagic(this.#file, this.#buffer.subarray(0, journalMagic.length));
    this.#atByte = journalMagic.length;
  }

  async next(): Promise<PlacedEntry | JournalTail> {
    for (;;) {
      const cut = cutEntry(this.#buffer, this.#atByte - this.#bufferAtByte, this.#atByte, this.#hasEnded);
      switch (cut.kind) {
        case 'end':
          return 'clean';
        case 'entry': {
          const startByte = this.#atByte;
          this.#atByte += cut.bytes;
          return { number: this.#number++, startByte, endByte: this.#atByte, entry: cut.entry };
        }
        case 'need':
          await this.#need(cut.bytes);
          continue;
        case 'invalid':
          return await this.#tornTail(cut.reason);
      }
    }
  }

  /** Has at least so many bytes from the next entry on in the buffer, or the end of the file. */
  async #need(bytes: number): Promise<void> {
    this.#buffer = this.#buffer.subarray(this.#atByte - this.#bufferAtByte);
    this.#bufferAtByte = this.#atByte;
    const parts = [this.#buffer];
    let have = this.#buffer.length;
    while (have < bytes && !this.#hasEnded) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await this.#read(chunk, this.#bufferAtByte + have);
      if (bytesRead === 0) this.#hasEnded = true;
      parts.push(chunk.subarray(0, bytesRead));
      have += bytesRead;
    }
    this.#buffer = Buffer.concat(parts);
  }

  async #read(chunk: Buffer, position: number): Promise<{ bytesRead: number }> {
    try {
      return await this.#handle.read(chunk, 0, chunk.length, position);
    } catch (error) {
      throw new JournalError(
        'JOURNAL_READ_FAILED',
        `${this.#file} at byte ${position}: ${(error as Error).message}`,
        error,
      );
    }
  }

  async #tornTail(reason: EntryFault): Promise<JournalTail> {
    await this.#need(Number.MAX_SAFE_INTEGER);
    return judgeTail(this.#file, this.#buffer, this.#atByte, this.#number, reason);
  }
}

/** Opens a journal and reads its header. Throws JournalError. */
export async function readJournal(file: string): Promise<JournalReading> {
  const handle = await openFile(file);
  try {
    const cutter = new EntryCutter(file, handle);
    await cutter.readMagic();
    const first = await cutter.next();
    if (first === 'clean' || !('entry' in first) || first.entry.kind !== 'header') {
      throw new JournalError('JOURNAL_NO_HEADER', `${file} has no complete header`);
    }
    return reading(cutter, handle, first.entry.header, first.endByte);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function reading(
  cutter: EntryCutter,
  handle: FileHandle,
  header: JournalHeader,
  headerEndByte: number,
): JournalReading {
  let tail: JournalTail | null = null;
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= handle.close();
    return closing;
  };
  async function* entries(): AsyncGenerator<PlacedEntry, void, undefined> {
    try {
      for (;;) {
        const next = await cutter.next();
        if (next === 'clean' || !('entry' in next)) {
          tail = next;
          return;
        }
        yield next;
      }
    } finally {
      await close();
    }
  }
  return {
    header,
    headerEndByte,
    entries: entries(),
    get tail() {
      return tail;
    },
    close,
  };
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new JournalError('JOURNAL_MISSING', `there is no journal at ${file}`, error);
    }
    throw new JournalError('JOURNAL_READ_FAILED', `${file}: ${(error as Error).message}`, error);
  }
}
