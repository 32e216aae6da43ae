/** MCP23017 port expander (Microchip DS20001952C), 16 pins in two ports A and B, register bank 0. */
import { RegisterChip } from './register-chip.ts';

const direction = 0x00;
const polarity = 0x02;
const pullUp = 0x0c;
const gpio = 0x12;
const latch = 0x14;
const registerCount = 0x16;

export class Mcp23017 extends RegisterChip {
  static readonly address = 0x20;
  /** What the world drives into pins 0..15; null: nothing. */
  readonly driven: (0 | 1 | null)[] = new Array(16).fill(null);

  constructor() {
    super();
    this.powerOn();
  }

  /** Level of pin 0..15: ours when it is an output, else the world's, else the pull-up's. */
  level(pin: number): 0 | 1 {
    const port = pin >> 3;
    const bit = pin & 7;
    if (((this.registers[direction + port]! >> bit) & 1) === 0) {
      return ((this.registers[latch + port]! >> bit) & 1) as 0 | 1;
    }
    return this.driven[pin] ?? (((this.registers[pullUp + port]! >> bit) & 1) as 0 | 1);
  }

  protected powerOn(): void {
    this.registers[direction] = 0xff;
    this.registers[direction + 1] = 0xff;
  }

  protected refresh(): void {
    for (const port of [0, 1]) {
      let value = 0;
      for (let bit = 0; bit < 8; bit++) value |= this.level(8 * port + bit) << bit;
      const inverted = this.registers[polarity + port]! & this.registers[direction + port]!;
      this.registers[gpio + port] = value ^ inverted;
    }
  }

  /** Writing a port register writes its output latch. */
  protected override written(register: number, value: number): void {
    this.registers[register] = value;
    if (register === gpio || register === gpio + 1) this.registers[register + 2] = value;
  }

  protected override next(register: number): number {
    return (register + 1) % registerCount;
  }
}
