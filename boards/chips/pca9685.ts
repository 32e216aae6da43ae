/** PCA9685 PWM and servo driver (NXP rev. 4): 16 channels of 12 bits, from a 25 MHz clock and a prescaler. */
import { RegisterChip } from './register-chip.ts';

const mode1 = 0x00;
const channelStart = 0x06;
const prescaler = 0xfe;
const clockHz = 25_000_000;
const fullBit = 0x1000;
const sleepBit = 0x10;
const autoIncrementBit = 0x20;

export class Pca9685 extends RegisterChip {
  static readonly address = 0x40;

  constructor() {
    super();
    this.powerOn();
  }

  get asleep(): boolean {
    return (this.registers[mode1]! & sleepBit) !== 0;
  }

  get frequencyHz(): number {
    return clockHz / (4096 * (this.registers[prescaler]! + 1));
  }

  /** Share of a period that channel 0..15 is high, 0..1. */
  duty(channel: number): number {
    const start = channelStart + 4 * channel;
    const on = this.registers[start]! | (this.registers[start + 1]! << 8);
    const off = this.registers[start + 2]! | (this.registers[start + 3]! << 8);
    if (off & fullBit) return 0;
    if (on & fullBit) return 1;
    return (((off & 0xfff) - (on & 0xfff) + 4096) % 4096) / 4096;
  }

  protected powerOn(): void {
    this.registers[mode1] = sleepBit | 0x01;
    this.registers[prescaler] = 0x1e;
    for (let channel = 0; channel < 16; channel++) this.registers[channelStart + 4 * channel + 3] = 0x10;
  }

  protected refresh(): void {}

  /** The prescaler can only be written while the oscillator sleeps. */
  protected override written(register: number, value: number): void {
    if (register === prescaler && !this.asleep) return;
    this.registers[register] = value;
  }

  protected override next(register: number): number {
    return (this.registers[mode1]! & autoIncrementBit) !== 0 ? (register + 1) & 0xff : register;
  }
}
