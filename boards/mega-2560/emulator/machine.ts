/**
 * An Arduino Mega 2560 that runs a firmware's machine code, in virtual time.
 *
 *     program (Intel hex) --> core --> wires --> listeners, plants, one-wire parts
 *                                  --> serial lines 0..3, I2C chips; A0..A15 in volts
 *
 * Time is counted in cycles of the machine, from its making on, and goes on over resets, power failures and a stopped
 * clock. Nothing in here reads a clock: whoever wants it to run beside the real one paces it (pacer.ts). The same calls
 * give the same run, to the cycle.
 *
 * States: `off` (no supply), `starting` (in reset for the start-up time), `running`, `stopped` (clock stopped: a frozen
 * device; its pins stay as they are and what comes in on its serial lines is lost).
 */
import { wireOfPin } from './arduino-pins.ts';
import type { ChipComplaint } from './chip.ts';
import { Core, type CoreSurroundings } from './core.ts';
import { emptyDecoded } from './decoder.ts';
import { I2cChips } from './i2c-chips.ts';
import { eepromBytes, programBytes, ramBytes, resetCause } from './registers.ts';
import { eightNone, frameOf, type SerialFormat, type SerialFrame, SerialLine } from './serial-line.ts';
import type { PwmReading } from './timer.ts';
import { chipDrive, type Level, Wires, wireCount } from './wires.ts';

export const serialPortCount = 4;

export interface MachineOptions {
  /** Up to 262,144 bytes; the rest is erased. */
  program: Uint8Array;
  /** 1..20,000,000. Default 16 MHz. */
  clockHz?: number;
  /** 4096 bytes, used as they are and not copied: an EEPROM that outlives the machine. Default: erased. */
  eeprom?: Uint8Array;
  /** From release of the reset to the first instruction. Default 65 ms: the fuses of the Arduino Mega. */
  startUpMs?: number;
  /** What the RAM holds after power-on, as a pattern of this seed. */
  ramSeed?: number;
  /** Full scale of the analog inputs by default. */
  supplyVolts?: number;
}

export type MachineState = 'off' | 'starting' | 'running' | 'stopped';
export type ResetCause = keyof typeof resetCause;

/** `cycle`: at the end of its last bit. */
export type SerialListener = (port: number, byte: number, cycle: number, frame: SerialFrame) => void;

interface MachineEvent {
  at: number;
  callback: () => void;
}

const millisecondsPerSecond = 1000;

export class Mega2560 {
  readonly clockHz: number;
  readonly wires = new Wires();
  readonly i2c = new I2cChips();
  readonly eeprom: Uint8Array;
  /** The I2C bus hangs: someone holds its clock low. */
  isI2cStuck = false;
  /** How often the firmware did what the emulator cannot promise to do well. */
  readonly complaints = new Map<ChipComplaint, number>();
  readonly resets: { cause: ResetCause; cycle: number }[] = [];
  readonly #surroundings: CoreSurroundings;
  readonly #lines: readonly SerialLine[];
  readonly #analogVolts = new Float64Array(16);
  readonly #startUpCycles: number;
  readonly #serialListeners: SerialListener[] = [];
  readonly #resetListeners: ((cause: ResetCause, cycle: number) => void)[] = [];
  #events: MachineEvent[] = [];
  #core: Core | null = null;
  #state: MachineState = 'off';
  #cycle = 0;
  #startAt = 0;
  #ramSeed: number;
  #sleptBefore = 0;

  constructor(options: MachineOptions) {
    const { program, clockHz = 16_000_000, startUpMs = 65, supplyVolts = 5 } = options;
    requireRange('clockHz', clockHz, 1, 20_000_000);
    requireRange('startUpMs', startUpMs, 0, 1000);
    requireRange('program bytes', program.length, 2, programBytes);
    this.clockHz = clockHz;
    this.eeprom = options.eeprom ?? new Uint8Array(eepromBytes).fill(0xff);
    requireRange('eeprom bytes', this.eeprom.length, eepromBytes, eepromBytes);
    this.#startUpCycles = Math.round((startUpMs * clockHz) / millisecondsPerSecond);
    this.#ramSeed = options.ramSeed ?? 1;
    this.#lines = Array.from({ length: serialPortCount }, () => new SerialLine());
    this.#surroundings = {
      program: wordsOf(program),
      decoded: emptyDecoded(),
      clockHz,
      wires: this.wires,
      eepromCells: this.eeprom,
      analogVolts: this.#analogVolts,
      analogSupply: { avccVolts: supplyVolts, arefVolts: supplyVolts },
      serialLines: this.#lines,
      serialSent: (port, byte, frame) => {
        const end = frame.startCycle + frame.bitCount * frame.bitCycles;
        for (const listener of this.#serialListeners) listener(port, byte, end, frame);
      },
      i2cChips: this.i2c,
      isI2cStuck: () => this.isI2cStuck,
      complain: (complaint) => this.complaints.set(complaint, (this.complaints.get(complaint) ?? 0) + 1),
    };
    this.powerOn();
  }

  get state(): MachineState {
    return this.#state;
  }

  /** Now. While the firmware runs: where it is. */
  get cycle(): number {
    if (this.#state !== 'running') return this.#cycle;
    return this.#core!.machineCycle(this.#core!.cpu.cycles);
  }

  get timeMs(): number {
    return (this.cycle / this.clockHz) * millisecondsPerSecond;
  }

  /** Cycles spent in SLEEP, over all lives. */
  get sleptCycles(): number {
    return this.#sleptBefore + (this.#core?.sleptCycles ?? 0);
  }

  get isAsleep(): boolean {
    return this.#core?.isAsleep ?? false;
  }

  cyclesOf(ms: number): number {
    return Math.round((ms * this.clockHz) / millisecondsPerSecond);
  }

  // ---------------------------------------------------------------- time

  /** Runs until that cycle, or a few more: an instruction is not cut. */
  runUntil(cycle: number): void {
    while (this.cycle < cycle) {
      const next = Math.min(cycle, this.#events[0]?.at ?? Number.POSITIVE_INFINITY);
      this.#advance(next);
      this.#runEvents();
    }
    this.#runEvents();
  }

  runForMs(ms: number): void {
    this.runUntil(this.cycle + this.cyclesOf(ms));
  }

  /**
   * Runs until `condition` holds, looking after every `stepMs`; false when it does not within `limitMs`.
   */
  runUntilTrue(condition: () => boolean, limitMs: number, stepMs = 0.1): boolean {
    const limit = this.cycle + this.cyclesOf(limitMs);
    while (!condition()) {
      if (this.cycle >= limit) return false;
      this.runForMs(stepMs);
    }
    return true;
  }

  /** Calls back when that cycle is reached; one that is over already: as soon as time goes on. Order of equal cycles is kept. */
  at(cycle: number, callback: () => void): void {
    const index = this.#events.findLastIndex((event) => event.at <= cycle) + 1;
    this.#events.splice(index, 0, { at: cycle, callback });
    if (index === 0 && this.#core !== null) {
      this.#core.until = Math.min(this.#core.until, this.#core.chipCycle(cycle));
    }
  }

  #advance(to: number): void {
    const core = this.#core;
    switch (this.#state) {
      case 'off':
        this.#cycle = to;
        return;
      case 'stopped':
        core!.originCycle += to - this.#cycle;
        this.#cycle = to;
        return;
      case 'starting':
        this.#cycle = Math.min(Math.max(to, this.#cycle), this.#startAt);
        if (this.#cycle < this.#startAt) return;
        core!.originCycle = this.#startAt;
        this.#state = 'running';
        return;
      case 'running':
        core!.run(core!.chipCycle(to));
        this.#cycle = core!.machineCycle(core!.cpu.cycles);
        if (core!.isBitten) this.reset('watchdog');
    }
  }

  #runEvents(): void {
    for (;;) {
      const first = this.#events[0];
      if (first === undefined || first.at > this.cycle) return;
      this.#events.shift();
      first.callback();
    }
  }

  // ---------------------------------------------------------------- supply, reset, clock

  powerOn(): void {
    if (this.#state !== 'off') return;
    const ram = noise(this.#ramSeed, ramBytes);
    this.#ramSeed += 1;
    this.#begin('powerOn', resetCause.powerOn, ram);
  }

  /** The supply fails: RAM and pins are gone at once, an EEPROM cell that was being written is torn. */
  powerOff(): void {
    if (this.#state === 'off') return;
    const core = this.#core!;
    const at = this.cycle;
    core.eeprom.tear(core.chipCycle(at));
    this.#bury(core);
    this.#cycle = at;
    this.#state = 'off';
    this.wires.onChipInput = null;
    for (let wire = 0; wire < wireCount; wire++) this.wires.setChip(wire, chipDrive.released, at);
  }

  /** The supply fails and is back `forMs` later. */
  powerCycle(forMs = 100): void {
    this.powerOff();
    this.at(this.cycle + this.cyclesOf(forMs), () => this.powerOn());
  }

  /** The reset pin, or another cause. RAM is kept; a write of the EEPROM that was under way ends. */
  reset(cause: Exclude<ResetCause, 'powerOn'> = 'external'): void {
    if (this.#state === 'off') return;
    const core = this.#core!;
    this.#cycle = this.cycle;
    core.eeprom.finishNow();
    const before = core.cpu.data[0x54]!;
    const ram = core.ram.slice();
    this.#bury(core);
    this.#begin(cause, before | resetCause[cause], ram);
  }

  /** The clock stops: the device is frozen with its pins as they are. */
  stopClock(): void {
    if (this.#state !== 'running') return;
    this.#cycle = this.cycle;
    this.#core!.until = 0;
    this.#state = 'stopped';
  }

  startClock(): void {
    if (this.#state === 'stopped') this.#state = 'running';
  }

  onReset(listener: (cause: ResetCause, cycle: number) => void): void {
    this.#resetListeners.push(listener);
  }

  #begin(cause: ResetCause, bits: number, ram: Uint8Array): void {
    this.#core = new Core(this.#surroundings, this.#cycle, bits, ram);
    this.#state = 'starting';
    this.#startAt = this.#cycle + this.#startUpCycles;
    this.resets.push({ cause, cycle: this.#cycle });
    for (const listener of this.#resetListeners) listener(cause, this.#cycle);
  }

  #bury(core: Core): void {
    this.#sleptBefore += core.sleptCycles;
    core.until = 0;
    for (const line of this.#lines) line.onFrame = null;
    this.#core = null;
  }

  // ---------------------------------------------------------------- serial lines

  /** A byte toward the firmware, its start bit at `cycle` or when the line is free. Returns the end of its last bit. */
  serialIn(
    port: number,
    byte: number,
    options: { cycle?: number; bitsPerSecond: number; format?: SerialFormat },
  ): number {
    const { cycle = this.cycle, bitsPerSecond, format = eightNone } = options;
    const line = this.#line(port);
    line.send(frameOf(byte, cycle, this.clockHz / bitsPerSecond, format));
    return line.busyUntil;
  }

  /** When the line toward the firmware is free. */
  serialFreeAt(port: number): number {
    return Math.max(this.cycle, this.#line(port).busyUntil);
  }

  /** What was sent toward the firmware and is not on the line yet never comes. */
  serialCut(port: number): void {
    this.#line(port).cut(this.cycle);
  }

  onSerialOut(listener: SerialListener): void {
    this.#serialListeners.push(listener);
  }

  /** Speed at which the firmware has set this port up; null: neither its receiver nor its transmitter is on. */
  serialSpeed(port: number): number | null {
    const usart = this.#core?.usarts[port];
    if (usart === undefined || !(usart.isReceiving || usart.isTransmitting)) return null;
    return this.clockHz / usart.bitCycles;
  }

  #line(port: number): SerialLine {
    const line = this.#lines[port];
    if (line === undefined) throw new RangeError(`serial ports are 0..${serialPortCount - 1} (got ${port})`);
    return line;
  }

  // ---------------------------------------------------------------- pins, by the Arduino's numbers

  level(pin: number): Level {
    return this.wires.level(wireOfPin(pin));
  }

  isOutput(pin: number): boolean {
    return this.wires.isDriven(wireOfPin(pin));
  }

  /** The world drives an input; null lets it float. */
  drive(pin: number, level: Level | null): void {
    this.wires.drive(wireOfPin(pin), level, this.cycle);
  }

  /** What a timer makes on this pin; null: no timer has it, or it is no output. */
  pwm(pin: number): PwmReading | null {
    const wire = wireOfPin(pin);
    return this.wires.isDriven(wire) ? (this.#core?.pwm(wire) ?? null) : null;
  }

  /** The world applies a voltage to A0..A15. */
  setVolts(channel: number, volts: number): void {
    requireRange('channel', channel, 0, this.#analogVolts.length - 1);
    this.#analogVolts[channel] = volts;
  }

  /** For tests and tools: a byte of data space as the firmware would read it from memory, without side effects. */
  peek(address: number): number {
    return this.#core?.cpu.data[address] ?? 0;
  }
}

function wordsOf(program: Uint8Array): Uint16Array {
  const bytes = new Uint8Array(programBytes).fill(0xff);
  bytes.set(program);
  return new Uint16Array(bytes.buffer);
}

/** xorshift32: the RAM after power-on holds something, and never what a firmware hopes for. */
function noise(seed: number, count: number): Uint8Array {
  let state = (seed * 0x9e37_79b9) >>> 0 || 1;
  return Uint8Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

function requireRange(name: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw new RangeError(`${name} must be ${min}..${max} (got ${value})`);
}
