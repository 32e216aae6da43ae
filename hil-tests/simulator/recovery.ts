/**
 * Whether the pair is one again and goes on actuating: nothing is left to be waited for, and a life may end.
 * How soon it has to be so is not asked here but by hil-tests/checkers/protected-again.ts.
 */
import { BoardStates } from '../checkers/board-states.ts';
import type { Observed } from './observation.ts';

export class Recovery {
  readonly #states = new BoardStates();
  readonly #goesOnMs: number;
  /** Since when the pair is one, without a break. */
  wholeSince: number | null = null;
  #lastOutputAt = 0;

  /** `goesOnMs`: so long it has been one, and at the end of it a device still hears from it. */
  constructor(goesOnMs: number) {
    this.#goesOnMs = goesOnMs;
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'role':
      case 'board-up':
      case 'board-down':
        this.#states.observe(observed);
        if (this.#states.protectedPrimary === null) this.wholeSince = null;
        else this.wholeSince ??= observed.at;
        return;
      case 'device-output':
        this.#lastOutputAt = observed.at;
    }
  }

  /** `since`: what was before does not count. */
  isDone(since = 0): boolean {
    return (
      this.wholeSince !== null && this.#lastOutputAt >= Math.max(this.wholeSince, since) + this.#goesOnMs
    );
  }

  describe(): string {
    const { a, b } = this.#states;
    const roles = `a is ${a.role ?? 'down'} of term ${a.term}, b is ${b.role ?? 'down'} of term ${b.term}`;
    return `${roles}, and a device last heard of them at ${this.#lastOutputAt.toFixed(1)} ms`;
  }
}
