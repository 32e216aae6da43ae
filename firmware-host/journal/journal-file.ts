/**
 * The file under a journal as the writer sees it: the few calls of Node's FileHandle that it needs, so that a test
 * can put a full disk or a broken one in its place.
 */
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { JournalError } from './entry.ts';
import { keepAsPast } from './past-journals.ts';

export interface JournalFile {
  /** Resolves with what was written, which may be less than asked when the disk fills up. */
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>;
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export type OpenJournalFile = (path: string, flags: 'w+' | 'r+') => Promise<JournalFile>;

export const journalName = 'journal.usj';
/** Of a journal without a header: there is nothing in it that could be run. */
export const headlessJournalName = 'journal-headless.usj';

export function journalPath(directory: string): string {
  return join(directory, journalName);
}

/** Where a journal is begun, so that a failure there leaves the older one in its place. */
export function newJournalPath(directory: string): string {
  return join(directory, 'journal-new.usj');
}

export const openJournalFile: OpenJournalFile = (path, flags): Promise<FileHandle> => open(path, flags);

/** Any error of the file as one of ours, with the file's name. */
export function writeError(path: string, error: unknown): JournalError {
  if (error instanceof JournalError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new JournalError('JOURNAL_DISK_FULL', `${path}: no space left for the journal (${message})`, error)
    : new JournalError('JOURNAL_WRITE_FAILED', `${path}: the journal cannot be written (${message})`, error);
}

/** Puts the new journal, complete with its header, in its place; an older one becomes a past one. */
export async function adopt(directory: string, isSynced: boolean): Promise<void> {
  if (!(await keepAsPast(journalPath(directory)))) {
    try {
      await rename(journalPath(directory), join(directory, headlessJournalName));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  await rename(newJournalPath(directory), journalPath(directory));
  // A name is on the disk only when its directory has been synced (fsync(2)).
  if (isSynced) await syncDirectory(directory);
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
