/**
 * PCF8574 port expander (NXP rev. 5): one byte, no registers. A pin written 1 is only weakly pulled up, so that
 * the world can drive it low; that is how it reads inputs.
 */
import type { I2cChip } from '../simulated/i2c-bus.ts';

export class Pcf8574 implements I2cChip {
  /** Bits that the world pulls low. */
  pulledLow = 0x00;
  #latch = 0xff;
  /** Called with the port's levels after every byte written. */
  onPort: ((levels: number, now: number) => void) | null = null;

  get levels(): number {
    return this.#latch & ~this.pulledLow & 0xff;
  }

  write(bytes: Uint8Array, now: number): void {
    for (const byte of bytes) {
      this.#latch = byte;
      this.onPort?.(this.levels, now);
    }
  }

  read(register: number | null, count: number, now: number): Uint8Array {
    // Without registers, the "register" that a master writes before a read is data for the port.
    if (register !== null) this.write(Uint8Array.of(register & 0xff), now);
    return new Uint8Array(count).fill(this.levels);
  }

  reset(): void {
    this.#latch = 0xff;
  }
}
