/** The tap beside the reference model: what it reads off the lines must be what the model did. */
import { describe, expect, test } from 'vitest';
import {
  type DevicePort,
  FencedDevice,
  type FencedDeviceEffect,
} from '../../../protocol/device-stream/device.ts';
import { type ControllerMessage, encodeStreamMessage } from '../../../protocol/device-stream/frames.ts';
import { StreamTap, type TapEvent } from './stream-tap.ts';

function tapped() {
  const device = new FencedDevice({
    session: 7,
    heldTerm: 3,
    holdTimeMs: 100,
    windowBytes: 128,
    inputRingBytes: 128,
    bitsPerSecond: 115_200,
  });
  const heard: TapEvent[] = [];
  const done: FencedDeviceEffect[] = [];
  const tap = new StreamTap((event) => heard.push(event));
  const step = (now: number, input: Parameters<FencedDevice['step']>[1]): void => {
    for (const effect of device.step(now, input)) {
      done.push(effect);
      if (effect.kind === 'transmit') tap.fromDevice(effect.port, effect.bytes);
    }
  };
  const say = (now: number, port: DevicePort, message: ControllerMessage): void => {
    const bytes = encodeStreamMessage(message);
    tap.fromBoard(port, bytes);
    step(now, { kind: 'bytes', port, bytes });
  };
  step(0, { kind: 'tick' });
  return { heard, done, tap, step, say };
}

const data = (term: number, offset: number, ...bytes: number[]): ControllerMessage => ({
  kind: 'data',
  term,
  offset,
  bytes: Uint8Array.from(bytes),
});

describe('stream tap', () => {
  test('sessions, terms, outputs, repeats, gaps, stale frames and a release are told as the model did them', () => {
    const { heard, done, say, step } = tapped();
    say(1, 0, { kind: 'attach', term: 4, session: 7, inputs: 0 });
    say(2, 0, data(4, 0, 1, 2, 3));
    say(3, 0, data(4, 1, 2, 3, 4));
    say(4, 0, data(4, 9, 99));
    say(5, 1, { kind: 'attach', term: 5, session: 7, inputs: 0 });
    say(6, 0, data(4, 4, 66, 67));
    say(7, 1, data(5, 4, 5));
    step(8, { kind: 'produce', bytes: Uint8Array.of(10, 11) });
    say(9, 1, { kind: 'release', term: 5 });
    const outputs = done.filter((effect) => effect.kind === 'output').flatMap(({ bytes }) => [...bytes]);
    expect(outputs).toEqual([1, 2, 3, 4, 5]);
    const told = heard.filter((event) => event.kind === 'output');
    expect(told.flatMap(({ bytes }) => [...bytes])).toEqual(outputs);
    expect(told.map(({ port, term, session }) => [port, term, session])).toEqual([
      [0, 4, 7],
      [0, 4, 7],
      [1, 5, 7],
    ]);
    expect(heard.filter((event) => event.kind === 'rejected-stale')).toEqual([
      { kind: 'rejected-stale', port: 0, term: 4, bytes: 2 },
    ]);
    expect(heard.filter((event) => event.kind === 'input')).toEqual([{ kind: 'input', bytes: 2 }]);
    expect(heard.at(-1)).toEqual({ kind: 'released', port: 1, term: 5 });
    expect(heard.some((event) => event.kind === 'output-unseen')).toBe(false);
  });

  test('the hold time over: a new session from its first byte', () => {
    const { heard, say, step } = tapped();
    say(1, 0, { kind: 'attach', term: 4, session: 7, inputs: 0 });
    say(2, 0, data(4, 0, 1, 2));
    step(200, { kind: 'tick' });
    say(201, 0, { kind: 'attach', term: 4, session: 8, inputs: 0 });
    say(202, 0, data(4, 0, 9));
    expect(heard.filter((event) => event.kind === 'session')).toEqual([
      { kind: 'session', session: 7, heldTerm: 3, safe: true },
      { kind: 'session', session: 8, heldTerm: 4, safe: true },
    ]);
    expect(heard.at(-1)).toMatchObject({ kind: 'output', session: 8, bytes: Uint8Array.of(9) });
  });

  test('an output that was accepted but not acknowledged before a takeover is told with the new holder', () => {
    const { heard, tap, say } = tapped();
    say(1, 0, { kind: 'attach', term: 4, session: 7, inputs: 0 });
    // The device has it, its answer is lost: the tap sees only what the board said.
    tap.fromBoard(0, encodeStreamMessage(data(4, 0, 1, 2, 3)));
    tap.fromDevice(
      1,
      encodeStreamMessage({ kind: 'attached', term: 5, session: 7, outputs: 3, windowBytes: 125, inputs: 0 }),
    );
    expect(heard.filter((event) => event.kind === 'output')).toMatchObject([
      { port: 0, bytes: Uint8Array.of(1, 2, 3) },
    ]);
  });

  test('a count that covers bytes which nobody sent is a fault', () => {
    const { heard, tap, say } = tapped();
    say(1, 0, { kind: 'attach', term: 4, session: 7, inputs: 0 });
    tap.fromDevice(
      0,
      encodeStreamMessage({
        kind: 'accepted',
        outputs: 5,
        windowBytes: 123,
        inputsSent: 0,
        inputsLost: 0,
        gap: false,
      }),
    );
    expect(heard).toContainEqual({ kind: 'output-unseen', port: 0, offset: 0, bytes: 5 });
  });
});
