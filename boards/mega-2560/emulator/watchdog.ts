/**
 * The watchdog (datasheet, section 12.4): counts its own 128 kHz, and at the end asks for an interrupt, resets the chip, or
 * first the one and then the other. Its control bits change only within four cycles of a write of WDCE and WDE. After it
 * has reset the chip WDE stays set, with the shortest time, until the firmware has cleared WDRF: a firmware that forgets
 * that is reset for ever, here as on the bench.
 */
import type { Chip } from './chip.ts';
import { register, resetCause, vector } from './registers.ts';

const flag = 0x80;
const interruptEnable = 0x40;
const changeEnable = 0x10;
const resetEnable = 0x08;
const prescalerHigh = 0x20;
const prescalerLow = 0x07;
const prescalerBits = prescalerHigh | prescalerLow;

const oscillatorHz = 128_000;
const shortestTicks = 2048;
const changeWindowCycles = 4;

export class Watchdog {
  readonly #chip: Chip;
  readonly #alarm: number;
  readonly #bite: () => void;
  #control = 0;
  #changeUntil = -1;

  /** `bite`: the chip is to be reset. */
  constructor(chip: Chip, bite: () => void) {
    this.#chip = chip;
    this.#bite = bite;
    this.#alarm = chip.alarms.add((at) => this.#timeOut(at));
    const { cpu, interrupts } = chip;
    cpu.onWatchdogReset = () => this.#restart(cpu.cycles);
    interrupts.onAcknowledge(vector.watchdog, () => {
      this.#control &= ~flag;
      // In the mode with both, the next time-out resets unless the firmware asks for the interrupt again.
      if (this.#control & resetEnable) this.#control &= ~interruptEnable;
      this.#request();
    });
    cpu.readHooks[register.watchdogControl] = () => this.#effective;
    cpu.writeHooks[register.watchdogControl] = (value) => {
      this.#write(value);
      return true;
    };
    const { resetCause: causeRegister } = register;
    cpu.writeHooks[causeRegister] = (value) => {
      cpu.data[causeRegister] = value & cpu.data[causeRegister]!;
      this.#restart(cpu.cycles);
      return true;
    };
  }

  /** After the cause of the reset is in MCUSR: a watchdog that bit goes on. */
  start(): void {
    this.#restart(this.#chip.cpu.cycles);
  }

  /** WDRF forces WDE. */
  get #effective(): number {
    const isForced = (this.#chip.cpu.data[register.resetCause]! & resetCause.watchdog) !== 0;
    return this.#control | (isForced ? resetEnable : 0);
  }

  #write(value: number): void {
    const { cpu } = this.#chip;
    const before = this.#control;
    const mayChange = cpu.cycles <= this.#changeUntil;
    let control = before & ~(value & flag);
    control = (control & ~interruptEnable) | (value & interruptEnable);
    if (mayChange)
      control = (control & ~(resetEnable | prescalerBits)) | (value & (resetEnable | prescalerBits));
    else control |= value & resetEnable;
    this.#control = control;
    this.#changeUntil =
      (value & (changeEnable | resetEnable)) === (changeEnable | resetEnable)
        ? cpu.cycles + changeWindowCycles
        : -1;
    this.#restart(cpu.cycles);
    this.#request();
  }

  #restart(cycle: number): void {
    const isOn = (this.#effective & (resetEnable | interruptEnable)) !== 0;
    const prescaler = (this.#control & prescalerLow) | ((this.#control & prescalerHigh) >> 2);
    const seconds = (shortestTicks * 2 ** Math.min(prescaler, 9)) / oscillatorHz;
    const at = isOn ? cycle + Math.round(seconds * this.#chip.clockHz) : Number.POSITIVE_INFINITY;
    this.#chip.alarms.set(this.#alarm, at);
  }

  #timeOut(at: number): void {
    const control = this.#effective;
    if (!(control & interruptEnable)) {
      this.#bite();
      return;
    }
    this.#control |= flag;
    this.#request();
    this.#restart(at);
  }

  #request(): void {
    const wanted = (this.#control & flag) !== 0 && (this.#control & interruptEnable) !== 0;
    this.#chip.interrupts.request(vector.watchdog, wanted);
  }
}
