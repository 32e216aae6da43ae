import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FirmataMessage, FirmataParser } from './parser.ts';

function parse(bytes: number[], sysexBytesMax = 64): FirmataMessage[] {
  return [...new FirmataParser(sysexBytesMax).push(Uint8Array.from(bytes))];
}

test('short messages with two, one and no data bytes', () => {
  expect(parse([0x91, 0x05, 0x01, 0xc2, 0x01, 0xf9])).toEqual([
    { kind: 'short', command: 0x91, first: 5, second: 1 },
    { kind: 'short', command: 0xc2, first: 1, second: 0 },
    { kind: 'short', command: 0xf9, first: 0, second: 0 },
  ]);
});

test('a sysex keeps bytes of eight bits', () => {
  expect(parse([0xf0, 0x78, 0x50, 0xc3, 0xf7])).toEqual([
    { kind: 'sysex', id: 0x78, data: Uint8Array.of(0x50, 0xc3) },
  ]);
});

test('a torn sysex costs only itself', () => {
  expect(parse([0xf0, 0x71, 0x41, 0xf0, 0x79, 0xf7])).toEqual([
    { kind: 'malformed', reason: 'torn' },
    { kind: 'sysex', id: 0x79, data: Uint8Array.of() },
  ]);
});

test('a torn short message, stray data, empty and unknown messages are malformed', () => {
  const reasons = parse([0x91, 0x05, 0xc0, 0x01, 0x33, 0xf0, 0xf7, 0xf1]).map((message) =>
    message.kind === 'malformed' ? message.reason : message.kind,
  );
  expect(reasons).toEqual(['torn', 'short', 'stray-byte', 'empty', 'unknown-command']);
});

test('a sysex longer than the buffer is malformed, the next one is not', () => {
  const long = [0xf0, ...new Array<number>(100).fill(1), 0xf7];
  expect(parse([...long, 0xf0, 0x6b, 0xf7], 64)).toEqual([
    { kind: 'malformed', reason: 'too-long' },
    { kind: 'sysex', id: 0x6b, data: Uint8Array.of() },
  ]);
  const fits = [0xf0, ...new Array<number>(64).fill(1), 0xf7];
  expect(parse(fits, 64)[0]).toMatchObject({ kind: 'sysex' });
});

test('chunks do not matter', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 255 })), fc.integer({ min: 1, max: 7 }), (bytes, size) => {
      const parser = new FirmataParser(32);
      const inChunks: FirmataMessage[] = [];
      for (let i = 0; i < bytes.length; i += size) {
        inChunks.push(...parser.push(Uint8Array.from(bytes.slice(i, i + size))));
      }
      expect(inChunks).toEqual(parse(bytes, 32));
    }),
  );
});
