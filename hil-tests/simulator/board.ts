/**
 * One board of a life: carries out the effects of the real supervisor (firmware-host/supervisor), as host.ts does on a
 * real one, with a simulated replica process, disk, clock, links and device ports. It decides nothing.
 */
import type {
  ExitReason,
  JournalContents,
  SupervisorEffect,
  SupervisorInput,
} from '../../firmware-host/supervisor/effects.ts';
import type { Supervisor } from '../../firmware-host/supervisor/supervisor.ts';
import { assert } from '../../protocol/assert.ts';
import { BoardClock } from './board-clock.ts';
import { Disk, type DiskOptions, type JournalEntryOfLife } from './disk.ts';
import type { BoardName } from './fault.ts';
import type { Sent } from './network.ts';
import type { Observation } from './observation.ts';
import type { SimulatedProgram } from './programs/replica-in-the-world.ts';
import type { Random } from './random.ts';
import { ReplicaHost } from './replica-host.ts';
import { Alarm, type VirtualTime } from './virtual-time.ts';

/** A supervisor that is woken more often than this within a second spins. */
const stepsPerSecondMax = 20_000;
/** What the kernel keeps for a process that does not read; what comes on top is dropped. */
const socketBytesMax = 208 * 1024;
const serialBytesMax = 4096;
const bootMs = 2;
/** host.ts: what has been said shall still leave. */
const exitMs = 50;
const closePollMs = 1;
const serialLink = 1;

/** For lives that are struck at one exact point and not at a time: may end a board from within. */
export interface Interference {
  before(board: Board, effect: SupervisorEffect): void;
  after(board: Board, effect: SupervisorEffect): void;
  /** False: this datagram is lost. */
  carries(board: Board, link: number, sent: Sent): boolean;
  /** A board is about to be handed this datagram. */
  arrives?(board: Board, link: number, bytes: Uint8Array): void;
}

export interface BoardSurroundings {
  interference: Interference | undefined;
  time: VirtualTime;
  program: SimulatedProgram;
  buildSupervisor(board: Board): Supervisor;
  transmit(board: Board, link: number, sent: Sent): void;
  toDevice(board: Board, device: number, bytes: Uint8Array): void;
  /** The device ports of this board that can be opened now. */
  openPorts(board: Board): number[];
  /** A journal was begun, added to, or read again: what this board's records of a history are. */
  journalIs(board: Board, historyId: string, entries: readonly JournalEntryOfLife[] | null): void;
  journalGrows(board: Board, historyId: string, entry: JournalEntryOfLife): void;
  observe(observation: Observation): void;
}

export class Board {
  readonly name: BoardName;
  readonly random: Random;
  readonly clock: BoardClock;
  readonly disk: Disk;
  supervisor: Supervisor | null = null;
  /** Counts the supervisor processes of this board. */
  process = 0;
  isPaused = false;
  /** Powered, so that its kernel answers for processes that are gone. */
  isPowered = false;
  /** Upper bound of how late a wake comes. */
  lateMs = 0;
  /** When its supervisor wishes to be woken next, by the board's clock. */
  wakeAt = 0;
  readonly replica: ReplicaHost;
  historyId: string | null = null;
  readonly #time: VirtualTime;
  readonly #around: BoardSurroundings;
  readonly #alarm: Alarm;
  #inputs: SupervisorInput[] = [];
  #isStepping = false;
  #waiting: { input: SupervisorInput; generation: number; journal: number }[] = [];
  #waitingBytes = { socket: 0, serial: 0 };
  /** Counts the journals that this board has begun. */
  #journal = 0;
  #second = 0;
  #steps = 0;
  #isEnding = false;
  #isClosing = false;

  constructor(name: BoardName, random: Random, disk: DiskOptions, around: BoardSurroundings) {
    this.name = name;
    this.random = random;
    this.#around = around;
    this.#time = around.time;
    this.clock = new BoardClock(random.between(1_000, 1_000_000));
    this.disk = new Disk(around.time, random.stream('disk'), disk);
    this.#alarm = new Alarm(around.time, () => this.#wake());
    this.replica = new ReplicaHost(this, around);
  }

  get isUp(): boolean {
    return this.supervisor !== null;
  }

  /** Up, not paused, and not about to end. */
  get isRunning(): boolean {
    return this.supervisor !== null && !this.isPaused && !this.#isClosing;
  }

  get now(): number {
    return this.clock.monotonicMs(this.#time.now);
  }

  start(): void {
    assert(!this.isUp, 'a board is started once');
    this.isPowered = true;
    this.isPaused = false;
    this.#isEnding = false;
    this.#isClosing = false;
    this.process += 1;
    const supervisor = this.#around.buildSupervisor(this);
    this.supervisor = supervisor;
    let contents: JournalContents | null = null;
    const read = this.disk.open({
      durable: (turns) => {
        const { historyId } = this;
        if (historyId !== null) this.#around.observe({ kind: 'durable', board: this.name, historyId, turns });
        this.input({ kind: 'journal-durable', turns });
      },
      report: (report) => this.#around.observe({ kind: 'report', board: this.name, report }),
    });
    ({ contents } = read);
    this.historyId = contents?.historyId ?? null;
    if (this.historyId !== null) this.#around.journalIs(this, this.historyId, read.entries);
    this.#around.observe({
      kind: 'board-up',
      board: this.name,
      process: this.process,
      historyId: this.historyId,
      turns: contents?.turns ?? 0,
    });
    const identity = { programHash: 'p', runtime: { node: '24' } };
    this.input({ kind: 'begin', journal: contents, identity });
    this.later(bootMs, () => {
      for (const device of this.#around.openPorts(this)) this.input({ kind: 'device-opened', device });
    });
  }

  /** The processes are gone. `power`: the kernel as well, and what it had not written. */
  down(cause: 'killed' | 'power' | 'exit', exit: ExitReason | null = null): void {
    if (cause === 'power') this.isPowered = false;
    if (!this.isUp) {
      if (cause === 'power') this.disk.powerFails();
      return;
    }
    this.supervisor = null;
    this.isPaused = false;
    this.process += 1;
    this.#alarm.cancel();
    this.#waiting = [];
    this.#waitingBytes = { socket: 0, serial: 0 };
    this.replica.stop();
    this.disk.processEnds();
    if (cause === 'power') this.disk.powerFails();
    this.#around.observe({ kind: 'board-down', board: this.name, cause, exit });
  }

  pause(): void {
    if (this.isUp) this.isPaused = true;
  }

  /** After a stop, timers that ran out come first, then what the kernel has kept. */
  resume(): void {
    if (!this.isUp || !this.isPaused) return;
    this.isPaused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = { socket: 0, serial: 0 };
    this.input({ kind: 'tick' });
    for (const { input, generation, journal } of waiting) {
      if (input.kind.startsWith('replica') && generation !== this.replica.generation) continue;
      // The journal's writer is asked when the word of the disk arrives: of a journal given up it says nothing.
      if (input.kind === 'journal-durable' && journal !== this.#journal) continue;
      this.input(input);
    }
    this.replica.resume();
  }

  /** Runs only while this process lives. */
  later(delayMs: number, run: () => void): void {
    const { process } = this;
    this.#time.after(delayMs, () => {
      if (this.process === process) run();
    });
  }

  input(input: SupervisorInput): void {
    if (this.supervisor === null || this.#isClosing) return;
    if (this.isPaused) {
      this.#keep(input);
      return;
    }
    this.#inputs.push(input);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) this.#step(next);
    } finally {
      this.#isStepping = false;
      this.#inputs.length = 0;
    }
  }

  #keep(input: SupervisorInput): void {
    if (input.kind === 'tick') return;
    if (input.kind === 'datagram') {
      const buffer = input.link === serialLink ? 'serial' : 'socket';
      const bytesMax = input.link === serialLink ? serialBytesMax : socketBytesMax;
      if (this.#waitingBytes[buffer] + input.bytes.length > bytesMax) return;
      this.#waitingBytes[buffer] += input.bytes.length;
    }
    if (input.kind === 'device-bytes') {
      if (this.#waitingBytes.serial + input.bytes.length > serialBytesMax) return;
      this.#waitingBytes.serial += input.bytes.length;
    }
    this.#waiting.push({ input, generation: this.replica.generation, journal: this.#journal });
  }

  #step(input: SupervisorInput): void {
    const supervisor = this.supervisor;
    if (supervisor === null) return;
    this.#countStep();
    let hasReport = false;
    for (const effect of supervisor.step(this.now, input)) {
      if (effect.kind === 'report') hasReport = true;
      this.#around.interference?.before(this, effect);
      // It may have died over it.
      if (this.supervisor !== supervisor) return;
      this.#carryOut(effect);
      this.#around.interference?.after(this, effect);
      if (this.supervisor !== supervisor) return;
    }
    // No role changes without a report.
    if (hasReport) {
      this.#around.observe({ kind: 'role', board: this.name, status: supervisor.status(this.now) });
    }
  }

  #countStep(): void {
    const second = Math.floor(this.#time.now / 1000);
    if (this.#second !== second) {
      this.#second = second;
      this.#steps = 0;
    }
    this.#steps += 1;
    assert(this.#steps <= stepsPerSecondMax, `board ${this.name} spins`);
  }

  /** Nothing is listened to any more; the process ends when its journal is written. */
  #close(code: ExitReason): void {
    this.#isClosing = true;
    if (this.disk.isSettled) this.down('exit', code);
    else this.later(closePollMs, () => this.#close(code));
  }

  #wake(): void {
    this.input({ kind: 'tick' });
  }

  /** Effects of a step that is looked at from outside, a forged datagram's, are handed in here. */
  carryOut(effects: readonly SupervisorEffect[]): void {
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: SupervisorEffect): void {
    switch (effect.kind) {
      case 'transmit':
        return this.#around.transmit(this, effect.link, { bytes: effect.bytes, process: this.process });
      case 'replica-start':
        return this.replica.start();
      case 'replica-stop':
        return this.replica.stop();
      case 'replica-send':
        return this.replica.send(effect.message);
      case 'journal-create':
        this.historyId = effect.historyId;
        this.#journal += 1;
        this.disk.create(effect.historyId, effect.startedAtMs);
        return this.#around.journalIs(this, effect.historyId, null);
      case 'journal-batch': {
        const { batch: bytes, turns } = effect;
        this.disk.append({ kind: 'batch', bytes, turns });
        this.#around.journalGrows(this, this.historyId!, { kind: 'batch', bytes, turns });
        return this.#around.observe({ kind: 'stored', board: this.name, historyId: this.historyId!, turns });
      }
      case 'journal-note':
        this.disk.append({ kind: 'note', note: effect.note });
        return this.#around.journalGrows(this, this.historyId!, { kind: 'note', note: effect.note });
      case 'journal-read': {
        const { historyId, fromTurn } = effect;
        this.disk.read(fromTurn, (batches) =>
          this.input({ kind: 'journal-chunk', historyId, fromTurn, batches }),
        );
        return;
      }
      case 'device-transmit':
        return this.#around.toDevice(this, effect.device, effect.bytes);
      case 'console':
        return;
      case 'report':
        return this.#around.observe({ kind: 'report', board: this.name, report: effect.report });
      case 'wake': {
        this.wakeAt = effect.at;
        const lateMs = this.lateMs > 0 ? this.lateMs * this.random.unit() : 0;
        // A timer of the event loop is never early, and not finer than this.
        const at = Math.max(this.clock.lifeMsAt(effect.at), this.#time.now + 0.05);
        return this.#alarm.set(at + lateMs);
      }
      case 'exit':
        if (this.#isEnding) return;
        this.#isEnding = true;
        this.later(exitMs, () => this.#close(effect.code));
        return;
      case 'device-configure':
        throw new Error('every device of a life is fenced: there is no line to configure');
    }
  }
}
