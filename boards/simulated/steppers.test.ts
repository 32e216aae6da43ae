import { describe, expect, test } from 'vitest';
import { unoProfile } from '../uno/profile.ts';
import { type DeviceRig, startDevice } from './device.test-rig.ts';
import { encodeSigned32 } from './messages.ts';
import { Motion } from './motion.ts';

const uno = (): DeviceRig => startDevice({ profile: unoProfile });

describe('a motion', () => {
  function durationMs(acceleration: number, deceleration: number): number {
    const motion = new Motion();
    motion.start(0, { steps: 400, stepsPerSecond: 200, acceleration, deceleration });
    let last = 0;
    while (motion.nextAt !== null) {
      last = motion.nextAt;
      motion.advance(last, () => {});
    }
    expect(motion.position).toBe(400);
    return last;
  }

  test('takes as long as speed and ramps say', () => {
    expect(durationMs(0, 0)).toBeCloseTo(2000, 3);
    // v = 200/s is reached after v^2/2a = 50 steps, which take v/a = 0.5 s instead of 0.25 s: 0.25 s more.
    expect(durationMs(400, 0)).toBeGreaterThan(2150);
    expect(durationMs(400, 0)).toBeLessThan(2350);
    expect(durationMs(400, 400)).toBeGreaterThan(durationMs(400, 0) + 150);
  });

  test('makes every step once, however it is advanced', () => {
    for (const stepMs of [1, 7, 500]) {
      const motion = new Motion();
      motion.start(0, { steps: -100, stepsPerSecond: 500, acceleration: 1000, deceleration: 1000 });
      let steps = 0;
      let ends = 0;
      for (let now = stepMs; now <= 2000; now += stepMs) {
        if (
          motion.advance(now, (direction) => {
            steps += direction;
          })
        )
          ends += 1;
      }
      expect([steps, ends, motion.position]).toEqual([-100, 1, -100]);
    }
  });
});

describe('AdvancedFirmata steppers', () => {
  function driver(): DeviceRig {
    const rig = uno();
    // Device 2, driver, 200 steps a turn, direction pin 4, step pin 5.
    rig.sendSysex(0x72, 0x00, 2, 1, 200 & 0x7f, 200 >> 7, 4, 5);
    return rig;
  }

  test('step pulses, direction and completion', () => {
    const rig = driver();
    // 300 steps clockwise at 2 * pi rad/s: one turn, 200 steps, a second.
    rig.sendSysex(0x72, 0x01, 2, 1, 300 & 0x7f, 300 >> 7, 0, 628 & 0x7f, 628 >> 7);
    rig.runUntil(1000);
    expect(rig.device.pins.pin(5).risingEdges).toBeGreaterThan(195);
    expect(rig.device.pins.pin(5).risingEdges).toBeLessThan(201);
    expect(rig.takenSysex()).toEqual([]);
    rig.runUntil(1600);
    expect(rig.takenSysex()).toEqual([[0x72, 2]]);
    expect(rig.device.pins.pin(5).risingEdges).toBe(300);
    expect(rig.device.pins.pin(4).level).toBe(1);
    rig.sendSysex(0x72, 0x01, 2, 0, 10, 0, 0, 0x7f, 0x7f);
    rig.runUntil(1700);
    expect(rig.device.steppers.motion(2)?.position).toBe(290);
    expect(rig.device.pins.pin(4).level).toBe(0);
  });

  test('the safe state stops a move, and no completion is reported', () => {
    const rig = driver();
    rig.sendSysex(0x72, 0x01, 2, 1, 300 & 0x7f, 300 >> 7, 0, 628 & 0x7f, 628 >> 7);
    rig.runUntil(500);
    rig.device.safeState(500);
    const position = rig.device.steppers.motion(2)!.position;
    rig.runUntil(3000);
    expect(rig.device.steppers.motion(2)!.position).toBe(position);
    expect(rig.takenSysex()).toEqual([]);
  });

  test('an unknown motor, an impossible pin and short messages are malformed', () => {
    const rig = driver();
    rig.sendSysex(0x72, 0x01, 3, 1, 1, 0, 0, 1, 0);
    rig.sendSysex(0x72, 0x00, 0, 1, 1, 1, 0, 1);
    rig.sendSysex(0x72, 0x01, 2, 1, 1);
    expect(rig.device.malformedCount).toBe(3);
  });
});

describe('AccelStepperFirmata', () => {
  function two(): DeviceRig {
    const rig = uno();
    rig.sendSysex(0x62, 0x00, 0, 0x10, 2, 3, 0);
    rig.sendSysex(0x62, 0x00, 1, 0x40, 8, 9, 10, 11, 0);
    return rig;
  }

  test('relative and absolute moves report the position when they end', () => {
    const rig = two();
    rig.sendSysex(0x62, 0x02, 0, ...encodeSigned32(-10));
    rig.runUntil(100);
    expect(rig.takenSysex()).toEqual([[0x62, 0x0a, 0, ...encodeSigned32(-10)]]);
    rig.sendSysex(0x62, 0x03, 0, ...encodeSigned32(5));
    rig.runUntil(1000);
    expect(rig.takenSysex()).toEqual([[0x62, 0x0a, 0, ...encodeSigned32(5)]]);
    expect(rig.device.steppers.accelMotion(0)?.pulses).toBe(25);
  });

  test('stop, report, zero', () => {
    const rig = two();
    rig.sendSysex(0x62, 0x02, 0, ...encodeSigned32(1000));
    rig.runUntil(100);
    rig.sendSysex(0x62, 0x05, 0);
    rig.sendSysex(0x62, 0x06, 0);
    rig.sendSysex(0x62, 0x01, 0);
    rig.sendSysex(0x62, 0x06, 0);
    expect(rig.takenSysex()).toEqual([
      [0x62, 0x0a, 0, ...encodeSigned32(10)],
      [0x62, 0x06, 0, ...encodeSigned32(10)],
      [0x62, 0x06, 0, ...encodeSigned32(0)],
    ]);
    expect(rig.device.steppers.accelMotion(0)?.moving).toBe(false);
  });

  test('a group arrives together and reports once', () => {
    const rig = two();
    rig.sendSysex(0x62, 0x20, 0, 0, 1);
    rig.sendSysex(0x62, 0x21, 0, ...encodeSigned32(100), ...encodeSigned32(-20));
    rig.runUntil(990);
    expect(rig.takenSysex()).toEqual([]);
    rig.runUntil(1001);
    expect(rig.takenSysex()).toEqual([[0x62, 0x24, 0]]);
    expect(rig.device.steppers.accelMotion(1)?.position).toBe(-20);
  });
});
