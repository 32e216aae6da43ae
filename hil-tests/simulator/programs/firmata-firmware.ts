/**
 * Firmata with a plant behind it, for real johnny-five programs: the simulated Uno of boards/ in virtual time, as
 * hil-tests/rigs/local/device-process.ts runs it in real time. An operator presses the water tank's button now and then.
 */
import { Bench } from '../../../boards/plants/bench.ts';
import { attachBenchParts } from '../../../boards/plants/bench-parts.ts';
import { WaterTank } from '../../../boards/plants/water-tank.ts';
import { SimulatedFirmata } from '../../../boards/simulated/firmata.ts';
import { unoProfile } from '../../../boards/uno/profile.ts';
import { Random } from '../random.ts';
import type { SimulatedFirmware } from './simulated-firmware.ts';

export interface FirmataFirmwareOptions {
  plant?: 'water-tank' | 'bench';
}

const pressEveryMsMin = 2000;
const pressEveryMsMax = 20_000;

export class FirmataFirmware implements SimulatedFirmware {
  readonly firmata: SimulatedFirmata;
  readonly #tank: WaterTank | null;
  readonly #random: Random;
  #produced: Uint8Array[] = [];
  #pressAt: number | null = null;
  #nowMs = 0;
  #begun = false;

  constructor(random: () => number, options: FirmataFirmwareOptions = {}) {
    this.#random = new Random(`firmata/${random()}`);
    const seed = 1 + this.#random.below(1_000_000);
    this.#tank = options.plant === 'bench' ? null : new WaterTank({ seed });
    this.firmata = new SimulatedFirmata({ profile: unoProfile, plant: this.#tank ?? new Bench({ seed }) });
    if (this.#tank === null) attachBenchParts(this.firmata);
    this.firmata.onTransmit = (bytes) => this.#produced.push(bytes);
  }

  outputs(bytes: Uint8Array, nowMs: number): void {
    this.#begin(nowMs);
    this.firmata.receive(this.#nowMs, bytes);
  }

  nextWakeAt(): number | null {
    if (!this.#begun || this.#produced.length > 0) return this.#nowMs;
    const firmataAt = this.firmata.nextWakeAt;
    if (firmataAt === null || this.#pressAt === null) return firmataAt ?? this.#pressAt;
    return Math.min(firmataAt, this.#pressAt);
  }

  advance(nowMs: number): Uint8Array[] {
    this.#begin(nowMs);
    this.firmata.tick(this.#nowMs);
    if (this.#tank !== null && this.#pressAt !== null && this.#pressAt <= this.#nowMs) {
      // Sometimes held: the program acknowledges its alarm then.
      this.#tank.pressButton(this.#random.chance(0.3) ? 1200 : 150);
      this.#pressAt = this.#nowMs + this.#random.between(pressEveryMsMin, pressEveryMsMax);
    }
    const messages = this.#produced;
    this.#produced = [];
    return messages;
  }

  reset(): void {
    this.#produced = [];
    if (!this.#begun) return;
    this.firmata.reset(this.#nowMs);
    this.firmata.safeState(this.#nowMs);
  }

  /** The device announces itself when it is switched on, as after the reset that opening the port causes. */
  #begin(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    if (this.#begun) return;
    this.#begun = true;
    this.#pressAt = this.#nowMs + this.#random.between(pressEveryMsMin, pressEveryMsMax);
    this.firmata.opened(this.#nowMs);
  }
}

export function createFirmataFirmware(
  random: () => number,
  options: FirmataFirmwareOptions = {},
): SimulatedFirmware {
  return new FirmataFirmware(random, options);
}
