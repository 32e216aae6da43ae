/**
 * The journal's format on disk: what one entry looks like, and how a damaged one is told from a torn tail.
 *
 * ```
 *   file   = magic "USJ" 1A, version 01, 00 00 00, entry*
 *   entry  = length u32 | type u8 | body | CRC-32 u32        (little-endian; length counts type and body)
 * ```
 *
 * The first entry is the header. The CRC runs over the entry's offset in the file (u64), its length, type and body: an
 * entry is valid at its own place only, so bytes within a body (device input may be anything) never pass for an entry.
 *
 * A process or a power supply that dies while writing leaves a last entry that is cut short, or filled with zeros:
 * the torn tail. It was never acknowledged and is cut off. If a *valid* entry follows an invalid one, however, the disk
 * has lost something that was there before: that is damage, and nothing may be cut silently.
 */
import { crc32 } from 'node:zlib';

export type JournalErrorCode =
  | 'JOURNAL_MISSING'
  /** The file does not begin as a journal does. */
  | 'JOURNAL_FOREIGN'
  /** Written by another version of the format. */
  | 'JOURNAL_VERSION'
  /** The header entry itself is torn: the file holds nothing to go on from. */
  | 'JOURNAL_NO_HEADER'
  /** An entry is invalid and a valid one follows, or a valid entry holds what no writer writes. */
  | 'JOURNAL_DAMAGED'
  | 'JOURNAL_READ_FAILED'
  /** No space, or over quota. */
  | 'JOURNAL_DISK_FULL'
  /** Read-only file system, I/O error, no permission: see the message. */
  | 'JOURNAL_WRITE_FAILED';

export class JournalError extends Error {
  readonly code: JournalErrorCode;
  constructor(code: JournalErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'JournalError';
    this.code = code;
  }
}

export interface JournalHeader {
  /** 128 bits, hex: the same on both boards for one history of the program. */
  historyId: string;
  /** SHA-256 of the bundled program, hex. */
  bundleHash: string;
  /** The program's path, for people. */
  program: string;
  startedAtMs: number;
  /** Versions that must agree between boards (Node, architecture, ICU, time zones). */
  runtime: Record<string, string>;
}

/** Something that happened beside the records. `kind` says what; the rest is JSON. */
export type JournalNote =
  | { kind: 'term'; term: number; turn: number }
  | { kind: 'device'; device: string; [key: string]: unknown }
  | { kind: string; [key: string]: unknown };

export type JournalEntry =
  | { kind: 'header'; header: JournalHeader }
  /** `encodeBatch` of protocol/record.ts. */
  | { kind: 'batch'; bytes: Uint8Array }
  | { kind: 'note'; note: JournalNote };

export const journalMagic: Uint8Array = Uint8Array.of(0x55, 0x53, 0x4a, 0x1a, 1, 0, 0, 0);
const versionOffset = 4;

/** Longest body of an entry: a damaged length must not make anyone reserve gigabytes. */
export const entryBodyBytesMax: number = 16 * 1024 * 1024;

const lengthBytes = 4;
const crcBytes = 4;
/** What an entry takes beside its body. */
export const entryOverheadBytes: number = lengthBytes + 1 + crcBytes;

const types = { header: 1, batch: 2, note: 3 } as const;

export type EntryFault =
  /** The file ends before the entry does. */
  | 'ENTRY_CUT_SHORT'
  /** No entry has this length. */
  | 'ENTRY_LENGTH'
  | 'ENTRY_CRC';

export type ParsedEntry =
  | { kind: 'entry'; entry: JournalEntry; bytes: number }
  | { kind: 'invalid'; fault: EntryFault }
  /** At least so many bytes from `position` on are needed to tell. */
  | { kind: 'incomplete'; bytesNeeded: number };

const place = new Uint8Array(8);
const placeView = new DataView(place.buffer);

function crcOf(covered: Uint8Array, fileOffset: number): number {
  placeView.setUint32(0, fileOffset >>> 0, true);
  placeView.setUint32(4, Math.floor(fileOffset / 2 ** 32), true);
  return crc32(covered, crc32(place));
}

export function encodeEntry(entry: JournalEntry, fileOffset: number): Uint8Array {
  const body =
    entry.kind === 'batch'
      ? entry.bytes
      : Buffer.from(JSON.stringify(entry.kind === 'header' ? entry.header : entry.note));
  if (body.length > entryBodyBytesMax) {
    throw new RangeError(`a journal entry must have at most ${entryBodyBytesMax} bytes (got ${body.length})`);
  }
  const bytes = new Uint8Array(entryOverheadBytes + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length + 1, true);
  bytes[lengthBytes] = types[entry.kind];
  bytes.set(body, lengthBytes + 1);
  const crcAt = bytes.length - crcBytes;
  view.setUint32(crcAt, crcOf(bytes.subarray(0, crcAt), fileOffset), true);
  return bytes;
}

/** The entry at `position` of `bytes`, which is at `fileOffset` of the file. Its batch is a copy. */
export function parseEntry(bytes: Uint8Array, position: number, fileOffset: number): ParsedEntry {
  const available = bytes.length - position;
  if (available < lengthBytes) return { kind: 'incomplete', bytesNeeded: lengthBytes };
  const view = new DataView(bytes.buffer, bytes.byteOffset + position, available);
  const length = view.getUint32(0, true);
  if (length < 1 || length > entryBodyBytesMax + 1) return { kind: 'invalid', fault: 'ENTRY_LENGTH' };
  const total = lengthBytes + length + crcBytes;
  if (available < total) return { kind: 'incomplete', bytesNeeded: total };
  const crcAt = total - crcBytes;
  const computed = crcOf(bytes.subarray(position, position + crcAt), fileOffset);
  if (view.getUint32(crcAt, true) !== computed) return { kind: 'invalid', fault: 'ENTRY_CRC' };
  const body = bytes.subarray(position + lengthBytes + 1, position + crcAt);
  return { kind: 'entry', entry: decodeBody(view.getUint8(lengthBytes), body, fileOffset), bytes: total };
}

function decodeBody(type: number, body: Uint8Array, fileOffset: number): JournalEntry {
  if (type === types.batch) {
    // Not slice(): of a Buffer that is a view.
    return { kind: 'batch', bytes: new Uint8Array(body) };
  }
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof value === 'object' && value !== null) {
      if (type === types.header) return { kind: 'header', header: value as JournalHeader };
      if (type === types.note) return { kind: 'note', note: value as JournalNote };
    }
  } catch {
    // Falls through to the one error below.
  }
  throw new JournalError(
    'JOURNAL_DAMAGED',
    `entry of type ${type} at byte ${fileOffset} has a right checksum and a content that no writer writes`,
  );
}

/** Throws when `bytes` does not begin a journal of this version. */
export function checkMagic(file: string, bytes: Uint8Array): void {
  const matches = (from: number, to: number): boolean =>
    Buffer.compare(bytes.subarray(from, to), journalMagic.subarray(from, to)) === 0;
  if (!matches(0, versionOffset)) throw new JournalError('JOURNAL_FOREIGN', `${file} is not a journal`);
  if (!matches(versionOffset, journalMagic.length)) {
    throw new JournalError(
      'JOURNAL_VERSION',
      `${file} has journal format ${bytes[versionOffset]}, this program reads ${journalMagic[versionOffset]}`,
    );
  }
}

/** Offset within `bytes` of the first valid entry from `position` on; null when there is none. */
export function findValidEntry(
  bytes: Uint8Array,
  position: number,
  fileOffsetOfBytes: number,
): number | null {
  for (let at = position; at + entryOverheadBytes <= bytes.length; at++) {
    const parsed = parseEntry(bytes, at, fileOffsetOfBytes + at);
    if (parsed.kind === 'entry') return at;
  }
  return null;
}
