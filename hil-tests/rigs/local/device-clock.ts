/**
 * The time of a simulated device: monotonic, without the standstills of the process that simulates it.
 *
 * A microcontroller is never descheduled. When the rig's machine is too busy to run this process, the frames of the
 * controller wait unread in the kernel, and taking that for the controller's silence would fire the hold time for a fault
 * of the rig. So a gap in which even our own interval did not run counts as `standstillMs` at most.
 */
const intervalMs = 20;
const standstillMs = 100;

export class DeviceClock {
  readonly #source: () => number;
  readonly #interval: NodeJS.Timeout;
  #lastAt: number;
  #lostMs = 0;

  constructor(source: () => number) {
    this.#source = source;
    this.#lastAt = source();
    this.#interval = setInterval(() => this.now(), intervalMs);
  }

  now(): number {
    const at = this.#source();
    this.#lostMs += Math.max(0, at - this.#lastAt - standstillMs);
    this.#lastAt = at;
    return at - this.#lostMs;
  }

  stop(): void {
    clearInterval(this.#interval);
  }
}
