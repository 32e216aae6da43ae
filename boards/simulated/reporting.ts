/**
 * What the device reports on its own: digital ports when an input changes, analog inputs at the sampling
 * interval (StandardFirmata's checkDigitalInputs and its sampling loop).
 */
import { pinModes } from '../profile.ts';
import { command } from './messages.ts';
import type { PinBank } from './pins.ts';

const channelsMax = 16;
const portsMax = 16;

export class Reporting {
  readonly #pins: PinBank;
  readonly #send: (bytes: readonly number[]) => void;
  readonly #ports = new Set<number>();
  readonly #channels = new Set<number>();
  readonly #reported = new Map<number, number>();

  constructor(pins: PinBank, send: (bytes: readonly number[]) => void) {
    this.#pins = pins;
    this.#send = send;
  }

  get analogActive(): boolean {
    return this.#channels.size > 0;
  }

  reset(): void {
    this.#ports.clear();
    this.#channels.clear();
    this.#reported.clear();
  }

  /** Turning a port's reporting on sends its state at once. */
  reportPort(port: number, on: boolean): void {
    if (port >= Math.min(this.#pins.portCount, portsMax)) return;
    if (!on) {
      this.#ports.delete(port);
      return;
    }
    this.#ports.add(port);
    this.#sendPort(port);
  }

  /** Turning an analog input's reporting on sends its value at once. */
  reportChannel(channel: number, on: boolean): void {
    const pin = this.#pins.all.find((each) => each.profile.analogChannel === channel);
    if (pin === undefined || channel >= channelsMax) return;
    if (!on) {
      this.#channels.delete(channel);
      return;
    }
    this.#channels.add(channel);
    this.#sendChannel(channel, pin.analogCounts);
  }

  /** Sends every reported port whose inputs changed since it was last sent. */
  sendChangedPorts(): void {
    this.#pins.inputsChanged = false;
    for (const port of this.#ports) {
      if (this.#reported.get(port) !== this.#inputsOf(port)) this.#sendPort(port);
    }
  }

  /** One round of analog reports. */
  sendChannels(): void {
    for (const pin of this.#pins.all) {
      const channel = pin.profile.analogChannel;
      if (channel === null || !this.#channels.has(channel) || pin.mode !== pinModes.analog) continue;
      this.#sendChannel(channel, pin.analogCounts);
    }
  }

  #inputsOf(port: number): number {
    let value = 0;
    for (let bit = 0; bit < 8; bit++) {
      const pin = this.#pins.all[8 * port + bit];
      if (pin?.isInput && pin.level === 1) value |= 1 << bit;
    }
    return value;
  }

  #sendPort(port: number): void {
    const value = this.#inputsOf(port);
    this.#reported.set(port, value);
    this.#send([command.digitalMessage | port, value & 0x7f, value >> 7]);
  }

  #sendChannel(channel: number, counts: number): void {
    this.#send([command.analogMessage | channel, counts & 0x7f, (counts >> 7) & 0x7f]);
  }
}
