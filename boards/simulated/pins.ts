/**
 * The pins of the simulated device: what the controller drives out of them, what the world drives into them,
 * and the level that results on the wire. Parts that hang on pins directly (a parallel display, a shift
 * register) watch level changes; everything else reads a pin when it needs to.
 */
import { type BoardProfile, type PinProfile, pinModes } from '../profile.ts';
import type { OutputTracer } from './tracer.ts';

export type Level = 0 | 1;

/** A part wired to output pins. Called on every change of a level, in order; must not write to the pins. */
export type LevelWatcher = (pin: number, level: Level, now: number) => void;

export class Pin {
  readonly number: number;
  readonly profile: PinProfile;
  /** One of pinModes. */
  mode: number;
  /** Last value written: 0/1 digital, duty for PWM, degrees or microseconds for servo. Pull-up for inputs. */
  value = 0;
  /** True after the safe state released the pin, until it is written again. */
  released = false;
  /** Servo pulse limits in microseconds, as configured by 0x70. */
  servoMinUs = 544;
  servoMaxUs = 2400;
  /** True while servo pulses are sent. */
  servoAttached = false;
  /** Changes of the driven level from 0 to 1, and back. */
  risingEdges = 0;
  fallingEdges = 0;
  /** Messages that wrote this pin, repeated values included. */
  writes = 0;
  /** What the world drives into the pin; null: nothing, the pull-up decides. */
  driven: Level | null = null;
  /** What the converter would read, 0..1023. */
  analogCounts = 0;
  /** Answer to a ping read in microseconds; 0: no echo. */
  echoUs = 0;
  /** Level that the controller's side drives; 0 for inputs. */
  drivenOut: Level = 0;

  constructor(number: number, profile: PinProfile) {
    this.number = number;
    this.profile = profile;
    this.mode = pinModes.output;
  }

  supports(mode: number): boolean {
    return this.profile.capabilities.some((capability) => capability.mode === mode);
  }

  get isInput(): boolean {
    return this.mode === pinModes.input || this.mode === pinModes.pullUp;
  }

  /** The level on the wire: ours when we drive, else the world's, else the pull-up's. */
  get level(): Level {
    if (!this.isInput && this.mode !== pinModes.analog && !this.released) return this.drivenOut;
    if (this.driven !== null) return this.driven;
    return this.mode === pinModes.pullUp || (this.mode === pinModes.input && this.value === 1) ? 1 : 0;
  }

  /** Share of the time that the output is high, 0..1. 0 for anything that is not driven. */
  get duty(): number {
    if (this.released) return 0;
    if (this.mode === pinModes.pwm) return Math.min(this.value, 255) / 255;
    return this.mode === pinModes.output ? this.value : 0;
  }

  /** Angle that a servo on this pin is commanded to in degrees; null when no pulses are sent. */
  get servoDegrees(): number | null {
    if (this.mode !== pinModes.servo || !this.servoAttached) return null;
    if (this.value < 544) return Math.min(this.value, 180);
    return ((this.value - this.servoMinUs) / (this.servoMaxUs - this.servoMinUs)) * 180;
  }
}

export class PinBank {
  readonly all: readonly Pin[];
  readonly profile: BoardProfile;
  readonly #tracer: OutputTracer;
  readonly #byChannel = new Map<number, Pin>();
  readonly #watchers: LevelWatcher[] = [];
  /** True when the world changed a pin since the device looked at its inputs. */
  inputsChanged = false;

  constructor(profile: BoardProfile, tracer: OutputTracer) {
    this.profile = profile;
    this.#tracer = tracer;
    this.all = profile.pins.map((pin, number) => new Pin(number, pin));
    for (const pin of this.all) {
      if (pin.profile.analogChannel !== null) this.#byChannel.set(pin.profile.analogChannel, pin);
    }
    this.#defaults();
  }

  /** The pin of that number; asserts that the board has it. Wiring a plant to a missing pin is a mistake of ours. */
  pin(number: number): Pin {
    const pin = this.all[number];
    if (pin === undefined)
      throw new RangeError(`${this.profile.name} has pins 0..${this.all.length - 1} (got ${number})`);
    return pin;
  }

  /** The pin behind A0, A1, ... */
  analog(channel: number): Pin {
    const pin = this.#byChannel.get(channel);
    if (pin === undefined) throw new RangeError(`${this.profile.name} has no analog input ${channel}`);
    return pin;
  }

  get portCount(): number {
    return Math.ceil(this.all.length / 8);
  }

  watch(watcher: LevelWatcher): void {
    this.#watchers.push(watcher);
  }

  /** The world drives a digital level into the pin; null lets it float. */
  drive(number: number, level: Level | null): void {
    const pin = this.pin(number);
    if (pin.driven === level) return;
    pin.driven = level;
    this.inputsChanged = true;
  }

  /** The world applies a voltage to an analog input, given as a share of the reference, 0..1. */
  driveAnalog(channel: number, share: number): void {
    const counts = Math.round(Math.min(Math.max(share, 0), 1) * 1023);
    this.analog(channel).analogCounts = counts;
  }

  setMode(now: number, pin: Pin, mode: number): void {
    this.#tracer.record(now, 'pin-mode', pin.number, [mode]);
    pin.mode = mode;
    pin.released = false;
    pin.value = mode === pinModes.pullUp ? 1 : 0;
    pin.servoAttached = mode === pinModes.servo;
    this.#out(now, pin, 0);
    this.inputsChanged = true;
  }

  writeDigital(now: number, pin: Pin, value: Level): void {
    pin.writes += 1;
    pin.released = false;
    pin.value = value;
    this.#tracer.record(now, 'digital', pin.number, [value]);
    this.#out(now, pin, value);
  }

  /** An input's output latch sets its pull-up resistor (ATmega, StandardFirmata before 2.5). */
  writePullUp(pin: Pin, value: Level): void {
    if (pin.value === value) return;
    pin.value = value;
    this.inputsChanged = true;
  }

  writePwm(now: number, pin: Pin, duty: number): void {
    pin.writes += 1;
    pin.released = false;
    pin.value = duty;
    this.#tracer.record(now, 'pwm', pin.number, [duty]);
    this.#out(now, pin, duty > 0 ? 1 : 0);
  }

  writeServo(now: number, pin: Pin, value: number): void {
    pin.writes += 1;
    pin.value = value;
    pin.servoAttached = true;
    this.#tracer.record(now, 'servo', pin.number, [value]);
  }

  configureServo(now: number, pin: Pin, minUs: number, maxUs: number): void {
    pin.servoMinUs = minUs;
    pin.servoMaxUs = maxUs;
    this.#tracer.record(now, 'servo-range', pin.number, [minUs, maxUs]);
  }

  /** A level made by the device itself (a stepper's coil or step pulse): counted, not an output of the program. */
  pulse(now: number, pin: Pin, level: Level): void {
    this.#out(now, pin, level);
  }

  /** All that is driven goes to the profile's safe state. Modes stay, so that the next write drives again. */
  safeState(now: number): void {
    for (const pin of this.all) {
      if (pin.isInput || pin.mode === pinModes.analog) continue;
      pin.value = 0;
      pin.servoAttached = false;
      pin.released = pin.profile.safeState === 'released';
      this.#out(now, pin, 0);
    }
    this.#tracer.record(now, 'safe-state', 0, []);
  }

  reset(now: number): void {
    for (const pin of this.all) this.#out(now, pin, 0);
    this.#defaults();
    this.#tracer.record(now, 'reset', 0, []);
    this.inputsChanged = true;
  }

  /** StandardFirmata's systemReset: analog inputs where there are some, outputs driven low elsewhere. */
  #defaults(): void {
    for (const pin of this.all) {
      const usable = pin.profile.capabilities.length > 0;
      const analog = pin.supports(pinModes.analog);
      pin.mode = !usable ? pinModes.ignore : analog ? pinModes.analog : pinModes.output;
      pin.value = 0;
      pin.released = false;
      pin.servoAttached = false;
      pin.servoMinUs = 544;
      pin.servoMaxUs = 2400;
    }
  }

  #out(now: number, pin: Pin, level: Level): void {
    if (pin.drivenOut === level) return;
    pin.drivenOut = level;
    if (level === 1) pin.risingEdges += 1;
    else pin.fallingEdges += 1;
    for (const watcher of this.#watchers) watcher(pin.number, level, now);
  }
}
