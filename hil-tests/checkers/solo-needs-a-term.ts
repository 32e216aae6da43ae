/**
 * Promise 2 (DESIGN section 1), section 5: going solo needs a new term too.
 *
 * A protected primary may open its gate under the same term only if its backup cannot claim any more: it has said so
 * itself (joining again, shut down), or the primary has begun a new history, of which the other board has no copy. A
 * backup that merely fell silent may be claiming at that moment; then the device has to decide.
 */
import { type BoardName, otherBoard } from '../simulator/fault.ts';
import { type Checker, type CheckerFactory, type Observed, Violation } from '../simulator/observation.ts';

interface Known {
  term: number;
  historyId: string | null;
  isProtected: boolean;
  /** The term under which it was last a backup and has not given that up, or null. A restart does not give it up. */
  backupUnder: number | null;
}

class SoloNeedsATerm implements Checker {
  readonly name = 'solo-needs-a-term';
  readonly promise = '2: no split brain; section 5: going solo needs a new term too';
  readonly #known: Record<BoardName, Known> = { a: nothingKnown(), b: nothingKnown() };

  observe(observed: Observed): void {
    if (observed.kind === 'board-down') {
      const known = this.#known[observed.board];
      known.isProtected = false;
      if (observed.cause === 'exit') known.backupUnder = null;
      return;
    }
    if (observed.kind === 'fault') {
      // A backup that is told to leave says so, and ends a little later.
      if (observed.fault.kind === 'leave') this.#known[observed.fault.board].backupUnder = null;
      return;
    }
    if (observed.kind !== 'role') return;
    const { board, status } = observed;
    const known = this.#known[board];
    const stillLeads = status.role === 'primary' && !status.protected && status.term === known.term;
    if (stillLeads && known.isProtected && status.historyId === known.historyId) {
      const other = this.#known[otherBoard(board)];
      if (other.backupUnder === status.term) {
        throw new Violation(
          this.name,
          `board ${board} went solo under its old term ${status.term} while board ${otherBoard(board)} was its backup`,
        );
      }
    }
    known.isProtected = status.role === 'primary' && status.protected;
    known.term = status.term;
    known.historyId = status.historyId;
    if (status.role === 'backup') known.backupUnder = status.term;
    else if (status.role !== 'starting') known.backupUnder = null;
  }

  end(): void {}
}

function nothingKnown(): Known {
  return { term: 0, historyId: null, isProtected: false, backupUnder: null };
}

export const soloNeedsATerm: CheckerFactory = () => new SoloNeedsATerm();
