import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame, FrameDecoder, type FrameItem, frameDelimiter, frameLineBytesMax } from './frame.ts';

const frameBytesMax = 96;
const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const payloads = fc.uint8Array({ minLength: 1, maxLength: frameBytesMax });
const widths = fc.constantFrom('crc16' as const, 'crc32' as const);
/** Bytes as a line gives them: noise, frames, frames with damage, stretches without end. */
const lineBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      payloads.map((payload) => encodeFrame(payload)),
      payloads.map((payload) => encodeFrame(payload).subarray(2)),
      payloads.map((payload) => encodeFrame(payload).slice(0, -1)),
      fc.integer({ min: 90, max: 500 }).map((length) => new Uint8Array(length).fill(0x55)),
    ),
    { maxLength: 8 },
  )
  .map((parts) => join(...parts));

function pushInChunks(decoder: FrameDecoder, bytes: Uint8Array, cuts: readonly number[]): FrameItem[] {
  const items: FrameItem[] = [];
  let position = 0;
  for (const cut of cuts) {
    items.push(...decoder.push(bytes.subarray(position, position + cut)));
    position = Math.min(bytes.length, position + cut);
  }
  return [...items, ...decoder.push(bytes.subarray(position))];
}

const cutsOf = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 30 });

describe('frames', () => {
  test('any payloads come back in order, whatever the chunks and the width of the check', () => {
    fc.assert(
      fc.property(fc.array(payloads, { maxLength: 6 }), cutsOf, widths, (list, cuts, crc) => {
        const line = join(frameDelimiter, ...list.map((payload) => encodeFrame(payload, crc)));
        const items = pushInChunks(new FrameDecoder({ frameBytesMax, crc }), line, cuts);
        expect(items).toEqual(list.map((payload) => ({ kind: 'frame', payload })));
      }),
    );
  });

  test('a frame takes no more of the line than stated', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1100 }), fc.nat(255), widths, (length, fill, crc) => {
        const line = encodeFrame(new Uint8Array(length).fill(fill), crc);
        expect(line.length).toBeLessThanOrEqual(frameLineBytesMax(length, crc));
        expect(line.indexOf(0)).toBe(line.length - 1);
      }),
    );
  });

  test('after any bytes the frame behind the next delimiter is received', () => {
    fc.assert(
      fc.property(lineBytes, cutsOf, payloads, (noise, cuts, payload) => {
        const decoder = new FrameDecoder({ frameBytesMax });
        pushInChunks(decoder, noise, cuts);
        decoder.push(frameDelimiter);
        expect(decoder.push(encodeFrame(payload))).toEqual([{ kind: 'frame', payload }]);
      }),
    );
  });

  test('the items do not depend on the chunks, and account for every byte', () => {
    fc.assert(
      fc.property(lineBytes, cutsOf, (bytes, cuts) => {
        const line = join(bytes, frameDelimiter);
        const items = pushInChunks(new FrameDecoder({ frameBytesMax }), line, cuts);
        expect(items).toEqual(new FrameDecoder({ frameBytesMax }).push(line));
        let accounted = line.filter((byte) => byte === 0).length;
        for (const item of items) {
          accounted += item.kind === 'frame' ? encodeFrame(item.payload).length - 1 : item.bytes;
        }
        expect(accounted).toBe(line.length);
      }),
    );
  });

  test('an endless stretch without delimiter is reported while it lasts, in pieces of one frame', () => {
    const decoder = new FrameDecoder({ frameBytesMax });
    const piece = frameLineBytesMax(frameBytesMax);
    const items = Array.from({ length: 1000 }, () => decoder.push(new Uint8Array(1000).fill(0xaa))).flat();
    expect(items.length).toBeGreaterThan(1_000_000 / piece - 2);
    expect(new Set(items.map((item) => JSON.stringify(item)))).toEqual(
      new Set([JSON.stringify({ kind: 'discarded', reason: 'FRAME_TOO_LONG', bytes: piece })]),
    );
  });

  test('the tail of a too long frame is no frame, even if it looks like one', () => {
    const tail = encodeFrame(Uint8Array.of(1, 2, 3));
    const piece = frameLineBytesMax(frameBytesMax);
    const items = new FrameDecoder({ frameBytesMax }).push(join(new Uint8Array(piece).fill(1), tail));
    expect(items).toEqual([
      { kind: 'discarded', reason: 'FRAME_TOO_LONG', bytes: piece },
      { kind: 'discarded', reason: 'FRAME_TOO_LONG', bytes: tail.length - 1 },
    ]);
  });

  test('a payload is the receiver’s own: later bytes do not change it', () => {
    const decoder = new FrameDecoder({ frameBytesMax });
    const line = encodeFrame(Uint8Array.of(1, 2, 3));
    const [item] = decoder.push(line);
    line.fill(9);
    decoder.push(encodeFrame(Uint8Array.of(7, 7, 7)));
    expect(item).toEqual({ kind: 'frame', payload: Uint8Array.of(1, 2, 3) });
  });

  test('reset drops the unfinished frame', () => {
    const decoder = new FrameDecoder({ frameBytesMax });
    decoder.push(Uint8Array.of(5, 1, 1));
    decoder.reset();
    expect(decoder.push(encodeFrame(Uint8Array.of(4)))).toEqual([
      { kind: 'frame', payload: Uint8Array.of(4) },
    ]);
  });

  test('limits are checked at the door', () => {
    expect(() => new FrameDecoder({ frameBytesMax: 0 })).toThrow(RangeError);
    expect(() => new FrameDecoder({ frameBytesMax: 65537 })).toThrow(RangeError);
    expect(() => encodeFrame(new Uint8Array(0))).toThrow(RangeError);
  });
});
