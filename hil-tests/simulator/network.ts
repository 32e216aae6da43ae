/**
 * The two links between the boards, with everything that can be wrong with a cable.
 *
 *   board -> wire (one direction of one link): line time -> faults -> arrival at the other board
 *
 * Ethernet carries datagrams as they are, serial frames them (protocol/frame.ts) when there is noise to be survived.
 */
import { sameBytes } from '../../protocol/bytes.ts';
import { encodeFrame, FrameDecoder } from '../../protocol/frame.ts';
import { type BoardName, type Fault, type LinkName, linkNames } from './fault.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A datagram as it left a board: whoever gets this very object gets what was sent. */
export interface Sent {
  bytes: Uint8Array;
  /** The process that sealed it. */
  process: number;
}

export interface NetworkEnds {
  /** `sent` null: bytes that nobody sent like this. */
  arrived(board: BoardName, link: number, bytes: Uint8Array, sent: Sent | null): void;
}

type WireFault = Extract<
  Fault,
  {
    kind: 'loss' | 'delay' | 'duplication' | 'reordering' | 'corruption' | 'cut' | 'stall' | 'slow-link';
  }
>;

const serialFramingBytes = 7;
const ethernetFramingBytes = 66;
const ethernetLatencyMs = 0.15;
/** What a driver keeps for a serial line that is busy, and an interface for a slow network; what comes on top is dropped. */
const lineBytesMax = { serial: 4096, ethernet: 3000 };
/** How long a datagram that others shall pass is held back. */
const heldBackMs = 8;
const serialFrameBytesMax = 512;

/** One direction of one link. */
class Wire {
  readonly link: number;
  readonly to: BoardName;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #ends: NetworkEnds;
  readonly #nominalBitsPerSecond: number;
  readonly #decoder = new FrameDecoder({ frameBytesMax: serialFrameBytesMax });
  readonly faults = new Set<WireFault>();
  #freeAt = 0;
  #lastArrivalAt = 0;
  #stalled: (() => void)[] = [];

  constructor(
    link: number,
    to: BoardName,
    bitsPerSecond: number,
    time: VirtualTime,
    random: Random,
    ends: NetworkEnds,
  ) {
    this.link = link;
    this.to = to;
    this.#nominalBitsPerSecond = bitsPerSecond;
    this.#time = time;
    this.#random = random;
    this.#ends = ends;
  }

  get #isSerial(): boolean {
    return linkNames[this.link] === 'serial';
  }

  carry(sent: Sent): void {
    let bitsPerSecond = this.#nominalBitsPerSecond;
    let isCut = false;
    let isNoisy = 0;
    let copies = 1;
    let extraMs = 0;
    for (const fault of this.faults) {
      switch (fault.kind) {
        case 'cut':
          isCut = true;
          break;
        case 'loss':
          if (this.#random.chance(fault.probability)) isCut = true;
          break;
        case 'slow-link':
          bitsPerSecond = Math.min(bitsPerSecond, fault.bitsPerSecond);
          break;
        case 'delay':
          extraMs += fault.ms + fault.jitterMs * this.#random.unit();
          break;
        case 'duplication':
          if (this.#random.chance(fault.probability)) copies += 1;
          break;
        case 'reordering':
          if (!this.#isSerial && this.#random.chance(fault.probability)) extraMs += heldBackMs;
          break;
        case 'corruption':
          isNoisy = Math.max(isNoisy, fault.probability);
          break;
        case 'stall':
          break;
      }
    }
    const { now } = this.#time;
    const lineMs = this.#isSerial
      ? ((sent.bytes.length + serialFramingBytes) * 10_000) / bitsPerSecond
      : ((sent.bytes.length + ethernetFramingBytes) * 8_000) / bitsPerSecond;
    const begin = Math.max(this.#freeAt, now);
    if (((begin - now) * bitsPerSecond) / 10_000 > lineBytesMax[linkNames[this.link]!]) return;
    this.#freeAt = begin + lineMs;
    if (isCut) return;
    let arrivesAt = this.#freeAt + extraMs;
    if (this.#isSerial) {
      // Bytes on a line cannot pass one another.
      arrivesAt = Math.max(arrivesAt, this.#lastArrivalAt);
      this.#lastArrivalAt = arrivesAt;
    } else arrivesAt += ethernetLatencyMs * (0.7 + 0.6 * this.#random.unit());
    for (let copy = 0; copy < copies; copy++) {
      const at = arrivesAt + copy * 3 * this.#random.unit();
      this.#time.at(at, () => this.#arrives(sent, isNoisy));
    }
  }

  #arrives(sent: Sent, noise: number): void {
    for (const fault of this.faults) {
      if (fault.kind === 'stall') {
        this.#stalled.push(() => this.#deliver(sent, noise));
        return;
      }
      // What is on its way when a cable is pulled does not arrive either.
      if (fault.kind === 'cut') return;
    }
    this.#deliver(sent, noise);
  }

  #deliver(sent: Sent, noise: number): void {
    if (noise === 0 || !this.#random.chance(noise)) {
      this.#ends.arrived(this.to, this.link, sent.bytes, sent);
      return;
    }
    if (!this.#isSerial) {
      const bytes = damaged(sent.bytes, this.#random);
      this.#ends.arrived(this.to, this.link, bytes, sameBytes(bytes, sent.bytes) ? sent : null);
      return;
    }
    for (const item of this.#decoder.push(damaged(encodeFrame(sent.bytes), this.#random))) {
      if (item.kind !== 'frame') continue;
      const { payload } = item;
      this.#ends.arrived(this.to, this.link, payload, sameBytes(payload, sent.bytes) ? sent : null);
    }
    // The frame after this one ends with its own delimiter: what was left of this one is thrown away with it.
    this.#decoder.push(Uint8Array.of(0));
  }

  /** A stall is over: all of it at once. */
  settle(): void {
    for (const fault of this.faults) if (fault.kind === 'stall') return;
    for (const deliver of this.#stalled.splice(0)) deliver();
  }
}

/** One to three bytes are flipped, dropped or added. */
export function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const list = Array.from(bytes);
  for (let blows = 1 + random.below(3); blows > 0; blows--) {
    const at = random.below(list.length + 1);
    switch (random.below(4)) {
      case 0:
        list.splice(at, 1);
        break;
      case 1:
        list.splice(at, 0, random.below(256));
        break;
      default:
        if (at < list.length) list[at]! ^= 1 << random.below(8);
    }
  }
  return Uint8Array.from(list);
}

export class Network {
  /** By link, then by sending board. */
  readonly #wires: Record<BoardName, Wire>[];

  constructor(time: VirtualTime, random: Random, bitsPerSecond: Record<LinkName, number>, ends: NetworkEnds) {
    this.#wires = linkNames.map((name, link) => {
      const wire = (from: BoardName, to: BoardName): Wire =>
        new Wire(link, to, bitsPerSecond[name], time, random.stream(`${name} from ${from}`), ends);
      return { a: wire('a', 'b'), b: wire('b', 'a') };
    });
  }

  carry(from: BoardName, link: number, sent: Sent): void {
    this.#wires[link]![from].carry(sent);
  }

  isCut(from: BoardName, link: number): boolean {
    for (const fault of this.#wires[link]![from].faults) if (fault.kind === 'cut') return true;
    return false;
  }

  begin(fault: WireFault): void {
    for (const wire of this.#struckBy(fault)) wire.faults.add(fault);
  }

  end(fault: WireFault): void {
    for (const wire of this.#struckBy(fault)) {
      wire.faults.delete(fault);
      wire.settle();
    }
  }

  #struckBy(fault: WireFault): Wire[] {
    const wires = this.#wires[linkNames.indexOf(fault.link)]!;
    if (fault.kind === 'slow-link' || fault.from === null) return [wires.a, wires.b];
    return [wires[fault.from]];
  }
}
