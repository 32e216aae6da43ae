/**
 * Firmware for generated programs: every byte that it sends is its own number, modulo 251 (a prime, so that no power of
 * two hides a loss), at drawn times and in drawn sizes. With some seeds it also answers output, so that what the
 * program hears depends on what it said.
 */
import { Random } from '../random.ts';
import type { SimulatedFirmware } from './simulated-firmware.ts';

export const numberedModulus = 251;

/** A device that was not asked for so long stood still: it makes up for no more than this. */
const backlogMsMax = 1000;

interface NumberedFirmwareOptions {
  /** Messages come this far apart, from .. to; equal ends make it a metronome. */
  intervalMsMin: number;
  intervalMsMax: number;
  bytesMin: number;
  bytesMax: number;
  /** After so many output bytes a message at once; null: output changes nothing. */
  replyEveryBytes: number | null;
}

function drawOptions(random: Random): NumberedFirmwareOptions {
  const intervalMsMin = random.magnitude(10, 500);
  const bytesMin = Math.floor(random.magnitude(1, 16));
  const bytesMax = bytesMin + (random.chance(0.3) ? 0 : random.below(random.chance(0.1) ? 120 : 24));
  return {
    intervalMsMin,
    intervalMsMax: random.chance(0.3) ? intervalMsMin : intervalMsMin * random.between(1, 4),
    bytesMin,
    bytesMax,
    replyEveryBytes: random.chance(0.5) ? 64 + random.below(448) : null,
  };
}

export class NumberedFirmware implements SimulatedFirmware {
  readonly #random: Random;
  readonly #options: NumberedFirmwareOptions;
  #next = 0;
  /** Null: begins with the next `advance`. */
  #dueAt: number | null = null;
  #received = 0;
  #repliesDue = 0;

  constructor(random: () => number) {
    this.#random = new Random(`numbered/${random()}`);
    this.#options = drawOptions(this.#random);
  }

  outputs(bytes: Uint8Array, _nowMs: number): void {
    const { replyEveryBytes } = this.#options;
    if (replyEveryBytes === null) return;
    this.#received += bytes.length;
    while (this.#received >= replyEveryBytes) {
      this.#received -= replyEveryBytes;
      this.#repliesDue += 1;
    }
  }

  nextWakeAt(): number | null {
    return this.#dueAt === null || this.#repliesDue > 0 ? 0 : this.#dueAt;
  }

  advance(nowMs: number): Uint8Array[] {
    const messages: Uint8Array[] = [];
    this.#dueAt ??= nowMs + this.#interval();
    this.#dueAt = Math.max(this.#dueAt, nowMs - backlogMsMax);
    while (this.#dueAt <= nowMs) {
      const { bytesMin, bytesMax } = this.#options;
      messages.push(this.#message(bytesMin + this.#random.below(bytesMax - bytesMin + 1)));
      this.#dueAt += this.#interval();
    }
    for (; this.#repliesDue > 0; this.#repliesDue--) messages.push(this.#message(1 + this.#random.below(4)));
    return messages;
  }

  reset(): void {
    this.#next = 0;
    this.#received = 0;
    this.#repliesDue = 0;
    this.#dueAt = null;
  }

  #interval(): number {
    return this.#random.between(this.#options.intervalMsMin, this.#options.intervalMsMax);
  }

  #message(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index++) {
      bytes[index] = this.#next;
      this.#next = (this.#next + 1) % numberedModulus;
    }
    return bytes;
  }
}

export function createNumberedFirmware(random: () => number): SimulatedFirmware {
  return new NumberedFirmware(random);
}
