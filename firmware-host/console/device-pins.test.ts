import { expect, test } from 'vitest';
import { encodeOutputs, type Output } from '../../protocol/record.ts';
import { DevicePins } from './device-pins.ts';

const device = '/dev/ttyACM0';

function opened(): DevicePins {
  const pins = new DevicePins([device, '/dev/other']);
  write(pins, {
    kind: 'request',
    request: 0,
    operation: 'open',
    port: 3,
    argument: JSON.stringify({ path: device, baudRate: 57_600 }),
  });
  return pins;
}

function write(pins: DevicePins, ...outputs: Output[]): void {
  pins.see({ kind: 'outputs', outputs: encodeOutputs(outputs) });
}

const bytes = (...values: number[]): Output => ({ kind: 'write', port: 3, bytes: Uint8Array.from(values) });
const pin = (name: string, mode: string | null, value: number): object => ({ name, mode, value });

test('what the program writes names modes and values', () => {
  const pins = opened();
  // Pin 13 an output, high; pin 9 PWM 200; pin 20 a servo by the extended message.
  write(pins, bytes(0xf4, 13, 1, 0xf5, 13, 1), bytes(0xf4, 9, 3, 0xe9, 200 & 0x7f, 200 >> 7));
  write(pins, bytes(0xf4, 20, 4, 0xf0, 0x6f, 20, 1500 & 0x7f, 1500 >> 7, 0xf7));
  expect(pins.of(device)).toEqual([
    pin('D9', 'PWM', 200),
    pin('D13', 'OUTPUT', 1),
    pin('D20', 'SERVO', 1500),
  ]);
  expect(pins.of('/dev/other')).toEqual([]);
});

test('a port’s write is for its outputs, the device’s report for its inputs', () => {
  const pins = opened();
  write(pins, bytes(0xf4, 8, 1, 0xf4, 9, 11, 0x91, 0b11, 0));
  expect(pins.of(device)).toEqual([pin('D8', 'OUTPUT', 1), pin('D9', 'PULL_UP', 0)]);
  pins.see({ kind: 'input', port: 3, bytes: Uint8Array.of(0x91, 0b10, 0) });
  expect(pins.of(device)).toEqual([pin('D8', 'OUTPUT', 1), pin('D9', 'PULL_UP', 1)]);
});

test('a backup, which is told inputs ahead of the outputs before them, shows the same', () => {
  const pins = new DevicePins([device]);
  pins.see({ kind: 'input', port: 3, bytes: Uint8Array.of(0x91, 0b10, 0, 0xe0, 5, 0) });
  const opens = { kind: 'request', request: 0, operation: 'open', port: 3 } as const;
  write(pins, { ...opens, argument: JSON.stringify({ path: device }) }, bytes(0xf4, 9, 0));
  expect(pins.of(device)).toEqual([pin('D9', 'INPUT', 1), pin('A0', 'ANALOG', 5)]);
});

test('analog channels are named as such, and messages may come in pieces', () => {
  const pins = opened();
  write(pins, bytes(0xf4, 14, 2));
  for (const byte of [0xe0, 512 & 0x7f, 512 >> 7])
    pins.see({ kind: 'input', port: 3, bytes: Uint8Array.of(byte) });
  expect(pins.of(device)).toEqual([pin('A0', 'ANALOG', 512)]);
});

test('a new run of the program knows nothing of the last one', () => {
  const pins = opened();
  write(pins, bytes(0xf4, 13, 1, 0xf5, 13, 1));
  pins.see({ kind: 'started' });
  expect(pins.of(device)).toEqual([]);
  write(pins, bytes(0xf4, 13, 1));
  expect(pins.of(device)).toEqual([]);
});

test('noise takes neither memory nor sense', () => {
  const pins = opened();
  let state = 1;
  for (let round = 0; round < 200; round++) {
    const noise = Uint8Array.from({ length: 500 }, () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state >> 16;
    });
    write(pins, { kind: 'write', port: 3, bytes: noise });
    pins.see({ kind: 'input', port: 3, bytes: noise });
  }
  expect(pins.of(device).length).toBeLessThanOrEqual(128 + 16);
});
