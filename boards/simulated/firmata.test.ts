import { describe, expect, test } from 'vitest';
import { Mpu6050 } from '../chips/mpu6050.ts';
import type { Plant } from '../plants/plant.ts';
import { pinModes } from '../profile.ts';
import { unoProfile } from '../uno/profile.ts';
import { type DeviceRig, startDevice } from './device.test-rig.ts';
import { SimulatedFirmata } from './firmata.ts';

const uno = (): DeviceRig => startDevice({ profile: unoProfile });

describe('what the device says about itself', () => {
  test('version and firmware when the port is opened, and after a reset', () => {
    const rig = uno();
    rig.device.opened(0);
    const announcement = rig.taken();
    expect(announcement.slice(0, 7)).toEqual([0xf9, 2, 6, 0xf0, 0x79, 2, 6]);
    rig.device.reset(5);
    expect(rig.taken()).toEqual(announcement);
  });

  test('version, firmware, capabilities, mapping when asked', () => {
    const rig = uno();
    rig.send(0xf9);
    expect(rig.taken()).toEqual([0xf9, 2, 6]);
    rig.sendSysex(0x79);
    rig.sendSysex(0x6b);
    rig.sendSysex(0x69);
    const [firmware, capabilities, mapping] = rig.takenSysex();
    expect(firmware!.slice(0, 3)).toEqual([0x79, 2, 6]);
    expect(capabilities!.filter((byte) => byte === 0x7f)).toHaveLength(20);
    // Pins 0 and 1 carry the controller's link and can do nothing.
    expect(capabilities!.slice(0, 3)).toEqual([0x6c, 0x7f, 0x7f]);
    expect(mapping).toEqual([0x6a, ...new Array<number>(14).fill(0x7f), 0, 1, 2, 3, 4, 5]);
  });

  test('the state of a pin', () => {
    const rig = uno();
    rig.send(0xf4, 3, pinModes.pwm, 0xe3, 0x48, 0x01);
    rig.sendSysex(0x6d, 3);
    expect(rig.takenSysex()).toEqual([[0x6e, 3, pinModes.pwm, 0x48, 0x01]]);
  });
});

describe('outputs', () => {
  test('a digital port writes its outputs and sets the pull-ups of its inputs', () => {
    const rig = uno();
    rig.send(0xf4, 2, pinModes.output, 0xf4, 3, pinModes.input, 0x90, 0x0c, 0);
    const [output, input] = [rig.device.pins.pin(2), rig.device.pins.pin(3)];
    expect([output.level, output.risingEdges, output.writes]).toEqual([1, 1, 1]);
    expect([input.level, input.writes]).toEqual([1, 0]);
    rig.send(0x90, 0x0c, 0);
    expect([output.risingEdges, output.writes]).toEqual([1, 2]);
  });

  test('set digital pin, PWM, extended analog', () => {
    const rig = uno();
    rig.send(0xf5, 13, 1);
    expect(rig.device.pins.pin(13).level).toBe(1);
    rig.send(0xf4, 9, pinModes.pwm);
    rig.sendSysex(0x6f, 9, 0x7f, 0x01);
    expect(rig.device.pins.pin(9).value).toBe(255);
    expect(rig.device.pins.pin(9).duty).toBe(1);
  });

  test('servo limits and position in degrees and microseconds', () => {
    const rig = uno();
    rig.sendSysex(0x70, 9, 1000 & 0x7f, 1000 >> 7, 2000 & 0x7f, 2000 >> 7);
    rig.send(0xe9, 45, 0);
    expect(rig.device.pins.pin(9).servoDegrees).toBe(45);
    rig.send(0xe9, 1500 & 0x7f, 1500 >> 7);
    expect(rig.device.pins.pin(9).servoDegrees).toBe(90);
    rig.send(0xf4, 9, pinModes.output);
    expect(rig.device.pins.pin(9).servoDegrees).toBeNull();
  });

  test('a value for a pin in another mode changes nothing', () => {
    const rig = uno();
    rig.send(0xf4, 5, pinModes.input, 0xe5, 100, 0);
    expect(rig.device.pins.pin(5).writes).toBe(0);
  });

  test('an unknown mode is answered with text, a mode that the pin lacks is ignored', () => {
    const rig = uno();
    rig.send(0xf4, 5, 0x55);
    expect(rig.takenSysex()[0]?.[0]).toBe(0x71);
    expect(rig.device.malformedCount).toBe(1);
    rig.send(0xf4, 4, pinModes.pwm);
    expect(rig.device.pins.pin(4).mode).toBe(pinModes.output);
  });

  test('the safe state lowers what is driven, and the next write drives again', () => {
    const profile = {
      ...unoProfile,
      pins: unoProfile.pins.map((pin, number) =>
        number === 6 ? { ...pin, safeState: 'released' as const } : pin,
      ),
    };
    const rig = startDevice({ profile });
    const pins = rig.device.pins;
    rig.send(0xf5, 5, 1, 0xf5, 6, 1, 0xf4, 9, pinModes.servo, 0xe9, 90, 0);
    pins.drive(6, 1);
    rig.device.safeState(0);
    expect([pins.pin(5).level, pins.pin(5).mode]).toEqual([0, pinModes.output]);
    expect(pins.pin(6).released).toBe(true);
    expect(pins.pin(6).level).toBe(1);
    expect(pins.pin(9).servoDegrees).toBeNull();
    rig.send(0xf5, 6, 0, 0xe9, 80, 0);
    expect(pins.pin(6).level).toBe(0);
    expect(pins.pin(9).servoDegrees).toBe(80);
  });

  test('the safe state forgets a message that was cut off', () => {
    const rig = uno();
    rig.send(0xf0, 0x71, 0x41);
    rig.device.safeState(0);
    rig.send(0xf5, 13, 1);
    expect(rig.device.pins.pin(13).level).toBe(1);
    expect(rig.device.strings).toEqual([]);
  });

  test('a reset does not reach the chips, a switched supply does', () => {
    const rig = uno();
    const chip = new Mpu6050();
    rig.device.i2c.attach(Mpu6050.address, chip);
    rig.sendSysex(0x78);
    rig.sendSysex(0x76, Mpu6050.address, 0x00, 0x6b, 0, 0, 0);
    rig.device.reset(1);
    expect(chip.asleep).toBe(false);
    rig.device.powerCycle(2);
    expect(chip.asleep).toBe(true);
  });

  test('system reset ends reporting and lowers outputs', () => {
    const rig = uno();
    rig.send(0xf5, 13, 1, 0xc0, 1, 0xff);
    rig.taken();
    rig.runUntil(200);
    expect(rig.device.pins.pin(13).level).toBe(0);
    expect(rig.taken()).toEqual([]);
  });
});

describe('reports', () => {
  test('a digital port at once, then on change only', () => {
    const rig = uno();
    rig.send(0xf4, 2, pinModes.pullUp, 0xf4, 7, pinModes.input, 0xd0, 1);
    expect(rig.taken()).toEqual([0x90, 0x04, 0]);
    rig.device.pins.drive(7, 1);
    expect(rig.device.nextWakeAt).toBe(0);
    rig.runUntil(1);
    expect(rig.taken()).toEqual([0x90, 0x04, 0x01]);
    rig.device.pins.drive(7, 0);
    rig.device.pins.drive(7, 1);
    rig.runUntil(2);
    expect(rig.taken()).toEqual([]);
    rig.send(0xd0, 0);
    rig.device.pins.drive(7, 0);
    rig.runUntil(3);
    expect(rig.taken()).toEqual([]);
  });

  test('analog inputs at the sampling interval', () => {
    const rig = uno();
    rig.device.pins.driveAnalog(2, 1);
    rig.send(0xc2, 1);
    expect(rig.taken()).toEqual([0xe2, 0x7f, 0x07]);
    rig.runUntil(19 * 5);
    expect(rig.taken()).toHaveLength(3 * 5);
    rig.sendSysex(0x7a, 100, 0);
    rig.runUntil(19 * 5 + 1000);
    expect(rig.taken()).toHaveLength(3 * 10);
    rig.send(0xc2, 0);
    expect(rig.device.nextWakeAt).toBeNull();
  });

  test('an analog pin that became digital is not reported as analog', () => {
    const rig = uno();
    rig.send(0xc0, 1, 0xf4, 14, pinModes.output);
    rig.taken();
    rig.runUntil(100);
    expect(rig.taken()).toEqual([]);
    expect(rig.device.nextWakeAt).toBeNull();
    rig.send(0xf4, 14, pinModes.analog);
    expect(rig.taken()).toEqual([0xe0, 0, 0]);
  });

  test('sampling instants that nobody asked for are not made up for', () => {
    const rig = uno();
    rig.runUntil(4000);
    rig.send(0xc0, 1);
    rig.taken();
    rig.runUntil(4019);
    expect(rig.taken()).toEqual([0xe0, 0, 0]);
  });
});

describe('time', () => {
  const plant = (): Plant & { times: number[] } => {
    const times: number[] = [];
    return {
      times,
      step(now, pins) {
        times.push(now);
        pins.driveAnalog(0, (now % 500) / 500);
        pins.drive(2, Math.floor(now / 70) % 2 === 0 ? 0 : 1);
      },
      state: () => ({}),
    };
  };

  /** What a device sends within a second when it is ticked at these intervals. */
  function transcript(tickMs: number, startMs: number): string {
    const device = new SimulatedFirmata({ profile: unoProfile, plant: plant() });
    let sent = '';
    device.onTransmit = (bytes) => {
      sent += `${[...bytes].join(' ')},`;
    };
    device.receive(startMs, Uint8Array.of(0xf4, 2, pinModes.input, 0xd0, 1, 0xc0, 1));
    for (let at = tickMs; at <= 1000; at += tickMs) device.tick(startMs + at);
    device.tick(startMs + 1000);
    return sent;
  }

  test('what is sent depends neither on how often the device is ticked nor on when it began', () => {
    const reference = transcript(1, 0);
    expect(reference.length).toBeGreaterThan(300);
    for (const tickMs of [3, 10, 37, 1000]) expect(transcript(tickMs, 1_000_000)).toBe(reference);
  });

  test('the plant is stepped every 10 ms of device time', () => {
    const bench = plant();
    const device = new SimulatedFirmata({ profile: unoProfile, plant: bench });
    device.tick(500);
    device.tick(534.5);
    expect(bench.times).toEqual([10, 20, 30]);
    expect(device.nextWakeAt).toBe(540);
  });

  test('a standstill of the device stops its time, a clock that steps back does not turn it back', () => {
    const bench = plant();
    const device = new SimulatedFirmata({ profile: unoProfile, plant: bench });
    device.tick(0);
    device.tick(3_600_000);
    expect(device.time).toBe(5000);
    device.tick(3_000_000);
    expect(device.time).toBe(5000);
    device.tick(3_600_010);
    expect(device.time).toBe(5010);
  });
});

describe('the tracer', () => {
  function digestAfter(...bytes: number[]): number {
    const rig = uno();
    rig.send(...bytes);
    return rig.device.tracer.digest;
  }

  test('tells a repeated, a missing and a swapped output from the true ones', () => {
    const on = [0xf5, 5, 1];
    const off = [0xf5, 5, 0];
    const truth = digestAfter(...on, ...off);
    expect(digestAfter(...on, ...off)).toBe(truth);
    expect(digestAfter(...on, ...on, ...off)).not.toBe(truth);
    expect(digestAfter(...on)).not.toBe(truth);
    expect(digestAfter(...off, ...on)).not.toBe(truth);
  });

  test('counts by kind and keeps the last effects only', () => {
    const rig = uno();
    for (let i = 0; i < 10_000; i++) rig.send(0xf5, 5, i & 1);
    expect(rig.device.tracer.countOf('digital')).toBe(10_000);
    expect(rig.device.tracer.recent).toHaveLength(4096);
    expect(rig.device.pins.pin(5).risingEdges).toBe(5_000);
  });
});
