/**
 * A simulated microcontroller that speaks Firmata 2.6, for programs that expect StandardFirmata,
 * ConfigurableFirmata or PingFirmata. Pure: time and bytes come in, bytes go out through `onTransmit`.
 *
 *    controller bytes -> parser -> pins, buses, motors <- plant (physics, every 10 ms)
 *                   <- onTransmit <- reports, replies
 *
 * Everything inside happens at device time, which starts at 0 with the first call. `receive` and `tick` first
 * catch up with all that was due before `now`, in order of its time, so that what is sent does not depend on
 * how often the device is ticked. A gap of more than `gapMsMax` between two calls counts as the
 * device's own standstill: its time stops, as that of a halted microcontroller does.
 */

import { type Plant, plantStepMs } from '../plants/plant.ts';
import { type BoardProfile, pinModes } from '../profile.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { I2cBus } from './i2c-bus.ts';
import { command, fromPairs, pair, sysex, toPairs } from './messages.ts';
import { OneWireBuses } from './one-wire-bus.ts';
import { FirmataParser } from './parser.ts';
import { type Pin, PinBank } from './pins.ts';
import { answerQuery, firmwareReport, versionReport } from './queries.ts';
import { Reporting } from './reporting.ts';
import { SerialPorts } from './serial-ports.ts';
import { Sonar } from './sonar.ts';
import { Steppers } from './steppers.ts';
import { OutputTracer } from './tracer.ts';

const defaultSamplingIntervalMs = 19;
const gapMsMax = 5_000;
const stringsMax = 100;
const knownModes: ReadonlySet<number> = new Set(Object.values(pinModes));

export interface SimulatedFirmataOptions {
  profile: BoardProfile;
  plant?: Plant;
}

export class SimulatedFirmata {
  readonly profile: BoardProfile;
  readonly plant: Plant | null;
  readonly tracer = new OutputTracer();
  readonly pins: PinBank;
  readonly i2c: I2cBus;
  readonly oneWire: OneWireBuses;
  readonly steppers: Steppers;
  readonly serial: SerialPorts;
  readonly sonar: Sonar;
  /** Bytes for the controller. Called from within `receive`, `tick`, `opened` and `reset`. */
  onTransmit: (bytes: Uint8Array) => void = () => {};
  /** Messages that were not understood and changed nothing. */
  malformedCount = 0;
  /** Text that the program sent (sysex 0x71), the last ones, oldest first. */
  readonly strings: string[] = [];
  samplingIntervalMs = defaultSamplingIntervalMs;

  readonly #parser: FirmataParser;
  readonly #reporting: Reporting;
  readonly #features: readonly Feature[];
  readonly #featureOf = new Map<number, Feature>();
  /** Caller's time minus device time; null before the first call. */
  #offset: number | null = null;
  #time = 0;
  #nextSampleAt = defaultSamplingIntervalMs;
  #nextPlantStepAt = plantStepMs;

  constructor(options: SimulatedFirmataOptions) {
    this.profile = options.profile;
    this.plant = options.plant ?? null;
    this.pins = new PinBank(options.profile, this.tracer);
    this.#parser = new FirmataParser(options.profile.sysexBytesMax);
    this.#reporting = new Reporting(this.pins, (bytes) => this.#send(bytes));
    const context: FeatureContext = {
      pins: this.pins,
      tracer: this.tracer,
      sendSysex: (id, data) => this.#sendSysex(id, data),
      sendString: (text) => this.sendString(text),
    };
    this.i2c = new I2cBus(context);
    this.oneWire = new OneWireBuses(context);
    this.steppers = new Steppers(context);
    this.serial = new SerialPorts(context);
    this.sonar = new Sonar(context);
    this.#features = [this.i2c, this.oneWire, this.steppers, this.serial, this.sonar];
    for (const feature of this.#features) for (const id of feature.ids) this.#featureOf.set(id, feature);
  }

  /** Device time in ms: what chips and plants see. */
  get time(): number {
    return this.#time;
  }

  /** When `tick` has something to do, in the caller's time; null: never, until bytes come. */
  get nextWakeAt(): number | null {
    const next = this.#nextAt();
    return next === null ? null : next + (this.#offset ?? 0);
  }

  /** The port was opened by a controller: the device announces itself, as after the reset that DTR causes. */
  opened(now: number): void {
    this.#advance(now);
    this.#send(versionReport());
    this.#sendSysex(sysex.firmware, firmwareReport(this.profile));
  }

  receive(now: number, bytes: Uint8Array): void {
    this.#advance(now);
    for (const message of this.#parser.push(bytes)) {
      if (message.kind === 'malformed') this.malformedCount += 1;
      else if (message.kind === 'sysex') {
        if (!this.#sysex(message.id, message.data)) this.malformedCount += 1;
      } else this.#short(message.command, message.first, message.second);
    }
    if (this.pins.inputsChanged) this.#reporting.sendChangedPorts();
  }

  tick(now: number): void {
    this.#advance(now);
    if (this.pins.inputsChanged) this.#reporting.sendChangedPorts();
  }

  /** The supply was off and on again: the device and the parts that it feeds. The plant goes on. */
  powerCycle(now: number): void {
    this.#advance(now);
    this.i2c.powerCycle();
    this.serial.powerCycle();
    this.reset(now);
  }

  /** The reset button: the device as after power-on, then the announcement. Its parts and the plant go on. */
  reset(now: number): void {
    this.#advance(now);
    this.#parser.reset();
    this.#systemReset();
    this.opened(now);
  }

  /**
   * No controller lives: outputs to the profile's safe state, motors stopped, reporting goes on. What was
   * received of an unfinished message is forgotten, because the next controller begins with a whole one
   * (protocol/README.md §12.4, rule 9).
   */
  safeState(now: number): void {
    this.#advance(now);
    this.#parser.reset();
    for (const feature of this.#features) feature.safeState(this.#time);
    this.pins.safeState(this.#time);
  }

  /** Sends text to the program, which sees it as a 'string' event. */
  sendString(text: string): void {
    this.#sendSysex(sysex.string, toPairs([...text].map((character) => character.charCodeAt(0) & 0xff)));
  }

  #nextAt(): number | null {
    let next: number | null = this.pins.inputsChanged ? this.#time : null;
    const consider = (at: number | null) => {
      if (at !== null && (next === null || at < next)) next = at;
    };
    if (this.plant !== null) consider(this.#nextPlantStepAt);
    if (this.#reporting.analogActive || this.i2c.reporting) consider(this.#nextSampleAt);
    for (const feature of this.#features) consider(feature.nextAt);
    return next;
  }

  /** Carries out all that is due by `now`, each thing at its own time. */
  #advance(now: number): void {
    this.#offset ??= now;
    const gap = now - this.#offset - this.#time;
    if (gap > gapMsMax) this.#offset += gap - gapMsMax;
    // A caller's clock that steps back must not turn the device's time back.
    const target = Math.max(this.#time, now - this.#offset);
    for (;;) {
      const due = this.#nextAt();
      if (due === null || due > target) break;
      this.#time = Math.max(this.#time, due);
      this.#step();
    }
    this.#time = target;
    this.#skipSamples();
  }

  /** What is due at `#time`, in a fixed order: physics first, then what it changed is reported. */
  #step(): void {
    if (this.plant !== null && this.#nextPlantStepAt <= this.#time) {
      this.plant.step(this.#nextPlantStepAt, this.pins);
      this.#nextPlantStepAt += plantStepMs;
    }
    for (const feature of this.#features) {
      if (feature.nextAt !== null && feature.nextAt <= this.#time) feature.advance(this.#time);
    }
    if (this.pins.inputsChanged) this.#reporting.sendChangedPorts();
    if (this.#nextSampleAt <= this.#time) {
      this.#nextSampleAt += this.samplingIntervalMs;
      this.#reporting.sendChannels();
      this.i2c.sample(this.#time);
    }
  }

  /** Sampling instants at which nothing was reported pass by without a wake. */
  #skipSamples(): void {
    const behind = this.#time - this.#nextSampleAt;
    if (behind < 0) return;
    this.#nextSampleAt += (Math.floor(behind / this.samplingIntervalMs) + 1) * this.samplingIntervalMs;
  }

  #short(status: number, first: number, second: number): void {
    const channel = status & 0x0f;
    switch (status < 0xf0 ? status & 0xf0 : status) {
      case command.digitalMessage:
        this.#writePort(channel, pair(first, second));
        break;
      case command.analogMessage:
        this.#writeAnalog(channel, pair(first, second));
        break;
      case command.reportDigital:
        this.#reporting.reportPort(channel, first !== 0);
        break;
      case command.reportAnalog:
        this.#reporting.reportChannel(channel, first !== 0);
        break;
      case command.setPinMode:
        this.#setPinMode(first, second);
        break;
      case command.setDigitalPin:
        this.#writePin(first, second !== 0 ? 1 : 0);
        break;
      case command.reportVersion:
        this.#send(versionReport());
        break;
      case command.systemReset:
        this.#systemReset();
        break;
    }
  }

  #sysex(id: number, data: Uint8Array): boolean {
    const feature = this.#featureOf.get(id);
    if (feature !== undefined) return feature.sysex(this.#time, id, data);
    switch (id) {
      case sysex.extendedAnalog: {
        if (data.length < 2) return false;
        const value = data
          .subarray(1)
          .reduce((sum, byte, index) => sum + (byte & 0x7f) * 2 ** (7 * index), 0);
        this.#writeAnalog(data[0]!, Math.min(value, 0xffff));
        return true;
      }
      case sysex.servoConfig:
        return this.#configureServo(data);
      case sysex.samplingInterval: {
        if (data.length < 2) return false;
        this.samplingIntervalMs = Math.max(1, pair(data[0]!, data[1]!));
        this.#nextSampleAt = this.#time + this.samplingIntervalMs;
        return true;
      }
      case sysex.string:
        return this.#string(data);
      default: {
        const answer = answerQuery(id, data, this.profile, this.pins.all);
        if (answer === null) return false;
        this.#sendSysex(answer.id, answer.data);
        return true;
      }
    }
  }

  #setPinMode(number: number, mode: number): void {
    const pin = this.pins.all[number];
    if (pin === undefined || !knownModes.has(mode)) {
      this.malformedCount += 1;
      this.sendString('Unknown pin mode');
      return;
    }
    // Software serial runs on any digital pin, whatever the capability response says of the hardware.
    const wanted = mode === pinModes.serial ? pinModes.input : mode;
    if (!pin.supports(wanted)) return;
    this.pins.setMode(this.#time, pin, mode);
    const channel = pin.profile.analogChannel;
    if (channel !== null) this.#reporting.reportChannel(channel, mode === pinModes.analog);
  }

  #writePort(port: number, value: number): void {
    for (let bit = 0; bit < 8; bit++) this.#writePin(8 * port + bit, ((value >> bit) & 1) as 0 | 1);
  }

  #writePin(number: number, value: 0 | 1): void {
    const pin = this.pins.all[number];
    if (pin?.mode === pinModes.output) this.pins.writeDigital(this.#time, pin, value);
    else if (pin?.mode === pinModes.input) this.pins.writePullUp(pin, value);
  }

  #writeAnalog(number: number, value: number): void {
    const pin = this.pins.all[number];
    if (pin?.mode === pinModes.pwm) this.pins.writePwm(this.#time, pin, value);
    else if (pin?.mode === pinModes.servo) this.pins.writeServo(this.#time, pin, value);
  }

  #configureServo(data: Uint8Array): boolean {
    if (data.length < 5) return false;
    const pin: Pin | undefined = this.pins.all[data[0]!];
    if (pin === undefined || !pin.supports(pinModes.servo)) return false;
    if (pin.mode !== pinModes.servo) this.pins.setMode(this.#time, pin, pinModes.servo);
    this.pins.configureServo(this.#time, pin, pair(data[1]!, data[2]!), pair(data[3]!, data[4]!));
    return true;
  }

  #string(data: Uint8Array): boolean {
    const text = String.fromCharCode(...fromPairs(data)).replace(/\0+$/, '');
    this.tracer.record(this.#time, 'string', 0, [...fromPairs(data)]);
    this.strings.push(text);
    if (this.strings.length > stringsMax) this.strings.shift();
    return true;
  }

  #systemReset(): void {
    for (const feature of this.#features) feature.reset(this.#time);
    this.#reporting.reset();
    this.samplingIntervalMs = defaultSamplingIntervalMs;
    this.#nextSampleAt = this.#time + defaultSamplingIntervalMs;
    this.pins.reset(this.#time);
  }

  #sendSysex(id: number, data: readonly number[]): void {
    this.#send([command.startSysex, id, ...data, command.endSysex]);
  }

  #send(bytes: readonly number[]): void {
    this.onTransmit(Uint8Array.from(bytes));
  }
}
