/**
 * What a life has shown of each history of the program while it was lived: who stored how much of it, whose copy is
 * damaged or gone, and from which turn on a replica that computes something else had a hand in it.
 *
 * Some loss is documented (DESIGN section 8, docs/reliability.md): both boards lose power before the disk has it, a disk is
 * lost, a board joins another history and sets its journal aside. The checkers that compare a device's stream with
 * a journal ask here whether a record that is missing may be missing.
 */
import { type BoardName, otherBoard } from '../simulator/fault.ts';
import type { Observed } from '../simulator/observation.ts';

export interface HistorySeen {
  historyId: string;
  /** In the order of the first batch stored. */
  order: number;
  /** Most turns that each board's journal of it ever held. */
  stored: Record<BoardName, number>;
  /** The board's journal of it is not, or not surely, what it was at its longest. */
  damaged: Record<BoardName, boolean>;
  /** First turn that a replica performed which had gone wrong before, unnoticed; Infinity for none. */
  taintedFrom: number;
}

/** A replica that was struck goes wrong with the next turn that it runs again: what it performs itself is true by definition. */
type Taint = 'none' | 'struck' | 'wrong';

const soloEnds = new Set(['PAIR_PROTECTED', 'PAIR_STEPPED_DOWN', 'PAIR_FOLLOWING']);
const replicaEnds = new Set(['DIVERGED', 'REPLICA_EXITED', 'PROGRAM_THREW', 'PROGRAM_HANGS']);

interface Journal {
  historyId: string | null;
  turns: number;
}

export class HistoriesSeen {
  readonly #histories = new Map<string, HistorySeen>();
  readonly #journals: Record<BoardName, Journal> = {
    a: { historyId: null, turns: 0 },
    b: { historyId: null, turns: 0 },
  };
  /** Where each board's journal was cut when its process began; what it had held beyond that may be lived again. */
  readonly #cutTo: Record<BoardName, number | null> = { a: null, b: null };
  /** Of which history the board was the only one to hold the newest records when its process ended. */
  readonly #endedSolo: Record<BoardName, string | null> = { a: null, b: null };
  readonly #isSolo: Record<BoardName, boolean> = { a: false, b: false };
  readonly #taint: Record<BoardName, Taint> = { a: 'none', b: 'none' };
  /** A replica has been made to compute something else. */
  anyTaint = false;

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'stored':
        return this.#stored(observed.board, observed.historyId, observed.turns);
      case 'turn':
        if (observed.mode === 'perform') this.#livedAgain(observed.board, observed.historyId, observed.turn);
        if (this.#taint[observed.board] !== 'none') this.#taintedTurn(observed);
        return;
      case 'report':
        // Each of these has ended the replica's process.
        if (replicaEnds.has(observed.report.code)) this.#taint[observed.board] = 'none';
        if (observed.report.code === 'PAIR_SOLO') this.#isSolo[observed.board] = true;
        else if (soloEnds.has(observed.report.code)) this.#isSolo[observed.board] = false;
        return;
      case 'board-up':
        return this.#comesUp(observed.board, observed.historyId, observed.turns);
      case 'board-down':
        this.#taint[observed.board] = 'none';
        if (this.#isSolo[observed.board]) {
          this.#endedSolo[observed.board] = this.#journals[observed.board].historyId;
          this.#isSolo[observed.board] = false;
        }
        // Until it comes up again nobody knows what its disk has kept.
        if (observed.cause === 'power') this.#damage(observed.board);
        return;
      case 'fault':
        if (observed.phase === 'begins' && observed.fault.kind === 'replica') {
          if (observed.fault.how !== 'diverges') return;
          if (this.#taint[observed.fault.board] !== 'wrong') this.#taint[observed.fault.board] = 'struck';
          this.anyTaint = true;
        }
    }
  }

  get(historyId: string): HistorySeen | undefined {
    return this.#histories.get(historyId);
  }

  all(): Iterable<HistorySeen> {
    return this.#histories.values();
  }

  /** The board's journal as it is: a batch was handed to it, or so much was there when its process began. */
  journalOf(board: BoardName): Readonly<Journal> {
    return this.#journals[board];
  }

  /** Its present replica may do something else than others do. */
  isTainted(board: BoardName): boolean {
    return this.#taint[board] === 'wrong';
  }

  orderOf(historyId: string): number {
    return this.#histories.get(historyId)?.order ?? -1;
  }

  /** Of `turns` turns that are at hand, is it explained that there once were more? */
  mayLackRecords(historyId: string, turns: number): boolean {
    const seen = this.#histories.get(historyId);
    if (seen === undefined) return false;
    return (seen.stored.a > turns && seen.damaged.a) || (seen.stored.b > turns && seen.damaged.b);
  }

  /** No board need have it any more. */
  mayBeGone(historyId: string): boolean {
    const seen = this.#histories.get(historyId);
    if (seen === undefined) return false;
    return (seen.stored.a === 0 || seen.damaged.a) && (seen.stored.b === 0 || seen.damaged.b);
  }

  #taintedTurn({ board, historyId, turn, mode, event }: Observed & { kind: 'turn' }): void {
    const taint = this.#taint[board];
    // A new process begins with the first turn. One that was struck before that goes wrong in it.
    if (turn === 0 && (mode === 'perform' || taint === 'wrong')) this.#taint[board] = 'none';
    else if (mode === 'replay' && event !== null) this.#taint[board] = 'wrong';
    else if (mode === 'perform' && taint === 'wrong') {
      const seen = this.#of(historyId);
      seen.taintedFrom = Math.min(seen.taintedFrom, turn);
    }
  }

  /** Records that were lost with the power, and their turns performed anew: what a device had of them is not derivable. */
  #livedAgain(board: BoardName, historyId: string, turn: number): void {
    const other = otherBoard(board);
    // The other board led alone and is gone, and this one goes on from where its own journal ends.
    if (this.#endedSolo[other] === historyId) {
      const seen = this.#of(historyId);
      if (turn < seen.stored[other]) seen.taintedFrom = Math.min(seen.taintedFrom, turn);
    }
    const cutTo = this.#cutTo[board];
    if (cutTo === null || this.#journals[board].historyId !== historyId) return;
    const seen = this.#of(historyId);
    if (turn < Math.max(seen.stored.a, seen.stored.b)) seen.taintedFrom = Math.min(seen.taintedFrom, cutTo);
  }

  #of(historyId: string): HistorySeen {
    let seen = this.#histories.get(historyId);
    if (seen === undefined) {
      seen = {
        historyId,
        order: this.#histories.size,
        stored: { a: 0, b: 0 },
        damaged: { a: false, b: false },
        taintedFrom: Number.POSITIVE_INFINITY,
      };
      this.#histories.set(historyId, seen);
    }
    return seen;
  }

  #stored(board: BoardName, historyId: string, turns: number): void {
    const journal = this.#journals[board];
    const begun = journal.historyId !== historyId || turns < journal.turns;
    if (begun && journal.historyId !== null) this.#damage(board);
    if (begun) this.#cutTo[board] = null;
    journal.historyId = historyId;
    journal.turns = turns;
    const seen = this.#of(historyId);
    if (turns > seen.stored[board]) seen.stored[board] = turns;
  }

  #comesUp(board: BoardName, historyId: string | null, turns: number): void {
    const journal = this.#journals[board];
    if (journal.historyId !== null && (journal.historyId !== historyId || turns < journal.turns)) {
      this.#damage(board);
    }
    if (journal.historyId !== historyId) this.#cutTo[board] = null;
    else if (turns < journal.turns) this.#cutTo[board] = Math.min(turns, this.#cutTo[board] ?? turns);
    this.#journals[board] = { historyId, turns: historyId === null ? 0 : turns };
  }

  #damage(board: BoardName): void {
    const { historyId } = this.#journals[board];
    if (historyId !== null) this.#of(historyId).damaged[board] = true;
  }
}
