import { describe, expect, test } from 'vitest';
import { encodeFrame, FrameDecoder } from './frame.ts';
import { goldenFrameCases } from './golden/golden-cases.test-rig.ts';

const cases = goldenFrameCases();

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
