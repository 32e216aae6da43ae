/** A journal's entries as lines for people and as objects for programs. */
import type { JournalHeader, JournalNote } from '../../firmware-host/journal/entry.ts';
import type { JournalTail } from '../../firmware-host/journal/entry-cut.ts';
import { type JournalRecord, lastTimeOf, type ReplicaEvent, turnsOf } from '../../protocol/record.ts';

const shownBytesMax = 16;
const shownCharactersMax = 80;

/** `time 2026-01-02 03:04:05.123456` in UTC: the pair's clock has microseconds, Date has not. */
export function timeText(timeUs: number): string {
  const seconds = Math.floor(timeUs / 1e6);
  const text = new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return `${text}.${String(timeUs - seconds * 1e6).padStart(6, '0')}`;
}

function bytesText(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, shownBytesMax)).toString('hex').replace(/..\B/g, '$& ');
  return `${bytes.length} bytes${shown === '' ? '' : `: ${shown}`}${bytes.length > shownBytesMax ? ' …' : ''}`;
}

/** Control characters made visible: a journal may hold anything, and a terminal obeys some of it. JSON leaves C1 and DEL. */
export function visibleText(text: string): string {
  const quoted = JSON.stringify(text).slice(1, -1);
  return quoted.replace(/[\u0080-\u009f\u007f]/g, (each) => `\\u00${each.charCodeAt(0).toString(16)}`);
}

function shortText(text: string): string {
  const visible = visibleText(text);
  return visible.length > shownCharactersMax ? `${visible.slice(0, shownCharactersMax)} …` : visible;
}

export function headerLines(file: string, header: JournalHeader): string[] {
  return [
    `journal  ${file}`,
    `history  ${shortText(header.historyId)}, begun ${timeText(header.startedAtMs * 1000)} UTC`,
    `program  ${shortText(header.program)}`,
    `bundle   ${shortText(header.bundleHash)}`,
    `runtime  ${Object.entries(header.runtime)
      .map(([key, value]) => `${key} ${shortText(String(value))}`)
      .join(', ')}`,
    '',
  ];
}

export function noteLine(note: JournalNote): string {
  const { kind, ...rest } = note;
  const facts = Object.entries(rest).map(([key, value]) => `${key} ${shortText(String(value))}`);
  return `note  ${kind}: ${facts.join(', ')}`;
}

function eventText(event: ReplicaEvent): string {
  switch (event.kind) {
    case 'start':
      return `start        ports ${event.ports.join(' ') || 'none'}; argv ${shortText(event.argv.join(' ')) || 'none'}`;
    case 'time':
      return 'time';
    case 'port-data':
      return `port-data    port ${event.port}, ${bytesText(event.bytes)}`;
    case 'completed':
      return `completed    request ${event.request} ${event.ok ? 'succeeded' : 'failed'}: ${shortText(event.result)}`;
    case 'port-lost':
      return `port-lost    port ${event.port}: ${shortText(event.reason)}`;
    case 'port-credit':
      return `port-credit  port ${event.port}, ${event.bytes} bytes`;
    case 'stdin':
      return `stdin        ${bytesText(event.bytes)}`;
    case 'stdin-end':
      return 'stdin-end';
    case 'signal':
      return `signal       ${shortText(event.signal)}`;
  }
}

function digestText(digest: number): string {
  return digest.toString(16).padStart(8, '0');
}

export function recordLine(turn: number, record: JournalRecord): string {
  if (record.kind === 'idle') {
    const last = turn + record.count - 1;
    return `turn  ${turn}..${last}  ${timeText(record.timeUs)}  idle         ${record.count} turns, ${record.stepUs} us apart`;
  }
  const values = record.values.length > 0 ? `  [values ${record.values.length} bytes]` : '';
  const outputs = record.hasOutputs ? `  [outputs, digest ${digestText(record.digest)}]` : '';
  return `turn  ${turn}  ${timeText(record.timeUs)}  ${eventText(record.event)}${values}${outputs}`;
}

function eventJson(event: ReplicaEvent): Record<string, unknown> {
  if (event.kind === 'port-data' || event.kind === 'stdin') {
    const { bytes, ...rest } = event;
    return { ...rest, base64: Buffer.from(bytes).toString('base64') };
  }
  return { ...event };
}

export function recordJson(turn: number, atByte: number, record: JournalRecord): Record<string, unknown> {
  const shared = {
    schema: 1,
    kind: record.kind,
    turn,
    turns: turnsOf(record),
    timeUs: record.timeUs,
    atByte,
  };
  if (record.kind === 'idle') return { ...shared, stepUs: record.stepUs, lastTimeUs: lastTimeOf(record) };
  return {
    ...shared,
    event: eventJson(record.event),
    valuesBase64: Buffer.from(record.values).toString('base64'),
    outputsDigest: record.hasOutputs ? digestText(record.digest) : null,
  };
}

export function tailLine(tail: JournalTail): string {
  if (tail === 'clean') return 'end   the last entry is complete';
  return `end   torn tail: ${tail.tornBytes} bytes from byte ${tail.tornAtByte} on were never completed (${tail.reason})`;
}
