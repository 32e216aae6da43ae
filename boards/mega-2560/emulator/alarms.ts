/**
 * What the peripherals of the microcontroller wait for: one slot for each, a cycle in each slot.
 *
 * Slots instead of a queue: there are about twenty, each peripheral moves its own all the time, and the smallest of
 * twenty numbers is found sooner than a heap is mended. Nothing is allocated while the firmware runs.
 */

/** Called with the cycle that was asked for; the instruction in progress may have ended a few cycles later. */
export type AlarmCallback = (at: number) => void;

export class Alarms {
  /** The earliest of all; Infinity when nothing is waited for. */
  nextAt = Number.POSITIVE_INFINITY;
  readonly #at: number[] = [];
  readonly #callbacks: AlarmCallback[] = [];

  /** Returns the number of the new slot. */
  add(callback: AlarmCallback): number {
    this.#at.push(Number.POSITIVE_INFINITY);
    return this.#callbacks.push(callback) - 1;
  }

  /** Infinity clears the slot. */
  set(slot: number, at: number): void {
    const before = this.#at[slot]!;
    this.#at[slot] = at;
    if (at <= this.nextAt) this.nextAt = at;
    else if (before === this.nextAt) this.#findNext();
  }

  /** Calls back for all that is due by `cycle`, in order of time; slots of one cycle in the order of their numbers. */
  run(cycle: number): void {
    while (this.nextAt <= cycle) {
      const at = this.nextAt;
      const slot = this.#at.indexOf(at);
      this.#at[slot] = Number.POSITIVE_INFINITY;
      this.#findNext();
      this.#callbacks[slot]!(at);
    }
  }

  #findNext(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const at of this.#at) if (at < next) next = at;
    this.nextAt = next;
  }
}
