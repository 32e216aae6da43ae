import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toPairs } from '../../boards/simulated/messages.ts';
import { type Direction, FirmataPort } from './firmata-stream.ts';

type Chunk = [Direction, number[]];

function read(...chunks: Chunk[]): { texts: string[]; changes: string[] } {
  const port = new FirmataPort();
  const messages = chunks.flatMap(([direction, bytes]) => port.push(direction, Uint8Array.from(bytes)));
  return {
    texts: messages.map(({ text }) => text),
    changes: messages.flatMap(({ changes }) =>
      changes.map(({ direction, signal, value }) => `${direction} ${signal} ${value}`),
    ),
  };
}

const modeOf = (pin: number, mode: number): number[] => [0xf4, pin, mode];

describe('Firmata in a journal', () => {
  test('levels of a port belong to the pins of the direction', () => {
    const { changes, texts } = read(
      ['out', [...modeOf(8, 1), ...modeOf(9, 0), ...modeOf(10, 0x0b)]],
      ['out', [0x91, 0b0000_0001, 0]],
      ['in', [0x91, 0b0000_0111, 0]],
      ['out', [0x91, 0b0000_0001, 0]],
      ['in', [0x91, 0b0000_0101, 0]],
    );
    expect(changes).toEqual([
      'out D8.mode output',
      'out D9.mode input',
      'out D10.mode pullUp',
      'out D8 1',
      'in D9 1',
      'in D10 1',
      'in D9 0',
    ]);
    expect(texts.at(-1)).toBe('digital read pins 15..8 = 00000101');
  });

  test('a pin without a mode is an output that begins at 0', () => {
    expect(read(['out', [0x90, 0, 0]], ['out', [0x90, 0x10, 0]], ['out', [0x90, 0, 0]]).changes).toEqual([
      'out D4 1',
      'out D4 0',
    ]);
  });

  test('the eighth pin of a port is in the second byte', () => {
    expect(read(['out', [0x90, 0, 1]]).changes).toEqual(['out D7 1']);
  });

  test('a reset begins anew', () => {
    const { changes } = read(['out', [...modeOf(4, 0), 0xff, 0x90, 0x10, 0, 0xff, 0x90, 0x10, 0]]);
    expect(changes).toEqual(['out D4.mode input', 'out D4 1', 'out D4 1']);
  });

  test('analog values: channels in, pins out, extended pins, servos', () => {
    const { changes } = read(
      ['in', [0xe3, 0x7f, 0x07]],
      ['out', [0xe9, 0x12, 0x01]],
      ['out', [0xf0, 0x6f, 44, 0x7f, 0x01, 0xf7]],
      ['out', [0xf0, 0x70, 10, 0, 4, 0, 18, 0xf7, 0xea, 90, 0]],
    );
    expect(changes).toEqual([
      'in A3 1023',
      'out D9.pwm 146',
      'out D44.pwm 255',
      'out sysex.servoConfig 0a 00 04 00 12',
      'out D10.servo 90',
    ]);
  });

  test('a message may come in pieces over turns', () => {
    const { texts } = read(['in', [0xe0]], ['in', [0x05]], ['in', [0x01, 0xe1, 0]], ['in', [0]]);
    expect(texts).toEqual(['analog read A0 = 133', 'analog read A1 = 0']);
  });

  test('version, text and I2C in words', () => {
    const { texts } = read(
      ['out', [0xf9]],
      ['in', [0xf9, 2, 6]],
      ['in', [0xf0, 0x71, ...toPairs(Buffer.from('hi\u001b')), 0xf7]],
      ['out', [0xf0, 0x76, 0x27, 0, ...toPairs([0x0c, 0x80]), 0xf7]],
      ['in', [0xf0, 0x77, ...toPairs([0x27, 0x00, 0xff]), 0xf7]],
    );
    expect(texts).toEqual([
      'version asked',
      'version 2.6',
      'text "hi\\u001b"',
      'i2cRequest 0x27: 0c 80',
      'i2cReply 0x27: 00 ff',
    ]);
  });

  test('what is no Firmata is shown as it is, from there on', () => {
    const sentence = [...Buffer.from('$GPRMC,1\r\n')];
    const { texts, changes } = read(['in', sentence], ['out', [0xb5, 0x62, 6]], ['in', [0xe0, 1, 1]]);
    expect(texts).toEqual(['"$GPRMC,1\\r\\n"', 'b5 62 06', 'e0 01 01']);
    expect(changes[0]).toBe('in bytes $GPRMC,1\\r\\n');
  });

  test('any bytes in any pieces give text that a terminal may be shown', () => {
    const chunk = fc.tuple(
      fc.constantFrom<Direction>('in', 'out'),
      fc.array(fc.integer({ min: 0, max: 255 })),
    );
    fc.assert(
      fc.property(fc.array(chunk), (chunks) => {
        for (const text of read(...chunks).texts) expect(text).toMatch(/^[\u0020-\u007e\u00a0-\uffff]*$/);
      }),
    );
  });

  test('the pieces in which bytes come change nothing', () => {
    const short = fc.tuple(fc.constantFrom(0x90, 0x91, 0xe0, 0xe5), fc.nat(127), fc.nat(127));
    fc.assert(
      fc.property(fc.array(short), fc.infiniteStream(fc.integer({ min: 1, max: 5 })), (messages, sizes) => {
        const bytes = messages.flat();
        const pieces: Chunk[] = [];
        for (let at = 0; at < bytes.length; ) {
          const size = sizes.next().value as number;
          pieces.push(['out', bytes.slice(at, at + size)]);
          at += size;
        }
        expect(read(...pieces)).toEqual(read(['out', bytes]));
      }),
    );
  });
});
