/**
 * Promise 2 (DESIGN section 1): the newest term has the device. So a board that was granted a term never asks that device for an
 * older one again: the device would call it stale, and it would take its own reign for somebody else's.
 *
 * The line keeps its order, so what was sent before the grant is answered before it. Another process of the board has forgotten.
 */
import type { BoardName } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';

class ClaimsGoUp implements Checker {
  readonly name = 'claims-go-up';
  readonly promise = '2: a fenced device accepts outputs from one controller at a time, the newest';
  /** The newest term that each device granted to the process that a board runs now; 0 for none. */
  readonly #granted: Record<BoardName, number>[];

  constructor(facts: LifeFacts) {
    this.#granted = facts.devices.map(() => ({ a: 0, b: 0 }));
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'device-attached': {
        const granted = this.#granted[observed.device]!;
        granted[observed.board] = Math.max(granted[observed.board], observed.term);
        return;
      }
      case 'device-stale': {
        const { board, device, term } = observed;
        const granted = this.#granted[device]![board];
        if (term >= granted) return;
        throw new Violation(
          this.name,
          `board ${board} asks device ${device} for term ${term}, after it was granted term ${granted}`,
        );
      }
      case 'board-up':
        for (const granted of this.#granted) granted[observed.board] = 0;
    }
  }

  end(): void {}
}

export const claimsGoUp: CheckerFactory = (facts) => new ClaimsGoUp(facts);
