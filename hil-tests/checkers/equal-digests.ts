/**
 * Promises 3 and 6 (DESIGN section 1): replicas that are given the same records do the same, whoever runs them and how often.
 *
 * A turn of a history may be *performed* more than once: what a dead primary performed and nobody stored is performed
 * anew, with other events. What is *replayed* comes from a journal, so it must be as some board performed it. Digests
 * are chained: equal digests of a turn mean equal outputs of all turns before it. A replica that was made to compute
 * something else may differ, until its board has found it out, which takes it no longer than the answers to turns that
 * are under way; nothing else may be reported as a divergence.
 */
import type { BoardName } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeEnd,
  type Observed,
  Violation,
} from '../simulator/observation.ts';
import { HistoriesSeen } from './histories-seen.ts';

/** A replica that is found out runs no turn so long after the first that differed. */
const foundOutMs = 500;
/** The replica that differed runs no more, or begins anew. */
const replicaEnds = new Set([
  'DIVERGED',
  'REPLICA_EXITED',
  'PROGRAM_THREW',
  'PROGRAM_HANGS',
  'PROGRAM_STARTED',
  'RESUMING',
]);
/** In place of a digest: the turn did nothing. */
const nothingDone = -1;

interface Performed {
  /** Digest of each turn that did something; a list when the turn was performed in different ways. */
  digests: Map<number, number | number[]>;
  /** Turns performed so far. */
  turns: number;
}

class EqualDigests implements Checker {
  readonly name = 'equal-digests';
  readonly promise = '3 and 6: both replicas do the same, or the one that does not is found';
  readonly #seen = new HistoriesSeen();
  readonly #performed = new Map<string, Performed>();
  /** When the present replica of a board first differed, being one that was made to. */
  readonly #differsSince: Record<BoardName, number | null> = { a: null, b: null };
  #lastId = '';
  #last: Performed | null = null;

  observe(observed: Observed): void {
    this.#seen.observe(observed);
    if (observed.kind === 'turn') {
      const { historyId, turn, count, mode } = observed;
      const digest = observed.outputs.length > 0 ? observed.digest : nothingDone;
      const performed = this.#of(historyId);
      if (mode === 'perform') perform(performed, turn, count, digest);
      else if (turn === 0) this.#differsSince[observed.board] = null;
      if (mode === 'replay' && !matches(performed, turn, count, digest)) {
        if (this.#seen.isTainted(observed.board)) return this.#mustBeFoundOut(observed.board, observed.at);
        const tainted = this.#seen.get(historyId)?.taintedFrom ?? Number.POSITIVE_INFINITY;
        if (turn + count > tainted) return;
        throw new Violation(
          this.name,
          `board ${observed.board} ran turn ${turn} of history ${historyId} again and ` +
            `${digest === nothingDone ? 'did nothing' : `came to digest ${digest}`}, ${expected(performed, turn)}`,
        );
      }
      return;
    }
    if (observed.kind === 'board-down') this.#differsSince[observed.board] = null;
    if (observed.kind === 'report' && replicaEnds.has(observed.report.code)) {
      this.#differsSince[observed.board] = null;
    }
    if (observed.kind === 'report' && !this.#seen.anyTaint) {
      const { code, text } = observed.report;
      if (code !== 'DIVERGED' && code !== 'BACKUP_DIVERGED') return;
      throw new Violation(
        this.name,
        `board ${observed.board} reports ${code}, but no replica was made to diverge: ${text}`,
      );
    }
  }

  end(end: LifeEnd): void {
    for (const { historyId, divergedAtTurn } of end.histories) {
      if (divergedAtTurn === null) continue;
      const seen = this.#seen.get(historyId);
      if (seen !== undefined && divergedAtTurn >= seen.taintedFrom) continue;
      throw new Violation(
        this.name,
        `an independent run of history ${historyId} differs from its records at turn ${divergedAtTurn}`,
      );
    }
  }

  #mustBeFoundOut(board: BoardName, at: number): void {
    const since = this.#differsSince[board];
    if (since === null) this.#differsSince[board] = at;
    else if (at - since > foundOutMs) {
      throw new Violation(
        this.name,
        `the replica of board ${board} differs since ${since.toFixed(1)} ms, and nobody has found it out`,
      );
    }
  }

  #of(historyId: string): Performed {
    if (this.#last !== null && this.#lastId === historyId) return this.#last;
    let performed = this.#performed.get(historyId);
    if (performed === undefined) {
      performed = { digests: new Map(), turns: 0 };
      this.#performed.set(historyId, performed);
    }
    this.#lastId = historyId;
    this.#last = performed;
    return performed;
  }
}

function perform(performed: Performed, turn: number, count: number, digest: number): void {
  const { digests } = performed;
  for (let each = turn; each < turn + count; each++) {
    const known = digests.get(each);
    if (each >= performed.turns) {
      if (digest !== nothingDone) digests.set(each, digest);
    } else if (known === undefined) {
      if (digest !== nothingDone) digests.set(each, [nothingDone, digest]);
    } else if (typeof known === 'number') {
      if (known !== digest) digests.set(each, [known, digest]);
    } else if (!known.includes(digest)) known.push(digest);
  }
  performed.turns = Math.max(performed.turns, turn + count);
}

function matches(performed: Performed, turn: number, count: number, digest: number): boolean {
  if (turn + count > performed.turns) return false;
  for (let each = turn; each < turn + count; each++) {
    const known = performed.digests.get(each) ?? nothingDone;
    if (known !== digest && (typeof known === 'number' || !known.includes(digest))) return false;
  }
  return true;
}

function expected(performed: Performed, turn: number): string {
  if (turn >= performed.turns) return 'but nobody has performed it';
  const known = performed.digests.get(turn);
  return known === undefined ? 'where nothing was done when it was performed' : `not ${String(known)}`;
}

export const equalDigests: CheckerFactory = () => new EqualDigests();
