/**
 * A plant at the pins of the emulated board: the same plants that the simulated Firmata's pins drive (boards/plants).
 *
 *     chip's pins --levels, duties--> PinBank --> plant.step, every 10 ms of the machine's time
 *     chip's inputs <--levels, volts-- PinBank <--'
 *
 * The bank is a mirror, read off the pins before each step: a plant sees what a wire does, whatever the firmware believes.
 * A pin that a timer drives has its duty; one that a program toggles has its level; a servo's pulses are its angle.
 */
import { type Plant, plantStepMs } from '../../plants/plant.ts';
import { type BoardProfile, pinModes } from '../../profile.ts';
import { type Pin, PinBank } from '../../simulated/pins.ts';
import { OutputTracer } from '../../simulated/tracer.ts';
import { arduinoPinCount, pinOfWire, wireOfPin } from './arduino-pins.ts';
import type { Mega2560 } from './machine.ts';

const analogFullScale = 1024;
const servoPulseUsMin = 500;
const servoPulseUsMax = 2500;
/** Servo pulses come every 20 ms; without one for so long nothing holds the horn. */
const servoSilenceMs = 60;
const millisecondsPerSecond = 1000;
const microsecondsPerSecond = 1_000_000;
/** Frames of a servo are 20 ms apart; what pulses faster or slower is something else. */
const servoFrameMsMin = 15;
const servoFrameMsMax = 25;
const unknownWorld = 2;

/** Pulses seen on a pin, which tell a servo from a valve. */
interface PulseWatch {
  roseAtMs: number;
  roseAtCycle: number;
  /** It rose a servo's frame after the time before. */
  isFrame: boolean;
  widthUs: number;
  lastAtMs: number;
}

export class PlantLink {
  readonly pins: PinBank;
  readonly #machine: Mega2560;
  readonly #plant: Plant | null;
  readonly #supplyVolts: number;
  readonly #pulses = new Map<number, PulseWatch>();
  readonly #driven = new Uint8Array(arduinoPinCount).fill(unknownWorld);
  #steps = 0;
  /** A pin that a bus has: the plant's hands are off it. */
  isTaken: (pin: number) => boolean = () => false;

  /** The plant's first step is at the machine's present. Its time goes on over resets of the board: physics does. */
  constructor(machine: Mega2560, profile: BoardProfile, plant: Plant | null) {
    this.#machine = machine;
    this.#plant = plant;
    this.#supplyVolts = profile.analogReferenceVolts;
    this.pins = new PinBank(profile, new OutputTracer(1));
    machine.wires.listen((wire, level, cycle) => {
      const pin = pinOfWire(wire);
      if (pin !== null) this.#edge(pin, level, cycle);
    });
    if (plant !== null) this.#planStep(machine.cycle);
  }

  /** Brings the mirror up to date. A plant's step does so by itself. */
  refresh(): void {
    for (const pin of this.pins.all) this.#mirror(pin);
  }

  #planStep(cycle: number): void {
    this.#machine.at(cycle, () => {
      this.#step();
      this.#planStep(cycle + this.#machine.cyclesOf(plantStepMs));
    });
  }

  #step(): void {
    this.refresh();
    this.#plant!.step(this.#steps * plantStepMs, this.pins);
    this.#steps += 1;
    for (const pin of this.pins.all) this.#apply(pin);
  }

  #mirror(pin: Pin): void {
    const machine = this.#machine;
    const pwm = machine.pwm(pin.number);
    pin.released = false;
    if (pwm !== null) {
      pin.mode = pinModes.pwm;
      pin.value = Math.round(pwm.duty * 255);
    } else if (machine.isOutput(pin.number)) this.#mirrorOutput(pin);
    else {
      const isPulled = machine.wires.hasPullUp(wireOfPin(pin.number));
      pin.mode = isPulled ? pinModes.pullUp : pinModes.input;
      pin.value = isPulled ? 1 : 0;
    }
  }

  #mirrorOutput(pin: Pin): void {
    const watch = this.#pulses.get(pin.number);
    const isServo = watch !== undefined && this.#machine.timeMs - watch.lastAtMs < servoSilenceMs;
    pin.mode = isServo ? pinModes.servo : pinModes.output;
    pin.servoAttached = isServo;
    pin.value = isServo ? Math.round(watch.widthUs) : this.#machine.level(pin.number);
  }

  #apply(pin: Pin): void {
    const { number } = pin;
    const level = this.isTaken(number) ? null : pin.driven;
    if ((level ?? unknownWorld) !== this.#driven[number]) {
      this.#driven[number] = level ?? unknownWorld;
      this.#machine.drive(number, level);
    }
    const channel = pin.profile.analogChannel;
    if (channel === null) return;
    // The middle of the step that reads as these counts.
    const share = (pin.analogCounts + 0.5) / analogFullScale;
    this.#machine.setVolts(channel, share * this.#supplyVolts);
  }

  #edge(number: number, level: 0 | 1, cycle: number): void {
    const pin = this.pins.all[number]!;
    const atMs = (cycle / this.#machine.clockHz) * millisecondsPerSecond;
    if (this.#machine.isOutput(number)) this.pins.pulse(atMs, pin, level);
    if (level === 1) {
      const before = this.#pulses.get(number);
      const frameMs = before === undefined ? 0 : atMs - before.roseAtMs;
      const isFrame = frameMs >= servoFrameMsMin && frameMs <= servoFrameMsMax;
      const { widthUs, lastAtMs } = before ?? { widthUs: 0, lastAtMs: -servoSilenceMs };
      this.#pulses.set(number, { roseAtMs: atMs, roseAtCycle: cycle, isFrame, widthUs, lastAtMs });
      return;
    }
    const watch = this.#pulses.get(number);
    if (watch === undefined || !watch.isFrame) return;
    const widthUs = ((cycle - watch.roseAtCycle) / this.#machine.clockHz) * microsecondsPerSecond;
    if (widthUs < servoPulseUsMin || widthUs > servoPulseUsMax) return;
    watch.widthUs = widthUs;
    watch.lastAtMs = atMs;
  }
}
