/**
 * Promise 3 (DESIGN section 1), section 8 "board starts alone": never with a journal older than the device's term, but with
 * its own, newest one it goes on.
 *
 * A board whose process is started anew knows from its journal which terms were its own. When the term that the device
 * holds is that of its last reign, and a record of that reign was still in the journal with which it was started, it must
 * not take that journal for a stale one: it would wait for a board that knows less, or give a whole history up.
 */
import type { BoardName } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';

interface Reign {
  term: number;
  historyId: string | null;
  /** What the journal held when it began. */
  turns: number;
}

class OwnReignKnown implements Checker {
  readonly name = 'own-reign-known';
  readonly promise = '3: one controller that never failed; section 8: the newer journal goes on';
  readonly #arbiter: number;
  readonly #reigns: Record<BoardName, Reign | null> = { a: null, b: null };
  /** The last reign, once the board was started anew with a record of it. */
  readonly #known: Record<BoardName, Reign | null> = { a: null, b: null };
  #heldTerm = 0;

  constructor(facts: LifeFacts) {
    this.#arbiter = facts.devices.findIndex((device) => device.arbiter);
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'device-attached':
        if (observed.device === this.#arbiter) this.#heldTerm = observed.term;
        return;
      case 'role': {
        const { board, status } = observed;
        if (status.role !== 'primary') {
          // What it knew when it was started holds until it has joined somebody.
          if (status.role === 'joining') this.#known[board] = null;
          return;
        }
        this.#known[board] = null;
        const { term, historyId, turns } = status;
        if (this.#reigns[board]?.term !== term || this.#reigns[board]?.historyId !== historyId) {
          this.#reigns[board] = { term, historyId, turns };
        }
        return;
      }
      case 'board-up': {
        const { board, historyId, turns } = observed;
        const reign = this.#reigns[board];
        this.#known[board] =
          reign !== null && historyId === reign.historyId && turns > reign.turns ? reign : null;
        return;
      }
      case 'report': {
        const { board, report } = observed;
        // Records that its program does not repeat are of no use to it.
        if (report.code === 'DIVERGED') this.#known[board] = null;
        const known = this.#known[board];
        if (known === null || known.term !== this.#heldTerm) return;
        const isDropped =
          report.code === 'PAIR_CLAIM' && report.text.includes('journal') && report.text.includes('dropped');
        if (report.code !== 'PAIR_STALE_JOURNAL' && !isDropped) return;
        throw new Violation(
          this.name,
          `board ${board} takes its journal for a stale one, but the device holds term ${known.term}, its own: ${report.text}`,
        );
      }
    }
  }

  end(): void {}
}

export const ownReignKnown: CheckerFactory = (facts) => new OwnReignKnown(facts);
