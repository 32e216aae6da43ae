/**
 * Reading a journal's batches while its writer goes on: what a joining board is sent.
 *
 * The reader walks from entry to entry until it has caught up with the last append. What the kernel has is read
 * from the file, in slabs; what it has not, from the writer's memory. It can stay behind for as long as it likes: the
 * writer keeps nothing for it.
 */
import { ByteReader } from '../../protocol/bytes.ts';
import { type JournalEntry, JournalError, parseEntry } from './entry.ts';

/** The writer as its reader sees it. */
export interface LiveJournal {
  readonly path: string;
  /** Where the next append will be. */
  endByte(): number;
  /** Up to where the file can be read. */
  writtenByte(): number;
  /** The encoded entry that begins there, if it is still in memory. */
  inMemory(startByte: number): Uint8Array | null;
  readAt(position: number, length: number): Promise<Uint8Array>;
}

const slabBytes = 64 * 1024;

/** A batch begins with the number of its first turn (protocol/record.ts). */
export function firstTurnOf(batch: Uint8Array): number {
  return new ByteReader(batch).varint();
}

/** From the entry at `startByte` on; ends when it has caught up. */
async function* entriesFrom(
  journal: LiveJournal,
  startByte: number,
): AsyncGenerator<JournalEntry, void, undefined> {
  let atByte = startByte;
  let slab: Uint8Array = new Uint8Array(0);
  let slabAtByte = atByte;
  while (atByte < journal.endByte()) {
    let parsed = parseEntry(slab, atByte - slabAtByte, atByte);
    if (parsed.kind === 'incomplete') {
      const inMemory = journal.inMemory(atByte);
      if (inMemory === null) {
        const readable = journal.writtenByte() - atByte;
        slab = await journal.readAt(atByte, Math.min(Math.max(slabBytes, parsed.bytesNeeded), readable));
        slabAtByte = atByte;
        if (slab.length >= parsed.bytesNeeded) continue;
      } else parsed = parseEntry(inMemory, 0, atByte);
    }
    if (parsed.kind !== 'entry') {
      throw new JournalError(
        'JOURNAL_DAMAGED',
        `${journal.path} is damaged at byte ${atByte}, where a valid entry was written`,
      );
    }
    atByte += parsed.bytes;
    yield parsed.entry;
  }
}

/**
 * The batches from the one that holds `turn` on. A batch does not say how many turns it has: it holds `turn` when the
 * next one begins after it, so each is held back until the next is seen or the end is reached.
 */
export async function* batchesFrom(
  journal: LiveJournal,
  startByte: number,
  turn: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array | null = null;
  for await (const entry of entriesFrom(journal, startByte)) {
    if (entry.kind !== 'batch') continue;
    if (held !== null && firstTurnOf(entry.bytes) > turn) yield held;
    held = entry.bytes;
  }
  if (held !== null) yield held;
}
