/**
 * Promise 7 (DESIGN section 1): joining is unprotected, and the pair says so loudly; section 2: protected is when a backup
 * holds every record that led to an output.
 *
 * When a primary says that it is protected, the board that joined has stored, and its program has run, at least what the
 * primary had recorded when that board began to join (protocol/README.md section 10, rule 6). Otherwise it counts on a
 * copy that was thrown away. And a board that calls itself a backup can reach the arbiter: else it could not take over.
 */
import type { BoardStatus } from '../../firmware-host/supervisor/status.ts';
import { type BoardName, otherBoard } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';

interface Copy {
  historyId: string | null;
  stored: number;
  executed: number;
  role: string;
  isProtected: boolean;
  /** What the primary had recorded when this board last began to join. */
  wanted: number;
  /** The history of which that was counted: a primary that claims may begin another one meanwhile. */
  wantedOf: string | null;
  /** Since then it has begun its journal anew, so it has to come to that again. */
  isAnew: boolean;
}

class ProtectedIsTrue implements Checker {
  readonly name = 'protected-is-true';
  readonly promise = '7: joining and solo time are unprotected, and the pair says so';
  readonly #copies: Record<BoardName, Copy> = { a: nothing(), b: nothing() };

  readonly #arbiter: number;

  constructor(facts: LifeFacts) {
    this.#arbiter = facts.devices.findIndex((device) => device.arbiter);
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'stored': {
        const copy = this.#copies[observed.board];
        if (copy.historyId !== observed.historyId || observed.turns < copy.stored) {
          copy.isAnew = copy.role === 'joining';
          copy.executed = 0;
        }
        copy.historyId = observed.historyId;
        copy.stored = observed.turns;
        return;
      }
      case 'turn':
        if (observed.mode === 'replay') {
          this.#copies[observed.board].executed = observed.turn + observed.count;
        }
        return;
      case 'board-up':
        this.#copies[observed.board] = nothing();
        return;
      case 'status':
        return this.#reachesTheArbiter(observed.status);
      case 'role':
        this.#reachesTheArbiter(observed.status);
        return this.#plays(observed);
    }
  }

  end(): void {}

  #reachesTheArbiter({ board, role, devices }: BoardStatus): void {
    if (role !== 'backup' || this.#arbiter < 0 || devices[this.#arbiter]?.open !== false) return;
    throw new Violation(
      this.name,
      `board ${board} calls itself a backup, but its port to device ${this.#arbiter} is not open`,
    );
  }

  #plays({ board, status }: Observed & { kind: 'role' }): void {
    const copy = this.#copies[board];
    const other = this.#copies[otherBoard(board)];
    if (status.role === 'primary' && status.historyId !== copy.historyId) {
      // Begun, and nothing of it stored yet.
      copy.historyId = status.historyId;
      copy.stored = 0;
      copy.executed = 0;
      other.wanted = 0;
    }
    if (status.role === 'joining' && copy.role !== 'joining') {
      // A new history is sent to whoever was a copy of the old one, from its beginning: there was nothing of it then.
      const isTakenUp = copy.historyId !== null && status.historyId !== copy.historyId;
      copy.wanted = isTakenUp ? 0 : other.stored;
      copy.wantedOf = other.historyId;
      copy.isAnew = false;
    }
    const isProtected = status.role === 'primary' && status.protected;
    if (isProtected && !copy.isProtected && other.isAnew && other.historyId === status.historyId) {
      const has = Math.min(other.stored, other.executed);
      if (has < other.wanted && other.wantedOf === status.historyId) {
        throw new Violation(
          this.name,
          `board ${board} says that it is protected, but of the ${other.wanted} turns that there were when board ` +
            `${otherBoard(board)} began to join that one has stored ${other.stored} and run ${other.executed}`,
        );
      }
    }
    copy.isProtected = isProtected;
    copy.role = status.role;
  }
}

function nothing(): Copy {
  return {
    historyId: null,
    stored: 0,
    executed: 0,
    role: 'starting',
    isProtected: false,
    wanted: 0,
    wantedOf: null,
    isAnew: false,
  };
}

export const protectedIsTrue: CheckerFactory = (facts) => new ProtectedIsTrue(facts);
