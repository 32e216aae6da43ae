/**
 * One life of the chip, from a reset to the next: avr8js's CPU, our peripherals, and the loop that runs them.
 *
 * Two things about the loop decide whether a firmware works here as on the bench:
 * - After SEI and RETI one more instruction is carried out before an interrupt is taken, so that "sei; sleep" cannot miss
 *   the interrupt that it waits for (datasheet, "Reset and Interrupt Handling").
 * - SLEEP does not execute anything: time jumps to the next alarm of a peripheral. An idle firmware costs what its
 *   interrupts cost.
 */
import { CPU } from 'avr8js';
import { Adc, type AnalogSupply } from './adc.ts';
import { Alarms } from './alarms.ts';
import type { Chip, ChipComplaint } from './chip.ts';
import { type Decoded, execute } from './decoder.ts';
import { Eeprom } from './eeprom.ts';
import type { I2cChips } from './i2c-chips.ts';
import { Interrupts } from './interrupts.ts';
import { Ports } from './ports.ts';
import { ramBytes, ramStart, register } from './registers.ts';
import type { SerialFrame, SerialLine } from './serial-line.ts';
import { type PwmReading, Timer } from './timer.ts';
import { timerPlaces } from './timer-modes.ts';
import { Twi } from './twi.ts';
import { Usart, usartPlaces } from './usart.ts';
import { Watchdog } from './watchdog.ts';
import type { Wires } from './wires.ts';

/** What the chip is soldered to: it outlives the chip's lives. */
export interface CoreSurroundings {
  /** 131,072 words. */
  program: Uint16Array;
  /** The same program, taken apart as far as it was ever run. */
  decoded: Decoded;
  clockHz: number;
  wires: Wires;
  eepromCells: Uint8Array;
  /** A0..A15. */
  analogVolts: Float64Array;
  analogSupply: AnalogSupply;
  serialLines: readonly SerialLine[];
  serialSent: (port: number, byte: number, frame: SerialFrame) => void;
  i2cChips: I2cChips;
  isI2cStuck: () => boolean;
  complain: (complaint: ChipComplaint) => void;
}

const statusRegister = 95;
const interruptsOn = 0x80;
const sleepInstruction = 0x9588;
const erasedWord = 0xffff;
const sleepEnable = 0x01;
const sleepModeMask = 0x0e;
const wakeCycles = 5;
/** avr8js adds its own 256 registers. */
const ramBytesForCpu = ramStart - 0x100 + ramBytes;
const prescalerResetSynchronous = 0x01;
const prescalerResetAsynchronous = 0x02;
const asynchronousTimer = 2;

export class Core implements Chip {
  readonly cpu: CPU;
  readonly clockHz: number;
  readonly alarms = new Alarms();
  readonly interrupts = new Interrupts();
  readonly wires: Wires;
  readonly eeprom: Eeprom;
  readonly usarts: readonly Usart[];
  readonly timers: readonly Timer[];
  /** Machine cycle at which this life's cycle 0 was. A stopped clock moves it. */
  originCycle: number;
  /** The loop ends here; who learns of something earlier while it runs lowers it. Chip cycles. */
  until = 0;
  /** The watchdog has asked for a reset. */
  isBitten = false;
  sleptCycles = 0;
  readonly #decoded: Decoded;
  readonly #complain: (complaint: ChipComplaint) => void;
  #isAsleep = false;

  /** `cause`: bits of MCUSR. `ram`: what the RAM holds. */
  constructor(surroundings: CoreSurroundings, originCycle: number, cause: number, ram: Uint8Array) {
    this.originCycle = originCycle;
    this.clockHz = surroundings.clockHz;
    this.wires = surroundings.wires;
    this.#complain = surroundings.complain;
    this.#decoded = surroundings.decoded;
    const cpu = new CPU(surroundings.program, ramBytesForCpu);
    this.cpu = cpu;
    // Packed arrays: a hole would send every access to memory up the prototype chain.
    const hooks = [cpu.readHooks, cpu.writeHooks] as unknown as [undefined[], undefined[]];
    for (const each of hooks) for (let index = 0; index < cpu.data.length; index++) each[index] = undefined;
    cpu.data.set(ram, ramStart);
    cpu.data[register.resetCause] = cause;
    const ports = new Ports(this);
    this.timers = timerPlaces.map((place) => new Timer(this, ports, place));
    this.usarts = usartPlaces.map(
      (place, port) =>
        new Usart(this, {
          ...place,
          line: surroundings.serialLines[port]!,
          sent: (byte, frame) => surroundings.serialSent(port, byte, frame),
        }),
    );
    new Adc(this, surroundings.analogVolts, surroundings.analogSupply);
    this.eeprom = new Eeprom(this, surroundings.eepromCells);
    new Twi(this, surroundings.i2cChips, surroundings.isI2cStuck);
    const watchdog = new Watchdog(this, () => {
      this.isBitten = true;
    });
    watchdog.start();
    this.#attachPrescalers();
  }

  get ram(): Uint8Array {
    return this.cpu.data.subarray(ramStart);
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  machineCycle(cycle: number): number {
    return cycle + this.originCycle;
  }

  chipCycle(machineCycle: number): number {
    return machineCycle - this.originCycle;
  }

  complain(complaint: ChipComplaint): void {
    this.#complain(complaint);
  }

  pwm(wire: number): PwmReading | null {
    for (const timer of this.timers) {
      const reading = timer.pwm(wire);
      if (reading !== null) return reading;
    }
    return null;
  }

  /** Runs until `until` or a few cycles more (an instruction is not cut), or to the watchdog's bite. */
  run(until: number): void {
    const { cpu, alarms, interrupts } = this;
    const { data, progMem } = cpu;
    const decoded = this.#decoded;
    this.until = until;
    while (cpu.cycles < this.until) {
      if (this.#isAsleep) {
        this.#sleepOn();
        if (this.isBitten) return;
        continue;
      }
      const wasOn = data[statusRegister]! & interruptsOn;
      const opcode = progMem[cpu.pc]!;
      execute(cpu, decoded);
      if (opcode === sleepInstruction) this.#sleep();
      else if (opcode === erasedWord) this.#complain('erased-program-memory');
      if (cpu.cycles >= alarms.nextAt) {
        alarms.run(cpu.cycles);
        if (this.isBitten) return;
      }
      if (interrupts.next >= 0 && wasOn !== 0 && (data[statusRegister]! & interruptsOn) !== 0)
        this.#interrupt();
    }
  }

  #interrupt(): void {
    if (this.#isAsleep) {
      this.#isAsleep = false;
      this.cpu.cycles += wakeCycles;
    }
    const stack = this.cpu.SP;
    if (stack < ramStart + 2 || stack >= ramStart + ramBytes) this.#complain('stack-outside-ram');
    this.interrupts.enter(this.cpu);
  }

  #sleep(): void {
    const control = this.cpu.data[register.sleepControl]!;
    if (!(control & sleepEnable)) return;
    if (control & sleepModeMask) this.#complain('sleep-mode-unsupported');
    if (!(this.cpu.data[statusRegister]! & interruptsOn)) this.#complain('sleep-without-interrupts');
    this.#isAsleep = true;
  }

  #sleepOn(): void {
    const { cpu, alarms, interrupts } = this;
    if (interrupts.next >= 0 && (cpu.data[statusRegister]! & interruptsOn) !== 0) {
      this.#interrupt();
      return;
    }
    const to = Math.max(cpu.cycles, Math.min(alarms.nextAt, this.until));
    this.sleptCycles += to - cpu.cycles;
    cpu.cycles = to;
    if (to >= alarms.nextAt) alarms.run(to);
  }

  #attachPrescalers(): void {
    const { cpu } = this;
    cpu.writeHooks[register.timerControl] = (value) => {
      for (const [number, timer] of this.timers.entries()) {
        const bit = number === asynchronousTimer ? prescalerResetAsynchronous : prescalerResetSynchronous;
        if (value & bit) timer.resetPrescaler();
      }
      // The hardware clears the bits at once; holding the prescalers (TSM) is not modelled.
      cpu.data[register.timerControl] = 0;
      return true;
    };
    cpu.writeHooks[register.asynchronousStatus] = (value) => {
      if (value !== 0) this.#complain('timer-clock-unsupported');
      return true;
    };
    cpu.writeHooks[register.clockPrescaler] = (value) => {
      if ((value & 0x0f) !== 0) this.#complain('clock-prescaler-unsupported');
      return true;
    };
  }
}
