/**
 * The analog-to-digital converter (datasheet, section 26): single conversions and free running on the sixteen single-ended
 * channels, against AVCC, AREF or the internal references. Differential channels read 0; of the automatic triggers only
 * "free running" exists, the firmware that asks for another is complained of.
 */
import type { Chip } from './chip.ts';
import { register, vector } from './registers.ts';

const enable = 0x80;
const start = 0x40;
const automatic = 0x20;
const flag = 0x10;
const interruptEnable = 0x08;
const prescalerMask = 0x07;
const leftAdjust = 0x20;
const channelMask = 0x1f;
/** MUX5 in ADCSRB: channels 8..15. */
const upperChannels = 0x08;
const triggerMask = 0x07;

const firstConversionCycles = 25;
const conversionCycles = 13;
const fullScale = 1024;
const bandGapVolts = 1.1;
const bandGapChannel = 0x1e;

export const analogChannelCount = 16;

export interface AnalogSupply {
  avccVolts: number;
  arefVolts: number;
}

export class Adc {
  readonly #chip: Chip;
  readonly #alarm: number;
  readonly #volts: Float64Array;
  readonly #supply: AnalogSupply;
  #control = 0;
  #isConverting = false;
  #isFirst = true;
  #result = 0;

  /** `volts`: what the world applies to A0..A15, read when a conversion begins. */
  constructor(chip: Chip, volts: Float64Array, supply: AnalogSupply) {
    this.#chip = chip;
    this.#volts = volts;
    this.#supply = supply;
    this.#alarm = chip.alarms.add((at) => this.#complete(at));
    const { cpu, interrupts } = chip;
    interrupts.onAcknowledge(vector.adc, () => {
      this.#control &= ~flag;
      this.#request();
    });
    cpu.readHooks[register.adcControlA] = () => this.#control;
    cpu.writeHooks[register.adcControlA] = (value) => {
      this.#setControl(value);
      return true;
    };
  }

  #setControl(value: number): void {
    const cleared = value & flag ? 0 : this.#control & flag;
    const wasEnabled = (this.#control & enable) !== 0;
    this.#control = (value & ~(flag | start)) | cleared | (this.#isConverting ? start : 0);
    if (!(value & enable)) {
      this.#isConverting = false;
      this.#control &= ~start;
      this.#chip.alarms.set(this.#alarm, Number.POSITIVE_INFINITY);
    } else {
      if (!wasEnabled) this.#isFirst = true;
      if (value & start && !this.#isConverting) this.#begin(this.#chip.cpu.cycles);
    }
    const trigger = this.#chip.cpu.data[register.adcControlB]! & triggerMask;
    if (value & automatic && trigger !== 0) this.#chip.complain('adc-trigger-unsupported');
    this.#request();
  }

  #begin(cycle: number): void {
    this.#isConverting = true;
    this.#control |= start;
    this.#result = this.#sample();
    const cycles = this.#isFirst ? firstConversionCycles : conversionCycles;
    this.#isFirst = false;
    this.#chip.alarms.set(this.#alarm, cycle + cycles * this.#prescaler);
  }

  #complete(at: number): void {
    const { data } = this.#chip.cpu;
    const isLeft = (data[register.adcMultiplexer]! & leftAdjust) !== 0;
    const word = isLeft ? this.#result << 6 : this.#result;
    data[register.adcLow] = word & 0xff;
    data[register.adcHigh] = word >> 8;
    this.#isConverting = false;
    this.#control = (this.#control & ~start) | flag;
    if (this.#control & automatic) this.#begin(at);
    this.#request();
  }

  #sample(): number {
    const { data } = this.#chip.cpu;
    const channel = data[register.adcMultiplexer]! & channelMask;
    const isUpper = (data[register.adcControlB]! & upperChannels) !== 0;
    let volts = 0;
    if (channel < 8) volts = this.#volts[channel + (isUpper ? 8 : 0)]!;
    else if (channel === bandGapChannel && !isUpper) volts = bandGapVolts;
    const counts = Math.floor((volts / this.#referenceVolts) * fullScale);
    return Math.min(Math.max(counts, 0), fullScale - 1);
  }

  get #referenceVolts(): number {
    const { arefVolts, avccVolts } = this.#supply;
    const choice = this.#chip.cpu.data[register.adcMultiplexer]! >> 6;
    return [arefVolts, avccVolts, bandGapVolts, 2.56][choice]!;
  }

  get #prescaler(): number {
    return 2 ** Math.max(1, this.#control & prescalerMask);
  }

  #request(): void {
    const wanted = (this.#control & (flag | interruptEnable)) === (flag | interruptEnable);
    this.#chip.interrupts.request(vector.adc, wanted);
  }
}
