/**
 * The interrupt controller (ATmega640/1280/2560 datasheet, section 14): one request line for each vector, the lowest
 * number first.
 *
 * A peripheral keeps its line up to date with "flag and enable". A level-triggered source (UDRE, RXC, TWI, EEPROM ready)
 * holds its line until the firmware removes the cause; an edge-triggered one gives `acknowledge` and is told when its
 * vector is taken, so that it can drop its flag as the hardware does.
 */
import type { CPU } from 'avr8js';

export const vectorCount = 57;
/** Words between two vectors. */
const vectorWords = 2;
/** Push of a 22-bit program counter and the way to the vector (datasheet, "Interrupt Response Time"). */
const entryCycles = 5;
const interruptFlag = 0x80;
const statusRegister = 95;

export class Interrupts {
  /** The lowest vector that is requested; -1: none. */
  next = -1;
  readonly #requested = new Uint8Array(vectorCount);
  readonly #acknowledge: ((() => void) | undefined)[] = new Array(vectorCount).fill(undefined);

  /** The peripheral's flag falls when its vector is taken. */
  onAcknowledge(vector: number, acknowledge: () => void): void {
    this.#acknowledge[vector] = acknowledge;
  }

  request(vector: number, on: boolean): void {
    const wanted = on ? 1 : 0;
    if (this.#requested[vector] === wanted) return;
    this.#requested[vector] = wanted;
    if (on) {
      if (this.next < 0 || vector < this.next) this.next = vector;
    } else if (vector === this.next) this.next = this.#requested.indexOf(1, vector + 1);
  }

  /** Takes the next vector. The caller has seen that there is one and that interrupts are on. */
  enter(cpu: CPU): void {
    const vector = this.next;
    const { data, pc } = cpu;
    const stack = cpu.SP;
    data[stack] = pc & 0xff;
    data[stack - 1] = (pc >> 8) & 0xff;
    data[stack - 2] = (pc >> 16) & 0xff;
    cpu.SP = stack - 3;
    data[statusRegister] = data[statusRegister]! & ~interruptFlag;
    cpu.cycles += entryCycles;
    cpu.pc = vector * vectorWords;
    this.#acknowledge[vector]?.();
  }
}
