/**
 * The pins of a device as the bytes between program and device name them: what a console shows of a device, on both boards.
 * It only listens: the backup's copy of the program says the same bytes, so its console shows the same pins.
 *
 *   program's writes -> FirmataParser -> pin modes, outputs
 *   device's bytes ---> FirmataParser -> analog channels, digital inputs
 *
 * A device that does not speak Firmata has no pins here: before a pin's mode or value was named there is none.
 */

import { pinModes } from '../../boards/profile.ts';
import { command, sysex } from '../../boards/simulated/messages.ts';
import { type FirmataMessage, FirmataParser } from '../../boards/simulated/parser.ts';
import type { PinOnConsole } from './console-schema.ts';

const sysexBytesMax = 64;
const pinsMax = 128;
const channelsMax = 16;

const modeNames = new Map<number, string>(
  Object.entries(pinModes).map(([name, mode]) => [mode, name.replace(/[A-Z]/g, '_$&').toUpperCase()]),
);
const inputModes: ReadonlySet<number> = new Set([pinModes.input, pinModes.pullUp]);

interface Pin {
  mode: number | null;
  value: number;
}

export class FirmataPins {
  readonly #toDevice = new FirmataParser(sysexBytesMax);
  readonly #fromDevice = new FirmataParser(sysexBytesMax);
  readonly #pins = new Map<number, Pin>();
  readonly #channels = new Map<number, number>();
  /** What the device said last of the eight pins of each port. */
  readonly #sampled = new Map<number, number>();

  /** Bytes that the program has written. */
  written(bytes: Uint8Array): void {
    for (const message of this.#toDevice.push(bytes)) {
      if (message.kind === 'short') this.#ordered(message);
      else if (message.kind === 'sysex' && message.id === sysex.extendedAnalog) this.#extended(message.data);
    }
  }

  /** Bytes that the device has sent. */
  received(bytes: Uint8Array): void {
    for (const message of this.#fromDevice.push(bytes)) {
      if (message.kind !== 'short') continue;
      const value = message.first | (message.second << 7);
      const index = message.command & 0x0f;
      const kind = message.command & 0xf0;
      if (kind === command.analogMessage) this.#channels.set(index, value);
      else if (kind === command.digitalMessage) this.#sampled.set(index, value);
    }
  }

  #ordered({ command: status, first, second }: Extract<FirmataMessage, { kind: 'short' }>): void {
    if (status === command.setPinMode) this.#pin(first).mode = second;
    else if (status === command.setDigitalPin) this.#pin(first).value = second;
    else if ((status & 0xf0) === command.analogMessage)
      this.#pin(status & 0x0f).value = first | (second << 7);
    else if ((status & 0xf0) === command.digitalMessage)
      this.#wrotePort(status & 0x0f, first | (second << 7));
    else if (status === command.systemReset) this.#pins.clear();
  }

  #extended(data: Uint8Array): void {
    const [pin, ...rest] = data;
    if (pin === undefined) return;
    this.#pin(pin).value = rest
      .slice(0, 4)
      .reduce((value, bits, index) => value + bits * 2 ** (7 * index), 0);
  }

  /** A write of eight pins at once is for those that are outputs. */
  #wrotePort(port: number, mask: number): void {
    for (let bit = 0; bit < 8; bit++) {
      const pin = this.#pins.get(port * 8 + bit);
      if (pin?.mode === pinModes.output) pin.value = (mask >> bit) & 1;
    }
  }

  /** A backup is told inputs before the outputs of the turns before them are seen, so a pin's mode may be named later. */
  #valueOf(number: number, { mode, value }: Pin): number {
    const isInput = mode !== null && inputModes.has(mode);
    const sampled = this.#sampled.get(number >> 3);
    return isInput && sampled !== undefined ? (sampled >> (number & 7)) & 1 : value;
  }

  #pin(number: number): Pin {
    let pin = this.#pins.get(number);
    if (pin === undefined) {
      pin = { mode: null, value: 0 };
      if (number < pinsMax) this.#pins.set(number, pin);
    }
    return pin;
  }

  /** Digital pins by number, then analog channels. */
  list(): PinOnConsole[] {
    const pins = [...this.#pins]
      .sort(([left], [right]) => left - right)
      // A pin whose channel is read is shown as that channel.
      .filter(([, { mode }]) => mode !== pinModes.analog)
      .map(([number, pin]) => ({
        name: `D${number}`,
        mode: pin.mode === null ? null : (modeNames.get(pin.mode) ?? `MODE_${pin.mode}`),
        value: this.#valueOf(number, pin),
      }));
    const channels = [...this.#channels]
      .sort(([left], [right]) => left - right)
      .slice(0, channelsMax)
      .map(([channel, value]) => ({ name: `A${channel}`, mode: 'ANALOG', value }));
    return [...pins, ...channels];
  }
}
