/**
 * DS18B20 thermometer on a one-wire bus (Maxim 19-7487 rev. 6). A conversion takes its 750 ms at 12 bits; until
 * it ends the scratchpad holds the result before, after power-on 85 degrees. johnny-five asks more often than
 * that: a conversion under way is not begun anew.
 */
import type { OneWirePart } from '../simulated/one-wire-bus.ts';
import { asSignal, type Signal } from './signal.ts';

const family = 0x28;
const convert = 0x44;
const readScratchpad = 0xbe;
const writeScratchpad = 0x4e;
const powerOnSixteenths = 85 * 16;
const conversionMsAt12Bits = 750;

/** CRC-8 of Maxim's one-wire parts: x^8 + x^5 + x^4 + 1, low bit first. */
export function oneWireCrc8(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8c : crc >> 1;
  }
  return crc;
}

export class Ds18b20 implements OneWirePart {
  readonly code: Uint8Array;
  readonly #celsius: Signal;
  #sixteenths = powerOnSixteenths;
  #converting: { readyAt: number; sixteenths: number } | null = null;
  #command: number | null = null;
  /** Alarm limits in degrees and configuration: the three bytes that a program may write. */
  #settings = Uint8Array.of(0x4b, 0x46, 0x7f);

  /** @param serialNumber 0..2^48-1; it is the address by which johnny-five tells thermometers apart. */
  constructor(serialNumber: number, celsius: Signal | number = 21) {
    const code = new Uint8Array(8);
    code[0] = family;
    for (let i = 0; i < 6; i++) code[1 + i] = Math.floor(serialNumber / 256 ** i) % 256;
    code[7] = oneWireCrc8(code.subarray(0, 7));
    this.code = code;
    this.#celsius = asSignal(celsius);
  }

  alarmed(now: number): boolean {
    this.#settle(now);
    const celsius = this.#sixteenths >> 4;
    const limit = (index: number) => (this.#settings[index]! << 24) >> 24;
    return celsius >= limit(0) || celsius <= limit(1);
  }

  resetPulse(): void {
    this.#command = null;
  }

  write(bytes: Uint8Array, now: number): void {
    this.#settle(now);
    const command = bytes[0]!;
    this.#command = command;
    if (command === convert && this.#converting === null) {
      const bits = 9 + ((this.#settings[2]! >> 5) & 0x03);
      const step = 2 ** (12 - bits);
      const sixteenths = Math.round(this.#celsius(now) * 16);
      const readyAt = now + conversionMsAt12Bits / step;
      this.#converting = { readyAt, sixteenths: Math.floor(sixteenths / step) * step };
    } else if (command === writeScratchpad && bytes.length >= 4) this.#settings = bytes.slice(1, 4);
  }

  read(count: number, now: number): Uint8Array {
    this.#settle(now);
    const bytes = new Uint8Array(count).fill(0xff);
    if (this.#command === readScratchpad) {
      const value = Math.min(Math.max(this.#sixteenths, -55 * 16), 125 * 16) & 0xffff;
      const scratchpad = Uint8Array.of(value & 0xff, value >> 8, ...this.#settings, 0xff, 0x0c, 0x10, 0);
      scratchpad[8] = oneWireCrc8(scratchpad.subarray(0, 8));
      bytes.set(scratchpad.subarray(0, count));
    } else if (this.#command === convert && this.#converting !== null) bytes.fill(0);
    return bytes;
  }

  #settle(now: number): void {
    if (this.#converting === null || now < this.#converting.readyAt) return;
    this.#sixteenths = this.#converting.sixteenths;
    this.#converting = null;
  }
}
