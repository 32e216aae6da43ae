/**
 * Paces a machine to a clock: so much virtual time as real time has passed, in slices of a millisecond or two.
 *
 * The reckoning is from the beginning and not from the slice before, so nothing drifts. A host that stood still is caught
 * up with at most `catchUpMsMax`: what is beyond it never happened for the device, as if its clock had stood still with the
 * host's. Without the bound a device that was asleep for a minute would run a minute's work in a burst, and time out its
 * controllers, who stood still with it.
 *
 * The host's clock and timer are handed in: a test paces without either.
 */
export interface PacedMachine {
  readonly clockHz: number;
  readonly cycle: number;
  runUntil(cycle: number): void;
}

export interface PacerOptions {
  machine: PacedMachine;
  /** Monotonic, in ms. */
  clock: () => number;
  /** Virtual over real time. Default 1. */
  speed?: number;
  /** 1..10,000, default 100. */
  catchUpMsMax?: number;
  /** Longest piece that runs before the host gets a turn. Default 4. */
  sliceMsMax?: number;
}

export interface PacerFigures {
  /** Virtual time that the host was too slow for. */
  forgoneMs: number;
  /** How far behind a slice began, at worst. */
  lagMsMax: number;
  /** Real time spent running the machine. */
  workedMs: number;
}

const millisecondsPerSecond = 1000;

export class Pacer {
  readonly figures: PacerFigures = { forgoneMs: 0, lagMsMax: 0, workedMs: 0 };
  readonly #machine: PacedMachine;
  readonly #clock: () => number;
  readonly #speed: number;
  readonly #catchUpMsMax: number;
  readonly #sliceMsMax: number;
  #startedAtMs: number;
  #startCycle: number;

  constructor(options: PacerOptions) {
    const { machine, clock, speed = 1, catchUpMsMax = 100, sliceMsMax = 4 } = options;
    if (!(speed > 0)) throw new RangeError(`speed must be greater than 0 (got ${speed})`);
    if (!(catchUpMsMax >= 1 && catchUpMsMax <= 10_000)) {
      throw new RangeError(`catchUpMsMax must be 1..10000 (got ${catchUpMsMax})`);
    }
    this.#machine = machine;
    this.#clock = clock;
    this.#speed = speed;
    this.#catchUpMsMax = catchUpMsMax;
    this.#sliceMsMax = sliceMsMax;
    this.#startedAtMs = clock();
    this.#startCycle = machine.cycle;
  }

  /** Real time, in ms, that the machine is behind. */
  get lagMs(): number {
    return this.#clock() - this.#realMsOf(this.#machine.cycle);
  }

  /** Runs one slice toward now. True: there is more to catch up with, come back at once. */
  run(): boolean {
    const beganAtMs = this.#clock();
    const lagMs = beganAtMs - this.#realMsOf(this.#machine.cycle);
    if (lagMs > this.figures.lagMsMax) this.figures.lagMsMax = lagMs;
    const beyondMs = lagMs - this.#catchUpMsMax;
    if (beyondMs > 0) {
      this.#startedAtMs += beyondMs;
      this.figures.forgoneMs += beyondMs;
    }
    const isBehind = lagMs > this.#sliceMsMax;
    const toMs = isBehind ? this.#realMsOf(this.#machine.cycle) + this.#sliceMsMax : beganAtMs;
    this.#machine.runUntil(Math.floor(this.#cycleAt(toMs)));
    this.figures.workedMs += this.#clock() - beganAtMs;
    return isBehind;
  }

  /** The cycle that belongs to a moment of the host's clock. */
  #cycleAt(ms: number): number {
    const cyclesPerMs = (this.#machine.clockHz * this.#speed) / millisecondsPerSecond;
    return this.#startCycle + (ms - this.#startedAtMs) * cyclesPerMs;
  }

  #realMsOf(cycle: number): number {
    const cyclesPerMs = (this.#machine.clockHz * this.#speed) / millisecondsPerSecond;
    return this.#startedAtMs + (cycle - this.#startCycle) / cyclesPerMs;
  }
}
