import { describe, expect, test } from 'vitest';
import { goldenStreamCases } from '../golden/golden-cases.test-rig.ts';
import { encodeStreamMessage, StreamReceiver } from './frames.ts';

const cases = goldenStreamCases();
const whole = cases.filter(({ decodeOnly }) => !decodeOnly);

describe('golden messages of the device stream', () => {
  test('the file has every message and every reason', () => {
    const items = cases.flatMap((golden) => golden.items);
    const kinds = items.map((item) => (item.kind === 'message' ? item.message.kind : item.reason));
    expect([...new Set(kinds)].toSorted()).toEqual(
      [
        ...['query', 'attach', 'data', 'input-ack', 'keepalive', 'resend', 'release'],
        ...['hello', 'attached', 'accepted', 'stale', 'input'],
        ...['FRAME_TOO_LONG', 'FRAME_COBS', 'FRAME_TOO_SHORT', 'FRAME_CRC'],
        ...['MESSAGE_UNKNOWN', 'MESSAGE_LENGTH'],
      ].toSorted(),
    );
  });

  test.each(cases)('$name', ({ line, items }) => {
    expect(new StreamReceiver().push(line)).toEqual(items);
    const bytewise = new StreamReceiver();
    expect([...line].flatMap((byte) => bytewise.push(Uint8Array.of(byte)))).toEqual(items);
  });

  test.each(whole)('encoding: $name', ({ line, items }) => {
    const [item] = items;
    if (items.length !== 1 || item?.kind !== 'message') throw new Error('a case to encode has one message');
    expect(encodeStreamMessage(item.message)).toEqual(line);
  });
});
