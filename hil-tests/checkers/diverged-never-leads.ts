/**
 * Promise 6 (DESIGN section 1): a backup that has diverged is stopped and reported; it never takes over.
 *
 * After DIVERGED a board leads that history again only if it has become a copy anew: as a backup that joined again, or
 * because its own journal was run again by a fresh replica, digest by digest (RESUMED).
 */
import type { BoardName } from '../simulator/fault.ts';
import { type Checker, type CheckerFactory, type Observed, Violation } from '../simulator/observation.ts';

/** A board that becomes a backup and is handed the reign in one step is seen as a backup by its report only. */
const copyAnew = new Set(['RESUMED', 'PROGRAM_STARTED', 'PAIR_BACKUP']);

class DivergedNeverLeads implements Checker {
  readonly name = 'diverged-never-leads';
  readonly promise = '6: a backup that has diverged is stopped and reported; it never takes over';
  /** The history from which the board's copy diverged and which it has not joined again. */
  readonly #diverged: Record<BoardName, string | null> = { a: null, b: null };
  readonly #historyId: Record<BoardName, string | null> = { a: null, b: null };

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'report': {
        const { board, report } = observed;
        if (report.code === 'DIVERGED') this.#diverged[board] = this.#historyId[board];
        else if (copyAnew.has(report.code)) this.#diverged[board] = null;
        return;
      }
      case 'board-up':
        this.#diverged[observed.board] = null;
        this.#historyId[observed.board] = observed.historyId;
        return;
      case 'role': {
        const { board, status } = observed;
        this.#historyId[board] = status.historyId;
        if (this.#diverged[board] === null) return;
        if (status.role === 'backup' || status.historyId !== this.#diverged[board]) {
          this.#diverged[board] = null;
        } else if (status.role === 'primary') {
          throw new Violation(
            this.name,
            `board ${board} leads term ${status.term}, but its copy of history ${status.historyId} has diverged`,
          );
        }
      }
    }
  }

  end(): void {}
}

export const divergedNeverLeads: CheckerFactory = () => new DivergedNeverLeads();
