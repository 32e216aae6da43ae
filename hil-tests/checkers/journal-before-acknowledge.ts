/**
 * Promise 3 (DESIGN section 1), by the orders of section 6: journal BEFORE acknowledge, acknowledged BEFORE actuate.
 *
 * What a protected primary has released, the backup has in its journal, under fsync `always` on its disk. Turns that the
 * primary released while it was still solo are excepted: their records may be on their way to the backup, in front
 * of the word that makes it one. So are those after the other board has given up being a backup, though the primary has
 * not heard it yet: it joins, and will not lead before it has everything.
 */
import { type BoardName, otherBoard } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';

interface Kept {
  historyId: string | null;
  stored: number;
  durable: number;
  /** What it had of histories that it has given up: acknowledged is acknowledged. */
  earlier: Map<string, { stored: number; durable: number }>;
  /** As a primary: its own records when it was last solo. */
  soloHistoryId: string | null;
  solo: number;
  leads: boolean;
  isProtected: boolean;
  /** It has given up being a backup, and will not lead before it has everything. */
  joins: boolean;
}

class JournalBeforeAcknowledge implements Checker {
  readonly name = 'journal-before-acknowledge';
  readonly promise = '3: nothing lost across a takeover; section 6: journal BEFORE acknowledge';
  readonly #always: boolean;
  readonly #kept: Record<BoardName, Kept> = { a: nothingKept(), b: nothingKept() };

  constructor(facts: LifeFacts) {
    this.#always = facts.fsync === 'always';
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'stored': {
        const kept = this.#kept[observed.board];
        if (kept.historyId !== observed.historyId || observed.turns < kept.stored) {
          if (kept.historyId !== observed.historyId) this.#giveUp(kept);
          kept.durable = 0;
        }
        kept.historyId = observed.historyId;
        kept.stored = observed.turns;
        this.#rememberSolo(observed.board);
        return;
      }
      case 'durable': {
        const kept = this.#kept[observed.board];
        if (kept.historyId === observed.historyId) kept.durable = Math.max(kept.durable, observed.turns);
        return;
      }
      case 'board-up': {
        // What it acknowledged before it went down it had: only a history begun anew takes that back.
        const kept = this.#kept[observed.board];
        kept.leads = false;
        kept.joins = false;
        if (observed.historyId === null) return;
        this.#giveUp(kept);
        if (kept.historyId !== observed.historyId) {
          kept.historyId = observed.historyId;
          kept.durable = observed.turns;
        }
        // What was not on its disk it does not have any more, and goes on from here.
        kept.stored = observed.turns;
        return;
      }
      case 'board-down':
        this.#kept[observed.board].leads = false;
        return;
      case 'role':
      case 'status': {
        const { board, status } = observed;
        const kept = this.#kept[board];
        kept.leads = status.role === 'primary';
        kept.isProtected = status.protected;
        kept.joins = status.role === 'joining';
        this.#rememberSolo('a');
        this.#rememberSolo('b');
        if (kept.leads && kept.isProtected && status.historyId !== null) {
          this.#check(board, status.historyId, status.releasedTurns);
        }
      }
    }
  }

  end(): void {}

  #giveUp(kept: Kept): void {
    if (kept.historyId === null) return;
    const before = kept.earlier.get(kept.historyId);
    const stored = Math.max(kept.stored, before?.stored ?? 0);
    kept.earlier.set(kept.historyId, { stored, durable: Math.max(kept.durable, before?.durable ?? 0) });
  }

  #rememberSolo(board: BoardName): void {
    const kept = this.#kept[board];
    if (!kept.leads || (kept.isProtected && !this.#kept[otherBoard(board)].joins)) return;
    kept.soloHistoryId = kept.historyId;
    kept.solo = kept.stored;
  }

  #check(board: BoardName, historyId: string, released: number): void {
    const own = this.#kept[board];
    const other = this.#kept[otherBoard(board)];
    const now = other.historyId === historyId ? other : { stored: 0, durable: 0 };
    const before = other.earlier.get(historyId) ?? { stored: 0, durable: 0 };
    const kind = this.#always ? 'durable' : 'stored';
    const acknowledged = Math.max(now[kind], before[kind]);
    const solo = own.soloHistoryId === historyId ? own.solo : 0;
    if (released <= Math.max(acknowledged, solo)) return;
    throw new Violation(
      this.name,
      `board ${board} has released ${released} turns, of which its backup has ${acknowledged} ` +
        `${this.#always ? 'on its disk' : 'in its journal'} (${solo} were released solo)`,
    );
  }
}

function nothingKept(): Kept {
  return {
    historyId: null,
    stored: 0,
    durable: 0,
    earlier: new Map(),
    soloHistoryId: null,
    solo: 0,
    leads: false,
    isProtected: false,
    joins: false,
  };
}

export const journalBeforeAcknowledge: CheckerFactory = (facts) => new JournalBeforeAcknowledge(facts);
