/** The plant and the parts around the emulated Mega, and what an observer at its pins would write down. */
import { pinOfWire, wireOfPin } from '../../../boards/mega-2560/emulator/arduino-pins.ts';
import type { Mega2560 } from '../../../boards/mega-2560/emulator/machine.ts';
import { OneWireLine } from '../../../boards/mega-2560/emulator/one-wire-line.ts';
import { PlantLink } from '../../../boards/mega-2560/emulator/plant-link.ts';
import { mega2560FencedProfile } from '../../../boards/mega-2560/fenced-profile.ts';
import { Bench } from '../../../boards/plants/bench.ts';
import { attachBenchParts } from '../../../boards/plants/bench-parts.ts';
import type { Plant } from '../../../boards/plants/plant.ts';
import { WaterTank } from '../../../boards/plants/water-tank.ts';
import { OutputTracer } from '../../../boards/simulated/tracer.ts';
import type { DeviceEvent } from './device-events.ts';
import type { EmulatedOptions } from './emulated-options.ts';

/** A pin that was a one-wire bus so recently is one still. */
const busMs = 2000;

type PinReport = (DeviceEvent & { event: 'state' })['pins'];

export class EmulatedBench {
  readonly #machine: Mega2560;
  readonly #plant: Plant | null;
  readonly #link: PlantLink;
  readonly #buses = new Map<number, OneWireLine>();
  readonly #tracer = new OutputTracer(1);

  constructor(machine: Mega2560, options: Pick<EmulatedOptions, 'plant' | 'seed'>) {
    this.#machine = machine;
    this.#plant = plantOf(options);
    this.#link = new PlantLink(machine, mega2560FencedProfile, this.#plant);
    this.#link.isTaken = (pin) => this.#buses.get(pin)?.isBusy(busMs) ?? false;
    machine.wires.listen((wire, level, cycle) => {
      const pin = pinOfWire(wire);
      if (pin === null || !machine.wires.isDriven(wire)) return;
      this.#tracer.record((1000 * cycle) / machine.clockHz, 'digital', pin, [level]);
    });
    machine.i2c.onWrite = (address, bytes) =>
      this.#tracer.record(machine.timeMs, 'i2c-write', address, [...bytes]);
    if (options.plant === 'bench') this.#attachParts();
  }

  get plant(): Record<string, number | boolean> {
    return this.#plant?.state() ?? {};
  }

  /** Changes of driven pins and writes on the I2C bus, in order. */
  get effects(): { count: number; digest: number } {
    const { count, digest } = this.#tracer;
    return { count, digest };
  }

  get pins(): PinReport {
    this.#link.refresh();
    return this.#link.pins.all
      .filter((pin) => this.#machine.isOutput(pin.number))
      .map((pin) => ({
        pin: pin.number,
        mode: pin.mode,
        value: pin.value,
        level: this.#machine.level(pin.number),
      }));
  }

  /** False: the plant has no button. */
  pressButton(durationMs: number): boolean {
    if (!(this.#plant instanceof WaterTank)) return false;
    this.#plant.pressButton(durationMs);
    return true;
  }

  #attachParts(): void {
    attachBenchParts({
      pins: this.#link.pins,
      i2c: this.#machine.i2c,
      oneWire: { attach: (pin, part) => this.#bus(pin).attach(part) },
      // The firmware has no serial feature: its three lines are the boards' and the console's.
      serial: { attach: () => {} },
    });
  }

  #bus(pin: number): OneWireLine {
    const found = this.#buses.get(pin);
    if (found !== undefined) return found;
    const bus = new OneWireLine(this.#machine, wireOfPin(pin));
    this.#buses.set(pin, bus);
    return bus;
  }
}

function plantOf(options: Pick<EmulatedOptions, 'plant' | 'seed'>): Plant | null {
  switch (options.plant) {
    case 'water-tank':
      return new WaterTank({ seed: options.seed });
    case 'bench':
      return new Bench({ seed: options.seed });
    case 'none':
      return null;
  }
}
