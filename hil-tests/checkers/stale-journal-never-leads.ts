/**
 * Promises 2 and 3 (DESIGN section 1), section 8 "board starts alone": a stale journal never leads.
 *
 * Who attaches and goes on with a history has, when it attaches, the record of every turn whose outputs the session
 * has accepted; otherwise a new history begins before anything is put out. And a board that has heard nothing of the other
 * one does not take over a session in which that one held the device under a term of which it was no part: it waits,
 * until the device has gone to its safe state and begun a new session. Who has given its part up, and was started anew
 * since, has no part any more: its journal says so, unless that note was lost with the power.
 */
import type { Role } from '../../protocol/pair-contract.ts';
import { type BoardName, otherBoard } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeEnd,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';
import { HistoriesSeen } from './histories-seen.ts';
import { pieceAt, referenceStreams, sessionKey, stretchAt } from './reference-streams.ts';

/** By then what was noted is with the kernel, and under fsync `always` on the disk. */
const notedMs = 300;

/** Who held the device last in its present session. */
interface Held {
  session: number;
  board: BoardName;
  term: number;
}

/** A board attached; nothing of it was accepted yet. */
interface Attached {
  board: BoardName;
  at: number;
  historyId: string | null;
  turns: number;
}

interface FirstOutput extends Attached {
  device: number;
  session: number;
  /** What had been accepted before. */
  offset: number;
}

class StaleJournalNeverLeads implements Checker {
  readonly name = 'stale-journal-never-leads';
  readonly promise = '2 and 3; section 8: never with a journal older than the term of the device';
  readonly #facts: LifeFacts;
  readonly #arbiter: number;
  readonly #histories = new HistoriesSeen();
  readonly #held: (Held | null)[];
  readonly #attached: (Attached | null)[];
  readonly #firstOutputs: FirstOutput[] = [];
  /** Terms in which the board was primary or backup. */
  readonly #takenPart: Record<BoardName, Set<number>> = { a: new Set(), b: new Set() };
  /** When the board gave its part up: it joins again, or leaves. */
  readonly #gaveUpAt: Record<BoardName, number | null> = { a: null, b: null };
  /** In its present process the board has heard something of the other one. */
  readonly #heard: Record<BoardName, boolean> = { a: false, b: false };

  constructor(facts: LifeFacts) {
    this.#facts = facts;
    this.#arbiter = facts.devices.findIndex((device) => device.arbiter);
    this.#held = facts.devices.map(() => null);
    this.#attached = facts.devices.map(() => null);
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'heard':
        this.#heard[observed.board] = true;
        return;
      case 'device-output': {
        const attached = this.#attached[observed.device];
        if (attached === null || attached === undefined) return;
        this.#attached[observed.device] = null;
        const { device, session, offset, board } = observed;
        const goesOn = this.#histories.journalOf(board).historyId === attached.historyId;
        if (goesOn && offset > 0 && attached.board === board) {
          this.#firstOutputs.push({ ...attached, device, session, offset });
        }
        return;
      }
      case 'device-attached':
        return this.#attaches(observed);
      case 'device-session':
        this.#held[observed.device] = null;
        this.#attached[observed.device] = null;
        return;
      case 'role':
        return this.#plays(observed.board, observed.status.role, observed.status.term, observed.at);
      case 'board-up':
        this.#heard[observed.board] = false;
        this.#histories.observe(observed);
        return;
      case 'board-down':
        this.#goesDown(observed);
        this.#histories.observe(observed);
        return;
      case 'stored':
      case 'turn':
      case 'report':
      case 'fault':
        this.#histories.observe(observed);
    }
  }

  #plays(board: BoardName, role: Role, term: number, at: number): void {
    if (role === 'primary' || role === 'backup') {
      this.#takenPart[board].add(term);
      this.#gaveUpAt[board] = null;
    } else if (role === 'joining' || role === 'stopped') this.#gaveUpAt[board] ??= at;
  }

  #goesDown({ board, cause, at }: Observed & { kind: 'board-down' }): void {
    const gaveUpAt = this.#gaveUpAt[board];
    this.#gaveUpAt[board] = null;
    if (gaveUpAt === null || at - gaveUpAt < notedMs) return;
    const { faults, fsync } = this.#facts;
    const isHindered = faults.some((fault) => fault.kind === 'slow-disk' || fault.kind === 'disk-full');
    if (!isHindered && (cause !== 'power' || fsync === 'always')) this.#takenPart[board].clear();
  }

  #attaches({ device, board, term, session, at }: Observed & { kind: 'device-attached' }): void {
    const held = this.#held[device];
    if (device === this.#arbiter && held !== null && held !== undefined) {
      const foreign = held.board === otherBoard(board) && held.session === session;
      if (foreign && !this.#heard[board] && !this.#takenPart[board].has(held.term)) {
        throw new Violation(
          this.name,
          `board ${board}, alone, was given term ${term} in session ${session}, in which board ${held.board} ` +
            `had led term ${held.term} without it`,
        );
      }
    }
    this.#held[device] = { session, board, term };
    const { historyId, turns } = this.#histories.journalOf(board);
    this.#attached[device] = { board, at, historyId, turns };
  }

  end(end: LifeEnd): void {
    const streams = referenceStreams(end.histories, 'outputs', this.#histories);
    for (const first of this.#firstOutputs) {
      const name = this.#facts.devices[first.device]!.name;
      const stretch = stretchAt(streams.get(sessionKey(name, first.session)) ?? [], first.offset - 1);
      if (stretch === null || stretch.history.historyId !== first.historyId) continue;
      const turn = pieceAt(stretch, first.offset - 1)?.turn;
      if (turn === undefined || turn < first.turns) continue;
      if (turn >= this.#histories.get(stretch.history.historyId)!.taintedFrom) continue;
      throw new Violation(
        this.name,
        `at ${first.at.toFixed(1)} ms board ${first.board} went on with history ${first.historyId} at turn ${first.turns}, ` +
          `though device ${first.device} had accepted outputs of turn ${turn}`,
      );
    }
  }
}

export const staleJournalNeverLeads: CheckerFactory = (facts) => new StaleJournalNeverLeads(facts);
