/** 74HC595 shift registers in a chain: data is taken on the rising clock, shown on the rising latch. */
import type { PinBank } from '../simulated/pins.ts';

export class ShiftRegister {
  readonly #shift: number[];
  readonly #outputs: number[];
  /** Rising edges of the latch. */
  latches = 0;

  /** @param count registers in the chain, 8 outputs each. */
  constructor(count = 1) {
    this.#shift = new Array<number>(8 * count).fill(0);
    this.#outputs = new Array<number>(8 * count).fill(0);
  }

  /** Outputs of each register, the first in the chain first; bit 7 is output H. */
  get values(): number[] {
    const values: number[] = [];
    for (let start = 0; start < this.#outputs.length; start += 8) {
      values.push(this.#outputs.slice(start, start + 8).reduce((sum, bit, index) => sum | (bit << index), 0));
    }
    return values;
  }

  wire(pins: PinBank, wiring: { data: number; clock: number; latch: number }): void {
    pins.watch((pin, level) => {
      if (level !== 1) return;
      if (pin === wiring.clock) {
        this.#shift.unshift(pins.pin(wiring.data).level);
        this.#shift.pop();
      } else if (pin === wiring.latch) {
        this.#shift.forEach((bit, index) => {
          this.#outputs[index] = bit;
        });
        this.latches += 1;
      }
    });
  }
}
