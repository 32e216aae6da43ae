import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from './bytes.ts';
import { readFrames, writeAcknowledgement, writeData, writeHeartbeat } from './session-frames.ts';

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

describe('session frames', () => {
  test('the example of protocol/README.md §7.2', () => {
    const writer = new ByteWriter();
    writeAcknowledgement(writer, {
      kind: 'acknowledgement',
      cumulative: 300,
      received: 302,
      ranges: [{ from: 304, to: 306 }],
    });
    writeHeartbeat(writer, {
      kind: 'heartbeat',
      counter: 7,
      echo: 6,
      heldEighthsMs: 20,
      payloadVersion: 2,
      knownVersion: 1,
      payload: Uint8Array.of(0xaa),
    });
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const fragments = [
      { sequence: 12, first: true, last: true, bytes: bytes('on') },
      { sequence: 13, first: true, last: false, bytes: bytes('of') },
    ];
    writeData(writer, fragments, 0, 2);
    expect(hexOf(writer.finish())).toBe('01ac02020101020207061402010' + '1aa040c020b6f6e096f66');
    expect(readFrames(writer.finish())?.map(({ kind }) => kind)).toEqual([
      'acknowledgement',
      'heartbeat',
      'data',
    ]);
  });

  test('every frame is read as it was written', () => {
    const number = fc.nat({ max: 2 ** 30 });
    const acknowledgement = fc
      .tuple(
        number,
        number,
        fc.array(fc.tuple(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 }))),
      )
      .map(([cumulative, more, steps]) => {
        let position = cumulative + more + 1;
        const ranges = steps.map(([gap, length]) => {
          const from = position + gap;
          position = from + length;
          return { from, to: position };
        });
        return { kind: 'acknowledgement' as const, cumulative, received: cumulative + more, ranges };
      });
    const heartbeat = fc.record({
      kind: fc.constant('heartbeat' as const),
      counter: number,
      echo: number,
      heldEighthsMs: number,
      payloadVersion: number,
      knownVersion: number,
      payload: fc.option(fc.uint8Array({ maxLength: 200 })),
    });
    const fragment = fc.record({
      first: fc.boolean(),
      last: fc.boolean(),
      bytes: fc.uint8Array({ maxLength: 90 }),
    });
    const data = fc
      .tuple(fc.integer({ min: 1, max: 2 ** 40 }), fc.array(fragment, { minLength: 1, maxLength: 9 }))
      .map(([first, parts]) => ({
        kind: 'data' as const,
        fragments: parts.map((part, index) => ({ sequence: first + index, ...part })),
      }));
    fc.assert(
      fc.property(fc.array(fc.oneof(acknowledgement, heartbeat, data), { minLength: 1 }), (frames) => {
        const writer = new ByteWriter();
        for (const frame of frames) {
          if (frame.kind === 'acknowledgement') writeAcknowledgement(writer, frame);
          else if (frame.kind === 'heartbeat') writeHeartbeat(writer, frame);
          else writeData(writer, frame.fragments, 0, frame.fragments.length);
        }
        expect(readFrames(writer.finish())).toEqual(frames);
      }),
    );
  });

  test.each([
    ['empty', []],
    ['unknown tag', [9]],
    ['cut off acknowledgement', [1, 5, 0]],
    ['range without a gap before it', [1, 0, 0, 1, 0, 1]],
    ['empty range', [1, 0, 0, 1, 1, 0]],
    ['more ranges than bytes', [1, 0, 0, 0xff, 0xff, 0x7f, 1, 1]],
    ['heartbeat payload longer than the datagram', [2, 1, 0, 0, 1, 0, 9, 1]],
    ['data from sequence 0', [4, 0, 1, 0]],
    ['data without fragments', [4, 1, 0]],
    ['more fragments than bytes', [4, 1, 0xff, 0xff, 0x7f]],
    ['fragment longer than the datagram', [4, 1, 1, 41, 0]],
  ])('%s is not a datagram of ours', (_, bytes) => {
    expect(readFrames(Uint8Array.from(bytes))).toBeNull();
  });

  test('no bytes throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        readFrames(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});
