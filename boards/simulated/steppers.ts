/**
 * Stepper motors of both generations: AdvancedFirmata's (sysex 0x72, what johnny-five's Stepper uses) and
 * AccelStepperFirmata's (0x62, with positions and groups). The device makes the steps on its own, so that a
 * move once ordered goes on while controllers change.
 */

import { pinModes } from '../profile.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { decodeFloat, decodeSigned32, encodeSigned32, pair, sysex } from './messages.ts';
import { Motion } from './motion.ts';
import type { Pin } from './pins.ts';

const motorsMax = 10;
const groupsMax = 5;
/** AVR446's steps are ordered in 21 bits. */
const driverType = 1;
const fourWireType = 4;

/** Coil patterns of the Arduino Stepper library: two wires, four wires. */
const coilPatterns: Readonly<Record<number, readonly (readonly (0 | 1)[])[]>> = {
  2: [
    [0, 1],
    [1, 1],
    [1, 0],
    [0, 0],
  ],
  3: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  4: [
    [1, 0, 1, 0],
    [0, 1, 1, 0],
    [0, 1, 0, 1],
    [1, 0, 0, 1],
  ],
};

interface Motor {
  motion: Motion;
  /** 1 driver with step and direction pins, else the number of coil wires. */
  type: number;
  /** 0x72 only. */
  stepsPerRevolution: number;
  /** Driver: step pin, direction pin. Else the coils. */
  pins: Pin[];
  enablePin: Pin | null;
  /** 0x62 only: steps/s and steps/s^2. */
  stepsPerSecond: number;
  acceleration: number;
  /** Group that the move belongs to; null: a move of its own. */
  group: number | null;
}

export class Steppers implements Feature {
  readonly ids = [sysex.stepper, sysex.accelStepper];
  readonly #context: FeatureContext;
  /** Separate number spaces, as the two firmwares have them. */
  readonly #legacy = new Map<number, Motor>();
  readonly #accel = new Map<number, Motor>();
  readonly #groups = new Map<number, number[]>();

  constructor(context: FeatureContext) {
    this.#context = context;
  }

  /** Motor of johnny-five's Stepper by its device number; for observers. */
  motion(device: number): Motion | null {
    return this.#legacy.get(device)?.motion ?? null;
  }

  accelMotion(device: number): Motion | null {
    return this.#accel.get(device)?.motion ?? null;
  }

  /** Steps are made in blocks of at most 1 ms, so that a fast motor does not wake the device for each. */
  get nextAt(): number | null {
    let next: number | null = null;
    for (const motors of [this.#legacy, this.#accel]) {
      for (const motor of motors.values()) {
        const at = motor.motion.nextAt;
        if (at !== null && (next === null || at < next)) next = at;
      }
    }
    return next === null ? null : Math.ceil(next);
  }

  advance(now: number): void {
    for (const [device, motor] of this.#legacy) {
      if (this.#run(now, motor)) this.#context.sendSysex(sysex.stepper, [device]);
    }
    for (const [device, motor] of this.#accel) {
      if (!this.#run(now, motor)) continue;
      if (motor.group === null) this.#reportPosition(device, motor, 0x0a);
      else this.#finishGroup(motor.group);
    }
  }

  sysex(now: number, id: number, data: Uint8Array): boolean {
    if (data.length < 2) return false;
    const done = id === sysex.stepper ? this.#legacySysex(now, data) : this.#accelSysex(now, data);
    // The order is the program's effect; its steps follow at times of the device's own.
    if (done) this.#context.tracer.record(now, 'step', data[1]!, [id, ...data]);
    return done;
  }

  reset(): void {
    this.#legacy.clear();
    this.#accel.clear();
    this.#groups.clear();
  }

  safeState(): void {
    for (const motor of [...this.#legacy.values(), ...this.#accel.values()]) motor.motion.stop();
  }

  #run(now: number, motor: Motor): boolean {
    return motor.motion.advance(now, (direction) => this.#drive(now, motor, direction));
  }

  /** Puts one step on the pins: direction and a pulse for a driver, the next pattern for coils. */
  #drive(now: number, motor: Motor, direction: 1 | -1): void {
    const { pins } = this.#context;
    const [first, second] = motor.pins;
    if (motor.type === driverType && first !== undefined && second !== undefined) {
      pins.pulse(now, second, direction > 0 ? 1 : 0);
      pins.pulse(now, first, 1);
      pins.pulse(now, first, 0);
      return;
    }
    const patterns = coilPatterns[motor.type];
    if (patterns === undefined) return;
    const index = ((motor.motion.position % patterns.length) + patterns.length) % patterns.length;
    patterns[index]!.forEach((level, wire) => {
      const pin = motor.pins[wire];
      if (pin !== undefined) pins.pulse(now, pin, level);
    });
  }

  #pinsOf(now: number, numbers: Uint8Array): Pin[] | null {
    const pins: Pin[] = [];
    for (const number of numbers) {
      const pin = this.#context.pins.all[number];
      if (pin === undefined || !pin.supports(pinModes.stepper)) return null;
      pins.push(pin);
    }
    for (const pin of pins) {
      if (pin.mode !== pinModes.stepper) this.#context.pins.setMode(now, pin, pinModes.stepper);
    }
    return pins;
  }

  #legacySysex(now: number, data: Uint8Array): boolean {
    const device = data[1]!;
    if (device >= motorsMax) return false;
    if (data[0] === 0x00) {
      if (data.length < 7) return false;
      const type = data[2]! & 0x07;
      const wires = type === fourWireType ? 4 : 2;
      if (data.length < 5 + wires) return false;
      const pins = this.#pinsOf(now, data.subarray(5, 5 + wires));
      if (pins === null) return false;
      const motor = newMotor(type, pins);
      // AdvancedFirmata is told direction first, then step (firmata-io, stepperConfig).
      if (type === driverType) motor.pins.reverse();
      motor.stepsPerRevolution = Math.max(1, pair(data[3]!, data[4]!));
      this.#legacy.set(device, motor);
      return true;
    }
    const motor = this.#legacy.get(device);
    if (data[0] !== 0x01 || motor === undefined || data.length < 8) return false;
    const steps = pair(data[3]!, data[4]!) + (data[5]! & 0x7f) * 2 ** 14;
    // Speed comes in 0.01 rad/s, ramps in 0.01 rad/s^2.
    const stepsPerRadian = motor.stepsPerRevolution / (2 * Math.PI);
    const inSteps = (low: number, high: number) => pair(low, high) * 0.01 * stepsPerRadian;
    const ramps = data.length >= 12;
    motor.motion.start(now, {
      steps: data[2] === 1 ? steps : -steps,
      stepsPerSecond: inSteps(data[6]!, data[7]!),
      acceleration: ramps ? inSteps(data[8]!, data[9]!) : 0,
      deceleration: ramps ? inSteps(data[10]!, data[11]!) : 0,
    });
    return true;
  }

  #accelSysex(now: number, data: Uint8Array): boolean {
    const subcommand = data[0]!;
    const device = data[1]!;
    if (subcommand >= 0x20) return this.#groupSysex(now, subcommand, device, data.subarray(2));
    if (device >= motorsMax) return false;
    if (subcommand === 0x00) return this.#accelConfigure(now, device, data);
    const motor = this.#accel.get(device);
    if (motor === undefined) return false;
    switch (subcommand) {
      case 0x01:
        motor.motion.position = 0;
        return true;
      case 0x02:
      case 0x03: {
        if (data.length < 7) return false;
        const argument = decodeSigned32(data.subarray(2, 7));
        motor.group = null;
        this.#move(now, motor, subcommand === 0x02 ? argument : argument - motor.motion.position);
        return true;
      }
      case 0x04:
        if (motor.enablePin !== null) this.#context.pins.pulse(now, motor.enablePin, data[2] === 0 ? 1 : 0);
        return data.length >= 3;
      case 0x05:
        motor.motion.stop();
        this.#reportPosition(device, motor, 0x0a);
        return true;
      case 0x06:
        this.#reportPosition(device, motor, 0x06);
        return true;
      case 0x08:
        if (data.length < 6) return false;
        motor.acceleration = Math.max(0, decodeFloat(data.subarray(2, 6)));
        return true;
      case 0x09:
        if (data.length < 6) return false;
        motor.stepsPerSecond = Math.abs(decodeFloat(data.subarray(2, 6)));
        return true;
      default:
        return false;
    }
  }

  #accelConfigure(now: number, device: number, data: Uint8Array): boolean {
    if (data.length < 3) return false;
    const type = (data[2]! >> 4) & 0x07;
    const wires = type === driverType ? 2 : type;
    if (wires < 2 || wires > 4) return false;
    const hasEnable = (data[2]! & 0x01) !== 0;
    const end = 3 + wires + (hasEnable ? 1 : 0);
    if (data.length < end) return false;
    const pins = this.#pinsOf(now, data.subarray(3, end));
    if (pins === null) return false;
    const motor = newMotor(type, pins.slice(0, wires));
    motor.enablePin = hasEnable ? pins[wires]! : null;
    this.#accel.set(device, motor);
    return true;
  }

  #groupSysex(now: number, subcommand: number, group: number, data: Uint8Array): boolean {
    if (group >= groupsMax) return false;
    if (subcommand === 0x20) {
      const devices = [...data];
      if (devices.length > motorsMax || devices.some((device) => !this.#accel.has(device))) return false;
      this.#groups.set(group, devices);
      return true;
    }
    const devices = this.#groups.get(group);
    if (devices === undefined) return false;
    const motors = devices.map((device) => this.#accel.get(device)!);
    if (subcommand === 0x23) {
      for (const motor of motors) motor.motion.stop();
      this.#context.sendSysex(sysex.accelStepper, [0x24, group]);
      return true;
    }
    if (subcommand !== 0x21 || data.length < 5 * motors.length) return false;
    const distances = motors.map(
      (motor, index) => decodeSigned32(data.subarray(5 * index, 5 * index + 5)) - motor.motion.position,
    );
    // All arrive together: the motor that would take longest sets the time (MultiStepper of AccelStepper).
    const seconds = Math.max(
      ...motors.map((motor, i) => Math.abs(distances[i]!) / Math.max(motor.stepsPerSecond, 1)),
      0,
    );
    motors.forEach((motor, index) => {
      motor.group = group;
      const stepsPerSecond = seconds === 0 ? motor.stepsPerSecond : Math.abs(distances[index]!) / seconds;
      motor.motion.start(now, { steps: distances[index]!, stepsPerSecond, acceleration: 0, deceleration: 0 });
    });
    return true;
  }

  #move(now: number, motor: Motor, steps: number): void {
    const { stepsPerSecond, acceleration } = motor;
    motor.motion.start(now, { steps, stepsPerSecond, acceleration, deceleration: acceleration });
  }

  #finishGroup(group: number): void {
    const devices = this.#groups.get(group) ?? [];
    if (devices.some((device) => this.#accel.get(device)?.motion.moving)) return;
    this.#context.sendSysex(sysex.accelStepper, [0x24, group]);
  }

  #reportPosition(device: number, motor: Motor, reply: number): void {
    this.#context.sendSysex(sysex.accelStepper, [reply, device, ...encodeSigned32(motor.motion.position)]);
  }
}

function newMotor(type: number, pins: Pin[]): Motor {
  return {
    motion: new Motion(),
    type,
    stepsPerRevolution: 200,
    pins,
    enablePin: null,
    stepsPerSecond: 100,
    acceleration: 0,
    group: null,
  };
}
