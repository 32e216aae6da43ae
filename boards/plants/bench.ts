/**
 * A bench for programs that need something to read, whatever pins they use: every analog input swings slowly,
 * every pin that is an input has a push button that is pressed now and then, two pins carry a rotary encoder,
 * one analog input a keypad on a resistor ladder, and every sonar sees a wall that comes and goes.
 *
 * A button on an input with pull-up closes to ground; on one without it closes to the supply, as
 * johnny-five's Button takes it by default.
 */
import { pinModes } from '../profile.ts';
import type { PinBank } from '../simulated/pins.ts';
import { Noise } from './noise.ts';
import type { Plant } from './plant.ts';

export interface BenchOptions {
  seed?: number;
  /** Quadrature outputs of the encoder. */
  encoderPins?: readonly [number, number] | null;
  /** Analog input of the keypad: `keypadKeys` steps of equal height. */
  keypadChannel?: number | null;
  keypadKeys?: number;
}

/** Button n is down for `buttonDownMs` out of a period of its own. */
const buttonPeriodMs = 900;
const buttonPeriodStepMs = 110;
const buttonDownMs = 160;
const analogPeriodMs = 4_000;
const analogPeriodStepMs = 700;
const analogNoiseShare = 0.003;
const encoderStepMs = 50;
const encoderSteps = [0b00, 0b01, 0b11, 0b10] as const;
const encoderStepsPerTurn = 80;
const keyPeriodMs = 600;
const keyDownMs = 250;
const wallNearMetres = 0.2;
const wallFarMetres = 1.5;
const wallPeriodMs = 6_000;
/** There and back at 343 m/s. */
const echoUsPerMetre = 2_000_000 / 343;

export class Bench implements Plant {
  readonly #noise: Noise;
  readonly #encoderPins: readonly [number, number] | null;
  readonly #keypadChannel: number | null;
  readonly #keypadKeys: number;
  #buttonsDown = 0;
  #presses = 0;
  #encoderPosition = 0;
  /** Key that is down; -1: none. */
  #key = -1;
  #wallMetres = wallNearMetres;

  constructor(options: BenchOptions = {}) {
    this.#noise = new Noise(options.seed ?? 1);
    this.#encoderPins = options.encoderPins ?? null;
    this.#keypadChannel = options.keypadChannel ?? null;
    this.#keypadKeys = options.keypadKeys ?? 12;
  }

  step(now: number, pins: PinBank): void {
    this.#swing(now, pins);
    this.#press(now, pins);
    if (this.#encoderPins !== null) this.#turn(now, pins, this.#encoderPins);
    if (this.#keypadChannel !== null) this.#type(now, pins, this.#keypadChannel);
    this.#wallMetres = wallNearMetres + (wallFarMetres - wallNearMetres) * wave(now, wallPeriodMs);
    for (const pin of pins.all) pin.echoUs = this.#wallMetres * echoUsPerMetre;
  }

  state(): Record<string, number | boolean> {
    return {
      buttonsDown: this.#buttonsDown,
      presses: this.#presses,
      encoderPosition: this.#encoderPosition,
      keyDown: this.#key >= 0,
      key: this.#key,
      wallMetres: this.#wallMetres,
    };
  }

  #swing(now: number, pins: PinBank): void {
    for (const pin of pins.all) {
      const channel = pin.profile.analogChannel;
      if (channel === null || channel === this.#keypadChannel) continue;
      const share = 0.05 + 0.9 * wave(now, analogPeriodMs + channel * analogPeriodStepMs);
      pins.driveAnalog(channel, share + analogNoiseShare * this.#noise.next());
    }
  }

  #press(now: number, pins: PinBank): void {
    let down = 0;
    for (const pin of pins.all) {
      if (!pin.isInput || this.#encoderPins?.includes(pin.number)) continue;
      const periodMs = buttonPeriodMs + pin.number * buttonPeriodStepMs;
      const pressed = now % periodMs >= periodMs - buttonDownMs;
      const closed = pin.mode === pinModes.pullUp || pin.value === 1 ? 0 : 1;
      const level = pressed ? closed : closed === 1 ? 0 : 1;
      if (pressed) {
        down += 1;
        if (pin.driven !== level) this.#presses += 1;
      }
      pins.drive(pin.number, level);
    }
    this.#buttonsDown = down;
  }

  /** One turn there, one turn back. */
  #turn(now: number, pins: PinBank, [first, second]: readonly [number, number]): void {
    const step = Math.floor(now / encoderStepMs) % (2 * encoderStepsPerTurn);
    this.#encoderPosition = step < encoderStepsPerTurn ? step : 2 * encoderStepsPerTurn - step;
    const phase = encoderSteps[this.#encoderPosition % encoderSteps.length]!;
    pins.drive(first, (phase & 1) as 0 | 1);
    pins.drive(second, (phase >> 1) as 0 | 1);
  }

  /** The keys in turn, each held for a while. */
  #type(now: number, pins: PinBank, channel: number): void {
    const down = now % keyPeriodMs < keyDownMs;
    this.#key = down ? Math.floor(now / keyPeriodMs) % this.#keypadKeys : -1;
    // johnny-five divides the scale by the keys and one more; the gap below the last part is no key.
    const countsPerKey = Math.round(1023 / (this.#keypadKeys + 1));
    const counts = down ? Math.floor(countsPerKey * (this.#key + 0.4)) : countsPerKey * this.#keypadKeys - 1;
    pins.driveAnalog(channel, counts / 1023);
  }
}

/** 0..1..0 over the period, as a raised cosine. */
function wave(now: number, periodMs: number): number {
  return (1 - Math.cos((2 * Math.PI * now) / periodMs)) / 2;
}
