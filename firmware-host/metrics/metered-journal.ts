/** Measures a journal at its file: bytes, time of each fdatasync, and when the running history has become large. */
import { type JournalFile, type OpenJournalFile, openJournalFile } from '../journal/journal-file.ts';

export interface JournalMeter {
  /** So many bytes more are with the kernel; the file now ends at `endByte`. */
  written(bytes: number, endByte: number): void;
  synced(seconds: number): void;
  failed(): void;
}

/** `now`: milliseconds of any steady clock. */
export function meteredJournalFile(
  meter: JournalMeter,
  now: () => number,
  open: OpenJournalFile = openJournalFile,
): OpenJournalFile {
  return async (path, flags) => {
    const file = await open(path, flags);
    const measured = async <T>(action: () => Promise<T>): Promise<T> => {
      try {
        return await action();
      } catch (error) {
        meter.failed();
        throw error;
      }
    };
    const metered: JournalFile = {
      async write(bytes, offset, length, position) {
        const result = await measured(() => file.write(bytes, offset, length, position));
        meter.written(result.bytesWritten, position + result.bytesWritten);
        return result;
      },
      read: (bytes, offset, length, position) => file.read(bytes, offset, length, position),
      async datasync() {
        const beganAt = now();
        await measured(() => file.datasync());
        meter.synced((now() - beganAt) / 1000);
      },
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
    return metered;
  };
}

/** Tells once when the journal reaches `warnBytes`, and again at each doubling. */
export class SizeWarning {
  readonly #warnBytes: number;
  #nextBytes: number;

  constructor(warnBytes: number) {
    this.#warnBytes = warnBytes;
    this.#nextBytes = warnBytes;
  }

  /** True when this end of the file is worth a warning. */
  reached(endByte: number): boolean {
    // A new history begins a new file.
    if (endByte < this.#warnBytes) this.#nextBytes = this.#warnBytes;
    if (endByte < this.#nextBytes) return false;
    while (this.#nextBytes <= endByte) this.#nextBytes *= 2;
    return true;
  }
}
