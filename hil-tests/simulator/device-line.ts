/** The line between one board and one device: a UART's pace, and what can happen on it. Both directions. */
import type { BoardName } from './fault.ts';
import { damaged } from './network.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface LineEnds {
  toBoard(bytes: Uint8Array): void;
  toDevice(bytes: Uint8Array): void;
}

export class DeviceLine {
  readonly board: BoardName;
  /** Probability that a chunk of bytes is damaged. */
  noise = 0;
  /** The board's port is open. */
  isOpen = false;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #bitsPerSecond: number;
  readonly #ends: LineEnds;
  readonly #freeAt = { board: 0, device: 0 };

  constructor(board: BoardName, bitsPerSecond: number, time: VirtualTime, random: Random, ends: LineEnds) {
    this.board = board;
    this.#bitsPerSecond = bitsPerSecond;
    this.#time = time;
    this.#random = random;
    this.#ends = ends;
  }

  toDevice(bytes: Uint8Array): void {
    this.#carry('device', bytes, this.#ends.toDevice);
  }

  toBoard(bytes: Uint8Array): void {
    this.#carry('board', bytes, this.#ends.toBoard);
  }

  #carry(way: 'board' | 'device', bytes: Uint8Array, arrive: (bytes: Uint8Array) => void): void {
    if (!this.isOpen) return;
    const freeAt =
      Math.max(this.#freeAt[way], this.#time.now) + (bytes.length * 10_000) / this.#bitsPerSecond;
    this.#freeAt[way] = freeAt;
    const isDamaged = this.noise > 0 && this.#random.chance(this.noise);
    const carried = isDamaged ? damaged(bytes, this.#random) : bytes;
    this.#time.at(freeAt, () => {
      if (this.isOpen) arrive(carried);
    });
  }
}
