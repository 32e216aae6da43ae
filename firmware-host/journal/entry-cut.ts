/**
 * How a journal's bytes are cut into entries, and how its end is judged: the rules, without the file.
 *
 * A reader holds some stretch of the file and asks what stands next; it may be told that it has to read on. What is no
 * valid entry at the end of the file is a torn tail, unless a valid entry follows it: then it is damage (entry.ts).
 */
import { type EntryFault, findValidEntry, type JournalEntry, JournalError, parseEntry } from './entry.ts';

export type JournalTail =
  | 'clean'
  /** What follows `tornAtByte` was never completed: a crash while writing. */
  | { tornAtByte: number; tornBytes: number; reason: EntryFault };

export type EntryCut =
  | { kind: 'entry'; entry: JournalEntry; bytes: number }
  /** At least so many bytes from `position` on are needed to tell. */
  | { kind: 'need'; bytes: number }
  /** The file ends here, between two entries. */
  | { kind: 'end' }
  | { kind: 'invalid'; reason: EntryFault };

/** What stands at `position` of `bytes`, which is at `atByte` of the file. `hasEnded`: no more of the file follows. */
export function cutEntry(bytes: Uint8Array, position: number, atByte: number, hasEnded: boolean): EntryCut {
  if (hasEnded && position === bytes.length) return { kind: 'end' };
  const parsed = parseEntry(bytes, position, atByte);
  if (parsed.kind === 'entry') return parsed;
  if (parsed.kind === 'incomplete' && !hasEnded) return { kind: 'need', bytes: parsed.bytesNeeded };
  return { kind: 'invalid', reason: parsed.kind === 'invalid' ? parsed.fault : 'ENTRY_CUT_SHORT' };
}

/** Judges the rest of `file` from `atByte` on, where entry `number` should be and is not. Throws JournalError. */
export function judgeTail(
  file: string,
  rest: Uint8Array,
  atByte: number,
  number: number,
  reason: EntryFault,
): JournalTail {
  const next = findValidEntry(rest, 1, atByte);
  if (next !== null) {
    throw new JournalError(
      'JOURNAL_DAMAGED',
      `${file} is damaged at byte ${atByte}, entry ${number} (${reason}): ` +
        `a valid entry follows at byte ${atByte + next}`,
    );
  }
  return { tornAtByte: atByte, tornBytes: rest.length, reason };
}
