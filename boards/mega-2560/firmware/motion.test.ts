/** Steppers and servos of the machine code, counted and measured at the pins. */
import { describe, expect, test } from 'vitest';
import { pinModes } from '../../profile.ts';
import { decodeSigned32, encodeSigned32 } from '../../simulated/messages.ts';
import { wireOfPin } from '../emulator/arduino-pins.ts';
import { type FirmwareRig, startAttached } from './firmware.test-rig.ts';

const legacy = 0x72;
const accel = 0x62;
const driver = 1;

interface Pulse {
  riseMs: number;
  widthUs: number;
}

/** Pulses on a pin from now on. */
function watch(rig: FirmwareRig, pin: number): Pulse[] {
  const pulses: Pulse[] = [];
  let rise: number | null = null;
  rig.machine.wires.listen((wire, level, cycle) => {
    if (wire !== wireOfPin(pin)) return;
    if (level === 1) rise = cycle;
    else if (rise !== null) {
      pulses.push({ riseMs: rise / 16_000, widthUs: (cycle - rise) / 16 });
      rise = null;
    }
  });
  return pulses;
}

const pairOf = (value: number) => [value & 0x7f, (value >> 7) & 0x7f];
const stepsOf = (value: number) => [value & 0x7f, (value >> 7) & 0x7f, (value >> 14) & 0x7f];

/** AccelStepper's float of a whole number below 2^23. */
function float(value: number): number[] {
  return [value & 0x7f, (value >> 7) & 0x7f, (value >> 14) & 0x7f, ((value >> 21) & 0x03) | (11 << 2)];
}

describe('stepper of johnny-five', () => {
  /** Steps/s to 0.01 rad/s, at 200 steps a revolution. */
  const speed = (stepsPerSecond: number) => pairOf(Math.round((stepsPerSecond / 200) * 2 * Math.PI * 100));

  function configured(): FirmwareRig {
    const rig = startAttached();
    // Direction on 23, step on 22.
    rig.sendSysex(0, legacy, 0, 0, driver, ...pairOf(200), 23, 22);
    return rig;
  }

  test('makes as many steps as ordered, at the speed ordered, and says when it is done', () => {
    const rig = configured();
    const pulses = watch(rig, 22);
    rig.sendSysex(0, legacy, 1, 0, 1, ...stepsOf(300), ...speed(1000));
    rig.runUntil('end', () => rig.takenSysex(0).some((sysex) => sysex.join() === `${legacy},0`), 600);
    rig.run(20);
    expect(pulses).toHaveLength(300);
    expect(rig.machine.level(23)).toBe(1);
    const took = pulses.at(-1)!.riseMs - pulses[0]!.riseMs;
    expect(took / 299).toBeCloseTo(1, 1);
    for (const pulse of pulses) expect(pulse.widthUs).toBeGreaterThan(2);
    rig.sendSysex(0, legacy, 1, 0, 0, ...stepsOf(50), ...speed(2000));
    rig.run(60);
    expect([pulses.length, rig.machine.level(23)]).toEqual([350, 0]);
  });

  test('ramps up and down: slow at both ends, no step more or less', () => {
    const rig = configured();
    const pulses = watch(rig, 22);
    rig.sendSysex(0, legacy, 1, 0, 1, ...stepsOf(400), ...speed(2000), ...speed(4000), ...speed(4000));
    rig.runUntil('end', () => rig.takenSysex(0).some((sysex) => sysex[0] === legacy), 2000);
    expect(pulses).toHaveLength(400);
    const gap = (index: number) => pulses[index + 1]!.riseMs - pulses[index]!.riseMs;
    expect(gap(0)).toBeGreaterThan(4 * gap(199));
    expect(gap(398)).toBeGreaterThan(4 * gap(199));
    // v^2 = 2 a s reaches 1265 steps/s in the middle: 1/1265 s.
    expect(gap(199)).toBeCloseTo(0.79, 1);
  });

  test('four coils follow their pattern in both directions', () => {
    const rig = startAttached();
    const coils = [30, 31, 32, 33];
    rig.sendSysex(0, legacy, 0, 0, 4, ...pairOf(200), ...coils);
    const order = [
      [0, 1, 1, 0],
      [0, 1, 0, 1],
      [1, 0, 0, 1],
      [1, 0, 1, 0],
    ];
    for (const direction of [1, 0]) {
      for (let step = 0; step < 4; step++) {
        rig.sendSysex(0, legacy, 1, 0, direction, ...stepsOf(1), ...speed(500));
        rig.run(10);
        const expected = direction === 1 ? order[step] : order[(6 - step) % 4];
        expect(coils.map((pin) => rig.machine.level(pin))).toEqual(expected);
      }
    }
  });

  test('ten motors at once: each makes its steps while the program goes on', () => {
    const rig = startAttached();
    const pulses = Array.from({ length: 10 }, (_, motor) => watch(rig, 22 + 2 * motor));
    for (let motor = 0; motor < 10; motor++) {
      rig.sendSysex(0, legacy, 0, motor, driver, ...pairOf(200), 23 + 2 * motor, 22 + 2 * motor);
    }
    for (let motor = 0; motor < 10; motor++) {
      rig.write(0, 0xf0, legacy, 1, motor, 1, ...stepsOf(200 + motor), ...speed(800 + 50 * motor), 0xf7);
    }
    const ended = new Set<number>();
    rig.runUntil(
      'all ends',
      () => {
        for (const sysex of rig.takenSysex(0)) if (sysex[0] === legacy) ended.add(sysex[1]!);
        return ended.size === 10;
      },
      1000,
    );
    expect(pulses.map((each) => each.length)).toEqual(Array.from({ length: 10 }, (_, motor) => 200 + motor));
    expect(rig.info().get('overruns_a')).toBe('0');
  });

  test('the safe state stops it in mid-move', () => {
    const rig = configured();
    const pulses = watch(rig, 22);
    rig.sendSysex(0, legacy, 1, 0, 1, ...stepsOf(20_000), ...speed(1000));
    rig.sides[0].isCut = true;
    rig.run(1100);
    const made = pulses.length;
    expect(made).toBeGreaterThan(900);
    expect(made).toBeLessThan(1030);
    rig.run(200);
    expect(pulses).toHaveLength(made);
  });

  test('a takeover in mid-move costs no step and adds none', () => {
    const rig = configured();
    const pulses = watch(rig, 22);
    const { session } = rig.sides[0];
    rig.sendSysex(0, legacy, 1, 0, 1, ...stepsOf(300), ...speed(1000));
    rig.run(100);
    const received = rig.sides[0].inputs.length;
    rig.sides[0].isCut = true;
    rig.attach(1, 2, session, received);
    rig.runUntil(
      'end at the new board',
      () => rig.takenSysex(1).some((sysex) => sysex.join() === `${legacy},0`),
      400,
    );
    expect(pulses).toHaveLength(300);
  });
});

describe('AccelStepper', () => {
  function configured(rig: FirmwareRig, device: number, step: number, direction: number): void {
    rig.sendSysex(0, accel, 0, device, driver << 4, step, direction);
    rig.sendSysex(0, accel, 9, device, ...float(1000));
  }

  const positionOf = (sysex: readonly number[]) => decodeSigned32(Uint8Array.from(sysex.slice(3)));

  test('relative and absolute moves, positions, stop', () => {
    const rig = startAttached();
    configured(rig, 3, 22, 23);
    const pulses = watch(rig, 22);
    rig.sendSysex(0, accel, 2, 3, ...encodeSigned32(-120));
    rig.run(200);
    let [report] = rig.takenSysex(0);
    expect([report!.slice(0, 3), positionOf(report!), pulses.length]).toEqual([[accel, 0x0a, 3], -120, 120]);
    rig.sendSysex(0, accel, 3, 3, ...encodeSigned32(30));
    rig.run(200);
    [report] = rig.takenSysex(0);
    expect([positionOf(report!), pulses.length]).toEqual([30, 270]);
    rig.sendSysex(0, accel, 1, 3);
    rig.sendSysex(0, accel, 2, 3, ...encodeSigned32(5000));
    rig.run(50);
    rig.sendSysex(0, accel, 5, 3);
    rig.run(20);
    const stoppedAt = positionOf(rig.takenSysex(0).at(-1)!);
    expect(stoppedAt).toBe(pulses.length - 270);
    rig.sendSysex(0, accel, 6, 3);
    rig.run(20);
    expect(rig.takenSysex(0)).toEqual([[accel, 6, 3, ...encodeSigned32(stoppedAt)]]);
  });

  test('the enable pin is active low', () => {
    const rig = startAttached();
    rig.sendSysex(0, accel, 0, 0, (driver << 4) | 1, 22, 23, 24);
    rig.sendSysex(0, accel, 4, 0, 0);
    expect(rig.machine.level(24)).toBe(1);
    rig.sendSysex(0, accel, 4, 0, 1);
    expect(rig.machine.level(24)).toBe(0);
  });

  test('a group arrives together and says so once', () => {
    const rig = startAttached();
    configured(rig, 0, 22, 23);
    configured(rig, 1, 24, 25);
    const [first, second] = [watch(rig, 22), watch(rig, 24)];
    rig.sendSysex(0, accel, 0x20, 2, 0, 1);
    rig.sendSysex(0, accel, 0x21, 2, ...encodeSigned32(200), ...encodeSigned32(-50));
    rig.run(400);
    expect(rig.takenSysex(0)).toEqual([[accel, 0x24, 2]]);
    expect([first.length, second.length, rig.machine.level(25)]).toEqual([200, 50, 0]);
    expect(Math.abs(first.at(-1)!.riseMs - second.at(-1)!.riseMs)).toBeLessThan(1);
  });

  test('motors that are not configured are refused', () => {
    const rig = startAttached();
    rig.sendSysex(0, accel, 2, 0, ...encodeSigned32(10));
    rig.sendSysex(0, accel, 0, 0, driver << 4, 17, 18);
    rig.sendSysex(0, legacy, 1, 9, 1, ...stepsOf(10), ...pairOf(100));
    expect(rig.info().get('malformed')).toBe('3');
  });
});

describe('servo', () => {
  /** Other interrupts may hold an edge up: by one or two bytes of a UART, seldom by more. */
  const jitterUsMax = 25;

  function expectWidth(pulses: Pulse[], widthUs: number): void {
    for (const pulse of pulses.slice(-3)) expect(Math.abs(pulse.widthUs - widthUs)).toBeLessThan(jitterUsMax);
  }

  test('no pulse before the first position, then one each 20 ms of the width that degrees mean', () => {
    const rig = startAttached();
    const pulses = watch(rig, 9);
    rig.send(0, 0xf4, 9, pinModes.servo);
    rig.run(60);
    expect(pulses).toEqual([]);
    rig.sendSysex(0, 0x70, 9, ...pairOf(1000), ...pairOf(2000));
    rig.send(0, 0xe9, ...pairOf(90));
    rig.run(110);
    expectWidth(pulses, 1500);
    const gaps = pulses.slice(1).map((pulse, index) => pulse.riseMs - pulses[index]!.riseMs);
    for (const gap of gaps.slice(1)) expect(gap).toBeCloseTo(20, 1);
    rig.send(0, 0xe9, ...pairOf(0));
    rig.run(70);
    expectWidth(pulses, 1000);
    rig.send(0, 0xe9, ...pairOf(1750));
    rig.run(70);
    expectWidth(pulses, 1750);
    rig.send(0, 0xf4, 9, pinModes.output);
    rig.run(30);
    const made = pulses.length;
    rig.run(60);
    expect(pulses).toHaveLength(made);
  });

  test('twelve servos each have their width, a thirteenth is refused with a text', () => {
    const rig = startAttached();
    const pins = Array.from({ length: 12 }, (_, index) => 22 + index);
    const watched = pins.map((pin) => watch(rig, pin));
    pins.forEach((pin, index) => {
      rig.send(0, 0xf4, pin, pinModes.servo);
      rig.sendSysex(0, 0x6f, pin, ...pairOf(600 + 100 * index));
    });
    rig.taken(0);
    rig.sendSysex(0, 0x70, 40, ...pairOf(1000), ...pairOf(2000));
    rig.run(150);
    expect(rig.takenSysex(0)).toHaveLength(1);
    for (const [index, pulses] of watched.entries()) expectWidth(pulses, 600 + 100 * index);
    for (const pulses of watched) expect(pulses.length).toBeGreaterThanOrEqual(5);
  });
});
