/**
 * The chips of boards/chips behind a bus that is moved byte by byte.
 *
 * Their interface speaks of whole transactions, because that is what the Firmata messages of the simulated device name;
 * a real master never says how much it will read. So a write is kept until the next condition on the bus tells what it
 * was: followed by a repeated start and a read, one byte is the register that the read begins at; anything else is a
 * write. A chip with registers is then asked for one byte after the other at one instant (its values are refreshed for
 * that instant, so a number of two bytes is never torn); one without answers a read as a whole.
 */
import { RegisterChip } from '../../chips/register-chip.ts';
import type { I2cChip } from '../../simulated/i2c-bus.ts';

/** What a chip without registers is asked for: more than any of them has. */
const blockBytes = 32;
/** Nobody pulls the data line. */
const idleByte = 0xff;

export class I2cChips {
  readonly #chips = new Map<number, I2cChip>();
  #selected: { chip: I2cChip; address: number } | null = null;
  #isReading = false;
  #written: number[] = [];
  #readAtMs = 0;
  #register: number | null = null;
  #block: Uint8Array | null = null;
  #blockIndex = 0;
  /** Told of every write transaction, for those who count effects. */
  onWrite: ((address: number, bytes: Uint8Array) => void) | null = null;

  attach(address: number, chip: I2cChip): void {
    this.#chips.set(address, chip);
  }

  /** The supply of the chips was off and on. */
  powerCycle(): void {
    this.#selected = null;
    this.#written = [];
    for (const chip of this.#chips.values()) chip.reset?.();
  }

  /** Address byte after a start or repeated start; true: a chip acknowledges. */
  address(address: number, isReading: boolean, nowMs: number): boolean {
    const previous = this.#selected;
    const pending = this.#written;
    const chip = this.#chips.get(address);
    const isSame = previous !== null && previous.address === address;
    this.#register = isReading && isSame && pending.length === 1 ? pending[0]! : null;
    if (this.#register === null) this.#deliver(nowMs);
    this.#written = [];
    this.#selected = chip === undefined ? null : { chip, address };
    this.#isReading = isReading;
    this.#readAtMs = nowMs;
    this.#block = null;
    return chip !== undefined;
  }

  /** True: acknowledged. */
  write(byte: number): boolean {
    if (this.#selected === null || this.#isReading) return false;
    this.#written.push(byte);
    return true;
  }

  read(): number {
    if (this.#selected === null) return idleByte;
    const { chip } = this.#selected;
    const register = this.#register;
    this.#register = null;
    if (chip instanceof RegisterChip) return chip.read(register, 1, this.#readAtMs)[0] ?? idleByte;
    if (this.#block === null) {
      this.#block = chip.read(register, blockBytes, this.#readAtMs);
      this.#blockIndex = 0;
    }
    return this.#block[this.#blockIndex++] ?? idleByte;
  }

  stop(nowMs: number): void {
    this.#deliver(nowMs);
    this.#written = [];
    this.#selected = null;
  }

  #deliver(nowMs: number): void {
    if (this.#selected === null || this.#written.length === 0) return;
    const bytes = Uint8Array.from(this.#written);
    this.#selected.chip.write(bytes, nowMs);
    this.onWrite?.(this.#selected.address, bytes);
  }
}
