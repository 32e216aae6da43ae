/**
 * Reads the golden vectors of this folder, for every test that holds an implementation against them, in whatever language
 * that implementation is. The head of each file describes its format.
 */
import { readFileSync } from 'node:fs';
import type { StreamItem, StreamMessage } from '../device-stream/frames.ts';
import type { FrameCrc, FrameItem } from '../frame.ts';

export interface GoldenFrameCase {
  name: string;
  crc: FrameCrc;
  frameBytesMax: number;
  line: Uint8Array;
  items: FrameItem[];
}

export interface GoldenStreamCase {
  name: string;
  line: Uint8Array;
  /** As they stand in the file, for an implementation that prints them. */
  rows: string[];
  items: StreamItem[];
  decodeOnly: boolean;
}

export const bytesOfHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

const textOf = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

export function goldenFrameCases(): GoldenFrameCase[] {
  const cases: GoldenFrameCase[] = [];
  for (const row of textOf('frames.txt').split('\n')) {
    const [word, ...rest] = row.split(' ');
    const golden = cases.at(-1)!;
    if (row === '' || word === '#') continue;
    if (word === 'case') {
      const name = rest.join(' ');
      cases.push({ name, crc: 'crc32', frameBytesMax: 0, line: new Uint8Array(0), items: [] });
    } else if (word === 'crc') golden.crc = rest[0] as FrameCrc;
    else if (word === 'max') golden.frameBytesMax = Number(rest[0]);
    else if (word === 'line') golden.line = bytesOfHex(rest[0]!);
    else if (word === 'frame') golden.items.push({ kind: 'frame', payload: bytesOfHex(rest[0]!) });
    else if (word === 'discarded') {
      const [reason, bytes] = rest;
      golden.items.push({ kind: 'discarded', reason, bytes: Number(bytes) } as FrameItem);
    } else throw new Error(`golden/frames.txt: unknown row ${row}`);
  }
  return cases;
}

export function goldenStreamCases(): GoldenStreamCase[] {
  const cases: GoldenStreamCase[] = [];
  for (const row of textOf('device-stream.txt').split('\n')) {
    const [word, ...rest] = row.split(' ');
    const golden = cases.at(-1)!;
    if (row === '' || word === '#') continue;
    if (word === 'case') {
      const name = rest.join(' ');
      cases.push({ name, line: new Uint8Array(0), rows: [], items: [], decodeOnly: false });
    } else if (word === 'line') golden.line = bytesOfHex(rest[0]!);
    else if (word === 'decode-only') golden.decodeOnly = true;
    else if (word === 'message' || word === 'discarded') {
      golden.rows.push(row);
      golden.items.push(
        word === 'message'
          ? { kind: 'message', message: messageOf(rest) }
          : ({ kind: 'discarded', reason: rest[0] } as StreamItem),
      );
    } else throw new Error(`golden/device-stream.txt: unknown row ${row}`);
  }
  return cases;
}

const flags: ReadonlySet<string> = new Set(['safe', 'attachedHere', 'attachedElsewhere', 'gap']);

function messageOf([kind, ...fields]: string[]): StreamMessage {
  const message: Record<string, unknown> = { kind };
  for (const field of fields) {
    const [name, value] = field.split('=') as [string, string];
    if (name === 'bytes') message[name] = bytesOfHex(value);
    else message[name] = flags.has(name) ? value === '1' : Number(value);
  }
  return message as unknown as StreamMessage;
}
