/**
 * A serial cable between two boards of the local rig: two pseudo-terminals and a relay that has a cable's speed and a
 * cable's faults.
 *
 * ```
 *   board a: serialport(pathA) = pseudo-terminal -> [queue, pace, noise] -> pseudo-terminal = serialport(pathB) :board b
 *                                               <- [queue, pace, noise] <-
 * ```
 *
 * Pace: a byte takes 10 bit times (start, 8, stop) and the two directions do not wait for each other. Node has no timer
 * finer than 1 ms, so bytes go on in quanta: at each tick all bytes whose last bit would have arrived by then, reckoned
 * from when the first began, so lateness of a tick never slows the cable. At 115,200 baud a quantum is 11 or 12
 * bytes. A stalled event loop makes one larger quantum of it, like a receiver that was late to read its UART.
 *
 * When the sender is ahead by `transmitBytesMax` the relay stops reading, the kernel's buffer fills and the sender's
 * writes wait, as they do behind a UART. A receiver that does not read overruns: bytes are dropped and counted.
 *
 * If both ends have set a speed and the speeds differ by more than a UART tolerates, every byte arrives as another one.
 */
import { openPseudoTerminal, type PseudoTerminal } from './pseudo-terminal.ts';
import { checkProbability, seededRandom } from './seeded-random.ts';

export interface SerialNoise {
  /** Probability that a byte has one bit turned. 0..1, default 0. */
  bitFlipsPerByte?: number;
  /** Probability that a byte does not arrive. 0..1, default 0. */
  lostPerByte?: number;
  /** Default 1. */
  seed?: number;
}

export interface SerialCableOptions {
  /** 50..4,000,000 bits a second, default 115,200: the pace, whatever the ends set. */
  baudRate?: number;
  /** Bytes that wait for the line before the sender is held up. Default 4,096, as in Linux's UART drivers. */
  transmitBytesMax?: number;
  noise?: SerialNoise;
}

export type CableDirection = 'a-to-b' | 'b-to-a';

export interface SerialCounters {
  bytesIn: number;
  bytesOut: number;
  /** Vanished because the cable was cut. */
  bytesCut: number;
  /** Vanished by noise. */
  bytesLost: number;
  bitsFlipped: number;
  /** Arrived as another byte because the two ends had set different speeds. */
  bytesGarbled: number;
  /** The receiver did not read in time. */
  bytesOverrun: number;
}

export interface SerialCable {
  /** What board a opens as its serial port. */
  readonly pathA: string;
  readonly pathB: string;
  /** Bytes vanish from now on, those under way too; in one direction or, by default, both. */
  cut(direction?: CableDirection): void;
  restore(direction?: CableDirection): void;
  /** Replaces the noise; `{}` is silence. */
  setNoise(noise: SerialNoise): void;
  counters(direction: CableDirection): SerialCounters;
  /** Hangs up at both ends. */
  close(): void;
}

const bitsPerByte = 10;
const tickMs = 1;
/** Two UARTs lose the stop bit at 4-5 % between them (Maxim application note 2141). */
const speedToleranceRatio = 0.045;

function checkNoise(noise: SerialNoise): void {
  checkProbability('bitFlipsPerByte', noise.bitFlipsPerByte ?? 0);
  checkProbability('lostPerByte', noise.lostPerByte ?? 0);
}

/** One direction of the cable. */
class Wire {
  readonly counters: SerialCounters = {
    bytesIn: 0,
    bytesOut: 0,
    bytesCut: 0,
    bytesLost: 0,
    bitsFlipped: 0,
    bytesGarbled: 0,
    bytesOverrun: 0,
  };
  readonly #from: PseudoTerminal;
  readonly #to: PseudoTerminal;
  readonly #bytesPerMs: number;
  readonly #transmitBytesMax: number;
  #noise: SerialNoise = {};
  #random: () => number = seededRandom(1);
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** When the line began with the first byte that it has had to carry without a pause, and how many it carried. */
  #busySinceMs = 0;
  #carriedBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #cut = false;

  constructor(from: PseudoTerminal, to: PseudoTerminal, baudRate: number, transmitBytesMax: number) {
    this.#from = from;
    this.#to = to;
    this.#bytesPerMs = baudRate / bitsPerByte / 1_000;
    this.#transmitBytesMax = transmitBytesMax;
    from.onData((bytes) => this.#accept(bytes));
  }

  setNoise(noise: SerialNoise): void {
    this.#noise = noise;
    this.#random = seededRandom(noise.seed ?? 1);
  }

  cut(): void {
    this.#cut = true;
    this.counters.bytesCut += this.#queuedBytes;
    this.stop();
    this.#from.resume();
  }

  restore(): void {
    this.#cut = false;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #accept(bytes: Uint8Array): void {
    this.counters.bytesIn += bytes.length;
    if (this.#cut) {
      this.counters.bytesCut += bytes.length;
      return;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > this.#transmitBytesMax) this.#from.pause();
    if (this.#timer !== null) return;
    this.#busySinceMs = performance.now();
    this.#carriedBytes = 0;
    this.#timer = setTimeout(() => this.#tick(), tickMs);
  }

  #tick(): void {
    this.#timer = null;
    const dueBytes = Math.floor((performance.now() - this.#busySinceMs) * this.#bytesPerMs);
    const quantum = this.#take(dueBytes - this.#carriedBytes);
    this.#carriedBytes += quantum.length;
    if (quantum.length > 0) this.#deliver(quantum);
    if (this.#queuedBytes <= this.#transmitBytesMax / 2) this.#from.resume();
    if (this.#queuedBytes > 0) this.#timer = setTimeout(() => this.#tick(), tickMs);
  }

  #take(bytesMax: number): Uint8Array {
    const taken = new Uint8Array(Math.max(0, Math.min(bytesMax, this.#queuedBytes)));
    let filled = 0;
    while (filled < taken.length) {
      const head = this.#queue[0]!;
      const part = head.subarray(0, taken.length - filled);
      taken.set(part, filled);
      filled += part.length;
      if (part.length === head.length) this.#queue.shift();
      else this.#queue[0] = head.subarray(part.length);
    }
    this.#queuedBytes -= filled;
    return taken;
  }

  #deliver(quantum: Uint8Array): void {
    const bytes = this.#speedsDiffer() ? this.#garbled(quantum) : quantum;
    const arriving = this.#withNoise(bytes);
    if (arriving.length === 0) return;
    if (this.#to.write(arriving)) this.counters.bytesOut += arriving.length;
    else this.counters.bytesOverrun += arriving.length;
  }

  #speedsDiffer(): boolean {
    const sent = this.#from.baudRate();
    const expected = this.#to.baudRate();
    return sent !== null && expected !== null && Math.abs(sent - expected) > speedToleranceRatio * expected;
  }

  #garbled(bytes: Uint8Array): Uint8Array {
    this.counters.bytesGarbled += bytes.length;
    // Never the same byte: 1..255 is added.
    return bytes.map((byte) => byte + 1 + Math.floor(this.#random() * 255));
  }

  #withNoise(bytes: Uint8Array): Uint8Array {
    const { bitFlipsPerByte = 0, lostPerByte = 0 } = this.#noise;
    if (bitFlipsPerByte === 0 && lostPerByte === 0) return bytes;
    const kept: number[] = [];
    for (const byte of bytes) {
      // Both drawn for every byte, so that one kind of noise does not shift the other's places.
      const isLost = this.#random() < lostPerByte;
      const flip = this.#random() < bitFlipsPerByte ? 1 << Math.floor(this.#random() * 8) : 0;
      if (isLost) this.counters.bytesLost += 1;
      else kept.push(byte ^ flip);
      if (!isLost && flip !== 0) this.counters.bitsFlipped += 1;
    }
    return Uint8Array.from(kept);
  }
}

export function openSerialCable(options: SerialCableOptions = {}): SerialCable {
  const { baudRate = 115_200, transmitBytesMax = 4_096, noise = {} } = options;
  if (!(baudRate >= 50 && baudRate <= 4_000_000)) {
    throw new RangeError(`baudRate must be 50..4000000 (got ${baudRate})`);
  }
  if (!(transmitBytesMax >= 1))
    throw new RangeError(`transmitBytesMax must be >= 1 (got ${transmitBytesMax})`);
  checkNoise(noise);
  const a = openPseudoTerminal();
  let b: PseudoTerminal;
  try {
    b = openPseudoTerminal();
  } catch (error) {
    a.close();
    throw error;
  }
  const wires: Record<CableDirection, Wire> = {
    'a-to-b': new Wire(a, b, baudRate, transmitBytesMax),
    'b-to-a': new Wire(b, a, baudRate, transmitBytesMax),
  };
  const chosen = (direction?: CableDirection): Wire[] =>
    direction === undefined ? Object.values(wires) : [wires[direction]];
  const setNoise = (next: SerialNoise): void => {
    checkNoise(next);
    const seed = next.seed ?? 1;
    wires['a-to-b'].setNoise({ ...next, seed });
    // Not the same places in both directions.
    wires['b-to-a'].setNoise({ ...next, seed: seed + 1 });
  };
  setNoise(noise);
  return {
    pathA: a.path,
    pathB: b.path,
    cut(direction) {
      for (const wire of chosen(direction)) wire.cut();
    },
    restore(direction) {
      for (const wire of chosen(direction)) wire.restore();
    },
    setNoise,
    counters: (direction) => ({ ...wires[direction].counters }),
    close() {
      for (const wire of Object.values(wires)) wire.stop();
      a.close();
      b.close();
    },
  };
}
