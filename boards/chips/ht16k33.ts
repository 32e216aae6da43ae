/** HT16K33 LED matrix driver (Holtek v1.10): the upper nibble of the first byte is the command. */
import type { I2cChip } from '../simulated/i2c-bus.ts';

export class Ht16k33 implements I2cChip {
  static readonly address = 0x70;
  /** Display memory: 16 bytes, two a row. */
  readonly memory = new Uint8Array(16);
  oscillatorOn = false;
  displayOn = false;
  /** 0 off, 1 at 2 Hz, 2 at 1 Hz, 3 at 0.5 Hz. */
  blinkMode = 0;
  /** 0..15, in sixteenths above the lowest. */
  brightness = 15;

  write(bytes: Uint8Array): void {
    const [first, ...rest] = bytes;
    if (first === undefined) return;
    switch (first & 0xf0) {
      case 0x00:
        rest.forEach((value, index) => {
          this.memory[(first + index) & 0x0f] = value;
        });
        break;
      case 0x20:
        this.oscillatorOn = (first & 0x01) !== 0;
        break;
      case 0x80:
        this.displayOn = (first & 0x01) !== 0;
        this.blinkMode = (first >> 1) & 0x03;
        break;
      case 0xe0:
        this.brightness = first & 0x0f;
        break;
    }
  }

  read(register: number | null, count: number): Uint8Array {
    const start = register ?? 0;
    return Uint8Array.from({ length: count }, (_, index) => this.memory[(start + index) & 0x0f]!);
  }

  reset(): void {
    this.memory.fill(0);
    this.oscillatorOn = false;
    this.displayOn = false;
    this.blinkMode = 0;
    this.brightness = 15;
  }
}
