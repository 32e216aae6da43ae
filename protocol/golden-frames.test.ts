import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encodeFrame, type FrameCrc, FrameDecoder, type FrameItem } from './frame.ts';

interface GoldenCase {
  name: string;
  crc: FrameCrc;
  frameBytesMax: number;
  line: Uint8Array;
  items: FrameItem[];
}

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

function readCases(text: string): GoldenCase[] {
  const cases: GoldenCase[] = [];
  for (const row of text.split('\n')) {
    const [word, ...rest] = row.split(' ');
    const golden = cases.at(-1)!;
    if (row === '' || word === '#') continue;
    if (word === 'case') {
      cases.push({
        name: rest.join(' '),
        crc: 'crc32',
        frameBytesMax: 0,
        line: new Uint8Array(0),
        items: [],
      });
    } else if (word === 'crc') golden.crc = rest[0] as FrameCrc;
    else if (word === 'max') golden.frameBytesMax = Number(rest[0]);
    else if (word === 'line') golden.line = bytesOf(rest[0]!);
    else if (word === 'frame') golden.items.push({ kind: 'frame', payload: bytesOf(rest[0]!) });
    else if (word === 'discarded') {
      const [reason, bytes] = rest;
      golden.items.push({ kind: 'discarded', reason, bytes: Number(bytes) } as FrameItem);
    } else throw new Error(`golden/frames.txt: unknown row ${row}`);
  }
  return cases;
}

const cases = readCases(readFileSync(new URL('./golden/frames.txt', import.meta.url), 'utf8'));

describe('golden frames', () => {
  test('the file has good and damaged cases', () => {
    expect(cases.length).toBeGreaterThan(30);
    const reasons = cases.flatMap(({ items }) => items.map((i) => (i.kind === 'frame' ? 'frame' : i.reason)));
    expect(new Set(reasons)).toEqual(
      new Set(['frame', 'FRAME_TOO_LONG', 'FRAME_COBS', 'FRAME_CRC', 'FRAME_TOO_SHORT']),
    );
  });

  test.each(cases)('$name', ({ crc, frameBytesMax, line, items }) => {
    expect(new FrameDecoder({ frameBytesMax, crc }).push(line)).toEqual(items);
    const bytewise = new FrameDecoder({ frameBytesMax, crc });
    expect([...line].flatMap((byte) => bytewise.push(Uint8Array.of(byte)))).toEqual(items);
  });

  test.each(
    cases.filter(({ items }) => items.length === 1 && items[0]!.kind === 'frame'),
  )('encoding: $name', (golden) => {
    const [item] = golden.items;
    const encoded = Buffer.from(encodeFrame((item as { payload: Uint8Array }).payload, golden.crc));
    const line = Buffer.from(golden.line).subarray(golden.line[0] === 0 ? 1 : 0);
    if (golden.name.includes('closed with 01')) expect(encoded.length).toBe(line.length - 1);
    else expect(encoded.toString('hex')).toBe(line.toString('hex'));
  });
});
