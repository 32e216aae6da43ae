/**
 * A timer/counter (datasheet, sections 16, 17 and 20) with its output units, in place of avr8js's, which takes one event for
 * each tick, has no third compare unit's interrupt and so makes an idle firmware cost more than a busy one.
 *
 * The counter is not stepped: it is brought up to date when someone looks or when something is due. Everything that a
 * counter does happens on a transition between two of its values:
 *
 *     leaving OCRx            compare match: flag, output unit
 *     leaving TOP (one slope) back to BOTTOM: overflow or not by mode, buffered OCRx taken over, output units of fast PWM
 *     reaching TOP (two)      turn: buffered OCRx taken over (phase correct)
 *     reaching BOTTOM (two)   turn: overflow; buffered OCRx taken over (phase and frequency correct)
 *
 * so `advance` goes from one to the next, and an alarm stands at the first that matters to an interrupt or to a pin.
 * Not modelled: external clocks, input capture, the asynchronous crystal of timer 2.
 */
import type { Chip } from './chip.ts';
import type { Ports } from './ports.ts';
import { type Slope, type TimerPlace, type WaveformMode, waveformOf } from './timer-modes.ts';
import type { Level } from './wires.ts';

const overflowFlag = 0x01;
const byteMask = 0xff;
const disconnected = 0;
const toggle = 1;
const clearOnMatch = 2;
const setOnMatch = 3;
/** More transitions than this in one go are whole periods, of which the last two say everything. */
const stepsMax = 64;

export interface PwmReading {
  /** Share of the time that the pin is high, 0..1. */
  duty: number;
  frequencyHz: number;
}

interface Unit {
  /** Register of OCRx, low byte. */
  address: number;
  wire: number;
  asModulator: boolean;
  flag: number;
  compare: number;
  /** What the firmware wrote; taken over as the mode says. */
  buffer: number;
  action: number;
  level: Level;
}

export class Timer {
  readonly #chip: Chip;
  readonly #ports: Ports;
  readonly #place: TimerPlace;
  readonly #alarm: number;
  readonly #units: readonly Unit[];
  readonly #max: number;
  #waveform: WaveformMode;
  #value = 0;
  #isDown = false;
  #captureTop = 0;
  #temporary = 0;
  #dividerCycles = 0;
  #lastTick = 0;
  /** Cycle at which the prescaler was last reset. */
  #prescalerBase = 0;
  #flags = 0;
  #mask = 0;
  #isMatchBlocked = false;

  constructor(chip: Chip, ports: Ports, place: TimerPlace) {
    this.#chip = chip;
    this.#ports = ports;
    this.#place = place;
    this.#max = place.bits === 16 ? 0xffff : byteMask;
    this.#alarm = chip.alarms.add((at) => {
      this.#sync(at);
      this.#plan();
    });
    this.#waveform = waveformOf(place, 0);
    this.#units = place.units.map((unit, index) => ({
      ...unit,
      flag: 2 << index,
      compare: 0,
      buffer: 0,
      action: disconnected,
      level: 0,
    }));
    for (const [flag, vector] of place.vectors) {
      chip.interrupts.onAcknowledge(vector, () => {
        this.#flags &= ~flag;
        this.#request();
      });
    }
    this.#attachControl();
    this.#attachFlags();
    if (place.bits === 16) this.#attachWide();
    else this.#attachNarrow();
  }

  /** The prescaler begins anew (GTCCR). */
  resetPrescaler(): void {
    this.#sync(this.#chip.cpu.cycles);
    this.#prescalerBase = this.#chip.cpu.cycles;
    this.#lastTick = 0;
    this.#plan();
  }

  /** What the output unit on this wire makes in a PWM mode; null: it has none, or none is connected. */
  pwm(wire: number): PwmReading | null {
    const unit = this.#units.find((each) => each.wire === wire);
    if (unit === undefined || unit.action === disconnected || this.#waveform.slope === 'none') return null;
    const top = this.#top;
    const { clockHz } = this.#chip;
    if (this.#dividerCycles === 0 || top === 0) return { duty: unit.level, frequencyHz: 0 };
    const tickHz = clockHz / this.#dividerCycles;
    const frequencyHz = this.#waveform.slope === 'two' ? tickHz / (2 * top) : tickHz / (top + 1);
    if (unit.action === toggle) return { duty: 0.5, frequencyHz: frequencyHz / 2 };
    const compare = Math.min(unit.compare, top);
    const share = this.#waveform.slope === 'two' ? compare / top : (compare + 1) / (top + 1);
    return { duty: unit.action === setOnMatch ? 1 - share : share, frequencyHz };
  }

  // ---------------------------------------------------------------- registers

  #attachControl(): void {
    const { cpu } = this.#chip;
    const { controlA, controlB, controlC, bits } = this.#place;
    cpu.writeHooks[controlA] = (value) => {
      this.#sync(cpu.cycles);
      cpu.data[controlA] = value;
      this.#configure();
      return true;
    };
    cpu.writeHooks[controlB] = (value) => {
      this.#sync(cpu.cycles);
      cpu.data[controlB] = value & (bits === 16 ? 0xdf : 0x0f);
      const divider = this.#place.dividers[value & 7]!;
      if (divider < 0) this.#chip.complain('timer-clock-unsupported');
      this.#dividerCycles = Math.max(0, divider);
      this.#lastTick = this.#tickAt(cpu.cycles);
      if (controlC === null) this.#force(value);
      this.#configure();
      return true;
    };
    if (controlC === null) return;
    cpu.writeHooks[controlC] = (value) => {
      this.#sync(cpu.cycles);
      this.#force(value);
      return true;
    };
  }

  #attachFlags(): void {
    const { cpu } = this.#chip;
    const { flags, mask } = this.#place;
    cpu.readHooks[flags] = () => {
      this.#sync(cpu.cycles);
      return this.#flags;
    };
    cpu.writeHooks[flags] = (value, _old, _address, bits) => {
      this.#sync(cpu.cycles);
      this.#flags &= ~(value & bits);
      this.#request();
      return true;
    };
    cpu.writeHooks[mask] = (value) => {
      this.#sync(cpu.cycles);
      cpu.data[mask] = value;
      this.#mask = value;
      this.#request();
      this.#plan();
      return true;
    };
  }

  #attachNarrow(): void {
    const { cpu } = this.#chip;
    const { count } = this.#place;
    cpu.readHooks[count] = () => {
      this.#sync(cpu.cycles);
      return this.#value;
    };
    cpu.writeHooks[count] = (value) => {
      this.#setCount(value);
      return true;
    };
    for (const unit of this.#units) {
      cpu.writeHooks[unit.address] = (value) => {
        cpu.data[unit.address] = value;
        this.#setCompare(unit, value);
        return true;
      };
    }
  }

  /** Two bytes of a register pass through one temporary byte: written high first, read low first. */
  #attachWide(): void {
    const { cpu } = this.#chip;
    const { count, capture } = this.#place;
    const pair = (address: number, write: (value: number) => void) => {
      cpu.writeHooks[address + 1] = (value) => {
        this.#temporary = value;
        return true;
      };
      cpu.writeHooks[address] = (value) => {
        cpu.data[address] = value;
        cpu.data[address + 1] = this.#temporary;
        write((this.#temporary << 8) | value);
        return true;
      };
    };
    pair(count, (value) => this.#setCount(value));
    cpu.readHooks[count] = () => {
      this.#sync(cpu.cycles);
      this.#temporary = this.#value >> 8;
      return this.#value & byteMask;
    };
    cpu.readHooks[count + 1] = () => this.#temporary;
    pair(capture!, (value) => {
      this.#sync(cpu.cycles);
      this.#captureTop = value;
      this.#plan();
    });
    for (const unit of this.#units) pair(unit.address, (value) => this.#setCompare(unit, value));
  }

  #setCount(value: number): void {
    this.#sync(this.#chip.cpu.cycles);
    this.#value = value;
    // A written count blocks the compare match that it would cause at once.
    this.#isMatchBlocked = true;
    this.#plan();
  }

  #setCompare(unit: Unit, value: number): void {
    this.#sync(this.#chip.cpu.cycles);
    unit.buffer = value;
    if (this.#waveform.update === 'at once') unit.compare = value;
    this.#plan();
  }

  #configure(): void {
    const { cpu } = this.#chip;
    const controlA = cpu.data[this.#place.controlA]!;
    const controlB = cpu.data[this.#place.controlB]!;
    const number = (controlA & 3) | ((controlB & (this.#place.bits === 16 ? 0x18 : 0x08)) >> 1);
    this.#waveform = waveformOf(this.#place, number);
    // Only a mode of two slopes counts down: another one that is chosen on the way down counts up from there.
    if (this.#waveform.slope !== 'two') this.#isDown = false;
    for (const [index, unit] of this.#units.entries()) {
      if (this.#waveform.update === 'at once') unit.compare = unit.buffer;
      const wanted = (controlA >> (6 - 2 * index)) & 3;
      const mayToggle = this.#waveform.slope === 'none' || (index === 0 && this.#waveform.togglesA);
      const action = wanted === toggle && !mayToggle ? disconnected : wanted;
      if (action === unit.action) continue;
      unit.action = action;
      this.#show(unit, cpu.cycles);
    }
    this.#plan();
  }

  /** Force output compare: a match without its flag; in PWM modes the bits have no effect. */
  #force(value: number): void {
    if (this.#waveform.slope !== 'none') return;
    for (const [index, unit] of this.#units.entries()) {
      if (value & (0x80 >> index)) this.#act(unit, this.#chip.cpu.cycles, false);
    }
  }

  // ---------------------------------------------------------------- counting

  get #top(): number {
    const { top } = this.#waveform;
    if (top === 'compare') return this.#units[0]!.compare;
    return top === 'capture' ? this.#captureTop : top;
  }

  #tickAt(cycle: number): number {
    if (this.#dividerCycles === 0) return 0;
    return Math.floor((cycle - this.#prescalerBase) / this.#dividerCycles);
  }

  #sync(cycle: number): void {
    if (this.#dividerCycles === 0) return;
    let ticks = this.#tickAt(cycle) - this.#lastTick;
    let steps = 0;
    while (ticks > 0) {
      const distance = this.#distance(true);
      if (distance > ticks) {
        this.#value += this.#isDown ? -ticks : ticks;
        this.#lastTick += ticks;
        this.#isMatchBlocked = false;
        return;
      }
      this.#lastTick += distance;
      ticks -= distance;
      this.#transition(distance);
      steps += 1;
      if (steps > stepsMax && ticks > 4 * this.#period) {
        const skipped = (Math.floor(ticks / this.#period) - 2) * this.#period;
        this.#lastTick += skipped;
        ticks -= skipped;
      }
    }
  }

  get #period(): number {
    const top = this.#top;
    return this.#waveform.slope === 'two' ? Math.max(1, 2 * top) : top + 1;
  }

  /** Ticks to the next transition; `all` or only those that someone waits for. */
  #distance(all: boolean): number {
    const top = this.#top;
    const value = this.#value;
    let distance = this.#turnDistance(top);
    for (const unit of this.#units) {
      if (!all && !(this.#mask & unit.flag) && unit.action === disconnected) continue;
      const { compare } = unit;
      if (this.#isDown) {
        if (compare <= value && compare > 0) distance = Math.min(distance, value - compare + 1);
      } else if (compare >= value && (this.#waveform.slope !== 'two' || compare < top)) {
        distance = Math.min(distance, compare - value + 1);
      }
    }
    return distance;
  }

  #turnDistance(top: number): number {
    const value = this.#value;
    if (this.#waveform.slope !== 'two') return (value <= top ? top : this.#max) - value + 1;
    if (this.#isDown) return Math.max(1, value);
    return value < top ? top - value : 1;
  }

  /** The counter has come `distance` ticks further, to a transition. */
  #transition(distance: number): void {
    const cycle = this.#prescalerBase + this.#lastTick * this.#dividerCycles;
    const left = this.#value + (this.#isDown ? 1 - distance : distance - 1);
    const isBlocked = this.#isMatchBlocked && distance === 1;
    this.#isMatchBlocked = false;
    const wasDown = this.#isDown;
    if (!isBlocked) {
      for (const unit of this.#units) {
        if (unit.compare !== left) continue;
        this.#flags |= unit.flag;
        this.#act(unit, cycle, wasDown);
      }
    }
    if (this.#waveform.slope === 'two') this.#moveBothSlopes(left);
    else this.#moveOneSlope(left, cycle);
    this.#request();
  }

  #moveOneSlope(left: number, cycle: number): void {
    const { slope } = this.#waveform;
    if (left !== this.#top && left !== this.#max) {
      this.#value = left + 1;
      return;
    }
    this.#value = 0;
    if (slope === 'one' || left === this.#max) this.#flags |= overflowFlag;
    if (slope !== 'one') return;
    this.#takeOver();
    for (const unit of this.#units) {
      if (unit.action === clearOnMatch) this.#setLevel(unit, 1, cycle);
      else if (unit.action === setOnMatch) this.#setLevel(unit, 0, cycle);
    }
  }

  #moveBothSlopes(left: number): void {
    const top = this.#top;
    this.#value = Math.max(0, left + (this.#isDown ? -1 : 1));
    if (!this.#isDown && this.#value >= top) {
      this.#value = Math.min(this.#value, top);
      this.#isDown = top > 0;
      if (this.#waveform.update === 'at top') this.#takeOver();
    } else if (this.#isDown && this.#value === 0) {
      this.#isDown = false;
      this.#flags |= overflowFlag;
      if (this.#waveform.update === 'at bottom') this.#takeOver();
    }
  }

  #takeOver(): void {
    for (const unit of this.#units) unit.compare = unit.buffer;
  }

  // ---------------------------------------------------------------- effects

  #act(unit: Unit, cycle: number, isDown: boolean): void {
    const slope: Slope = this.#waveform.slope;
    if (unit.action === disconnected) return;
    if (unit.action === toggle) this.#setLevel(unit, unit.level === 1 ? 0 : 1, cycle);
    // At BOTTOM the match that clears and the turn that sets fall together: the turn wins, the pin stays high.
    else if (slope === 'one' && unit.compare === this.#top) return;
    else {
      const onMatch = unit.action === clearOnMatch ? 0 : 1;
      this.#setLevel(unit, (isDown ? 1 - onMatch : onMatch) as Level, cycle);
    }
  }

  #setLevel(unit: Unit, level: Level, cycle: number): void {
    if (unit.level === level) return;
    unit.level = level;
    this.#show(unit, cycle);
  }

  #show(unit: Unit, cycle: number): void {
    const level = unit.action === disconnected ? null : unit.level;
    this.#ports.override(unit.wire, level, cycle, unit.asModulator);
  }

  #request(): void {
    for (const [flag, vector] of this.#place.vectors) {
      this.#chip.interrupts.request(vector, (this.#flags & this.#mask & flag) !== 0);
    }
  }

  #plan(): void {
    const matters =
      this.#mask !== 0 ||
      this.#units.some((unit) => unit.action !== disconnected || unit.compare !== unit.buffer);
    const at =
      this.#dividerCycles > 0 && matters
        ? this.#prescalerBase + (this.#lastTick + this.#distance(false)) * this.#dividerCycles
        : Number.POSITIVE_INFINITY;
    this.#chip.alarms.set(this.#alarm, at);
  }
}
