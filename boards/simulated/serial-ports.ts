/**
 * Serial ports of the device (sysex 0x60, serial-1.0.md) with something at the other end of each: a GPS
 * receiver, a card reader. Bytes that arrive are passed on when the controller reads continuously, else kept
 * up to the buffer of the Arduino core; what comes beyond is lost, as it is there.
 */
import type { Feature, FeatureContext } from './feature.ts';
import { fromPairs, pair, sysex, toPairs } from './messages.ts';

/** What is wired to a serial port. Times are device time in ms. */
export interface SerialPeer {
  /** Its speed. A port of another speed hears garbage and is heard as such: here, neither hears the other. */
  readonly baudRate: number;
  receive(now: number, bytes: Uint8Array): void;
  /** When it will next have something to say; null: only when spoken to. */
  readonly nextAt: number | null;
  /** What it says by now. Afterwards `nextAt` is null or later than `now`. */
  transmit(now: number): Uint8Array;
  /** Back to the state after power-on. Must leave `nextAt` null or in the future. */
  reset?(): void;
}

const configure = 0x10;
const write = 0x20;
const read = 0x30;
const reply = 0x40;
const close = 0x50;
const flush = 0x60;
const listen = 0x70;

const receiveBytesMax = 64;
/** Software serial ports are numbered from here. */
const firstSoftwarePort = 8;

interface OpenPort {
  baudRate: number;
  reading: boolean;
  /** Most bytes in one reply; 0: all there are. */
  readBytesMax: number;
  received: number[];
}

export class SerialPorts implements Feature {
  readonly ids = [sysex.serial];
  readonly #context: FeatureContext;
  readonly #peers = new Map<number, SerialPeer>();
  readonly #open = new Map<number, OpenPort>();

  constructor(context: FeatureContext) {
    this.#context = context;
  }

  /** @param port 0..3 hardware, 8..11 software serial ports. */
  attach(port: number, peer: SerialPeer): void {
    this.#peers.set(port, peer);
  }

  baudRateOf(port: number): number | null {
    return this.#open.get(port)?.baudRate ?? null;
  }

  get nextAt(): number | null {
    let next: number | null = null;
    for (const peer of this.#peers.values()) {
      if (peer.nextAt !== null && (next === null || peer.nextAt < next)) next = peer.nextAt;
    }
    return next;
  }

  advance(now: number): void {
    for (const [number, peer] of this.#peers) {
      if (peer.nextAt === null || peer.nextAt > now) continue;
      this.#collect(number, peer.transmit(now));
    }
  }

  sysex(now: number, _id: number, data: Uint8Array): boolean {
    if (data.length < 1) return false;
    const number = data[0]! & 0x0f;
    const content = data.subarray(1);
    const action = data[0]! & 0x70;
    if (action === configure) return this.#configure(number, content);
    const port = this.#open.get(number);
    if (port === undefined) return false;
    switch (action) {
      case write: {
        if (content.length % 2 !== 0) return false;
        const bytes = fromPairs(content);
        this.#context.tracer.record(now, 'serial-write', number, [...bytes]);
        const peer = this.#peers.get(number);
        if (peer?.baudRate === port.baudRate) peer.receive(now, bytes);
        return true;
      }
      case read:
        if (content.length < 1) return false;
        port.reading = content[0] === 0;
        port.readBytesMax = content.length >= 3 ? pair(content[1]!, content[2]!) : 0;
        if (port.reading) this.#pass(number, port);
        return true;
      case close:
        this.#open.delete(number);
        return true;
      case flush:
        if (number >= firstSoftwarePort) port.received = [];
        return true;
      case listen:
        return true;
      default:
        return false;
    }
  }

  reset(): void {
    this.#open.clear();
  }

  /** The supply of what is wired to the ports was switched off and on. */
  powerCycle(): void {
    for (const peer of this.#peers.values()) peer.reset?.();
  }

  safeState(): void {}

  #configure(number: number, content: Uint8Array): boolean {
    if (content.length < 3) return false;
    if (number >= firstSoftwarePort && content.length < 5) return false;
    const baudRate = content[0]! | (content[1]! << 7) | (content[2]! << 14);
    if (baudRate === 0) return false;
    this.#open.set(number, { baudRate, reading: false, readBytesMax: 0, received: [] });
    return true;
  }

  #collect(number: number, bytes: Uint8Array): void {
    const port = this.#open.get(number);
    if (port === undefined || port.baudRate !== this.#peers.get(number)?.baudRate) return;
    if (port.reading) {
      port.received.push(...bytes);
      this.#pass(number, port);
    } else {
      port.received.push(...bytes.subarray(0, receiveBytesMax - port.received.length));
    }
  }

  #pass(number: number, port: OpenPort): void {
    const most = port.readBytesMax === 0 ? receiveBytesMax : Math.min(port.readBytesMax, receiveBytesMax);
    while (port.received.length > 0) {
      this.#context.sendSysex(sysex.serial, [reply | number, ...toPairs(port.received.splice(0, most))]);
    }
  }
}
