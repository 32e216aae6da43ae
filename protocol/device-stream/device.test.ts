import { describe, expect, test } from 'vitest';
import { DeviceController } from './controller.ts';
import { type DevicePort, FencedDevice, type FencedDeviceEffect } from './device.ts';
import { encodeStreamMessage, type StreamMessage, StreamReceiver } from './frames.ts';
import { effectsOf, kindsOf } from './stream-rig.fake.ts';

/** A device with board a attached under term 5, and a way to speak to it in messages. */
function attachedDevice() {
  const device = new FencedDevice({
    session: 9,
    heldTerm: 4,
    heldPort: 1,
    holdTimeMs: 100,
    windowBytes: 64,
    inputRingBytes: 64,
    bitsPerSecond: 115_200,
  });
  const say = (now: number, port: DevicePort, message: StreamMessage) =>
    device.step(now, { kind: 'bytes', port, bytes: encodeStreamMessage(message) });
  const attached = say(0, 0, { kind: 'attach', term: 5, session: 9, inputs: 0 });
  return { device, say, attached };
}

function answers(effects: readonly FencedDeviceEffect[], port: DevicePort): StreamMessage[] {
  return effectsOf(effects, 'transmit')
    .filter((effect) => effect.port === port)
    .flatMap((effect) => new StreamReceiver().push(effect.bytes))
    .map((item) => {
      expect(item.kind).toBe('message');
      return (item as typeof item & { kind: 'message' }).message;
    });
}

const data = (term: number, offset: number, length: number): StreamMessage => ({
  kind: 'data',
  term,
  offset,
  bytes: new Uint8Array(length).fill(offset),
});

describe('the fence', () => {
  test('the term is persisted before the answer that promises it', () => {
    const { attached } = attachedDevice();
    expect(kindsOf(attached)).toEqual([
      'session',
      'transmit',
      'transmit',
      'term',
      'attached',
      'transmit',
      'wake',
    ]);
  });

  test.each([
    ['a lower term on the same port', 4, 0],
    ['a lower term on the other port', 3, 1],
    ['the held term on the other port', 5, 1],
  ] as const)('%s is answered STALE, counted, and changes nothing', (_, term, port) => {
    const { device, say } = attachedDevice();
    for (const message of [
      data(term, 0, 3),
      { kind: 'keepalive', term },
      { kind: 'input-ack', term, offset: 0 },
      { kind: 'resend', term, offset: 0 },
      { kind: 'release', term },
      { kind: 'attach', term, session: 9, inputs: 0 },
    ] as const) {
      const effects = say(99, port, message);
      const bytes = message.kind === 'data' ? 3 : 0;
      expect(effectsOf(effects, 'rejected-stale')).toEqual([{ kind: 'rejected-stale', port, term, bytes }]);
      expect(answers(effects, port)).toEqual([{ kind: 'stale', heldTerm: 5 }]);
      expect(effectsOf(effects, 'output')).toEqual([]);
    }
    expect(device.attachedPort).toBe(0);
    // Nor does it keep the hold time from running out.
    expect(kindsOf(device.step(100, { kind: 'tick' }))).toContain('safe-state');
  });

  test('term 0 is nobody', () => {
    const device = new FencedDevice({
      session: 1,
      heldTerm: 0,
      holdTimeMs: 100,
      windowBytes: 64,
      inputRingBytes: 64,
      bitsPerSecond: 9600,
    });
    const bytes = encodeStreamMessage({ kind: 'attach', term: 0, session: 1, inputs: 0 });
    expect(kindsOf(device.step(0, { kind: 'bytes', port: 0, bytes }))).toContain('rejected-stale');
  });

  test('a greater term that has not attached is told the session and not heard', () => {
    const { say } = attachedDevice();
    const effects = say(1, 1, data(6, 0, 3));
    expect(answers(effects, 1)).toMatchObject([{ kind: 'hello', session: 9, attachedElsewhere: true }]);
    expect(effectsOf(effects, 'output')).toEqual([]);
  });
});

describe('the window', () => {
  test('what does not fit is not accepted and asked for again', () => {
    const { device, say } = attachedDevice();
    say(1, 0, data(5, 0, 40));
    const effects = say(2, 0, data(5, 40, 40));
    expect(effectsOf(effects, 'output').map((effect) => effect.bytes.length)).toEqual([24]);
    expect(answers(effects, 0)).toMatchObject([{ kind: 'accepted', outputs: 64, windowBytes: 0, gap: true }]);
    expect(answers(device.step(3, { kind: 'consumed', bytes: 31 }), 0)).toEqual([]);
    expect(answers(device.step(3, { kind: 'consumed', bytes: 1 }), 0)).toMatchObject([
      { kind: 'accepted', outputs: 64, windowBytes: 32 },
    ]);
    expect(() => device.step(4, { kind: 'consumed', bytes: 33 })).toThrow(RangeError);
  });

  test('a controller has at most that much on the way', () => {
    const controller = new DeviceController();
    const sent: number[] = [];
    const step = (now: number, input: Parameters<DeviceController['step']>[1]) => {
      for (const effect of controller.step(now, input)) {
        if (effect.kind !== 'transmit') continue;
        for (const item of new StreamReceiver().push(effect.bytes)) {
          if (item.kind === 'message' && item.message.kind === 'data') {
            sent.push(item.message.offset + item.message.bytes.length);
          }
        }
      }
    };
    const hear = (now: number, message: StreamMessage) =>
      step(now, { kind: 'bytes', bytes: encodeStreamMessage(message) });
    step(0, { kind: 'port-opened' });
    step(0, { kind: 'attach', term: 1, session: 9, inputsReceived: 0 });
    hear(1, { kind: 'attached', term: 1, session: 9, outputs: 0, windowBytes: 100, inputs: 0 });
    step(1, { kind: 'write', offset: 0, bytes: new Uint8Array(500) });
    for (let now = 2; now < 400; now += 2) step(now, { kind: 'tick' });
    // A full piece; the sliver behind it waits for the answer.
    expect(Math.max(...sent)).toBe(64);
    const rest = { windowBytes: 150, inputsSent: 0, inputsLost: 0, gap: false } as const;
    hear(400, { kind: 'accepted', outputs: 64, ...rest });
    for (let now = 402; now < 800; now += 2) step(now, { kind: 'tick' });
    expect(Math.max(...sent)).toBe(64 + 128);
  });
});

test('an ATTACHED waits for one INPUT at most: inputs are handed to the line at its pace', () => {
  const { device } = attachedDevice();
  device.step(10, { kind: 'produce', bytes: new Uint8Array(32) });
  const burst = device.step(10, { kind: 'produce', bytes: new Uint8Array(32) });
  expect(effectsOf(burst, 'transmit')).toEqual([]);
  const wake = effectsOf(burst, 'wake')[0]!;
  expect(wake.at).toBeGreaterThan(11);
  expect(answers(device.step(wake.at, { kind: 'tick' }), 0)).toMatchObject([{ kind: 'input', offset: 32 }]);
});

test('a session id is never 0, not even after 2^32 - 1', () => {
  const device = new FencedDevice({
    session: 0xffff_ffff,
    heldTerm: 0,
    holdTimeMs: 100,
    windowBytes: 64,
    inputRingBytes: 64,
    bitsPerSecond: 115_200,
  });
  const bytes = encodeStreamMessage({ kind: 'attach', term: 1, session: 0xffff_ffff, inputs: 0 });
  device.step(0, { kind: 'bytes', port: 0, bytes });
  expect(effectsOf(device.step(100, { kind: 'tick' }), 'session')).toEqual([{ kind: 'session', session: 1 }]);
});
