/** The machine code's pins: digital, analog, PWM, queries; what it says must be what boards/simulated says of the same profile. */
import { describe, expect, test } from 'vitest';
import { pinModes } from '../../profile.ts';
import { analogMappingResponse, capabilityResponse, firmwareReport } from '../../simulated/queries.ts';
import { mega2560FencedProfile } from '../fenced-profile.ts';
import { type FirmwareRig, FirmwareRig as Rig, startAttached } from './firmware.test-rig.ts';

const setMode = 0xf4;
const setPin = 0xf5;

function pinState(rig: FirmwareRig, pin: number): number[] {
  rig.taken(0);
  rig.sendSysex(0, 0x6d, pin);
  return rig.takenSysex(0)[0]!.slice(1);
}

describe('queries', () => {
  test('a session begins with protocol version and firmware report', () => {
    const rig = new Rig();
    rig.runUntil('hello', () => rig.sides[0].session !== null);
    rig.attach(0, 1);
    rig.run(20);
    expect(rig.taken(0)).toEqual([0xf9, 2, 6, 0xf0, 0x79, ...firmwareReport(mega2560FencedProfile), 0xf7]);
  });

  test('capabilities and analog mapping are those of the profile', () => {
    const rig = startAttached();
    rig.sendSysex(0, 0x6b);
    rig.run(150);
    expect(rig.takenSysex(0)).toEqual([[0x6c, ...capabilityResponse(mega2560FencedProfile)]]);
    rig.sendSysex(0, 0x69);
    rig.run(20);
    expect(rig.takenSysex(0)).toEqual([[0x6a, ...analogMappingResponse(mega2560FencedProfile)]]);
  });

  test('version and firmware are answered when asked for', () => {
    const rig = startAttached();
    rig.send(0, 0xf9);
    rig.sendSysex(0, 0x79);
    rig.run(20);
    expect(rig.taken(0)).toEqual([0xf9, 2, 6, 0xf0, 0x79, ...firmwareReport(mega2560FencedProfile), 0xf7]);
  });

  test('pin states: pins of the lines are ignored, analog pins analog, the others outputs', () => {
    const rig = startAttached();
    for (const pin of [0, 1, 16, 19]) expect(pinState(rig, pin)).toEqual([pin, pinModes.ignore, 0]);
    expect(pinState(rig, 2)).toEqual([2, pinModes.output, 0]);
    expect(pinState(rig, 54)).toEqual([54, pinModes.analog, 0]);
    rig.send(0, setMode, 9, pinModes.pwm, 0xe9, 0x7f, 0x01);
    expect(pinState(rig, 9)).toEqual([9, pinModes.pwm, 0x7f, 1]);
  });
});

describe('digital', () => {
  test('a pin and a port are written, also on the ports that single instructions cannot reach', () => {
    const rig = startAttached();
    for (const pin of [4, 7, 14, 22, 37, 38, 42, 49, 53]) {
      rig.send(0, setMode, pin, pinModes.output, setPin, pin, 1);
      expect([pin, rig.machine.level(pin), rig.machine.isOutput(pin)]).toEqual([pin, 1, true]);
      rig.send(0, setPin, pin, 0);
      expect([pin, rig.machine.level(pin)]).toEqual([pin, 0]);
    }
    // Port 3 is pins 24..31.
    rig.send(0, 0x93, 0x25, 0x01);
    expect([24, 25, 26, 27, 28, 29, 30, 31].map((pin) => rig.machine.level(pin))).toEqual([
      1, 0, 1, 0, 0, 1, 0, 1,
    ]);
  });

  test('the lines of the boards and of the console cannot be written', () => {
    const rig = startAttached();
    for (const pin of [0, 1, 16, 17, 18, 19])
      rig.send(0, setMode, pin, pinModes.output, setPin, pin, 1, setPin, pin, 0);
    rig.send(0, 0x92, 0x00, 0x00);
    rig.send(0, setMode, 22, pinModes.output, setPin, 22, 1);
    expect(rig.machine.level(22)).toBe(1);
    expect(rig.info().get('framing_errors_a')).toBe('0');
  });

  test('inputs are reported at once, then on each change; pull-ups count', () => {
    const rig = startAttached();
    rig.machine.drive(30, 1);
    rig.send(0, setMode, 30, pinModes.input, setMode, 31, pinModes.pullUp, 0xd3, 1);
    expect(rig.taken(0)).toEqual([0x93, 0x40, 0x01]);
    rig.machine.drive(30, 0);
    rig.run(10);
    expect(rig.taken(0)).toEqual([0x93, 0x00, 0x01]);
    rig.machine.drive(31, 0);
    rig.run(10);
    expect(rig.taken(0)).toEqual([0x93, 0, 0]);
    rig.run(50);
    expect(rig.taken(0)).toEqual([]);
    rig.send(0, 0xd3, 0);
    rig.machine.drive(30, 1);
    rig.run(20);
    expect(rig.taken(0)).toEqual([]);
  });

  test('every edge that lasts 3 ms is reported once', () => {
    const rig = startAttached();
    rig.machine.drive(30, 0);
    rig.send(0, setMode, 30, pinModes.input, 0xd3, 1);
    rig.taken(0);
    const edges = 200;
    for (let edge = 1; edge <= edges; edge++) {
      rig.machine.drive(30, (edge % 2) as 0 | 1);
      rig.run(3);
    }
    rig.run(20);
    const expected = Array.from({ length: edges }, (_, index) => [
      0x93,
      index % 2 === 0 ? 0x40 : 0,
      0,
    ]).flat();
    expect(rig.taken(0)).toEqual(expected);
  });

  test('an unknown mode is refused with a text', () => {
    const rig = startAttached();
    rig.send(0, setMode, 5, 0x33);
    rig.run(20);
    const [text] = rig.takenSysex(0);
    expect(String.fromCharCode(...text!.slice(1).filter((_, index) => index % 2 === 0))).toBe(
      'Unknown pin mode',
    );
    expect(rig.info().get('malformed')).toBe('1');
  });
});

describe('analog', () => {
  test('a channel is reported at once and at the sampling interval', () => {
    const rig = startAttached();
    rig.machine.setVolts(3, 1.25);
    rig.send(0, 0xf0, 0x7a, 10, 0, 0xf7, 0xc3, 1);
    rig.run(200);
    const reports = rig.taken(0);
    expect(reports.length / 3).toBeGreaterThanOrEqual(19);
    expect(reports.length / 3).toBeLessThanOrEqual(23);
    for (let i = 0; i < reports.length; i += 3) {
      expect(reports[i]).toBe(0xe3);
      expect(Math.abs(reports[i + 1]! + 128 * reports[i + 2]! - 256)).toBeLessThanOrEqual(1);
    }
    rig.send(0, 0xc3, 0);
    rig.taken(0);
    rig.run(50);
    expect(rig.taken(0)).toEqual([]);
  });

  test('sixteen channels each have their own value', () => {
    const rig = startAttached();
    for (let channel = 0; channel < 16; channel++) rig.machine.setVolts(channel, channel * 0.3);
    rig.send(0, 0xf0, 0x7a, 50, 0, 0xf7);
    for (let channel = 0; channel < 16; channel++) rig.send(0, 0xc0 | channel, 1);
    rig.run(30);
    rig.taken(0);
    rig.run(200);
    const values = new Map<number, number>();
    const reports = rig.taken(0);
    for (let i = 0; i < reports.length; i += 3) {
      values.set(reports[i]! & 0x0f, ((reports[i + 1]! + 128 * reports[i + 2]!) * 5) / 1024);
    }
    for (let channel = 0; channel < 16; channel++) expect(values.get(channel)).toBeCloseTo(channel * 0.3, 1);
  });
});

describe('PWM', () => {
  test.each([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])('pin %i follows the duty', (pin) => {
    const rig = startAttached();
    rig.send(0, setMode, pin, pinModes.pwm, 0xe0 | pin, 64, 0);
    const reading = rig.machine.pwm(pin);
    expect(reading?.duty).toBeCloseTo(64 / 255, 1);
    expect(reading?.frequencyHz).toBeCloseTo(pin === 4 || pin === 13 ? 977 : 490, -1);
    rig.send(0, 0xe0 | pin, 0, 0);
    expect([rig.machine.pwm(pin), rig.machine.level(pin)]).toEqual([null, 0]);
    rig.send(0, 0xe0 | pin, 0x7f, 1);
    expect([rig.machine.pwm(pin), rig.machine.level(pin)]).toEqual([null, 1]);
  });

  test('pins 44 to 46 by extended analog messages, with and without a servo that needs their timer', () => {
    const rig = startAttached();
    for (const pin of [44, 45, 46]) rig.send(0, setMode, pin, pinModes.pwm);
    rig.sendSysex(0, 0x6f, 44, 64, 0);
    rig.sendSysex(0, 0x6f, 45, 0, 1);
    rig.sendSysex(0, 0x6f, 46, 64, 1);
    expect([44, 45, 46].map((pin) => Math.round(rig.machine.pwm(pin)!.duty * 255))).toEqual([64, 128, 192]);
    rig.send(0, setMode, 24, pinModes.servo);
    rig.sendSysex(0, 0x6f, 24, 90, 0);
    const shares = highShares(rig, [44, 45, 46], 100);
    expect(shares.map((share) => Math.round(share * 20) / 20)).toEqual([0.25, 0.5, 0.75]);
    rig.send(0, setMode, 24, pinModes.output);
    expect([44, 45, 46].map((pin) => Math.round(rig.machine.pwm(pin)!.duty * 255))).toEqual([64, 128, 192]);
  });
});

/** Share of the time that each pin is high. */
function highShares(rig: FirmwareRig, pins: readonly number[], forMs: number): number[] {
  const high = pins.map(() => 0);
  const stepMs = 0.05;
  for (let at = 0; at < forMs; at += stepMs) {
    rig.run(stepMs);
    pins.forEach((pin, index) => {
      high[index]! += rig.machine.level(pin) * stepMs;
    });
  }
  return high.map((sum) => sum / forMs);
}

test('a system reset makes outputs low and inputs what they were', () => {
  const rig = startAttached();
  rig.machine.drive(30, 1);
  rig.send(
    0,
    setMode,
    22,
    pinModes.output,
    setPin,
    22,
    1,
    setMode,
    9,
    pinModes.pwm,
    0xe9,
    64,
    0,
    setMode,
    54,
    pinModes.input,
  );
  rig.send(0, 0xff);
  expect([rig.machine.level(22), rig.machine.pwm(9)]).toEqual([0, null]);
  expect(pinState(rig, 54)).toEqual([54, pinModes.analog, 0]);
  expect(pinState(rig, 9)).toEqual([9, pinModes.output, 0]);
});

test('messages that are none change nothing and are counted', () => {
  const rig = startAttached();
  rig.send(0, setMode, 22, pinModes.output, setPin, 22, 1);
  rig.taken(0);
  // A stray byte, an unknown command, an empty, an unknown and a torn sysex, one of 300 bytes.
  rig.send(0, 0x11, 0xf2, 0xf0, 0xf7, 0xf0, 0x01, 0xf7, 0xf0, 0x6d, 0xf0, 0x6d, 22, 0xf7);
  expect(rig.takenSysex(0)).toEqual([[0x6e, 22, pinModes.output, 1]]);
  rig.send(0, 0xf0, 0x71, ...Array.from({ length: 300 }, () => 1), 0xf7);
  expect(rig.info().get('malformed')).toBe('6');
  expect(rig.machine.level(22)).toBe(1);
});
