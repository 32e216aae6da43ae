/**
 * Promise 4 (DESIGN section 1): input that a fenced device has sent is not lost across a takeover.
 *
 * What a history's records give to the program is what the device said in that session, from the history's base on: each
 * byte once, in order, without a gap. A new history begins where the device's inputs were acknowledged, so never behind
 * what earlier records hold. At the end, if somebody leads and the program listens, no input waits for long.
 */
import type { BoardName } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
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
import { referenceStreams, type Stretch, sessionKey } from './reference-streams.ts';

/** Input that is older and still in no record, while none is recorded, is stuck. */
const stuckMs = 1000;

interface SessionSeen {
  device: number;
  session: number;
  said: ByteStream;
  /** How much had been said when, for the newest of it. */
  recent: RecentTurns;
}

class InputsOnce implements Checker {
  readonly name = 'inputs-once';
  readonly promise = '4: input that a fenced device has sent is not lost across a takeover';
  readonly #facts: LifeFacts;
  readonly #histories = new HistoriesSeen();
  readonly #states = new BoardStates();
  readonly #sessions = new Map<string, SessionSeen>();
  readonly #given: Record<BoardName, RecentTurns> = {
    a: new RecentTurns(stuckMs),
    b: new RecentTurns(stuckMs),
  };
  /** When the program last lost or closed a port, or ended: it need not listen any more. */
  #deafAt = Number.NEGATIVE_INFINITY;
  #listeningAt = Number.NEGATIVE_INFINITY;

  #isReignLost = false;

  constructor(facts: LifeFacts) {
    this.#facts = facts;
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'device-input':
        return this.#said(observed);
      case 'turn':
        this.#histories.observe(observed);
        if (observed.mode === 'perform') this.#performed(observed);
        return;
      case 'role':
        this.#states.observe(observed);
        return;
      case 'report':
        this.#histories.observe(observed);
        if (observed.report.code === 'PROGRAM_EXITED') this.#deafAt = observed.at;
        // Said loudly: what was done under a reign, and with which inputs, no board has the records of.
        if (observed.report.code === 'PAIR_STALE_JOURNAL') this.#isReignLost = true;
        return;
      case 'stored':
      case 'fault':
        this.#histories.observe(observed);
        return;
      case 'board-up':
      case 'board-down':
        this.#histories.observe(observed);
        this.#states.observe(observed);
    }
  }

  #said({ device, session, offset, bytes, at }: Observed & { kind: 'device-input' }): void {
    const key = sessionKey(this.#facts.devices[device]!.name, session);
    let seen = this.#sessions.get(key);
    if (seen === undefined) {
      seen = { device, session, said: new ByteStream(0), recent: new RecentTurns(stuckMs) };
      this.#sessions.set(key, seen);
    }
    if (offset !== seen.said.end) {
      this.#fail(`device ${device} counts its input from ${offset}, though ${seen.said.end} is next`);
    }
    seen.said.append(bytes);
    seen.recent.reached(seen.said.end, at);
  }

  #performed(observed: Observed & { kind: 'turn' }): void {
    const { event, outputs, board, turn, at } = observed;
    if (event?.kind === 'port-data') {
      this.#given[board].reached(turn + 1, at);
      this.#listeningAt = at;
    } else if (event?.kind === 'port-lost' || event?.kind === 'start') this.#deafAt = at;
    for (const output of outputs) {
      const ends = output.kind === 'exit' || (output.kind === 'request' && output.operation === 'close');
      if (ends) this.#deafAt = at;
    }
  }

  end(end: LifeEnd): void {
    const streams = referenceStreams(end.histories, 'inputs', this.#histories);
    const complete = !this.#isReignLost && this.#allRecordsAreThere(end.histories);
    for (const history of end.histories) this.#basesInOrder(history);
    for (const [key, stretches] of streams) {
      const seen = this.#sessions.get(key);
      for (const stretch of stretches) this.#compare(seen, key, stretch);
      if (complete) this.#noGap(key, stretches, end);
    }
    this.#nothingIsStuck(end, streams);
  }

  /** Whoever runs the journal again counts from the bases as they come: one out of place belongs to something else. */
  #basesInOrder({ historyId, bases }: HistoryOfLife): void {
    for (let index = 1; index < bases.length; index++) {
      if (bases[index]!.turn >= bases[index - 1]!.turn) continue;
      this.#fail(
        `the journal of history ${historyId} has a base of turn ${bases[index]!.turn} after one of turn ${bases[index - 1]!.turn}`,
      );
    }
  }

  #compare(seen: SessionSeen | undefined, key: string, stretch: Stretch): void {
    const { historyId } = stretch.history;
    const said = seen?.said.end ?? 0;
    if (stretch.pieces.length > 0 && stretch.end > said) {
      this.#fail(
        `records of history ${historyId} hold inputs of session ${key} up to ${stretch.end}, the device said ${said}`,
      );
    }
    const differsAt = seen?.said.firstDifference(stretch.from, stretch.end, stretch.pieces) ?? null;
    if (differsAt === null) return;
    this.#fail(
      `records of history ${historyId} hold another input at offset ${differsAt} of session ${key} than was said`,
    );
  }

  #noGap(key: string, stretches: readonly Stretch[], end: LifeEnd): void {
    let recorded = 0;
    let previous: Stretch | null = null;
    for (const stretch of stretches) {
      const { historyId } = stretch.history;
      if (stretch.from > recorded) {
        this.#fail(
          `inputs ${recorded}..${stretch.from} of session ${key} were acknowledged, but no record holds them`,
        );
      }
      const goesOn = previous?.history === stretch.history && stretch.pieces.length > 0;
      const lives = end.boards.a?.historyId === historyId || end.boards.b?.historyId === historyId;
      if (goesOn && lives && previous !== null && stretch.from !== previous.end) {
        this.#fail(
          `history ${historyId} goes on with input ${stretch.from} of session ${key}, after ${previous.end}`,
        );
      }
      recorded = Math.max(recorded, stretch.end);
      previous = stretch;
    }
  }

  #allRecordsAreThere(histories: readonly HistoryOfLife[]): boolean {
    const known = new Map(histories.map((history) => [history.historyId, history.turns]));
    for (const { historyId, taintedFrom } of this.#histories.all()) {
      // Turns that were lost with a journal's tail were lived again: what they had been given the first time is not known.
      if (taintedFrom !== Number.POSITIVE_INFINITY) return false;
      const turns = known.get(historyId);
      if (turns === undefined || this.#histories.mayLackRecords(historyId, turns)) return false;
    }
    return true;
  }

  #nothingIsStuck(end: LifeEnd, streams: Map<string, Stretch[]>): void {
    if (end.at < this.#facts.quietAt + 3 * stuckMs || this.#deafAt >= this.#listeningAt) return;
    const leader = end.boards.a?.role === 'primary' ? end.boards.a : end.boards.b;
    if (leader === null || leader.role !== 'primary') return;
    if (end.at - this.#states.of(leader.board).roleSince < 2 * stuckMs) return;
    for (const device of leader.devices) {
      if (!device.attached || device.session === null) continue;
      const key = sessionKey(device.name, device.session);
      const stretch = streams.get(key)?.findLast((each) => each.history.historyId === leader.historyId);
      const seen = this.#sessions.get(key);
      const newest = stretch?.pieces.at(-1);
      // A program that never listened to this device need not begin to.
      if (stretch === undefined || seen === undefined || newest === undefined) continue;
      // The independent run ends where its replica does something else than the record says.
      if (stretch.history.divergedAtTurn !== null) continue;
      const due = seen.recent.before(end.at - stuckMs);
      const progressed = newest.turn >= this.#given[leader.board].before(end.at - stuckMs);
      if (stretch.end >= due || progressed) continue;
      this.#fail(
        `inputs ${stretch.end}..${due} of session ${key} are older than ${stuckMs} ms and in no record, and none is taken`,
      );
    }
  }

  #fail(message: string): never {
    throw new Violation(this.name, message);
  }
}

export const inputsOnce: CheckerFactory = (facts) => new InputsOnce(facts);
