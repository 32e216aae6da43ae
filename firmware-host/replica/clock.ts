/**
 * The virtual clock of a replica (DESIGN.md section 3).
 *
 * A turn has one time, but a program may spin on the clock until it has moved. So every read advances the
 * clock by one microsecond, the same on both boards, and the next turn begins no earlier than the last read:
 * nothing needs to be recorded, nothing hangs, and no two reads see time run backwards.
 */
export class VirtualClock {
  #us = 0;

  /** Moves to the time of an event, never backwards. Returns the time at which the turn begins. */
  begin(timeUs: number): number {
    if (timeUs > this.#us) this.#us = timeUs;
    return this.#us;
  }

  /** Integer microseconds since the epoch. Advances. */
  read(): number {
    return this.#us++;
  }

  /** The value that the next read will give. */
  get us(): number {
    return this.#us;
  }

  /** Moves on as a program that sleeps synchronously (Atomics.wait) expects. */
  advance(us: number): void {
    this.#us += us;
  }
}
