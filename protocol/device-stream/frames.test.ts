import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DeviceController } from './controller.ts';
import { FencedDevice } from './device.ts';
import {
  decodeStreamMessage,
  encodeStreamMessage,
  expandOffset,
  offsetDistance,
  pieceBytesMax,
  type StreamMessage,
  StreamReceiver,
  streamPayloadBytesMax,
} from './frames.ts';

const session = 0xa1b2c3d4;

/** The examples of protocol/README.md §12.3. */
const golden: [string, StreamMessage][] = [
  ['00 04 01 d1 f1 00', { kind: 'query' }],
  [
    '00 03 02 07 01 01 07 d4 c3 b2 a1 2c 01 01 03 0b 82 00',
    { kind: 'attach', term: 7, session, inputs: 300 },
  ],
  [
    '03 03 07 01 01 03 e8 03 01 02 91 04 01 5d b2 00',
    { kind: 'data', term: 7, offset: 1000, bytes: Uint8Array.of(0x91, 0x00, 0x01) },
  ],
  ['03 04 07 01 01 03 38 01 01 03 9f dd 00', { kind: 'input-ack', term: 7, offset: 312 }],
  ['03 05 07 01 01 03 76 63 00', { kind: 'keepalive', term: 7 }],
  ['03 06 07 01 01 03 35 01 01 03 7e 22 00', { kind: 'resend', term: 7, offset: 309 }],
  ['03 07 07 01 01 03 f5 27 00', { kind: 'release', term: 7 }],
  [
    '00 08 81 01 d4 c3 b2 a1 06 01 01 02 01 06 01 e8 03 e8 4b 00',
    {
      kind: 'hello',
      version: 1,
      session,
      heldTerm: 6,
      safe: true,
      attachedHere: false,
      attachedElsewhere: false,
      windowBytes: 256,
      holdTimeMs: 1000,
    },
  ],
  [
    '03 82 07 01 01 07 d4 c3 b2 a1 e8 03 01 01 04 01 2c 01 01 03 37 39 00',
    { kind: 'attached', term: 7, session, outputs: 1000, windowBytes: 256, inputs: 300 },
  ],
  [
    '04 83 eb 03 01 02 fd 03 38 01 01 01 01 01 03 15 b5 00',
    { kind: 'accepted', outputs: 1003, windowBytes: 253, inputsSent: 312, inputsLost: 0, gap: false },
  ],
  ['03 84 08 01 01 03 19 3f 00', { kind: 'stale', heldTerm: 8 }],
  [
    '08 85 d4 c3 b2 a1 35 01 01 06 e0 34 02 58 ae 00',
    { kind: 'input', session, offset: 309, bytes: Uint8Array.of(0xe0, 0x34, 0x02) },
  ],
];

const bytesOf = (hex: string) => Uint8Array.from(hex.split(' '), (pair) => Number.parseInt(pair, 16));

describe('golden frames', () => {
  test.each(golden)('%s', (hex, message) => {
    expect(encodeStreamMessage(message)).toEqual(bytesOf(hex));
    expect(new StreamReceiver().push(bytesOf(hex))).toEqual([{ kind: 'message', message }]);
  });

  test('are the examples of the specification', () => {
    const specification = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const examples = specification.slice(
      specification.indexOf('### §12.3'),
      specification.indexOf('### §12.4'),
    );
    const lines = [...examples.matchAll(/\| `([0-9a-f]+)` \|/g)].map((match) => match[1]);
    expect(lines).toEqual(golden.map(([hex]) => hex.replaceAll(' ', '')));
  });

  test('every damaged single bit of every golden frame is noticed', () => {
    for (const [hex, message] of golden) {
      const bytes = bytesOf(hex);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const damaged = bytes.slice();
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        const messages = new StreamReceiver().push(damaged).filter((item) => item.kind === 'message');
        // A damaged leading delimiter may leave the frame behind it whole, but never makes another one of it.
        for (const item of messages) expect(item).toEqual({ kind: 'message', message });
      }
    }
  });
});

const u32 = fc.nat({ max: 0xffff_ffff });
const u16 = fc.nat({ max: 0xffff });
const piece = fc.uint8Array({ minLength: 1, maxLength: pieceBytesMax });
const anyMessage: fc.Arbitrary<StreamMessage> = fc.oneof(
  fc.constant({ kind: 'query' as const }),
  fc.record({ kind: fc.constant('attach' as const), term: u32, session: u32, inputs: u32 }),
  fc.record({ kind: fc.constant('data' as const), term: u32, offset: u32, bytes: piece }),
  fc.record({ kind: fc.constantFrom('input-ack' as const, 'resend' as const), term: u32, offset: u32 }),
  fc.record({ kind: fc.constantFrom('keepalive' as const, 'release' as const), term: u32 }),
  fc.record({
    kind: fc.constant('hello' as const),
    version: fc.nat({ max: 255 }),
    session: u32,
    heldTerm: u32,
    safe: fc.boolean(),
    attachedHere: fc.boolean(),
    attachedElsewhere: fc.boolean(),
    windowBytes: u16,
    holdTimeMs: u16,
  }),
  fc.record({
    kind: fc.constant('attached' as const),
    term: u32,
    session: u32,
    outputs: u32,
    windowBytes: u16,
    inputs: u32,
  }),
  fc.record({
    kind: fc.constant('accepted' as const),
    outputs: u32,
    windowBytes: u16,
    inputsSent: u32,
    inputsLost: u16,
    gap: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('stale' as const), heldTerm: u32 }),
  fc.record({ kind: fc.constant('input' as const), session: u32, offset: u32, bytes: piece }),
);

describe('messages', () => {
  test('what is encoded is decoded, however the line cuts it', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 6 }), fc.nat({ max: 40 }), (messages, cut) => {
        const receiver = new StreamReceiver();
        const line = messages.flatMap((message) => [...encodeStreamMessage(message)]);
        const items = [];
        for (let at = 0; at < line.length; at += cut + 1) {
          items.push(...receiver.push(Uint8Array.from(line.slice(at, at + cut + 1))));
        }
        expect(items).toEqual(messages.map((message) => ({ kind: 'message', message })));
      }),
    );
  });

  test('any payload is a message or is discarded with a reason', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: streamPayloadBytesMax }), (payload) => {
        const item = decodeStreamMessage(payload);
        if (item.kind === 'discarded') expect(['MESSAGE_UNKNOWN', 'MESSAGE_LENGTH']).toContain(item.reason);
        else expect(decodeStreamMessage(payload)).toEqual(item);
      }),
    );
  });

  test('offsets expand to the nearest full number', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 2 ** 45 }),
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        (near, distance) => {
          fc.pre(near + distance >= 0);
          expect(expandOffset((near + distance) % 2 ** 32, near)).toBe(near + distance);
          expect(offsetDistance((near + distance) % 2 ** 32, near)).toBe(distance);
        },
      ),
    );
  });
});

/** Noise, and whole messages that no honest peer would send at this moment. */
const hostileLine = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    anyMessage.map((message) => encodeStreamMessage(message)),
  ),
  { maxLength: 30 },
);

describe('hostile lines', () => {
  test('the device never throws, accepts nothing without a valid attach and answers no more than it hears', () => {
    fc.assert(
      fc.property(hostileLine, (chunks) => {
        const device = new FencedDevice({
          session: 1,
          heldTerm: 0xffff_ffff,
          heldPort: 1,
          holdTimeMs: 1000,
          windowBytes: 64,
          inputRingBytes: 64,
          bitsPerSecond: 115_200,
        });
        for (const [index, bytes] of chunks.entries()) {
          const effects = device.step(index * 100, { kind: 'bytes', port: 0, bytes });
          expect(effects.filter((effect) => effect.kind === 'output' || effect.kind === 'term')).toEqual([]);
          const answers = effects.filter((effect) => effect.kind === 'transmit').length;
          // Two HELLOs at start; the shortest frame has four bytes.
          expect(answers).toBeLessThanOrEqual(2 + bytes.length / 4);
        }
        expect(device.attachedPort).toBeNull();
        expect(device.session).toBe(1);
      }),
    );
  });

  test('an attached controller never throws and never delivers an input twice or out of order', () => {
    fc.assert(
      fc.property(hostileLine, (chunks) => {
        const controller = new DeviceController();
        controller.step(0, { kind: 'port-opened' });
        controller.step(0, { kind: 'attach', term: 5, session: 9, inputsReceived: 10 });
        const attached = encodeStreamMessage({
          kind: 'attached',
          term: 5,
          session: 9,
          outputs: 0,
          windowBytes: 64,
          inputs: 10,
        });
        controller.step(1, { kind: 'bytes', bytes: attached });
        controller.step(1, { kind: 'write', offset: 0, bytes: new Uint8Array(300) });
        let next = 10;
        let accepted = 0;
        for (const [index, bytes] of chunks.entries()) {
          for (const effect of controller.step(2 + index, { kind: 'bytes', bytes })) {
            if (effect.kind === 'input') {
              expect(effect.offset).toBe(next);
              next += effect.bytes.length;
            } else if (effect.kind === 'accepted') {
              expect(effect.offset).toBeGreaterThan(accepted);
              accepted = effect.offset;
            }
          }
          expect(controller.heldBytes).toBeLessThanOrEqual(300);
        }
        expect(accepted).toBeLessThanOrEqual(300);
      }),
    );
  });
});
