/**
 * Promise 5 (DESIGN section 1), section 4: red needs silence on *every* link; nobody takes over from a primary that met
 * its deadlines.
 *
 * A backup claims only for one of three causes: the primary was silent on every link for `detectionTimeoutMs` (for
 * `suspectTimeoutMs` when its kernel refuses, which it does only when its process is gone); it is another process
 * than it was; or it asked to hand over, which it does for a reason that it reports.
 *
 * What counts as silence is judged twice: by what the board itself reports, and by what is known to have reached it. A
 * signal is a fresh heartbeat, which cannot be told from records here, and heartbeats can be lost where records are
 * not. So the second judgement looks at links on which nothing was wrong: there heartbeats come with the records.
 */
import { type BoardName, linkNames, otherBoard } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';
import { BoardStates } from './board-states.ts';
import { linkIntervalMs } from './detection-time.ts';
import { anyFaultBetween, clockFactor, disturbsLink } from './fault-windows.ts';

/** Reports and roles of one step. */
const stepMs = 1;
/** So long after a start, of either board, the two may not have found each other yet. */
const meetingMs = 1000;
/** A board that was away for longer than this many heartbeats, and a little, notices it. */
const noticedIntervals = 3;
const noticedMs = 25;
/** The kernel's word that a process was gone may be so old: it is read late after a pause. */
const refusalMs = 2000;
/** A heartbeat may wait behind a full queue and for its own time on a serial line. */
const serialQueueMs = 80;
const ethernetQueueMs = 5;

const handoverReasons = new Set([
  'OPERATOR',
  'REPLICA_EXITED',
  'PROGRAM_THREW',
  'PROGRAM_HANGS',
  'DEVICE_PORT_LOST',
  'DEVICE_PORT_MISSING',
  'DEVICE_PORT_LOCKED',
  'DEVICE_PORT_FAILED',
  'DEVICE_SILENT',
]);

interface Watcher {
  heardAt: [number, number];
  redAt: number;
  handoverAt: number;
  /** When it last said why it would hand over. */
  reasonAt: number;
  /** When its process ended, or it woke from a pause: the other's kernel may have refused. */
  goneAt: number;
  wokeAt: number;
  /** When it fell asleep, and for how long it had slept when it woke. */
  asleepAt: number;
  sleptMs: number;
}

const never = Number.NEGATIVE_INFINITY;

class NoFalseTakeover implements Checker {
  readonly name = 'no-false-takeover';
  readonly promise = '5: takeover within a budget; section 4: red needs silence on every link';
  readonly #facts: LifeFacts;
  readonly #states = new BoardStates();
  readonly #clockFactor: number;
  readonly #slackMs: [number, number];
  readonly #watchers: Record<BoardName, Watcher> = { a: newWatcher(), b: newWatcher() };

  constructor(facts: LifeFacts) {
    this.#facts = facts;
    this.#clockFactor = clockFactor(facts.faults);
    this.#slackMs = [
      2 * linkIntervalMs(facts, 'ethernet') + ethernetQueueMs,
      2 * linkIntervalMs(facts, 'serial') + serialQueueMs,
    ];
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'heard':
        this.#watchers[observed.board].heardAt[observed.link as 0 | 1] = observed.at;
        return;
      case 'report':
        return this.#reported(observed);
      case 'status':
        this.#states.observe(observed);
        return;
      case 'role': {
        const before = this.#states.of(observed.board).role;
        const since = this.#states.of(observed.board).roleSince;
        this.#states.observe(observed);
        const after = observed.status.role;
        if (before === 'backup' && (after === 'contending' || after === 'primary')) {
          this.#tookOver(observed.board, since, observed.at);
        }
        return;
      }
      case 'board-up':
        this.#states.observe(observed);
        this.#watchers[observed.board] = this.#restarted(observed.board);
        this.#watchers[otherBoard(observed.board)].heardAt = [never, never];
        return;
      case 'board-down':
        this.#states.observe(observed);
        if (observed.cause !== 'power') this.#watchers[observed.board].goneAt = observed.at;
        return;
      case 'fault':
        this.#states.observe(observed);
        if (observed.fault.kind === 'pause') this.#pauses(observed.fault.board, observed.phase, observed.at);
    }
  }

  end(): void {}

  /** What the process before it did may still be on its way to the other board. */
  #restarted(board: BoardName): Watcher {
    const { goneAt, reasonAt } = this.#watchers[board];
    return { ...newWatcher(), goneAt, reasonAt };
  }

  #pauses(board: BoardName, phase: 'begins' | 'ends', at: number): void {
    const watcher = this.#watchers[board];
    const { pauses } = this.#states.of(board);
    if (phase === 'begins') {
      if (pauses === 1) watcher.asleepAt = at;
      return;
    }
    // It was another process that slept, or none.
    if (watcher.asleepAt === never) return;
    watcher.wokeAt = at;
    if (pauses === 0) watcher.sleptMs = at - watcher.asleepAt;
  }

  #reported({ board, report, at }: Observed & { kind: 'report' }): void {
    const watcher = this.#watchers[board];
    if (handoverReasons.has(report.code)) watcher.reasonAt = at;
    else if (report.code === 'PEER_RED') {
      watcher.redAt = at;
      this.#judgeRed(board, Number(report.details?.silentForMs ?? Number.NaN), at);
    } else if (report.code === 'HANDOVER') {
      watcher.handoverAt = at;
      const other = otherBoard(board);
      if (this.#watchers[other].reasonAt > never) return;
      this.#fail(`board ${other} handed over to board ${board}, but reported no reason`);
    }
  }

  #judgeRed(board: BoardName, silentForMs: number, at: number): void {
    const other = otherBoard(board);
    const peer = this.#states.of(other);
    const watcher = this.#watchers[board];
    const { detectionTimeoutMs, suspectTimeoutMs, faults } = this.#facts;
    const mayBeRefused =
      (!peer.up && this.#watchers[other].goneAt > never) ||
      at - this.#watchers[other].goneAt < refusalMs ||
      at - peer.upAt < refusalMs ||
      at - watcher.wokeAt < refusalMs;
    const neededMs = mayBeRefused ? suspectTimeoutMs : detectionTimeoutMs;
    // It is told in whole milliseconds.
    if (!(silentForMs + 1 >= neededMs)) {
      this.#fail(`board ${board} calls the other one dead after ${silentForMs} ms, ${neededMs} are needed`);
    }
    const awakeMs = at - watcher.wokeAt;
    const noticed = watcher.sleptMs > noticedIntervals * this.#facts.heartbeatIntervalMs + noticedMs;
    if (noticed && (awakeMs + 1) * this.#clockFactor < neededMs) {
      this.#fail(
        `board ${board} calls the other one dead ${awakeMs.toFixed(1)} ms after it woke from ` +
          `${watcher.sleptMs.toFixed(0)} ms in which it did not run itself`,
      );
    }
    if (at - peer.upAt < meetingMs || at - this.#states.of(board).upAt < meetingMs) return;
    watcher.heardAt.forEach((heardAt, link) => {
      const silentMs = at - heardAt;
      if (silentMs >= neededMs / this.#clockFactor - this.#slackMs[link as 0 | 1]) return;
      const disturbed = anyFaultBetween(faults, at - neededMs - meetingMs, at, (fault) =>
        disturbsLink(fault, linkNames[link]!, board),
      );
      // Records that came at the very end of a pause of the sender may be in front of its heartbeat.
      if (disturbed || peer.pauses > 0 || at - this.#watchers[other].wokeAt < meetingMs) return;
      this.#fail(
        `board ${board} calls the other one dead ${silentMs.toFixed(1)} ms after it heard it on ${linkNames[link]}, ` +
          `where nothing was wrong`,
      );
    });
  }

  #tookOver(board: BoardName, backupSince: number, at: number): void {
    const watcher = this.#watchers[board];
    const peer = this.#states.of(otherBoard(board));
    if (at - watcher.redAt < stepMs || at - watcher.handoverAt < stepMs) return;
    // What its process before had still said may have made this board a backup after that one was gone.
    if (peer.process > 1 && (peer.upAt >= backupSince || at - peer.upAt < meetingMs)) return;
    // It slept while the other one was started again, and reads only now what that one and the one before it have said.
    if (peer.process > 1 && peer.upAt >= watcher.asleepAt && at - watcher.wokeAt < meetingMs) return;
    // It has not led for so long that this board may ask for what nobody uses.
    const leaderlessMs = (at - peer.roleSince) * this.#clockFactor;
    const leads = peer.role === 'primary' || peer.role === 'contending';
    if (!leads && leaderlessMs >= this.#facts.waitForPeerMs) return;
    this.#fail(
      `board ${board} claims the device from board ${otherBoard(board)}, which neither fell silent nor restarted nor asked`,
    );
  }

  #fail(message: string): never {
    throw new Violation(this.name, message);
  }
}

function newWatcher(): Watcher {
  return {
    heardAt: [never, never],
    redAt: never,
    handoverAt: never,
    reasonAt: never,
    goneAt: never,
    wokeAt: never,
    asleepAt: never,
    sleptMs: 0,
  };
}

export const noFalseTakeover: CheckerFactory = (facts) => new NoFalseTakeover(facts);
