/** I2C and one-wire of the machine code, with the chips and thermometers of boards/chips on emulated wires. */
import { describe, expect, test } from 'vitest';
import { Ds18b20 } from '../../chips/ds18b20.ts';
import { RegisterChip } from '../../chips/register-chip.ts';
import { from7Bit, fromPairs, to7Bit, toPairs } from '../../simulated/messages.ts';
import { wireOfPin } from '../emulator/arduino-pins.ts';
import { OneWireLine } from '../emulator/one-wire-line.ts';
import { type FirmwareRig, startAttached } from './firmware.test-rig.ts';

const i2cRequest = 0x76;
const i2cReply = 0x77;
const i2cConfig = 0x78;
const oneWire = 0x73;
const write = 0x00;
const readOnce = 0x08;
const readContinuously = 0x10;
const stopReading = 0x18;
const restart = 0x40;

/** Registers that hold what was written to them. */
class Memory extends RegisterChip {
  protected powerOn(): void {}
  protected refresh(): void {}
  protected override written(register: number, value: number): void {
    this.registers[register] = value;
  }
}

function textOf(sysex: readonly number[]): string {
  return String.fromCharCode(...fromPairs(Uint8Array.from(sysex.slice(1))));
}

/** Of an I2C reply: address, register, bytes. */
function replyOf(sysex: readonly number[]): [number, number, number[]] {
  expect(sysex[0]).toBe(i2cReply);
  const bytes = [...fromPairs(Uint8Array.from(sysex.slice(1)))];
  return [bytes[0]!, bytes[1]!, bytes.slice(2)];
}

describe('I2C', () => {
  function withMemory(): { rig: FirmwareRig; written: number[][] } {
    const rig = startAttached();
    const written: number[][] = [];
    rig.machine.i2c.attach(0x50, new Memory());
    rig.machine.i2c.onWrite = (address, bytes) => written.push([address, ...bytes]);
    rig.sendSysex(0, i2cConfig, 0, 0);
    return { rig, written };
  }

  test('before it is configured it says so', () => {
    const rig = startAttached();
    rig.sendSysex(0, i2cRequest, 0x50, write, ...toPairs([1]));
    rig.run(20);
    expect(rig.takenSysex(0).map(textOf)).toEqual(['I2C: not configured']);
  });

  test.each([
    ['with a stop between', 0],
    ['with a repeated start', restart],
  ])('writes and reads a register, %s', (_, flags) => {
    const { rig, written } = withMemory();
    rig.sendSysex(0, i2cRequest, 0x50, write, ...toPairs([0x20, 0xa5, 0xff, 0x00]));
    rig.sendSysex(0, i2cRequest, 0x50, readOnce | flags, 0x20, 0, 3, 0);
    rig.run(20);
    expect(written).toContainEqual([0x50, 0x20, 0xa5, 0xff, 0x00]);
    expect(rig.takenSysex(0).map(replyOf)).toEqual([[0x50, 0x20, [0xa5, 0xff, 0x00]]]);
  });

  test('reads on without a register, and 64 bytes at once', () => {
    const { rig } = withMemory();
    const bytes = Array.from({ length: 64 }, (_, index) => (index * 37) & 0xff);
    rig.sendSysex(0, i2cRequest, 0x50, write, ...toPairs([0, ...bytes]));
    rig.sendSysex(0, i2cRequest, 0x50, write, ...toPairs([0]));
    rig.sendSysex(0, i2cRequest, 0x50, readOnce, 64, 0);
    rig.run(60);
    expect(rig.takenSysex(0).map(replyOf)).toEqual([[0x50, 0, bytes]]);
  });

  test('waits the configured delay between register and read', () => {
    const { rig } = withMemory();
    rig.sendSysex(0, i2cConfig, 0x20, 0x4e); // 20,000 us
    const from = rig.machine.timeMs;
    rig.write(0, 0xf0, i2cRequest, 0x50, readOnce, 0, 0, 1, 0, 0xf7);
    rig.runUntil('reply', () => rig.takenSysex(0).length === 1);
    expect(rig.machine.timeMs - from).toBeGreaterThan(20);
    expect(rig.machine.timeMs - from).toBeLessThan(28);
  });

  test('a chip that is not there is reported, and costs nothing that follows', () => {
    const { rig } = withMemory();
    rig.sendSysex(0, i2cRequest, 0x51, write, ...toPairs([1, 2]));
    rig.sendSysex(0, i2cRequest, 0x51, readOnce, 1, 0, 2, 0);
    rig.sendSysex(0, i2cRequest, 0x50, readOnce, 1, 0, 1, 0);
    rig.run(30);
    const [complaint, missing, present] = rig.takenSysex(0);
    expect(textOf(complaint!)).toBe('I2C: Too few bytes received');
    expect([replyOf(missing!), replyOf(present!)]).toEqual([
      [0x51, 1, [0, 0]],
      [0x50, 1, [0]],
    ]);
  });

  test('reads continuously at the sampling interval until told to stop', () => {
    const { rig } = withMemory();
    rig.machine.i2c.attach(0x48, new Memory());
    rig.sendSysex(0, i2cRequest, 0x48, write, ...toPairs([0, 0x19, 0x80]));
    rig.send(0, 0xf0, 0x7a, 20, 0, 0xf7);
    rig.sendSysex(0, i2cRequest, 0x48, readContinuously, 0, 0, 2, 0);
    rig.sendSysex(0, i2cRequest, 0x50, readContinuously, 5, 0, 1, 0);
    rig.run(210);
    const replies = rig.takenSysex(0).map(replyOf);
    const ofChip = (address: number) => replies.filter((reply) => reply[0] === address);
    for (const address of [0x48, 0x50]) {
      expect(ofChip(address).length).toBeGreaterThanOrEqual(9);
      expect(ofChip(address).length).toBeLessThanOrEqual(12);
    }
    expect(ofChip(0x48)[0]).toEqual([0x48, 0, [0x19, 0x80]]);
    rig.sendSysex(0, i2cRequest, 0x48, stopReading);
    rig.run(20);
    rig.taken(0);
    rig.run(100);
    expect(new Set(rig.takenSysex(0).map((sysex) => replyOf(sysex)[0]))).toEqual(new Set([0x50]));
  });

  test('a bus that hangs is given up after its timeout, and works again when it is free', () => {
    const { rig } = withMemory();
    rig.machine.isI2cStuck = true;
    rig.sendSysex(0, i2cRequest, 0x50, readOnce, 0, 0, 1, 0);
    rig.run(200);
    expect(textOf(rig.takenSysex(0)[0]!)).toBe('I2C: Too few bytes received');
    rig.machine.isI2cStuck = false;
    rig.sendSysex(0, i2cRequest, 0x50, write, ...toPairs([9, 77]));
    rig.sendSysex(0, i2cRequest, 0x50, readOnce, 9, 0, 1, 0);
    rig.run(200);
    expect(rig.takenSysex(0).map(replyOf).at(-1)).toEqual([0x50, 9, [77]]);
    expect(rig.machine.resets).toHaveLength(1);
  });
});

describe('one-wire', () => {
  const pin = 24;
  const skipConvert = [0x01 | 0x02 | 0x20, pin, ...to7Bit([0x44])];

  function withParts(...parts: Ds18b20[]): FirmwareRig {
    const rig = startAttached();
    const line = new OneWireLine(rig.machine, wireOfPin(pin));
    for (const part of parts) line.attach(part);
    rig.sendSysex(0, oneWire, 0x41, pin, 0);
    return rig;
  }

  function codesOf(sysex: readonly number[]): number[][] {
    const bytes = [...from7Bit(Uint8Array.from(sysex.slice(3)))];
    return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.slice(8 * index, 8 * index + 8));
  }

  /** Reset, select, write "read scratchpad", read nine bytes. */
  function readScratchpad(rig: FirmwareRig, part: Ds18b20, correlation: number): number[] {
    rig.taken(0);
    const content = [...part.code, 9, 0, correlation & 0xff, correlation >> 8, 0xbe];
    rig.sendSysex(0, oneWire, 0x01 | 0x04 | 0x08 | 0x20, pin, ...to7Bit(content));
    rig.run(40);
    const [answer] = rig.takenSysex(0);
    expect(answer!.slice(0, 3)).toEqual([oneWire, 0x43, pin]);
    return [...from7Bit(Uint8Array.from(answer!.slice(3)))];
  }

  test('a search finds every thermometer, an alarm search those that are alarmed', () => {
    const parts = [
      new Ds18b20(0x1122_3344, 72),
      new Ds18b20(0x1122_3345, 72),
      new Ds18b20(0xffff_0000_0001, 90),
      new Ds18b20(7, 72),
    ];
    const rig = withParts(...parts);
    rig.sendSysex(0, oneWire, 0x40, pin);
    rig.run(150);
    const [found] = rig.takenSysex(0);
    expect(found!.slice(0, 3)).toEqual([oneWire, 0x42, pin]);
    const sorted = (codes: number[][]) => codes.map((code) => code.join()).sort();
    expect(sorted(codesOf(found!))).toEqual(sorted(parts.map((part) => [...part.code])));
    rig.sendSysex(0, oneWire, ...skipConvert);
    rig.run(900);
    rig.sendSysex(0, oneWire, 0x44, pin);
    rig.run(150);
    const alarmed = rig.takenSysex(0).at(-1)!;
    expect(alarmed.slice(0, 3)).toEqual([oneWire, 0x45, pin]);
    expect(codesOf(alarmed)).toEqual([[...parts[2]!.code]]);
  });

  test('nobody on the bus: the search is answered with nothing', () => {
    const rig = startAttached();
    new OneWireLine(rig.machine, wireOfPin(pin));
    rig.sendSysex(0, oneWire, 0x41, pin, 0);
    rig.sendSysex(0, oneWire, 0x40, pin);
    rig.run(30);
    expect(rig.takenSysex(0)).toEqual([[oneWire, 0x42, pin]]);
  });

  test('temperatures are read from the part that is selected, with the correlation asked for', () => {
    const [cold, warm] = [new Ds18b20(1, -10.5), new Ds18b20(2, 21.25)];
    const rig = withParts(cold, warm);
    rig.sendSysex(0, oneWire, ...skipConvert);
    rig.run(900);
    const degrees = (bytes: number[]) => (((bytes[2]! | (bytes[3]! << 8)) << 16) >> 16) / 16;
    const fromCold = readScratchpad(rig, cold, 0x1234);
    expect(fromCold.slice(0, 2)).toEqual([0x34, 0x12]);
    expect([degrees(fromCold), degrees(readScratchpad(rig, warm, 1))]).toEqual([-10.5, 21.25]);
  });

  test('a delay holds up what follows on the bus and nothing else', () => {
    const part = new Ds18b20(1, 20);
    const rig = withParts(part);
    rig.send(0, 0xf4, 22, 1);
    const delay = [100, 0, 0, 0];
    rig.sendSysex(0, oneWire, 0x10, pin, ...to7Bit(delay));
    rig.taken(0);
    const from = rig.machine.timeMs;
    rig.write(0, 0xf0, oneWire, 0x40, pin, 0xf7, 0xf5, 22, 1);
    rig.runUntil('write', () => rig.machine.level(22) === 1, 20);
    rig.runUntil('search', () => rig.takenSysex(0).length > 0, 300);
    expect(rig.machine.timeMs - from).toBeGreaterThan(90);
  });

  test('no byte from the boards is lost while the bus is busy', () => {
    const rig = withParts(new Ds18b20(1), new Ds18b20(2));
    for (let i = 0; i < 3; i++) rig.write(0, 0xf0, oneWire, 0x40, pin, 0xf7);
    for (let i = 0; i < 100; i++) rig.write(0, 0xf5, 22, i & 1);
    rig.runUntil('all accepted', () => rig.sides[0].outputsAccepted === rig.sides[0].outputsWritten, 3000);
    rig.run(300);
    const info = rig.info();
    expect([info.get('overruns_a'), info.get('discarded_a')]).toEqual(['0', '0']);
    expect(rig.machine.level(22)).toBe(1);
    expect(rig.takenSysex(0)).toHaveLength(3);
  });
});
