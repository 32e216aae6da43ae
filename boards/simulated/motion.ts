/**
 * One stepper motor as the firmware moves it: so many steps, under a speed limit, with optional ramps.
 *
 * The interval before a step follows from v^2 = 2as at both ends: v = min(limit, sqrt(2*a*k), sqrt(2*d*rest)),
 * k counted from the start, rest to the end. The exact timer arithmetic of a driver library differs by
 * fractions of a step; positions and counts do not.
 */

/** Above this a microcontroller of 16 MHz could not follow; also bounds the work per ms of device time. */
export const stepsPerSecondMax = 20_000;
const stepsPerSecondMin = 0.1;

export interface Move {
  /** Signed number of steps. */
  steps: number;
  stepsPerSecond: number;
  /** Ramps in steps/s^2; 0: none. */
  acceleration: number;
  deceleration: number;
}

export class Motion {
  /** Steps from zero, signed. */
  position = 0;
  /** Steps ever made, in either direction. */
  pulses = 0;
  #move: Move | null = null;
  #made = 0;
  #nextStepAt = 0;

  get moving(): boolean {
    return this.#move !== null;
  }

  /** Time of the next step in ms; null when at rest. */
  get nextAt(): number | null {
    return this.#move === null ? null : this.#nextStepAt;
  }

  start(now: number, move: Move): void {
    this.#move = move;
    this.#made = 0;
    this.#nextStepAt = now + (move.steps === 0 ? 0 : this.#intervalMs(move));
  }

  stop(): void {
    this.#move = null;
  }

  /** Makes the steps that are due and calls `step` for each; true when the move ended within this call. */
  advance(now: number, step: (direction: 1 | -1) => void): boolean {
    while (this.#move !== null && this.#nextStepAt <= now) {
      const move = this.#move;
      if (this.#made < Math.abs(move.steps)) {
        const direction = move.steps > 0 ? 1 : -1;
        this.position += direction;
        this.pulses += 1;
        this.#made += 1;
        step(direction);
      }
      if (this.#made >= Math.abs(move.steps)) {
        this.#move = null;
        return true;
      }
      this.#nextStepAt += this.#intervalMs(move);
    }
    return false;
  }

  #intervalMs(move: Move): number {
    let speed = move.stepsPerSecond;
    if (move.acceleration > 0) speed = Math.min(speed, Math.sqrt(2 * move.acceleration * (this.#made + 1)));
    if (move.deceleration > 0) {
      speed = Math.min(speed, Math.sqrt(2 * move.deceleration * (Math.abs(move.steps) - this.#made)));
    }
    return 1000 / Math.min(Math.max(speed, stepsPerSecondMin), stepsPerSecondMax);
  }
}
