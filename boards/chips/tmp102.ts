/** TMP102 thermometer (TI SBOS397): 12 bits of 1/16 degree, left-aligned. An LM75 reads the same, coarser. */
import { RegisterChip } from './register-chip.ts';
import { asSignal, int16Bytes, type Signal } from './signal.ts';

/** Pointer register: the two low bits choose one of four registers of two bytes. */
const registersMask = 0x03;

export class Tmp102 extends RegisterChip {
  static readonly address = 0x48;
  readonly #celsius: Signal;
  readonly #step: number;

  /** @param stepCelsius 1/16 for a TMP102, 1/2 for an LM75. */
  constructor(celsius: Signal | number = 21, stepCelsius = 1 / 16) {
    super();
    this.#celsius = asSignal(celsius);
    this.#step = stepCelsius;
    this.powerOn();
  }

  protected powerOn(): void {}

  override read(register: number | null, count: number, now: number): Uint8Array {
    if (register !== null) this.pointer = register;
    const celsius = Math.round(this.#celsius(now) / this.#step) * this.#step;
    const temperature = int16Bytes(Math.round(celsius * 16) * 16);
    const bytes = new Uint8Array(count);
    if ((this.pointer & registersMask) === 0) bytes.set(temperature.slice(0, count));
    return bytes;
  }

  protected refresh(): void {}
}
