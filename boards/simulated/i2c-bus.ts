/**
 * The I2C master (sysex 0x76..0x78, i2c.md of the Firmata protocol) and the chips on its bus.
 *
 * An address byte is followed by the mode byte: bits 3-4 what to do, bit 5 ten-bit addressing (then bits 0-2
 * are the address's upper bits), bit 6 repeated start between register and data. On this bus a repeated
 * start and a stop with a new start come to the same, as no second master can come between.
 */

import { pinModes } from '../profile.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { fromPairs, pair, sysex, toPairs } from './messages.ts';

/** A chip on the bus. Times are device time in ms. */
export interface I2cChip {
  /** One write transaction, address byte excluded. */
  write(bytes: Uint8Array, now: number): void;
  /**
   * One read transaction of `count` bytes; `register` is what the master wrote just before, null when it only
   * reads. May return fewer bytes: then the chip did not acknowledge.
   */
  read(register: number | null, count: number, now: number): Uint8Array;
  /** Back to the state after power-on. */
  reset?(): void;
}

interface ContinuousRead {
  address: number;
  register: number | null;
  count: number;
}

/** StandardFirmata's I2C_MAX_QUERIES. */
const continuousReadsMax = 8;
/** A reply must fit the sysex buffer of the other side; StandardFirmata's buffer is 64, the Wire library's 32. */
const readBytesMax = 64;

const modeMask = 0x18;
const modeWrite = 0x00;
const modeReadOnce = 0x08;
const modeReadContinuously = 0x10;
const tenBitFlag = 0x20;

export class I2cBus implements Feature {
  readonly ids = [sysex.i2cRequest, sysex.i2cConfig];
  readonly nextAt = null;
  readonly #context: FeatureContext;
  readonly #chips = new Map<number, I2cChip>();
  #reads: ContinuousRead[] = [];
  #enabled = false;
  /** Pause between register write and read, as configured; reported, not waited for. */
  readDelayUs = 0;

  constructor(context: FeatureContext) {
    this.#context = context;
  }

  attach(address: number, chip: I2cChip): void {
    this.#chips.set(address, chip);
  }

  detach(address: number): void {
    this.#chips.delete(address);
  }

  /** True while `sample` would report something. */
  get reporting(): boolean {
    return this.#reads.length > 0;
  }

  sysex(now: number, id: number, data: Uint8Array): boolean {
    if (id === sysex.i2cConfig) return this.#configure(now, data);
    if (data.length < 2) return false;
    const flags = data[1]!;
    const address = flags & tenBitFlag ? pair(data[0]!, flags & 0x07) : data[0]! & 0x7f;
    const content = data.subarray(2);
    if (content.length % 2 !== 0) return false;
    if (!this.#enabled) {
      this.#context.sendString('I2C: not configured');
      return true;
    }
    switch (flags & modeMask) {
      case modeWrite:
        this.#write(now, address, fromPairs(content));
        return true;
      case modeReadOnce: {
        const read = parseRead(address, content);
        if (read === null) return false;
        this.#report(now, read);
        return true;
      }
      case modeReadContinuously: {
        const read = parseRead(address, content);
        if (read === null) return false;
        if (this.#reads.length >= continuousReadsMax) this.#context.sendString('I2C: too many queries');
        else this.#reads.push(read);
        return true;
      }
      default:
        this.#reads = this.#reads.filter((read) => read.address !== address);
        return true;
    }
  }

  /** One round of the continuous reads, at the sampling interval. */
  sample(now: number): void {
    for (const read of this.#reads) this.#report(now, read);
  }

  advance(): void {}

  reset(): void {
    this.#reads = [];
    this.#enabled = false;
    this.readDelayUs = 0;
  }

  /** The supply of the chips was switched off and on. A reset of the device alone does not reach them. */
  powerCycle(): void {
    for (const chip of this.#chips.values()) chip.reset?.();
  }

  /** Chips keep what they were told: a bus has no common safe state (the plant's wiring must provide it). */
  safeState(): void {}

  #configure(now: number, data: Uint8Array): boolean {
    // firmata-io sends the two bytes of the delay with all eight bits.
    this.readDelayUs = (data[0] ?? 0) | ((data[1] ?? 0) << 8);
    this.#enabled = true;
    for (const pin of this.#context.pins.all) {
      if (pin.supports(pinModes.i2c) && pin.mode !== pinModes.i2c) {
        this.#context.pins.setMode(now, pin, pinModes.i2c);
      }
    }
    return true;
  }

  #write(now: number, address: number, bytes: Uint8Array): void {
    this.#context.tracer.record(now, 'i2c-write', address, [...bytes]);
    this.#chips.get(address)?.write(bytes, now);
  }

  #report(now: number, read: ContinuousRead): void {
    const answer = this.#chips.get(read.address)?.read(read.register, read.count, now) ?? new Uint8Array(0);
    if (answer.length < read.count) this.#context.sendString('I2C: Too few bytes received');
    const bytes = new Uint8Array(read.count);
    bytes.set(answer.subarray(0, read.count));
    const register = read.register ?? 0;
    this.#context.sendSysex(sysex.i2cReply, [
      read.address & 0x7f,
      (read.address >> 7) & 0x7f,
      register & 0x7f,
      (register >> 7) & 0x7f,
      ...toPairs(bytes),
    ]);
  }
}

function parseRead(address: number, content: Uint8Array): ContinuousRead | null {
  if (content.length === 2) {
    return { address, register: null, count: Math.min(pair(content[0]!, content[1]!), readBytesMax) };
  }
  if (content.length !== 4) return null;
  return {
    address,
    register: pair(content[0]!, content[1]!),
    count: Math.min(pair(content[2]!, content[3]!), readBytesMax),
  };
}
