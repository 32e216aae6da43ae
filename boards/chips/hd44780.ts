/**
 * HD44780 character display (Hitachi ADE-207-272): two lines of 40 characters in its memory, of which a window
 * is shown. Written through an I2C backpack or four parallel lines; a nibble is taken when the enable line falls.
 */
import type { PinBank } from '../simulated/pins.ts';
import type { Pcf8574 } from './pcf8574.ts';

const lineStarts = [0x00, 0x40];
const lineLength = 40;
const blank = 0x20;

export class Hd44780 {
  readonly #columns: number;
  readonly #rows: number;
  readonly #memory = new Uint8Array(0x80).fill(blank);
  readonly #glyphs = new Uint8Array(64);
  #address = 0;
  #addressInGlyphs = false;
  #shift = 0;
  #increment = true;
  #fourBits = false;
  #highNibble: number | null = null;
  displayOn = false;
  backlight = false;
  /** Characters ever written: a count for tests of "exactly once". */
  charactersWritten = 0;

  constructor(columns = 16, rows = 2) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** What is shown, line by line; own glyphs 0..7 appear as the characters 0..7. */
  get lines(): string[] {
    return Array.from({ length: this.#rows }, (_, row) => {
      // Lines 3 and 4 of a four-line display continue lines 1 and 2.
      const start = (lineStarts[row % 2] ?? 0) + (row >= 2 ? this.#columns : 0);
      const base = start & 0x40;
      return Array.from({ length: this.#columns }, (_, column) => {
        const offset = ((start & 0x3f) + column + this.#shift + lineLength) % lineLength;
        return String.fromCharCode(this.#memory[base + offset]!);
      }).join('');
    });
  }

  glyph(index: number): Uint8Array {
    return this.#glyphs.slice(8 * index, 8 * index + 8);
  }

  /** The enable line fell: the four upper data lines hold `nibble`. */
  latch(registerSelect: 0 | 1, nibble: number): void {
    if (!this.#fourBits) {
      this.#byte(registerSelect, nibble << 4);
      return;
    }
    if (this.#highNibble === null) {
      this.#highNibble = nibble;
      return;
    }
    const byte = (this.#highNibble << 4) | nibble;
    this.#highNibble = null;
    this.#byte(registerSelect, byte);
  }

  #byte(registerSelect: 0 | 1, byte: number): void {
    if (registerSelect === 0) this.#instruction(byte);
    else if (this.#addressInGlyphs) {
      this.#glyphs[this.#address & 0x3f] = byte;
      this.#address = (this.#address + 1) & 0x3f;
    } else {
      this.#memory[this.#address & 0x7f] = byte;
      this.charactersWritten += 1;
      this.#step(this.#increment ? 1 : -1);
    }
  }

  /** The highest bit that is set tells the instruction. */
  #instruction(byte: number): void {
    if (byte & 0x80) {
      this.#address = byte & 0x7f;
      this.#addressInGlyphs = false;
    } else if (byte & 0x40) {
      this.#address = byte & 0x3f;
      this.#addressInGlyphs = true;
    } else if (byte & 0x20) {
      this.#fourBits = (byte & 0x10) === 0;
    } else if (byte & 0x10) {
      const direction = byte & 0x04 ? 1 : -1;
      if (byte & 0x08) this.#shift = (this.#shift - direction + lineLength) % lineLength;
      else this.#step(direction);
    } else if (byte & 0x08) this.displayOn = (byte & 0x04) !== 0;
    else if (byte & 0x04) this.#increment = (byte & 0x02) !== 0;
    else if (byte & 0x02) this.#home();
    else if (byte & 0x01) {
      this.#memory.fill(blank);
      this.#increment = true;
      this.#home();
    }
  }

  #home(): void {
    this.#address = 0;
    this.#addressInGlyphs = false;
    this.#shift = 0;
  }

  /** The address runs from the end of one line to the start of the other. */
  #step(by: 1 | -1): void {
    const line = this.#address >= 0x40 ? 1 : 0;
    const place = line * lineLength + (this.#address & 0x3f) + by;
    const wrapped = (place + 2 * lineLength) % (2 * lineLength);
    this.#address = wrapped < lineLength ? wrapped : 0x40 + wrapped - lineLength;
  }
}

/** The common backpack: bit 0 register select, 2 enable, 3 backlight, 4..7 data. */
export function wireBackpack(expander: Pcf8574, display: Hd44780): void {
  let enabled = false;
  expander.onPort = (levels) => {
    display.backlight = (levels & 0x08) !== 0;
    const enable = (levels & 0x04) !== 0;
    if (enabled && !enable) display.latch((levels & 0x01) as 0 | 1, levels >> 4);
    enabled = enable;
  };
}

/** Four parallel data lines, low bit first, on pins of the device. */
export function wireParallel(
  pins: PinBank,
  display: Hd44780,
  wiring: { registerSelect: number; enable: number; data: readonly [number, number, number, number] },
): void {
  pins.watch((pin, level) => {
    if (pin !== wiring.enable || level !== 0) return;
    const nibble = wiring.data.reduce((sum, number, bit) => sum | (pins.pin(number).level << bit), 0);
    display.latch(pins.pin(wiring.registerSelect).level, nibble);
  });
}
