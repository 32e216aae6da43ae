/**
 * Promise 3 (DESIGN section 1): a fenced device sees exactly the output stream of one controller that never failed.
 *
 * The reference are independent, uninterrupted runs over the records of the histories that were lived. What each session
 * of a device accepted is compared with them, stretch by stretch (reference-streams.ts): every stretch is a prefix of
 * what its history wrote there. At the end the leader's outputs have all been accepted, but for those that are under way.
 *
 * A history whose journal was cut before the note of a device's base says nothing of what it wrote there: that is explained
 * only if the board that went on by such a journal noticed (RECORDS_LOST), and so did not go on silently.
 *
 * Not comparable, and counted: what a replica wrote that had been made to compute something else, and records that are
 * lost as documented (HistoriesSeen). A history that some board must still have and that is not there is a violation.
 */
import type { BoardName } from '../simulator/fault.ts';
import {
  type Checker,
  type HistoryOfLife,
  type LifeEnd,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';
import { BoardStates } from './board-states.ts';
import { ByteStream } from './byte-stream.ts';
import { HistoriesSeen } from './histories-seen.ts';
import { RecentTurns } from './recent-turns.ts';
import { pieceFromTurn, referenceStreams, type Stretch, sessionKey } from './reference-streams.ts';

/** Outputs that are older and still not accepted, while none is accepted, are stuck. */
const stuckMs = 1000;

/** By whom, so far as the journals of that moment tell: only needed where bytes belong to no known history. */
interface Owned {
  from: number;
  historyId: string | null;
}

interface SessionSeen {
  device: number;
  session: number;
  accepted: ByteStream;
  owned: Owned[];
  acceptedAt: number;
}

class UninterruptedOutput implements Checker {
  readonly name = 'uninterrupted-output';
  readonly promise = '3: exactly the output stream of one controller that never failed';
  comparedBytes = 0;
  /** Of lost records or of a replica that had been made to diverge. */
  uncomparedBytes = 0;
  readonly #facts: LifeFacts;
  readonly #histories = new HistoriesSeen();
  readonly #states = new BoardStates();
  readonly #sessions = new Map<number, SessionSeen>();
  /** Reports of a device with which the records no longer belong together: each begins with the device's name. */
  readonly #recordsLost: string[] = [];
  readonly #stored: Record<BoardName, RecentTurns> = {
    a: new RecentTurns(stuckMs),
    b: new RecentTurns(stuckMs),
  };

  constructor(facts: LifeFacts) {
    this.#facts = facts;
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'device-output':
        return this.#accepted(observed);
      case 'report':
        if (observed.report.code === 'RECORDS_LOST') this.#recordsLost.push(observed.report.text);
        this.#histories.observe(observed);
        return;
      case 'turn':
      case 'fault':
        this.#histories.observe(observed);
        return;
      case 'stored':
        this.#histories.observe(observed);
        this.#stored[observed.board].reached(observed.turns, observed.at);
        return;
      case 'role':
        this.#states.observe(observed);
        return;
      case 'board-up':
      case 'board-down':
        this.#histories.observe(observed);
        this.#states.observe(observed);
    }
  }

  #accepted(observed: Observed & { kind: 'device-output' }): void {
    const { device, session, board, offset, bytes, at } = observed;
    // Few devices, many sessions: a number of both is quicker than a text.
    const key = session * this.#facts.devices.length + device;
    let seen = this.#sessions.get(key);
    if (seen === undefined) {
      seen = { device, session, accepted: new ByteStream(0), owned: [], acceptedAt: at };
      this.#sessions.set(key, seen);
    }
    if (offset !== seen.accepted.end) {
      this.#fail(`${this.#named(seen)} accepted offset ${offset} where ${seen.accepted.end} was next`);
    }
    const { historyId } = this.#histories.journalOf(board);
    if (seen.owned.at(-1)?.historyId !== historyId) seen.owned.push({ from: offset, historyId });
    seen.accepted.append(bytes);
    seen.acceptedAt = at;
  }

  end(end: LifeEnd): void {
    const known = new Map(end.histories.map((history) => [history.historyId, history]));
    const streams = referenceStreams(end.histories, 'outputs', this.#histories);
    for (const seen of this.#sessions.values()) {
      const name = this.#facts.devices[seen.device]!.name;
      const stretches = streams.get(sessionKey(name, seen.session)) ?? [];
      this.#compare(seen, stretches, known);
      this.#nothingIsSkipped(seen, stretches, end);
    }
    this.#nothingIsStuck(end, streams);
  }

  #compare(seen: SessionSeen, stretches: readonly Stretch[], known: Map<string, HistoryOfLife>): void {
    const total = seen.accepted.end;
    const lost = this.#lostRanges(seen, known);
    const first = Math.min(stretches[0]?.from ?? total, total);
    this.#unexplained(seen, 0, first, lost);
    for (const stretch of stretches) {
      const to = Math.min(stretch.to, total);
      if (stretch.from >= to) continue;
      const foreign = lost.find((range) => range.from >= stretch.from && range.from < to);
      this.#compareStretch(seen, stretch, foreign?.from ?? to, known);
      if (foreign !== undefined) this.#unexplained(seen, foreign.from, to, lost);
    }
  }

  #compareStretch(seen: SessionSeen, stretch: Stretch, to: number, known: Map<string, HistoryOfLife>): void {
    const { historyId, turns } = stretch.history;
    const taintedFrom = this.#histories.get(historyId)?.taintedFrom ?? Number.POSITIVE_INFINITY;
    const tainted = pieceFromTurn(stretch, taintedFrom);
    const comparable = Math.min(to, stretch.end, tainted?.offset ?? Number.POSITIVE_INFINITY);
    const differsAt = seen.accepted.firstDifference(stretch.from, comparable, stretch.pieces);
    if (differsAt !== null) {
      this.#fail(
        `${this.#named(seen)} accepted another byte at offset ${differsAt} than history ${historyId} wrote`,
      );
    }
    this.comparedBytes += comparable - stretch.from;
    if (comparable === to) return;
    const excused =
      taintedFrom < turns ||
      this.#histories.mayLackRecords(historyId, turns) ||
      this.#isOfLostBase(seen, comparable, historyId, known);
    if (!excused) {
      this.#fail(
        `${this.#named(seen)} accepted ${to - comparable} bytes more than history ${historyId} wrote (up to ${comparable})`,
      );
    }
    this.uncomparedBytes += to - comparable;
  }

  /** The byte at this offset is of another history than the one whose stretch ends there: where that one began is lost. */
  #isOfLostBase(
    seen: SessionSeen,
    offset: number,
    historyId: string,
    known: Map<string, HistoryOfLife>,
  ): boolean {
    const owner = seen.owned.findLast((each) => each.from <= offset)?.historyId ?? null;
    if (owner === null || owner === historyId) return false;
    if (!this.#histories.mayLackRecords(owner, known.get(owner)?.turns ?? 0)) return false;
    const { name } = this.#facts.devices[seen.device]!;
    return this.#recordsLost.some((text) => text.startsWith(`${name} `));
  }

  /**
   * A history that is still lived counts anew within one session only where everything before was accepted. One that has
   * ended may have been cut short there: its program was being started afresh.
   */
  #nothingIsSkipped(seen: SessionSeen, stretches: readonly Stretch[], end: LifeEnd): void {
    for (let index = 0; index + 1 < stretches.length; index++) {
      const stretch = stretches[index]!;
      const following = stretches[index + 1]!;
      const { historyId } = stretch.history;
      if (following.history.historyId !== historyId || seen.accepted.end <= following.from) continue;
      const lives = end.boards.a?.historyId === historyId || end.boards.b?.historyId === historyId;
      if (!lives || stretch.end <= following.from) continue;
      this.#fail(
        `${this.#named(seen)} goes on at turn ${following.turn} of history ${historyId} without ` +
          `${stretch.end - following.from} bytes written before`,
      );
    }
  }

  /** Stretches of what was accepted whose history is not at hand. */
  #lostRanges(seen: SessionSeen, known: Map<string, HistoryOfLife>): { from: number; to: number }[] {
    const ranges: { from: number; to: number }[] = [];
    seen.owned.forEach(({ from, historyId }, index) => {
      if (historyId === null || known.has(historyId)) return;
      const to = seen.owned[index + 1]?.from ?? seen.accepted.end;
      if (!this.#histories.mayBeGone(historyId)) {
        this.#fail(
          `history ${historyId}, of which ${this.#named(seen)} accepted ${to - from} bytes, should still be on a board`,
        );
      }
      ranges.push({ from, to });
    });
    return ranges;
  }

  /** Bytes before the first base, or after those of a lost history began. */
  #unexplained(seen: SessionSeen, from: number, to: number, lost: readonly { from: number; to: number }[]) {
    if (to <= from) return;
    const owner = seen.owned.findLast((each) => each.from <= from)?.historyId ?? null;
    const isLost = lost.some((range) => range.from <= from && from < range.to);
    const excused = isLost || (owner !== null && this.#histories.mayLackRecords(owner, 0));
    if (!excused) {
      this.#fail(`${this.#named(seen)} accepted ${to - from} bytes from ${from} on that no history wrote`);
    }
    this.uncomparedBytes += to - from;
  }

  #nothingIsStuck(end: LifeEnd, streams: Map<string, Stretch[]>): void {
    if (end.at < this.#facts.quietAt + 3 * stuckMs) return;
    const leader = end.boards.a?.role === 'primary' ? end.boards.a : end.boards.b;
    if (leader === null || leader.role !== 'primary' || leader.historyId === null) return;
    if (end.at - this.#states.of(leader.board).roleSince < 2 * stuckMs) return;
    const written = this.#stored[leader.board].before(end.at - stuckMs);
    leader.devices.forEach((device, index) => {
      if (!device.attached || device.session === null) return;
      const stretch = streams.get(sessionKey(device.name, device.session))?.at(-1);
      if (stretch === undefined || stretch.history.historyId !== leader.historyId) return;
      const seen = this.#sessions.get(device.session * this.#facts.devices.length + index);
      const accepted = Math.max(stretch.from, seen?.accepted.end ?? 0);
      const due = pieceFromTurn(stretch, written)?.offset ?? stretch.end;
      const progressed = seen !== undefined && end.at - seen.acceptedAt < stuckMs;
      if (accepted >= due || progressed) return;
      this.#fail(
        `device ${index} lacks ${due - accepted} bytes of session ${device.session} that were written ` +
          `${stuckMs} ms before the end, and accepts nothing`,
      );
    });
  }

  #named(seen: SessionSeen): string {
    return `session ${seen.session} of device ${seen.device}`;
  }

  #fail(message: string): never {
    throw new Violation(this.name, message);
  }
}

export const uninterruptedOutput = (facts: LifeFacts): UninterruptedOutput => new UninterruptedOutput(facts);
