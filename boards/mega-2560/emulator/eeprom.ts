/**
 * The EEPROM (datasheet, section 8): a byte takes 3.4 ms to erase and write, 1.8 ms to do one of them, and for so long the
 * firmware must wait or lose its write. Cells outlive everything but their own writing: the supply may fail in it, and
 * what is left then is neither the old nor the new byte (datasheet 8.6.1). That is decided here by how far it had come.
 */
import type { Chip } from './chip.ts';
import { eepromBytes, register, vector } from './registers.ts';

const readEnable = 0x01;
const programEnable = 0x02;
const masterEnable = 0x04;
const interruptEnable = 0x08;
const modeMask = 0x30;
const eraseOnly = 0x10;
const writeOnly = 0x20;

const masterWindowCycles = 4;
const readHaltCycles = 4;
const programHaltCycles = 2;
const eraseAndWriteSeconds = 0.0034;
const halfSeconds = 0.0018;
const erased = 0xff;

interface Programming {
  address: number;
  before: number;
  after: number;
  /** Null: the mode leaves out the erasing. */
  erasedAt: number | null;
  beganAt: number;
  endsAt: number;
}

export class Eeprom {
  readonly #chip: Chip;
  readonly #cells: Uint8Array;
  readonly #alarm: number;
  #mode = 0;
  #isInterruptEnabled = false;
  #masterUntil = -1;
  #programming: Programming | null = null;

  /** `cells` belong to the machine: they outlive the chip's lives. */
  constructor(chip: Chip, cells: Uint8Array) {
    this.#chip = chip;
    this.#cells = cells;
    this.#alarm = chip.alarms.add(() => this.#finish());
    const { cpu } = chip;
    cpu.readHooks[register.eepromControl] = () => this.#control;
    cpu.writeHooks[register.eepromControl] = (value) => {
      this.#setControl(value);
      return true;
    };
  }

  /** The cell that is being written; null: none. */
  get programmingAddress(): number | null {
    return this.#programming?.address ?? null;
  }

  /** The supply fails at `cycle`: the cell under way keeps what it has become. */
  tear(cycle: number): void {
    const under = this.#programming;
    if (under === null) return;
    this.#cells[under.address] = tornValue(under, cycle);
    this.#programming = null;
  }

  /** A reset does not stop a write that has begun (datasheet 8.6.1): it ends in the background. */
  finishNow(): void {
    if (this.#programming !== null) this.#cells[this.#programming.address] = this.#programming.after;
    this.#programming = null;
  }

  get #control(): number {
    return (
      this.#mode |
      (this.#isInterruptEnabled ? interruptEnable : 0) |
      (this.#chip.cpu.cycles <= this.#masterUntil ? masterEnable : 0) |
      (this.#programming === null ? 0 : programEnable)
    );
  }

  get #address(): number {
    const { data } = this.#chip.cpu;
    return (data[register.eepromAddress]! | (data[register.eepromAddress + 1]! << 8)) % eepromBytes;
  }

  #setControl(value: number): void {
    const { cpu } = this.#chip;
    if (this.#programming === null) this.#mode = value & modeMask;
    this.#isInterruptEnabled = (value & interruptEnable) !== 0;
    const isArmed = cpu.cycles <= this.#masterUntil;
    if (value & programEnable && isArmed && this.#programming === null) this.#program();
    else if (value & masterEnable) this.#masterUntil = cpu.cycles + masterWindowCycles + 1;
    if (value & readEnable && this.#programming === null) {
      cpu.data[register.eepromData] = this.#cells[this.#address]!;
      cpu.cycles += readHaltCycles;
    }
    this.#request();
  }

  #program(): void {
    const { cpu, clockHz, alarms } = this.#chip;
    const address = this.#address;
    const before = this.#cells[address]!;
    const written = cpu.data[register.eepromData]!;
    const both = this.#mode !== eraseOnly && this.#mode !== writeOnly;
    const beganAt = cpu.cycles;
    const endsAt = beganAt + Math.round(clockHz * (both ? eraseAndWriteSeconds : halfSeconds));
    const after = both ? written : this.#mode === eraseOnly ? erased : before & written;
    const erasedAt = this.#mode === writeOnly ? null : (beganAt + endsAt) / 2;
    this.#programming = { address, before, after, erasedAt, beganAt, endsAt };
    this.#masterUntil = -1;
    alarms.set(this.#alarm, endsAt);
    cpu.cycles += programHaltCycles;
  }

  #finish(): void {
    this.finishNow();
    this.#request();
  }

  #request(): void {
    const wanted = this.#isInterruptEnabled && this.#programming === null;
    this.#chip.interrupts.request(vector.eepromReady, wanted);
  }
}

/** Bits of an unfinished step go one after the other, the low ones first: a value that neither side ever meant. */
function tornValue(under: Programming, cycle: number): number {
  const { before, after, erasedAt, beganAt, endsAt } = under;
  const blend = (from: number, to: number, share: number): number => {
    const done = (1 << Math.floor(Math.min(Math.max(share, 0), 1) * 8)) - 1;
    return (from & ~done) | (to & done);
  };
  if (erasedAt === null) return blend(before, after, (cycle - beganAt) / (endsAt - beganAt));
  if (cycle < erasedAt) return blend(before, erased, (cycle - beganAt) / (erasedAt - beganAt));
  return blend(erased, after, (cycle - erasedAt) / (endsAt - erasedAt));
}
