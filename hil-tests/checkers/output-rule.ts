/**
 * Promise 3 (DESIGN section 1), the Output Rule of section 3: no output reaches the device before its record is safe.
 *
 * At the moment at which the device accepts an output, the board that sent it has the record of its turn in its journal,
 * and so has the other board; or the sender was primary and not protected (solo) when it had the record, under fsync
 * `always` on its disk: there is no other. Which turn wrote a
 * byte is known at the end only; until then each stretch of accepted bytes keeps how many turns were safe.
 *
 * A board that has given up being a backup, and joins, will not lead before it has everything: from then on the primary
 * is solo in fact, though it may not have heard so. What the other board once stored counts as stored, though it may lose its disk later: that is a second fault. What was
 * released while solo may be accepted when the pair is protected again. Bytes that no known history explains are judged
 * by uninterrupted-output, what a replica that was made to diverge wrote by nobody.
 */
import { type BoardName, otherBoard } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeEnd,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';
import { BoardStates } from './board-states.ts';
import { HistoriesSeen } from './histories-seen.ts';
import { pieceAt, referenceStreams, type Stretch, sessionKey, stretchAt } from './reference-streams.ts';

interface Accepted {
  end: number;
  at: number;
  board: BoardName;
  historyId: string | null;
  /** Turns that were in the sender's journal, and turns whose outputs were free to go. */
  own: number;
  safe: number;
}

interface SessionSeen {
  device: number;
  session: number;
  accepted: Accepted[];
}

class OutputRule implements Checker {
  readonly name = 'output-rule';
  readonly promise = '3: nothing lost across a takeover; section 3: only outputs wait, for the record';
  readonly #facts: LifeFacts;
  readonly #histories = new HistoriesSeen();
  readonly #states = new BoardStates();
  /** The most turns that a board had stored while it led solo. */
  readonly #solo: Record<BoardName, { historyId: string | null; turns: number }> = {
    a: { historyId: null, turns: 0 },
    b: { historyId: null, turns: 0 },
  };
  /** What each board's disk has of the history that its journal holds. */
  readonly #durable: Record<BoardName, { historyId: string | null; turns: number }> = {
    a: { historyId: null, turns: 0 },
    b: { historyId: null, turns: 0 },
  };
  /**
   * Turns that each board ever had of each history: its journal may have been begun anew since, its power may have been cut, and
   * the disk may not have taken what it had in memory.
   */
  readonly #copies: Record<BoardName, Map<string, number>> = { a: new Map(), b: new Map() };
  readonly #sessions = new Map<number, SessionSeen>();

  constructor(facts: LifeFacts) {
    this.#facts = facts;
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'device-output':
        return this.#accepted(observed);
      case 'stored': {
        this.#histories.observe(observed);
        this.#copyReaches(observed.board, observed.historyId, observed.turns);
        this.#noteSolo(observed.board);
        return;
      }
      case 'durable':
        this.#reachedDisk(observed.board, observed.historyId, observed.turns);
        this.#noteSolo(observed.board);
        return;
      case 'turn':
      case 'report':
      case 'fault':
        this.#histories.observe(observed);
        return;
      case 'role':
        this.#states.observe(observed);
        this.#noteSolo('a');
        this.#noteSolo('b');
        return;
      case 'board-up':
        this.#comesUp(observed);
        return;
      case 'board-down':
        this.#histories.observe(observed);
        this.#states.observe(observed);
    }
  }

  #comesUp(observed: Observed & { kind: 'board-up' }): void {
    this.#histories.observe(observed);
    this.#states.observe(observed);
    // Who opens a journal makes sure of what it has read.
    this.#durable[observed.board] = { historyId: observed.historyId, turns: observed.turns };
    if (observed.historyId !== null) this.#copyReaches(observed.board, observed.historyId, observed.turns);
  }

  #copyReaches(board: BoardName, historyId: string, turns: number): void {
    const copies = this.#copies[board];
    copies.set(historyId, Math.max(copies.get(historyId) ?? 0, turns));
  }

  #reachedDisk(board: BoardName, historyId: string, turns: number): void {
    const durable = this.#durable[board];
    durable.turns = durable.historyId === historyId ? Math.max(durable.turns, turns) : turns;
    durable.historyId = historyId;
  }

  #noteSolo(board: BoardName): void {
    const state = this.#states.of(board);
    const isAlone = !state.protected || this.#states.of(otherBoard(board)).role === 'joining';
    if (state.role !== 'primary' || !isAlone) return;
    const { historyId, turns } = this.#histories.journalOf(board);
    const solo = this.#solo[board];
    if (solo.historyId !== historyId) solo.turns = 0;
    solo.historyId = historyId;
    solo.turns = Math.max(
      solo.turns,
      this.#facts.fsync === 'always' ? this.#durableOf(board, historyId) : turns,
    );
  }

  #durableOf(board: BoardName, historyId: string | null): number {
    const durable = this.#durable[board];
    return durable.historyId === historyId ? durable.turns : 0;
  }

  #accepted(observed: Observed & { kind: 'device-output' }): void {
    const { device, session, board, offset, bytes, at } = observed;
    const key = session * this.#facts.devices.length + device;
    let seen = this.#sessions.get(key);
    if (seen === undefined) {
      seen = { device, session, accepted: [] };
      this.#sessions.set(key, seen);
    }
    const { historyId } = this.#histories.journalOf(board);
    const own = historyId === null ? 0 : (this.#histories.get(historyId)?.stored[board] ?? 0);
    const solo = this.#solo[board];
    const safe = Math.max(
      solo.historyId === historyId ? solo.turns : 0,
      historyId === null ? 0 : (this.#copies[otherBoard(board)].get(historyId) ?? 0),
    );
    const end = offset + bytes.length;
    const last = seen.accepted.at(-1);
    const same =
      last !== undefined &&
      last.board === board &&
      last.historyId === historyId &&
      last.own === own &&
      last.safe === safe;
    if (same) {
      last.end = end;
      last.at = at;
    } else seen.accepted.push({ end, at, board, historyId, own, safe });
  }

  end(end: LifeEnd): void {
    const streams = referenceStreams(end.histories, 'outputs', this.#histories);
    for (const seen of this.#sessions.values()) {
      const name = this.#facts.devices[seen.device]!.name;
      const stretches = streams.get(sessionKey(name, seen.session));
      if (stretches === undefined) continue;
      for (const accepted of seen.accepted) this.#judge(seen, stretches, accepted);
    }
  }

  #judge(seen: SessionSeen, stretches: readonly Stretch[], accepted: Accepted): void {
    const stretch = stretchAt(stretches, accepted.end - 1);
    if (stretch === null || stretch.history.historyId !== accepted.historyId) return;
    const turn = pieceAt(stretch, accepted.end - 1)?.turn;
    if (turn === undefined || turn >= this.#histories.get(stretch.history.historyId)!.taintedFrom) return;
    if (turn < Math.min(accepted.own, accepted.safe)) return;
    const { board, own, safe, at } = accepted;
    const lacking =
      turn >= own
        ? `its own journal had ${own} turns`
        : `board ${otherBoard(board)} had, or was not needed for, ${safe}`;
    throw new Violation(
      this.name,
      `at ${at.toFixed(1)} ms device ${seen.device} accepted an output of turn ${turn} from board ${board}, while ${lacking}`,
    );
  }
}

export const outputRule: CheckerFactory = (facts) => new OutputRule(facts);
