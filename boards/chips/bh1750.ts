/** BH1750 light sensor (Rohm 11046EDT01): opcodes instead of registers, 1.2 counts a lux, high byte first. */
import type { I2cChip } from '../simulated/i2c-bus.ts';
import { asSignal, type Signal } from './signal.ts';

const powerDown = 0x00;
const continuousHighResolution = 0x10;

export class Bh1750 implements I2cChip {
  static readonly address = 0x23;
  readonly #lux: Signal;
  #mode = powerDown;

  constructor(lux: Signal | number = 300) {
    this.#lux = asSignal(lux);
  }

  write(bytes: Uint8Array): void {
    if (bytes[0] !== undefined) this.#mode = bytes[0];
  }

  read(_register: number | null, count: number, now: number): Uint8Array {
    const measuring = this.#mode >= continuousHighResolution;
    const counts = measuring ? Math.min(Math.max(Math.round(this.#lux(now) * 1.2), 0), 0xffff) : 0;
    return Uint8Array.of(counts >> 8, counts & 0xff).slice(0, count);
  }

  reset(): void {
    this.#mode = powerDown;
  }
}
