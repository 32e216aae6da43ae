/**
 * What most I2C chips have in common: up to 256 registers of one byte and a pointer. The first byte of a write
 * sets the pointer, the rest goes to consecutive registers; reads go on from the pointer.
 */
import type { I2cChip } from '../simulated/i2c-bus.ts';

export abstract class RegisterChip implements I2cChip {
  protected readonly registers = new Uint8Array(256);
  protected pointer = 0;

  write(bytes: Uint8Array, now: number): void {
    if (bytes.length === 0) return;
    this.pointer = bytes[0]!;
    for (const value of bytes.subarray(1)) {
      this.written(this.pointer, value, now);
      this.pointer = this.next(this.pointer);
    }
  }

  read(register: number | null, count: number, now: number): Uint8Array {
    if (register !== null) this.pointer = register & 0xff;
    this.refresh(now);
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      bytes[i] = this.registers[this.pointer]!;
      this.pointer = this.next(this.pointer);
    }
    return bytes;
  }

  reset(): void {
    this.registers.fill(0);
    this.pointer = 0;
    this.powerOn();
  }

  /** Sets the registers that are not zero after power-on. */
  protected abstract powerOn(): void;
  /** Puts what is sensed now into the data registers. */
  protected abstract refresh(now: number): void;

  /** A register is written. Chips with read-only registers or effects override this. */
  protected written(register: number, value: number, _now: number): void {
    this.registers[register] = value;
  }

  /** The register after this one. */
  protected next(register: number): number {
    return (register + 1) & 0xff;
  }

  /** Puts a signed number of 16 bits into two registers, high byte first. */
  protected put(register: number, pair: readonly [number, number]): void {
    this.registers[register] = pair[0];
    this.registers[register + 1] = pair[1];
  }
}
