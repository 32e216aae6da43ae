/** MCP9808 thermometer (Microchip DS25095A): register 5 holds 1/16 degree in 12 bits with a sign bit. */
import { RegisterChip } from './register-chip.ts';
import { asSignal, type Signal } from './signal.ts';

const ambient = 0x05;

export class Mcp9808 extends RegisterChip {
  static readonly address = 0x18;
  readonly #celsius: Signal;

  constructor(celsius: Signal | number = 21) {
    super();
    this.#celsius = asSignal(celsius);
    this.powerOn();
  }

  protected powerOn(): void {}

  protected refresh(now: number): void {
    const sixteenths = Math.min(Math.max(Math.round(this.#celsius(now) * 16), -4096), 4095) & 0x1fff;
    this.put(ambient, [sixteenths >> 8, sixteenths & 0xff]);
  }
}
