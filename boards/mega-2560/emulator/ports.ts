/**
 * The digital ports (datasheet, section 13) with the external and pin change interrupts (section 15): registers on one
 * side, wires on the other. A timer's output unit takes a pin over from PORTx; DDRx still decides whether it is driven.
 */
import type { Chip } from './chip.ts';
import { register, vector } from './registers.ts';
import { chipDrive, type Level, portLetters, wireCount } from './wires.ts';

interface PortAddresses {
  pin: number;
  direction: number;
  port: number;
}

const lowPorts = 7;
const firstHighPort = 0x100;

function addressesOf(port: number): PortAddresses {
  const pin = port < lowPorts ? 0x20 + 3 * port : firstHighPort + 3 * (port - lowPorts);
  return { pin, direction: pin + 1, port: pin + 2 };
}

const externalInterruptCount = 8;
const pinChangeGroups = 3;
/** INT0..3 on PD0..3, INT4..7 on PE4..7. */
const externalOfWire = new Map([0, 1, 2, 3, 4, 5, 6, 7].map((n) => [8 * (n < 4 ? 3 : 4) + n, n]));
/** PCINT0..7 on PB0..7, 8 on PE0, 9..15 on PJ0..6, 16..23 on PK0..7. */
const pinChangeOfWire = new Map<number, number>([
  ...Array.from({ length: 8 }, (_, bit) => [8 * 1 + bit, bit] as const),
  [8 * 4, 8] as const,
  ...Array.from({ length: 7 }, (_, bit) => [8 * portLetters.indexOf('J') + bit, 9 + bit] as const),
  ...Array.from({ length: 8 }, (_, bit) => [8 * portLetters.indexOf('K') + bit, 16 + bit] as const),
]);

const noOverride = 2;
const senseLow = 0;
const senseAnyEdge = 1;
const senseFalling = 2;

export class Ports {
  readonly #chip: Chip;
  readonly #override = new Uint8Array(wireCount).fill(noOverride);
  /** The second timer on a pin that two share (PB7: OC0A and OC1C). */
  readonly #modulator = new Uint8Array(wireCount).fill(noOverride);
  #externalFlags = 0;
  #pinChangeFlags = 0;

  constructor(chip: Chip) {
    this.#chip = chip;
    const { cpu, interrupts, wires } = chip;
    for (let port = 0; port < portLetters.length; port++) this.#attachPort(port);
    for (let n = 0; n < externalInterruptCount; n++) {
      interrupts.onAcknowledge(vector.external0 + n, () => {
        this.#externalFlags &= ~(1 << n);
        this.#requestExternal();
      });
    }
    for (let group = 0; group < pinChangeGroups; group++) {
      interrupts.onAcknowledge(vector.pinChange0 + group, () => {
        this.#pinChangeFlags &= ~(1 << group);
        this.#requestPinChange();
      });
    }
    const writable = (address: number, then: () => void) => {
      cpu.writeHooks[address] = (value) => {
        cpu.data[address] = value;
        then();
        return true;
      };
    };
    writable(register.externalMask, () => this.#requestExternal());
    writable(register.externalControlA, () => this.#requestExternal());
    writable(register.externalControlB, () => this.#requestExternal());
    writable(register.pinChangeControl, () => this.#requestPinChange());
    cpu.writeHooks[register.externalFlags] = (value, _old, _address, mask) => {
      this.#externalFlags &= ~(value & mask);
      this.#requestExternal();
      return true;
    };
    cpu.writeHooks[register.pinChangeFlags] = (value, _old, _address, mask) => {
      this.#pinChangeFlags &= ~(value & mask);
      this.#requestPinChange();
      return true;
    };
    wires.onChipInput = (wire, level) => this.#setInput(wire, level);
    for (let wire = 0; wire < wireCount; wire++) {
      wires.setChip(wire, chipDrive.released, chip.machineCycle(cpu.cycles));
      if (wires.level(wire) === 1) this.#setInput(wire, 1);
    }
    wires.onChipInput = (wire, level) => this.#changed(wire, level);
  }

  /** A timer's output unit takes the pin over with this level; null gives it back to PORTx. */
  override(wire: number, level: Level | null, cycle: number, asModulator: boolean): void {
    const overrides = asModulator ? this.#modulator : this.#override;
    overrides[wire] = level ?? noOverride;
    this.#drive(wire, cycle);
  }

  #attachPort(port: number): void {
    const { cpu } = this.#chip;
    const addresses = addressesOf(port);
    const write = (address: number) => (value: number) => {
      const changed = cpu.data[address]! ^ value;
      cpu.data[address] = value;
      this.#driveChanged(port, changed);
      return true;
    };
    cpu.writeHooks[addresses.direction] = write(addresses.direction);
    cpu.writeHooks[addresses.port] = write(addresses.port);
    cpu.writeHooks[addresses.pin] = (value, _old, _address, mask) => {
      const toggled = value & mask;
      cpu.data[addresses.port] = cpu.data[addresses.port]! ^ toggled;
      this.#driveChanged(port, toggled);
      return true;
    };
  }

  #driveChanged(port: number, changed: number): void {
    for (let bit = 0; bit < 8; bit++) {
      if (changed & (1 << bit)) this.#drive(8 * port + bit, this.#chip.cpu.cycles);
    }
  }

  #drive(wire: number, cycle: number): void {
    const { cpu, wires } = this.#chip;
    const addresses = addressesOf(wire >> 3);
    const mask = 1 << (wire & 7);
    const latch = cpu.data[addresses.port]! & mask ? 1 : 0;
    const isOutput = (cpu.data[addresses.direction]! & mask) !== 0;
    const released = latch === 1 ? chipDrive.pullUp : chipDrive.released;
    const drive = isOutput ? this.#outputLevel(wire, latch) : released;
    wires.setChip(wire, drive, this.#chip.machineCycle(cycle));
  }

  /** Two timers on one pin modulate each other: the latch chooses AND or OR (datasheet, section 19). */
  #outputLevel(wire: number, latch: number): number {
    const first = this.#override[wire]!;
    const second = this.#modulator[wire]!;
    if (first === noOverride) return second === noOverride ? latch : second;
    if (second === noOverride) return first;
    return latch === 1 ? first | second : first & second;
  }

  #setInput(wire: number, level: Level): void {
    const { data } = this.#chip.cpu;
    const { pin } = addressesOf(wire >> 3);
    const mask = 1 << (wire & 7);
    data[pin] = level === 1 ? data[pin]! | mask : data[pin]! & ~mask;
  }

  #changed(wire: number, level: Level): void {
    this.#setInput(wire, level);
    const external = externalOfWire.get(wire);
    if (external !== undefined) {
      const sense = this.#sense(external);
      const wanted = sense === senseAnyEdge || (sense === senseFalling ? level === 0 : level === 1);
      if (sense !== senseLow && wanted) this.#externalFlags |= 1 << external;
      this.#requestExternal();
    }
    const change = pinChangeOfWire.get(wire);
    if (change === undefined) return;
    const group = change >> 3;
    if (this.#chip.cpu.data[register.pinChangeMask0 + group]! & (1 << (change & 7))) {
      this.#pinChangeFlags |= 1 << group;
      this.#requestPinChange();
    }
  }

  #sense(external: number): number {
    const address = external < 4 ? register.externalControlA : register.externalControlB;
    return (this.#chip.cpu.data[address]! >> (2 * (external & 3))) & 3;
  }

  #requestExternal(): void {
    const { cpu, interrupts, wires } = this.#chip;
    cpu.data[register.externalFlags] = this.#externalFlags;
    const mask = cpu.data[register.externalMask]!;
    for (const [wire, external] of externalOfWire) {
      const isLow = this.#sense(external) === senseLow && wires.level(wire) === 0;
      const flag = (this.#externalFlags & (1 << external)) !== 0;
      interrupts.request(vector.external0 + external, (mask & (1 << external)) !== 0 && (flag || isLow));
    }
  }

  #requestPinChange(): void {
    const { cpu, interrupts } = this.#chip;
    cpu.data[register.pinChangeFlags] = this.#pinChangeFlags;
    const enabled = this.#pinChangeFlags & cpu.data[register.pinChangeControl]!;
    for (let group = 0; group < pinChangeGroups; group++) {
      interrupts.request(vector.pinChange0 + group, (enabled & (1 << group)) !== 0);
    }
  }
}
