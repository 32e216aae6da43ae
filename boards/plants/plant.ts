/**
 * A plant: the physics on the other side of the pins. The simulated device steps it every 10 ms of its own
 * time, whether or not a controller lives; between two steps nothing in a plant changes.
 */
import type { PinBank } from '../simulated/pins.ts';

export const plantStepMs = 10;

export interface Plant {
  /**
   * Reads what the controller drives, moves the physics on by `plantStepMs`, drives the inputs.
   * `now` is the device's time in ms: the k-th call has `now === k * plantStepMs`.
   */
  step(now: number, pins: PinBank): void;
  /** What an observer would see, for displays and reports. Keys name quantity and unit. */
  state(): Record<string, number | boolean>;
}
