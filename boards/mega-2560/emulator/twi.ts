/**
 * The two-wire interface as a master (datasheet, section 24), in place of avr8js's, whose bus takes no time, whose flag is up
 * after a reset and after a stop, and which never ends a transfer that the firmware gives up.
 *
 * One operation for each clearing of TWINT: start, address, byte out, byte in; each takes its bits' time at the SCL rate
 * that TWBR and the prescaler give, then TWINT rises with the status. Stop has no TWINT. A bus that someone holds low
 * (`isStuck`) never answers: what a firmware's time-out is for. Not modelled: slave mode, a second master.
 */
import type { Chip } from './chip.ts';
import type { I2cChips } from './i2c-chips.ts';
import { register, vector } from './registers.ts';

const interrupt = 0x80;
const acknowledge = 0x40;
const startBit = 0x20;
const stopBit = 0x10;
const collision = 0x08;
const enable = 0x04;
const interruptEnable = 0x01;
const kept = acknowledge | enable | interruptEnable;

const status = {
  started: 0x08,
  startedAgain: 0x10,
  writeAddressed: 0x18,
  writeAddressRefused: 0x20,
  written: 0x28,
  writeRefused: 0x30,
  readAddressed: 0x40,
  readAddressRefused: 0x48,
  readAcknowledged: 0x50,
  readLast: 0x58,
  idle: 0xf8,
} as const;

const bitsPerByte = 9;
const millisecondsPerSecond = 1000;

export class Twi {
  readonly #chip: Chip;
  readonly #chips: I2cChips;
  readonly #alarm: number;
  #control = 0;
  #status: number = status.idle;
  #ownsBus = false;
  #then: (() => void) | null = null;

  constructor(chip: Chip, chips: I2cChips, isStuck: () => boolean) {
    this.#chip = chip;
    this.#chips = chips;
    this.#alarm = chip.alarms.add(() => {
      const then = this.#then;
      this.#then = null;
      if (!isStuck()) then?.();
    });
    const { cpu } = chip;
    cpu.data[register.twiData] = 0xff;
    cpu.data[register.twiAddress] = 0xfe;
    cpu.readHooks[register.twiControl] = () => this.#control;
    cpu.readHooks[register.twiStatus] = () =>
      (this.#control & interrupt ? this.#status : status.idle) | (cpu.data[register.twiStatus]! & 3);
    cpu.writeHooks[register.twiControl] = (value) => {
      this.#setControl(value);
      return true;
    };
    cpu.writeHooks[register.twiData] = (value) => {
      if (this.#control & interrupt) {
        this.#control &= ~collision;
        cpu.data[register.twiData] = value;
      } else this.#control |= collision;
      return true;
    };
  }

  get sclHz(): number {
    return this.#chip.clockHz / this.#bitCycles;
  }

  get #bitCycles(): number {
    const { data } = this.#chip.cpu;
    return 16 + 2 * data[register.twiBitRate]! * 4 ** (data[register.twiStatus]! & 3);
  }

  get #nowMs(): number {
    const { cpu, clockHz } = this.#chip;
    return (this.#chip.machineCycle(cpu.cycles) / clockHz) * millisecondsPerSecond;
  }

  #setControl(value: number): void {
    const wasUp = (this.#control & interrupt) !== 0;
    const clears = (value & interrupt) !== 0;
    const requests = value & (startBit | stopBit);
    this.#control =
      (value & (kept | startBit | stopBit)) |
      (this.#control & collision) |
      (wasUp && !clears ? interrupt : 0);
    if (!(value & enable)) this.#giveUp();
    else if (clears && this.#then === null) this.#operate(requests);
    this.#request();
  }

  /** The interface is switched off: the bus is let go at once, in the middle of whatever it was. */
  #giveUp(): void {
    this.#then = null;
    this.#chip.alarms.set(this.#alarm, Number.POSITIVE_INFINITY);
    if (this.#ownsBus) this.#chips.stop(this.#nowMs);
    this.#ownsBus = false;
    this.#control &= ~(interrupt | startBit | stopBit);
  }

  #operate(requests: number): void {
    if (requests & stopBit) {
      this.#after(1, () => {
        if (this.#ownsBus) this.#chips.stop(this.#nowMs);
        this.#ownsBus = false;
        this.#control &= ~stopBit;
        this.#status = status.idle;
        // Asked for together with the stop, or while it was under way: the bus is free now.
        if (this.#control & startBit) this.#start();
      });
    } else if (requests & startBit) this.#start();
    else if (this.#ownsBus) this.#transfer();
  }

  #start(): void {
    this.#after(1, () => {
      const isAgain = this.#ownsBus;
      this.#ownsBus = true;
      this.#finish(isAgain ? status.startedAgain : status.started);
    });
  }

  #transfer(): void {
    const { data } = this.#chip.cpu;
    const byte = data[register.twiData]!;
    switch (this.#status) {
      case status.started:
      case status.startedAgain:
        this.#after(bitsPerByte, () => {
          const isReading = (byte & 1) === 1;
          const answered = this.#chips.address(byte >> 1, isReading, this.#nowMs);
          if (isReading) this.#finish(answered ? status.readAddressed : status.readAddressRefused);
          else this.#finish(answered ? status.writeAddressed : status.writeAddressRefused);
        });
        return;
      case status.readAddressed:
      case status.readAcknowledged: {
        const isLast = (this.#control & acknowledge) === 0;
        this.#after(bitsPerByte, () => {
          data[register.twiData] = this.#chips.read();
          this.#finish(isLast ? status.readLast : status.readAcknowledged);
        });
        return;
      }
      case status.writeAddressed:
      case status.written:
        this.#after(bitsPerByte, () => {
          this.#finish(this.#chips.write(byte) ? status.written : status.writeRefused);
        });
        return;
      default:
        // A master that goes on after a refusal clocks out a byte that nobody takes.
        this.#after(bitsPerByte, () => this.#finish(status.writeRefused));
    }
  }

  #after(bits: number, then: () => void): void {
    this.#then = then;
    this.#chip.alarms.set(this.#alarm, this.#chip.cpu.cycles + bits * this.#bitCycles);
  }

  #finish(result: number): void {
    this.#status = result;
    this.#control |= interrupt;
    this.#request();
  }

  #request(): void {
    const wanted = interrupt | interruptEnable | enable;
    this.#chip.interrupts.request(vector.twi, (this.#control & wanted) === wanted);
  }
}
