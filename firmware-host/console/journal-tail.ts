/**
 * The newest entries of the journal, kept in memory as they are written: a board that runs does not read its disk for a
 * console. What is older, `understudy journal show` reads from the file.
 */
import type { JournalNote } from '../../protocol/pair-message.ts';
import { decodeBatch, type JournalRecord, type ReplicaEvent, turnsOf } from '../../protocol/record.ts';
import type { JournalledEntry } from '../supervisor/host.ts';
import type { JournalLine } from './console-schema.ts';

type Kept = Exclude<JournalledEntry, { kind: 'create' }>;

const entriesMax = 1000;
const bytesMax = 256 * 1024;
/** What a note is reckoned at: it has a line's length at most, and there are few. */
const noteBytes = 512;
const shownBytesMax = 12;
const shownCharactersMax = 60;

export class JournalTail {
  #entries: Kept[] = [];
  #bytes = 0;

  add(entry: JournalledEntry): void {
    if (entry.kind === 'create') {
      this.#entries = [];
      this.#bytes = 0;
      return;
    }
    this.#entries.push(entry);
    this.#bytes += sizeOf(entry);
    while (this.#entries.length > entriesMax || (this.#bytes > bytesMax && this.#entries.length > 1))
      this.#bytes -= sizeOf(this.#entries.shift()!);
  }

  /** At most so many lines, newest last. */
  lines(count: number): JournalLine[] {
    const found: JournalLine[] = [];
    for (let index = this.#entries.length - 1; index >= 0 && found.length < count; index--) {
      const entry = this.#entries[index]!;
      const lines = entry.kind === 'note' ? [noteLine(entry.note)] : batchLines(entry.bytes);
      found.unshift(...lines);
    }
    return found.slice(-count);
  }
}

function sizeOf(entry: Kept): number {
  return entry.kind === 'batch' ? entry.bytes.length : noteBytes;
}

function noteLine(note: JournalNote): JournalLine {
  const { kind, turn, ...rest } = note;
  const facts = Object.entries(rest).map(([key, value]) => `${key} ${String(value)}`);
  return { turn, kind: 'note', text: `${kind}: ${facts.join(', ')}` };
}

function batchLines(bytes: Uint8Array): JournalLine[] {
  const batch = decodeBatch(bytes);
  const lines: JournalLine[] = [];
  let turn = batch.firstTurn;
  for (const record of batch.records) {
    lines.push({ turn, kind: record.kind === 'idle' ? 'idle' : 'record', text: recordText(record) });
    turn += turnsOf(record);
  }
  return lines;
}

function recordText(record: JournalRecord): string {
  const atMs = (record.timeUs / 1000).toFixed(3);
  if (record.kind === 'idle') return `${record.count} turns, ${record.stepUs} us apart, from ${atMs} ms`;
  const outputs = record.hasOutputs ? `, outputs ${record.digest.toString(16).padStart(8, '0')}` : '';
  return `${eventText(record.event)} at ${atMs} ms${outputs}`;
}

function bytesText(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, shownBytesMax)).toString('hex');
  return `${bytes.length} bytes ${shown}${bytes.length > shownBytesMax ? '...' : ''}`;
}

function eventText(event: ReplicaEvent): string {
  switch (event.kind) {
    case 'port-data':
      return `device bytes, port ${event.port}: ${bytesText(event.bytes)}`;
    case 'stdin':
      return `stdin: ${bytesText(event.bytes)}`;
    case 'completed':
      return `request ${event.request} ${event.ok ? 'done' : 'failed'}: ${event.result.slice(0, shownCharactersMax)}`;
    case 'port-lost':
      return `port ${event.port} lost: ${event.reason.slice(0, shownCharactersMax)}`;
    case 'port-credit':
      return `port ${event.port} takes ${event.bytes} bytes more`;
    case 'signal':
      return `signal ${event.signal}`;
    default:
      return event.kind;
  }
}
