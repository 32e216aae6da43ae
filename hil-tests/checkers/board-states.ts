/** What a life has shown of each board so far: whether it runs, and which part it plays. */
import type { Role } from '../../protocol/pair-contract.ts';
import type { BoardName } from '../simulator/fault.ts';
import type { Observed } from '../simulator/observation.ts';

export interface BoardState {
  up: boolean;
  /** Faults of kind `pause` that hold it at present. */
  pauses: number;
  process: number;
  upAt: number;
  role: Role | null;
  term: number;
  protected: boolean;
  historyId: string | null;
  /** Since when the role is what it is; a new term or more or less protection does not count. */
  roleSince: number;
}

function unknown(): BoardState {
  return {
    up: false,
    pauses: 0,
    process: 0,
    upAt: 0,
    role: null,
    term: 0,
    protected: false,
    historyId: null,
    roleSince: 0,
  };
}

export class BoardStates {
  readonly a = unknown();
  readonly b = unknown();

  of(board: BoardName): BoardState {
    return board === 'a' ? this.a : this.b;
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'role':
      case 'status': {
        const { board, status, at } = observed;
        const state = board === 'a' ? this.a : this.b;
        if (state.role !== status.role) {
          state.role = status.role;
          state.roleSince = at;
        }
        state.term = status.term;
        state.protected = status.protected;
        state.historyId = status.historyId;
        return;
      }
      case 'board-up': {
        const state = this.of(observed.board);
        state.up = true;
        state.process = observed.process;
        state.upAt = observed.at;
        state.role = null;
        state.roleSince = observed.at;
        state.term = 0;
        state.protected = false;
        state.historyId = observed.historyId;
        return;
      }
      case 'board-down': {
        const state = this.of(observed.board);
        state.up = false;
        state.role = null;
        state.protected = false;
        return;
      }
      case 'fault':
        if (observed.fault.kind === 'pause') {
          this.of(observed.fault.board).pauses += observed.phase === 'begins' ? 1 : -1;
        }
    }
  }

  /** A protected primary and its backup, both of one reign and history, as both believe; or null. */
  get protectedPrimary(): BoardName | null {
    if (protects(this.b, this.a)) return 'a';
    if (protects(this.a, this.b)) return 'b';
    return null;
  }
}

function protects(backup: BoardState, primary: BoardState): boolean {
  return (
    primary.up &&
    backup.up &&
    primary.role === 'primary' &&
    backup.role === 'backup' &&
    primary.protected &&
    backup.protected &&
    primary.term === backup.term &&
    primary.historyId === backup.historyId
  );
}
