/** The devices that a program's needs name, in the program's own process. See preload.ts. */
import assert from 'node:assert';
import type { SimulatedFirmata } from '../../../boards/simulated/firmata.ts';
import { command, sysex } from '../../../boards/simulated/messages.ts';
import { type FirmataMessage, FirmataParser } from '../../../boards/simulated/parser.ts';
import { unoProfile } from '../../../boards/uno/profile.ts';
import { deviceFor } from '../device.ts';
import type { BareNeeds } from './run.ts';

export interface BareDevice {
  /** A controller opened the port. Bytes for it go to `send`, never from within `start` or `receive`. */
  start(send: (bytes: Uint8Array) => void): void;
  /** Bytes that the controller wrote. */
  receive(bytes: Uint8Array): void;
  /** Messages so far that actuate or ask a chip; the queries and modes of a start are not counted. */
  outputCount(): number;
  /** Messages that the device did not understand. */
  malformedCount(): number;
}

// Taken before the program can replace them.
const { setTimeout: later, setInterval: every, setImmediate: soon } = globalThis;
const clock = performance.now.bind(performance);

const actingSysex = new Set<number>([
  sysex.accelStepper,
  sysex.stepper,
  sysex.extendedAnalog,
  sysex.i2cRequest,
  sysex.oneWire,
  sysex.pingRead,
  sysex.serial,
  sysex.string,
]);

function acts(message: FirmataMessage): boolean {
  if (message.kind === 'sysex') return actingSysex.has(message.id);
  if (message.kind === 'malformed') return false;
  if (message.command === command.setDigitalPin) return true;
  const kind = message.command & 0xf0;
  return kind === command.analogMessage || kind === command.digitalMessage;
}

class Uno implements BareDevice {
  readonly #device: SimulatedFirmata;
  readonly #parser = new FirmataParser(unoProfile.sysexBytesMax);
  #outputs = 0;

  constructor(needs: BareNeeds) {
    this.#device = deviceFor(needs);
  }

  start(send: (bytes: Uint8Array) => void): void {
    this.#device.onTransmit = (bytes) => soon(send, bytes);
    this.#device.opened(clock());
    // Polling is exact enough: the device does everything at its own due time. The interval also keeps the process
    // alive, as an open port does.
    every(() => this.#device.tick(clock()), 2);
  }

  receive(bytes: Uint8Array): void {
    for (const message of this.#parser.push(bytes)) if (acts(message)) this.#outputs++;
    this.#device.receive(clock(), bytes);
  }

  outputCount(): number {
    return this.#outputs;
  }
  malformedCount(): number {
    return this.#device.malformedCount;
  }
}

/** Speaks a position every 100 ms, walking north from Hamburg. */
class GpsMouse implements BareDevice {
  start(send: (bytes: Uint8Array) => void): void {
    let n = 0;
    every(() => {
      const minutes = (33.0 + 0.001 * n).toFixed(4);
      const time = String(n % 60).padStart(2, '0');
      const body = `GPRMC,1200${time},A,53${minutes},N,01000.0000,E,${(5 + (n % 10)).toFixed(1)},000.0,010126,,`;
      const sum = [...body].reduce((x, character) => x ^ character.charCodeAt(0), 0);
      send(Buffer.from(`$${body}*${sum.toString(16).toUpperCase().padStart(2, '0')}\r\n`));
      n++;
    }, 100);
  }
  receive(): void {}
  outputCount(): number {
    return 0;
  }
  malformedCount(): number {
    return 0;
  }
}

/** Answers each line with a value and the line's length. */
class Instrument implements BareDevice {
  #send: (bytes: Uint8Array) => void = () => {};
  #lines = 0;
  #pending = '';

  start(send: (bytes: Uint8Array) => void): void {
    this.#send = send;
  }
  receive(bytes: Uint8Array): void {
    const lines = (this.#pending + Buffer.from(bytes).toString('latin1')).split('\n');
    this.#pending = lines.pop() as string;
    for (const line of lines) {
      this.#lines++;
      later(() => this.#send(Buffer.from(`VAL ${(this.#lines * 0.1).toFixed(1)} ${line.length}\n`)), 3);
    }
  }
  outputCount(): number {
    return this.#lines;
  }
  malformedCount(): number {
    return 0;
  }
}

const plainDevices: Record<string, new () => BareDevice> = { nmea: GpsMouse, lines: Instrument };

export const boardPath = '/dev/ttyACM0';

/** Ports in the order in which a listing shows them. */
export function openDevices(needs: BareNeeds): Map<string, BareDevice> {
  const devices = new Map<string, BareDevice>();
  if (needs.plant !== 'none') devices.set(boardPath, new Uno(needs));
  for (const need of needs.devices) {
    const [kind, path] = need.split('@') as [string, string];
    const Device = plainDevices[kind];
    assert(Device !== undefined, `no plain device of kind ${kind}`);
    devices.set(path, new Device());
  }
  return devices;
}
