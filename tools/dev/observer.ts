/**
 * Watches a pair: keeps its events, measures its cables, remembers each fault with what followed, and makes the
 * screen's model of it.
 */
import type { BoardPicture, CablePicture, LastFault, ScreenModel, ToldEvent } from './model.ts';
import { type BoardName, type CableName, cableNames, type FaultRecord, type PairRig } from './pair-rig.ts';
import { needsTakeover, Telling } from './words.ts';

const eventsKept = 300;
const samplesKept = 80;
/** Longer than a status takes to arrive (100 ms), so that each sample sees at least one. */
export const sampleIntervalMs = 200;

/** A fault and what the device did until the next one. */
export interface WatchedFault {
  fault: FaultRecord;
  termBefore: number;
  /** Term of the device before the next fault, or just now. */
  termAfter: number;
  follower: BoardName | null;
  isTold: boolean;
}

interface CableWatch {
  received: Record<BoardName, number | null>;
  arrivals: number[];
  beats: number;
}

export class PairObserver {
  readonly events: ToldEvent[] = [];
  readonly #telling = new Telling();
  readonly faults: WatchedFault[] = [];
  readonly #rig: PairRig;
  readonly #program: string;
  readonly #plantName: 'tank' | 'bench';
  readonly #cables: Record<CableName, CableWatch> = { serial: newWatch(), ethernet: newWatch() };
  #sampledAt = Number.NEGATIVE_INFINITY;
  #termSeen: number;
  /** Called with each fault once what it led to is known: at the first output of the new term, or at the next fault. */
  onFault: (watched: WatchedFault) => void = () => {};

  constructor(rig: PairRig, program: string, plantName: 'tank' | 'bench') {
    this.#rig = rig;
    this.#termSeen = rig.device.term;
    this.#program = program;
    this.#plantName = plantName;
    rig.on('event', (event) => {
      const said = this.#telling.tell(event);
      if (said !== null) this.events.push({ ...said, atMs: event.atMs });
      if (this.events.length > eventsKept) this.events.splice(0, this.events.length - eventsKept);
      this.#follow();
    });
    rig.on('change', () => this.#follow());
  }

  #follow(): void {
    const { device, faults } = this.#rig;
    while (this.faults.length < faults.length) {
      this.#tell(this.faults.at(-1));
      const fault = faults[this.faults.length]!;
      const term = this.#termSeen;
      this.faults.push({ fault, termBefore: term, termAfter: term, follower: null, isTold: false });
    }
    this.#termSeen = device.term;
    const last = this.faults.at(-1);
    if (last === undefined) return;
    if (device.term !== last.termAfter) {
      last.termAfter = device.term;
      last.follower = device.attachedBoard;
    }
    if (needsTakeover(last.fault.kind) && last.fault.outputGapMs !== null) this.#tell(last);
  }

  #tell(watched: WatchedFault | undefined): void {
    if (watched === undefined || watched.isTold) return;
    watched.isTold = true;
    this.onFault(watched);
  }

  /** No more is going to follow: tells of the last fault too. */
  finish(): void {
    this.#follow();
    this.#tell(this.faults.at(-1));
  }

  /** To be called often; looks at the cables every `sampleIntervalMs`. `now`: monotonic, ms. */
  sample(now: number): void {
    if (now - this.#sampledAt < sampleIntervalMs) return;
    this.#sampledAt = now;
    for (const cable of cableNames) {
      const watch = this.#cables[cable];
      const arrived = Math.min(this.#arrived(cable, 'a'), this.#arrived(cable, 'b'));
      watch.arrivals.push(arrived);
      if (watch.arrivals.length > samplesKept) watch.arrivals.shift();
      if (arrived > 0) watch.beats += 1;
    }
  }

  #arrived(cable: CableName, board: BoardName): number {
    const { received } = this.#cables[cable];
    const { status } = this.#rig.boards[board];
    const now = status?.links.find((link) => link.name === cable)?.received ?? null;
    const before = received[board];
    received[board] = now;
    return now === null || before === null ? 0 : Math.max(0, now - before);
  }

  model(elapsedMs: number): Omit<ScreenModel, 'script' | 'notice' | 'isHelpShown'> {
    const rig = this.#rig;
    const cable = (name: CableName): CablePicture => ({
      state: rig.cables[name],
      roundTripMs: this.#roundTrip(name),
      arrivals: this.#cables[name].arrivals,
      beats: this.#cables[name].beats,
    });
    const watched = this.faults.at(-1);
    const lastFault: LastFault | null =
      watched === undefined ? null : { ...watched.fault, follower: watched.follower };
    return {
      program: this.#program,
      plantName: this.#plantName,
      elapsedMs,
      isProtected: rig.isProtected(),
      boards: { a: this.#board('a'), b: this.#board('b') },
      cables: { serial: cable('serial'), ethernet: cable('ethernet') },
      device: rig.device,
      plant: rig.plant,
      pins: rig.pins,
      events: this.events,
      lastFault,
      programSays: lastLine(rig.programOutput),
    };
  }

  #roundTrip(cable: CableName): number | null {
    const times = Object.values(this.#rig.boards).flatMap(({ status }) => {
      const link = status?.links.find((each) => each.name === cable);
      return link?.up === true && link.roundTripMs !== null ? [link.roundTripMs] : [];
    });
    return times.length === 0 ? null : Math.min(...times);
  }

  #board(name: BoardName): BoardPicture {
    const { running, frozen, status } = this.#rig.boards[name];
    if (!running) return { condition: 'off', facts: null };
    if (status === null) return { condition: frozen ? 'frozen' : 'starting', facts: null };
    const { term, turns, executedTurns, lagTurns, divergences, silentForMs } = status;
    return {
      condition: frozen ? 'frozen' : status.role,
      facts: {
        ...{ term, turns, executedTurns, lagTurns, divergences, silentForMs },
        protected: status.protected,
        deviceOpen: status.devices.some((device) => device.open),
      },
    };
  }
}

function newWatch(): CableWatch {
  return { received: { a: null, b: null }, arrivals: [], beats: 0 };
}

function lastLine(text: string): string {
  const end = text.endsWith('\n') ? text.length - 1 : text.length;
  return text.slice(text.lastIndexOf('\n', end - 1) + 1, end);
}
