import { describe, expect, test } from 'vitest';
import { Ds18b20, oneWireCrc8 } from '../chips/ds18b20.ts';
import { GpsReceiver } from '../chips/gps-receiver.ts';
import { unoProfile } from '../uno/profile.ts';
import { type DeviceRig, startDevice } from './device.test-rig.ts';
import type { I2cChip } from './i2c-bus.ts';
import { from7Bit, fromPairs, to7Bit, toPairs } from './messages.ts';

const uno = (): DeviceRig => startDevice({ profile: unoProfile });

/** A chip that notes what it is told and answers with register, register + 1, ... */
class NotingChip implements I2cChip {
  readonly written: number[][] = [];
  write(bytes: Uint8Array): void {
    this.written.push([...bytes]);
  }
  read(register: number | null, count: number): Uint8Array {
    return Uint8Array.from({ length: count }, (_, index) => (register ?? 0xf0) + index);
  }
}

describe('I2C', () => {
  function withChip(address: number): { rig: DeviceRig; chip: NotingChip } {
    const rig = uno();
    const chip = new NotingChip();
    rig.device.i2c.attach(address, chip);
    rig.sendSysex(0x78, 0x50, 0xc3);
    return { rig, chip };
  }

  test('is refused before it was configured', () => {
    const rig = uno();
    rig.sendSysex(0x76, 0x40, 0x00, 1, 0);
    expect(rig.takenSysex()[0]?.[0]).toBe(0x71);
  });

  test('configuration takes a delay of two bytes and both bus pins', () => {
    const { rig } = withChip(0x40);
    expect(rig.device.i2c.readDelayUs).toBe(50_000);
    expect([18, 19].map((number) => rig.device.pins.pin(number).mode)).toEqual([6, 6]);
  });

  test('write', () => {
    const { rig, chip } = withChip(0x40);
    rig.sendSysex(0x76, 0x40, 0x00, ...toPairs([0x06, 0xff, 0x80]));
    expect(chip.written).toEqual([[0x06, 0xff, 0x80]]);
    expect(rig.device.tracer.countOf('i2c-write')).toBe(1);
  });

  test('read once, with and without a register, and with a repeated start', () => {
    const { rig } = withChip(0x40);
    rig.sendSysex(0x76, 0x40, 0x08, ...toPairs([0x90, 2]));
    rig.sendSysex(0x76, 0x40, 0x48, ...toPairs([0x10, 1]));
    rig.sendSysex(0x76, 0x40, 0x08, ...toPairs([3]));
    expect(rig.takenSysex()).toEqual([
      [0x77, 0x40, 0, 0x10, 1, ...toPairs([0x90, 0x91])],
      [0x77, 0x40, 0, 0x10, 0, ...toPairs([0x10])],
      [0x77, 0x40, 0, 0, 0, ...toPairs([0xf0, 0xf1, 0xf2])],
    ]);
  });

  test('read continuously until told to stop', () => {
    const { rig } = withChip(0x40);
    rig.sendSysex(0x76, 0x40, 0x10, ...toPairs([0x00, 1]));
    expect(rig.takenSysex()).toEqual([]);
    rig.runUntil(19 * 4);
    expect(rig.takenSysex()).toHaveLength(4);
    rig.sendSysex(0x76, 0x40, 0x18);
    rig.runUntil(19 * 8);
    expect(rig.takenSysex()).toEqual([]);
  });

  test('at most eight continuous reads', () => {
    const { rig } = withChip(0x40);
    for (let i = 0; i < 9; i++) rig.sendSysex(0x76, 0x40, 0x10, ...toPairs([i, 1]));
    expect(rig.takenSysex()).toHaveLength(1);
    rig.runUntil(19);
    expect(rig.takenSysex()).toHaveLength(8);
  });

  test('ten-bit addresses', () => {
    const { rig, chip } = withChip(0x2c5);
    rig.sendSysex(0x76, 0x45, 0x20 | 0x05, ...toPairs([7]));
    expect(chip.written).toEqual([[7]]);
    rig.sendSysex(0x76, 0x45, 0x28 | 0x05, ...toPairs([1]));
    expect(rig.takenSysex()[0]?.slice(0, 3)).toEqual([0x77, 0x45, 0x05]);
  });

  test('malformed requests are counted and do nothing', () => {
    const { rig, chip } = withChip(0x40);
    rig.sendSysex(0x76, 0x40);
    rig.sendSysex(0x76, 0x40, 0x00, 1);
    rig.sendSysex(0x76, 0x40, 0x08, 1, 0, 1, 0, 1, 0);
    expect(rig.device.malformedCount).toBe(3);
    expect(chip.written).toEqual([]);
  });
});

describe('one-wire', () => {
  const pin = 10;
  function withThermometers(): { rig: DeviceRig; parts: Ds18b20[] } {
    const rig = uno();
    const parts = [new Ds18b20(0x01_02_03_04_05_06, 72), new Ds18b20(0x99, 90)];
    for (const part of parts) rig.device.oneWire.attach(pin, part);
    rig.sendSysex(0x73, 0x41, pin, 1);
    return { rig, parts };
  }
  const request = (bits: number, ...content: number[]) => [bits, pin, ...to7Bit(content)];
  const answer = (message: number[] | undefined) => [...from7Bit(Uint8Array.from(message!.slice(3)))];

  test('search finds every part with a valid code', () => {
    const { rig, parts } = withThermometers();
    rig.sendSysex(0x73, 0x40, pin);
    const codes = answer(rig.takenSysex()[0]);
    expect(codes).toEqual(parts.flatMap((part) => [...part.code]));
    expect(codes.slice(0, 7)).toEqual([0x28, 6, 5, 4, 3, 2, 1]);
    expect(oneWireCrc8(Uint8Array.from(codes.slice(0, 8)))).toBe(0);
  });

  test('alarm search finds those beyond their limits', () => {
    const { rig, parts } = withThermometers();
    rig.sendSysex(0x73, ...request(0x23, 0x44));
    rig.runUntil(800);
    rig.sendSysex(0x73, 0x44, pin);
    expect(answer(rig.takenSysex()[0])).toEqual([...parts[1]!.code]);
  });

  test('skip, convert, delay, then select and read the scratchpad with its CRC', () => {
    const { rig, parts } = withThermometers();
    rig.sendSysex(0x73, ...request(0x23, 0x44));
    rig.sendSysex(0x73, ...request(0x10, 0xee, 0x02, 0, 0));
    rig.sendSysex(0x73, ...request(0x2d, ...parts[0]!.code, 9, 0, 0x34, 0x12, 0xbe));
    rig.runUntil(749);
    expect(rig.takenSysex()).toEqual([]);
    rig.runUntil(750);
    const [low, high, ...scratchpad] = answer(rig.takenSysex()[0]);
    expect([low, high]).toEqual([0x34, 0x12]);
    expect(scratchpad.slice(0, 2)).toEqual([0x80, 0x04]);
    expect(oneWireCrc8(Uint8Array.from(scratchpad))).toBe(0);
  });

  test('before a conversion it reads 85 degrees, an absent part reads as ones', () => {
    const { rig, parts } = withThermometers();
    rig.sendSysex(0x73, ...request(0x2d, ...parts[0]!.code, 2, 0, 0, 0, 0xbe));
    rig.sendSysex(0x73, ...request(0x2d, 0x28, 7, 7, 7, 7, 7, 7, 7, 2, 0, 0, 0, 0xbe));
    const [present, absent] = rig.takenSysex().map(answer);
    expect(present!.slice(2)).toEqual([0x50, 0x05]);
    expect(absent!.slice(2)).toEqual([0xff, 0xff]);
  });

  test('a bus that was not configured, or too little content, is malformed', () => {
    const { rig } = withThermometers();
    rig.sendSysex(0x73, 0x40, 3);
    rig.sendSysex(0x73, ...request(0x04, 1, 2));
    expect(rig.device.malformedCount).toBe(2);
  });
});

describe('serial', () => {
  test('a receiver of the same speed is read continuously, until stop', () => {
    const rig = uno();
    rig.device.serial.attach(8, new GpsReceiver());
    rig.sendSysex(0x60, 0x18, 9600 & 0x7f, (9600 >> 7) & 0x7f, 0, 11, 10);
    rig.sendSysex(0x60, 0x38, 0);
    rig.runUntil(2500);
    const bytes = rig.takenSysex().flatMap((message) => {
      expect(message.slice(0, 2)).toEqual([0x60, 0x48]);
      return [...fromPairs(Uint8Array.from(message.slice(2)))];
    });
    const sentences = String.fromCharCode(...bytes)
      .trim()
      .split('\r\n');
    expect(sentences.map((sentence) => sentence.slice(0, 6))).toEqual([
      '$GPRMC',
      '$GPGGA',
      '$GPRMC',
      '$GPGGA',
    ]);
    rig.sendSysex(0x60, 0x38, 1);
    rig.runUntil(5000);
    expect(rig.takenSysex()).toEqual([]);
  });

  test('a wrong speed hears nothing; a port that is not open is malformed', () => {
    const rig = uno();
    const gps = new GpsReceiver();
    rig.device.serial.attach(8, gps);
    rig.sendSysex(0x60, 0x28, ...toPairs([1]));
    expect(rig.device.malformedCount).toBe(1);
    rig.sendSysex(0x60, 0x18, 4800 & 0x7f, 4800 >> 7, 0, 11, 10);
    rig.sendSysex(0x60, 0x38, 0);
    rig.sendSysex(0x60, 0x28, ...toPairs([1]));
    rig.runUntil(3000);
    expect(rig.takenSysex()).toEqual([]);
    expect(gps.receivedBytes).toBe(0);
  });
});

describe('ping', () => {
  const timeout = toPairs([0, 0x0f, 0x42, 0x40]);
  test('answers when the echo is back, or with 0 after the timeout', () => {
    const rig = uno();
    rig.device.pins.pin(7).echoUs = 2000;
    rig.sendSysex(0x75, 7, 1, ...toPairs([0, 0, 0, 5]), ...timeout);
    rig.sendSysex(0x75, 8, 1, ...toPairs([0, 0, 0, 5]), ...timeout);
    rig.runUntil(1.9);
    expect(rig.takenSysex()).toEqual([]);
    rig.runUntil(2);
    expect(rig.takenSysex()).toEqual([[0x75, ...toPairs([7, 0, 0, 0x07, 0xd0])]]);
    rig.runUntil(1000);
    expect(rig.takenSysex()).toEqual([[0x75, ...toPairs([8, 0, 0, 0, 0])]]);
  });
});
