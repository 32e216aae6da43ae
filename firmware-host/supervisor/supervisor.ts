/**
 * The supervisor's core: everything between one replica and the world, as `step(now, input) -> effects`.
 *
 *   device bytes, time, console -> events -> ProgramRunner -> turn done -> RecordLog -> journal, bus
 *                                                                |
 *   outputs -> DeviceStream (held) <-----------------------------+
 *                 |  released by the output gate: the backup has the record (Output Rule), or we are solo
 *                 v
 *              DeviceController -> device
 *
 * On the backup the records come from the bus, the same turns run, and the same outputs are held in the same
 * DeviceStreams until the primary reports them confirmed. A takeover is: claim the term at the device, finish
 * what was received, open the gate. Who leads is decided by `Pair` (protocol/pair.ts), never here.
 */
import { assert } from '../../protocol/assert.ts';
import { WireError } from '../../protocol/bytes.ts';
import type { FailureDetector } from '../../protocol/detector.ts';
import type { DeviceController } from '../../protocol/device-stream/controller.ts';
import { Pair } from '../../protocol/pair.ts';
import type { GateMode, PairEffect, PairInput, PairOptions } from '../../protocol/pair-contract.ts';
import {
  type DivergenceReport,
  decodeHeartbeat,
  decodePairMessage,
  encodeHeartbeat,
  encodePairMessage,
  type Heartbeat,
  type Identity,
  type JournalNote,
  type PairMessage,
} from '../../protocol/pair-message.ts';
import {
  decodeBatch,
  decodeOutputs,
  type Output,
  type ReplicaEvent,
  type StartEvent,
  turnsOf,
} from '../../protocol/record.ts';
import type { Session } from '../../protocol/session.ts';
import type { SessionEffect } from '../../protocol/session-contract.ts';
import type { FromReplica } from '../ipc.ts';
import { type DeviceOptions, DeviceStream } from './device-stream.ts';
import { compareIdentity, describeDivergence } from './divergence.ts';
import type {
  ExitReason,
  JournalContents,
  OperatorCommand,
  Report,
  SupervisorEffect,
  SupervisorInput,
} from './effects.ts';
import { type Executed, ProgramRunner } from './program-runner.ts';
import { type Batch, RecordLog } from './record-log.ts';
import { type OpenRequest, portSettingsOf, Requests } from './requests.ts';
import type { BoardStatus } from './status.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface SupervisorOptions {
  board: 'a' | 'b';
  pair: Omit<PairOptions, 'board'>;
  session: Session;
  detector: FailureDetector;
  linkNames: string[];
  devices: { options: DeviceOptions; controller: DeviceController | null }[];
  heartbeatIntervalMs: number;
  turnTimeoutMs: number;
  /** The primary takes no new event while the backup is so many turns behind. */
  lagTurnsMax: number;
  /** Nor while the backup has not run what was sent to it so long ago. */
  lagMsMax: number;
  fsync: 'always' | 'interval' | 'never';
  programFailure: 'restart' | 'stop';
  programExit: 'restart' | 'stop';
  restartDelayMs: number;
  restartsMax: number;
  /** What the program is told about its surroundings when a history begins. */
  start: Omit<StartEvent, 'kind' | 'seed'>;
  randomHex(bytes: number): string;
  wallTimeUs(): number;
}

/** Records without outputs wait so long for company before they go out. */
const recordDelayMs = 4;
const inputEventBytesMax = 4096;
const plainInputBytesMax = 1024 * 1024;
/** A replica that fails within so many turns of a takeover failed on the turn that was handed over. */
const suspectTurns = 3;
/** After so long without a failure the restarts before it do not count any more. */
const undisturbedMs = 60_000;
const divergencesMax = 3;
const lagStepMs = 5;
/** Turns with outputs that are kept to explain a divergence of a copy that is far behind. */
const tracesMax = 1000;
/** Handshakes under another key before it is taken for more than noise. */
const keyRefusalsMin = 5;
/** What the other board is told as the exit code of a program that never came to exit. */
const failedProgramCode = 1;
/** An orderly leave does not wait longer for the device. */
const leaveMsMax = 8000;
/** A link that was not heard for so long is reported. */
const linkSilentMs = 500;

/** Inputs that the device has given away to somebody else. */
interface Missing {
  from: number;
  to: number;
}

interface TurnOutputs {
  turn: number;
  outputs: Output[];
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #pair: Pair;
  readonly #session: Session;
  readonly #detector: FailureDetector;
  readonly #clock = new VirtualClock();
  readonly #runner: ProgramRunner;
  readonly #requests = new Requests();
  readonly #streams: DeviceStream[];
  readonly #arbiter: DeviceStream | null;
  #effects: SupervisorEffect[] = [];
  #now = 0;
  #lastStepAt: number | null = null;
  #log = new RecordLog();
  #identity: Identity = { programHash: '', runtime: {} };
  #historyId: string | null = null;
  #startedAtMs = 0;
  #notes: JournalNote[] = [];
  #pendingNotes: JournalNote[] = [];
  #sessionWakeAt: number | null = null;
  readonly #controllerWakeAt: (number | null)[];

  // The output gate.
  #gate: GateMode = 'closed';
  #releasedTurns = 0;
  #durableTurns = 0;
  /** Outputs other than writes that wait for the gate, by turn. */
  #held: TurnOutputs[] = [];
  /** Outputs of turns that the backup has not run: to explain a divergence. */
  #traces: TurnOutputs[] = [];

  // Leading.
  #leading = false;
  #resuming: { turns: number } | null = null;
  #pendingAttach: { term: number } | null = null;
  #lastClaim: { term: number } | null = null;
  #suspectUntilTurn: number | null = null;
  /** `failed`: the replica did, so this board cannot go on by itself. */
  #handover: { planned: boolean; failed: boolean; reason: string; sequence: number | null } | null = null;
  #restartAt: number | null = null;
  /** Restarts of the program without undisturbed running between them, on whichever board. */
  #restarts = 0;
  #restartedAt: number | null = null;
  #deviceRestartAt: number | null = null;

  // The other board.
  #connected = false;
  #peerHello: Extract<PairMessage, { kind: 'hello' }> | null = null;
  #peer: (Heartbeat & { at: number }) | null = null;
  #verdict: 'green' | 'yellow' | 'red' = 'red';
  #ackedTurns = 0;
  /** Batches that the other board's replica has not run, as far as its heartbeats tell. */
  #unexecuted: { endTurn: number; sentAt: number }[] = [];
  #sentBatches: { sequence: number; endTurn: number }[] = [];
  #follower: { state: 'reading'; nextTurn: number } | { state: 'live'; since: number } | null = null;
  #following = false;
  #unflushed = false;
  #storing: { sequence: number; stream: number; turns: number }[] = [];
  #divergences = 0;
  #digestMismatch: { turn: number; outputs: Output[]; stacks: string[] } | null = null;
  #keyRefusals = 0;
  #begunAt = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#detector = options.detector;
    this.#pair = new Pair({ ...options.pair, board: options.board });
    this.#runner = new ProgramRunner(options.turnTimeoutMs, (message) =>
      this.#effects.push({ kind: 'replica-send', message }),
    );
    this.#streams = options.devices.map(
      (device, index) => new DeviceStream(index, device.options, device.controller),
    );
    this.#arbiter =
      this.#streams.find((stream) => stream.options.arbiter && stream.controller !== null) ?? null;
    this.#controllerWakeAt = this.#streams.map(() => null);
  }

  step(now: number, input: SupervisorInput): SupervisorEffect[] {
    this.#now = now;
    this.#effects = [];
    this.#noticePause(now);
    this.#take(input);
    this.#advance();
    this.#effects.push({ kind: 'wake', at: this.#nextWakeAt() });
    return this.#effects;
  }

  #take(input: SupervisorInput): void {
    switch (input.kind) {
      case 'begin':
        return this.#begin(input.journal, input.identity);
      case 'tick':
        return;
      case 'datagram':
        return this.#fromSession(this.#session.step(this.#now, input));
      case 'link-refused':
        this.#detector.peerGone(this.#now);
        return;
      case 'replica':
        return this.#fromReplica(input.message);
      case 'replica-exited':
        // After its last turn the process ends by itself: the exit is an output like any other.
        if (this.#programEnded) return;
        return this.#replicaFailed('REPLICA_EXITED', input.reason, '');
      case 'device-opened':
        return this.#deviceOpened(this.#streams[input.device]!);
      case 'device-closed':
        return this.#deviceClosed(this.#streams[input.device]!, input.code, input.reason);
      case 'device-bytes':
        return this.#deviceBytes(this.#streams[input.device]!, input.bytes);
      case 'device-written': {
        const stream = this.#streams[input.device]!;
        // A fenced device counts for itself; what left the port is no news there.
        if (stream.controller === null) stream.confirm(stream.confirmed + input.bytes);
        return;
      }
      case 'journal-durable':
        this.#durableTurns = Math.max(this.#durableTurns, input.turns);
        return this.#acknowledgeStored();
      case 'journal-chunk':
        return this.#journalChunk(input.historyId, input.fromTurn, input.batches);
      case 'stdin':
      case 'signal':
        if (this.#leading) this.#runner.events.push(input);
        return;
      case 'operator':
        return this.#operator(input.command, input.reason);
      case 'leave':
        return this.#leave();
    }
  }

  /** What follows from time and from the state reached, whatever the input was. */
  #advance(): void {
    const now = this.#now;
    if (this.#sessionWakeAt !== null && this.#sessionWakeAt <= now) {
      this.#sessionWakeAt = null;
      this.#fromSession(this.#session.step(now, { kind: 'tick' }));
    }
    for (const stream of this.#streams) {
      const wakeAt = this.#controllerWakeAt[stream.index];
      if (wakeAt !== null && wakeAt !== undefined && wakeAt <= now) {
        this.#controllerWakeAt[stream.index] = null;
        this.#control(stream, { kind: 'tick' });
      }
    }
    this.#observePeer();
    this.#observeLinks();
    this.#observeKey();
    if (!this.#exiting && (this.#pair.nextWakeAt ?? Number.POSITIVE_INFINITY) <= now)
      this.#role({ kind: 'tick' });
    if (this.#runner.deadline !== null && this.#runner.deadline <= now) this.#replicaHangs();
    if (this.#restartAt !== null && this.#restartAt <= now && this.#pair.role === 'primary') {
      this.#restartAt = null;
      this.#restartProgram('the program is started again');
    }
    if (this.#followAt !== null && this.#followAt <= now) {
      this.#followAt = null;
      if (this.#pair.role === 'joining') this.#follow();
    }
    if (this.#deviceRestartAt !== null && this.#deviceRestartAt <= now) {
      this.#deviceRestartAt = null;
      this.#restartIfPortsAreGone();
    }
    this.#attachWhenDrained();
    this.#pump();
    this.#ship();
    this.#leaveWhenDone();
    this.#refreshHeartbeat();
  }

  #refreshHeartbeat(): void {
    const bytes = encodeHeartbeat(this.#heartbeat());
    this.#fromSession(this.#session.step(this.#now, { kind: 'heartbeat-payload', bytes }));
  }

  #nextWakeAt(): number {
    const times = [
      this.#sessionWakeAt,
      ...this.#controllerWakeAt,
      this.#pair.nextWakeAt,
      this.#detector.nextChangeAt(this.#now),
      this.#runner.deadline,
      this.#pair.role === 'primary' ? this.#restartAt : null,
      this.#deviceRestartAt,
      this.#followAt,
    ];
    if (this.#mayPerform() && this.#runner.wakeAtUs !== null)
      times.push(this.#clock.whenMs(this.#runner.wakeAtUs));
    const openSince = this.#log.openSince;
    if (openSince !== null) times.push(openSince + recordDelayMs);
    let earliest = this.#now + 1000;
    for (const time of times) if (time !== null && time !== undefined && time < earliest) earliest = time;
    return earliest;
  }

  #report(level: Report['level'], code: string, text: string, details?: Record<string, unknown>): void {
    const report: Report = { level, code, text };
    if (details !== undefined) report.details = details;
    this.#effects.push({ kind: 'report', report });
  }

  /** The process is about to end: no turn begins any more. */
  #exiting = false;

  #exit(code: ExitReason): void {
    this.#exiting = true;
    this.#effects.push({ kind: 'exit', code });
  }

  // ---------------------------------------------------------------- start

  #begin(journal: JournalContents | null, identity: Identity): void {
    this.#identity = identity;
    this.#begunAt = this.#now;
    if (journal !== null) {
      this.#historyId = journal.historyId;
      this.#startedAtMs = journal.startedAtMs;
      this.#notes = journal.notes;
    }
    this.#sessionWakeAt = this.#now;
    if (journal !== null && journal.turns > 0) this.#replayOwnJournal(journal.turns);
    const summary = { term: this.#journalTerm(), turns: this.#journalTurns };
    this.#role({ kind: 'begin', journal: summary });
  }

  /**
   * The newest reign of which this journal has every record that led to an output: one of this board, or one whose
   * backup it was. Of a reign that it only began to follow it knows too little to go on alone.
   */
  #journalTerm(): number {
    let term = 0;
    let shared: number | null = null;
    for (const note of this.#notes) {
      if (note.kind === 'term' && note.board === this.#options.board) term = Math.max(term, note.term);
      if (note.kind === 'standing') shared = note.eligible ? note.term : null;
    }
    return Math.max(term, shared ?? 0);
  }

  get #journalTurns(): number {
    return Math.max(this.#resuming?.turns ?? 0, this.#log.turns);
  }

  #noticePause(now: number): void {
    if (this.#lastStepAt !== null) {
      const gap = now - this.#lastStepAt;
      // A wake is asked for at least every heartbeat: a far longer gap is our own absence, not the peer's.
      if (gap > this.#options.heartbeatIntervalMs * 3 + 20) {
        this.#detector.paused(now, gap);
        this.#runner.paused(gap);
      }
    }
    this.#lastStepAt = now;
  }

  // ---------------------------------------------------------------- roles

  #role(input: PairInput): void {
    const wasBackup = this.#pair.role === 'backup';
    const effects = this.#pair.step(this.#now, input);
    const isBackup = this.#pair.role === 'backup';
    // A backup that claims was one up to its last record; one that joins again is none from here on.
    if (isBackup && !wasBackup) this.#noteStanding(true);
    else if (wasBackup && this.#pair.role === 'joining' && input.kind !== 'peer-role')
      this.#noteStanding(false);
    for (const effect of effects) this.#carryOut(effect);
  }

  #noteStanding(eligible: boolean): void {
    this.#note({ kind: 'standing', term: this.#pair.term, turn: this.#log.turns, eligible });
  }

  #carryOut(effect: PairEffect): void {
    switch (effect.kind) {
      case 'gate':
        this.#gate = effect.mode;
        return;
      case 'query':
        if (this.#arbiter === null)
          this.#role({ kind: 'held-term', heldTerm: this.#journalTerm(), safe: false });
        else this.#control(this.#arbiter, { kind: 'query' });
        return;
      case 'attach':
        this.#lastClaim = { term: effect.term };
        this.#pendingAttach = this.#lastClaim;
        return;
      case 'lead':
        return this.#lead(effect.term, effect.claim);
      case 'follow':
        return this.#follow();
      case 'step-down':
        return this.#stepDown();
      case 'prepare-handover':
        this.#handover ??= { planned: true, failed: false, reason: 'switchover', sequence: null };
        return;
      case 'announce':
        this.#refreshHeartbeat();
        this.#fromSession(this.#session.step(this.#now, { kind: 'heartbeat-now' }));
        return;
      case 'report':
        this.#report(effect.level, effect.code, effect.text, {
          role: this.#pair.role,
          term: this.#pair.term,
        });
        return;
      case 'stop':
        this.#exit(effect.code);
        return;
    }
  }

  /** The claim goes to the device when the replica has run all it was sent, so that its counts are complete. */
  #attachWhenDrained(): void {
    if (this.#pendingAttach === null || this.#pair.role !== 'contending') return;
    if (this.#resuming !== null || (this.#pair.claim !== 'solo' && this.#runner.busy)) return;
    if (this.#pair.claim !== 'solo' && this.#runner.executedTurns < this.#log.turns) {
      // The replica has failed or was stopped since: the journal brings another one to where this board stands.
      this.#replayOwnJournal(this.#log.turns);
      return;
    }
    const { term } = this.#pendingAttach;
    this.#pendingAttach = null;
    const stream = this.#arbiter;
    if (stream === null) {
      this.#role({ kind: 'attached', term });
      return;
    }
    this.#control(stream, {
      kind: 'attach',
      term,
      session: stream.session,
      inputsReceived: stream.session === null ? 0 : stream.inputs + stream.waitingInputBytes,
    });
  }

  #lead(term: number, claim: NonNullable<Pair['claim']>): void {
    this.#leading = true;
    this.#following = false;
    for (const stream of this.#streams) {
      if (stream === this.#arbiter || stream.controller === null) continue;
      const inputsReceived = stream.session === null ? 0 : stream.inputs + stream.waitingInputBytes;
      this.#control(stream, { kind: 'attach', term, session: stream.session, inputsReceived });
    }
    // Without a turn recorded the program has not begun: nothing is lost by starting it here.
    if (claim !== 'solo') {
      this.#follower = null;
      this.#followerDropped = false;
      if (this.#connected) this.#say({ kind: 'reign', term });
      if (this.#log.turns === 0 || this.#lostContinuity) {
        this.#lostContinuity = false;
        const suspect = this.#suspectUntilTurn !== null;
        this.#newHistory('cold start');
        // A program that failed at the other board before its first turn may fail here alike.
        if (suspect) this.#suspectUntilTurn = suspectTurns;
        return;
      }
    }
    this.#note({ kind: 'term', term, turn: this.#log.turns, board: this.#options.board });
    const wish = this.#waitingWish;
    this.#waitingWish = null;
    if (claim === 'solo') {
      if (wish !== null) this.#serveWish(wish);
      return;
    }
    this.#takeOver();
  }

  #takeOver(): void {
    this.#clock.takeOver(this.#now);
    this.#requests.restart();
    this.#follower = null;
    this.#sentBatches = [];
    const unknown: { device: string; bytes: number }[] = [];
    for (const stream of this.#streams) {
      if (stream.controller !== null) continue;
      const bytes = stream.produced - stream.confirmed;
      if (bytes > 0) unknown.push({ device: stream.options.name, bytes });
      stream.rewind(stream.confirmed);
    }
    if (unknown.length > 0) {
      const text = 'outputs to plain devices whose fate is unknown are sent again';
      this.#report('warning', 'OUTPUTS_OF_UNKNOWN_FATE', text, { devices: unknown });
    }
  }

  #stepDown(): void {
    this.#leading = false;
    this.#following = false;
    this.#pendingAttach = null;
    this.#handover = null;
    this.#follower = null;
    this.#sentBatches = [];
    this.#restartAt = null;
    this.#deviceRestartAt = null;
    this.#waitingWish = null;
    if (this.#ending !== null) this.#leaveBy = null;
    this.#ending = null;
    // What waited for this board's reign is done again by whoever leads next.
    if (this.#runner.events.some((event) => event.kind === 'port-lost')) this.#lostContinuity = true;
    this.#runner.events.length = 0;
    for (const stream of this.#streams) {
      if (stream.controller !== null && stream.attached) this.#control(stream, { kind: 'release' });
      stream.attached = false;
      stream.dropWaitingInput();
    }
    this.#pair.journalIs({ term: this.#journalTerm(), turns: this.#log.turns });
  }

  #leave(): void {
    if (this.#pair.role === 'backup' || this.#pair.role === 'joining') {
      this.#say({ kind: 'not-eligible', reason: 'the backup is being shut down', report: null });
      this.#flush();
      this.#exit('LEFT');
      return;
    }
    if (this.#pair.role === 'primary' && this.#pair.protected) {
      this.#leaving = true;
      this.#operator('switchover', 'the primary is being shut down');
      return;
    }
    this.#leaving = true;
    this.#leaveBy = this.#now + leaveMsMax;
  }

  #leaving = false;
  #leaveBy: number | null = null;
  /** The program's exit code, while its last outputs are on their way. */
  #ending: number | null = null;

  /** Alone: no new turn begins, and what was released goes out before the device is given up. */
  #leaveWhenDone(): void {
    if (this.#leaveBy === null || this.#runner.busy) return;
    this.#cut();
    this.#release(this.#releasable());
    const pending = this.#streams.some(
      (stream) =>
        (stream.controller === null ? stream.opened : stream.attached) && stream.confirmed < stream.produced,
    );
    if (pending && this.#now < this.#leaveBy) return;
    this.#leaveBy = null;
    const code = this.#ending;
    if (code !== null) {
      this.#say({ kind: 'program-exit', code });
      this.#flush();
    }
    for (const stream of this.#streams) if (stream.attached) this.#control(stream, { kind: 'release' });
    if (code === null) this.#exit('LEFT');
    else this.#exit(code === 0 ? 'PROGRAM_EXITED' : 'PROGRAM_FAILED');
  }

  #operator(command: OperatorCommand, reason: string): void {
    if (command === 'switchover' && (this.#pair.role === 'backup' || this.#pair.role === 'joining')) {
      this.#say({ kind: 'operator', command: 'switchover' });
      this.#flush();
      return;
    }
    if (command === 'switchover') this.#handover ??= null;
    this.#report('info', 'OPERATOR', `${command}: ${reason}`);
    this.#role({ kind: 'operator', command });
    if (this.#handover !== null && this.#handover.sequence === null) this.#handover.reason = reason;
  }

  // ---------------------------------------------------------------- histories

  /** The devices are taken anew, so that the new history's counts begin where each device's count stands. */
  #restartProgram(why: string): void {
    const arbiter = this.#arbiter;
    for (const stream of this.#streams) {
      if (stream.controller === null) continue;
      stream.attached = false;
      stream.rebase(null, 0, 0);
      this.#control(stream, { kind: 'attach', term: this.#pair.term, session: null, inputsReceived: 0 });
    }
    if (arbiter === null) this.#newHistory(why);
    else this.#lostContinuity = true;
  }

  #newHistory(why: string): void {
    // The copy at the other board is one of another history: nothing may wait for it, or be handed over to it.
    this.#role({ kind: 'unprotected', reason: 'a new history begins' });
    this.#historyId = this.#options.randomHex(8);
    this.#startedAtMs = Math.round(this.#options.wallTimeUs() / 1000);
    this.#report('info', 'PROGRAM_STARTED', why, { history: this.#historyId });
    this.#resetCopy();
    this.#effects.push({
      kind: 'journal-create',
      historyId: this.#historyId,
      startedAtMs: this.#startedAtMs,
    });
    this.#clock.start(this.#now, this.#options.wallTimeUs());
    this.#note({ kind: 'term', term: this.#pair.term, turn: 0, board: this.#options.board });
    for (const stream of this.#streams) {
      if (stream.session === null) continue;
      stream.rebase(stream.session, stream.produced, stream.inputs);
      this.#noteDevice(stream);
    }
    this.#runner.events.push({ kind: 'start', seed: this.#options.randomHex(16), ...this.#options.start });
    if (this.#follower !== null) this.#startFollower(0);
  }

  /** Forget the copy of the program: a new replica process, nothing recorded, nothing held. */
  #resetCopy(): void {
    this.#effects.push({ kind: 'replica-stop', reason: 'a history begins' }, { kind: 'replica-start' });
    this.#runner.reset();
    this.#log = new RecordLog();
    this.#requests.clear();
    this.#held = [];
    this.#traces = [];
    this.#notes = [];
    this.#pendingNotes = [];
    this.#releasedTurns = 0;
    this.#durableTurns = 0;
    this.#ackedTurns = 0;
    this.#sentBatches = [];
    this.#unexecuted = [];
    this.#digestMismatch = null;
    this.#suspectUntilTurn = null;
    this.#programEnded = false;
    this.#resuming = null;
    for (const stream of this.#streams) stream.forgetPort();
  }

  /** After a start: the copy is brought to where the journal ends, whoever will lead. */
  #replayOwnJournal(turns: number): void {
    this.#report('info', 'RESUMING', `running ${turns} turns of this board's journal again`);
    const notes = this.#notes;
    this.#resetCopy();
    this.#notes = notes;
    this.#resuming = { turns };
    this.#pendingNotes = notes.filter((note) => note.kind === 'device');
    this.#applyNotes();
    this.#effects.push({ kind: 'journal-read', historyId: this.#historyId!, fromTurn: 0 });
  }

  #resumeEnds(): void {
    if (this.#resuming === null || this.#runner.busy || this.#runner.executedTurns < this.#resuming.turns)
      return;
    this.#resuming = null;
    this.#report('info', 'RESUMED', `the program stands at turn ${this.#log.turns} again`);
  }

  #note(note: JournalNote): void {
    this.#cut();
    this.#notes.push(note);
    this.#effects.push({ kind: 'journal-note', note });
    if (this.#follower !== null) this.#say({ kind: 'note', note });
    this.#pair.journalIs({ term: this.#journalTerm(), turns: this.#log.turns });
  }

  #noteDevice(stream: DeviceStream): void {
    this.#note({
      kind: 'device',
      device: stream.options.name,
      session: stream.session ?? 0,
      outputs: stream.produced,
      inputs: stream.inputs,
      turn: this.#log.turns,
    });
  }

  /** Device notes take effect at their turn, on a board that replays. */
  #applyNotes(): void {
    while (this.#pendingNotes.length > 0) {
      const note = this.#pendingNotes[0]!;
      if (note.kind === 'device') {
        if (note.turn > this.#runner.executedTurns) return;
        const stream = this.#streams.find((each) => each.options.name === note.device);
        stream?.rebase(note.session, note.outputs, note.inputs);
      }
      this.#pendingNotes.shift();
    }
  }

  // ---------------------------------------------------------------- turns

  #mayPerform(): boolean {
    const role = this.#pair.role;
    if (!this.#leading || this.#resuming !== null || !this.#runner.ready || this.#runner.busy) return false;
    if (role !== 'primary' && role !== 'contending') return false;
    if (this.#runner.executedTurns < this.#log.turns || this.#handover !== null) return false;
    if (this.#restartAt !== null || this.#leaveBy !== null || this.#exiting || this.#programEnded)
      return false;
    if (this.#follower?.state === 'live' && !this.#session.writable) return false;
    if (this.#pair.protected && this.#peer !== null) {
      if (this.#log.turns - this.#peer.executedTurns > this.#options.lagTurnsMax) return false;
      const oldest = this.#unexecuted[0];
      if (oldest !== undefined && this.#now - oldest.sentAt > this.#options.lagMsMax) return false;
    }
    return true;
  }

  #pump(): void {
    if (!this.#mayPerform()) {
      if (this.#handover !== null) this.#handOver();
      return;
    }
    this.#beginRequests();
    this.#runner.perform(this.#now, this.#log.turns, this.#clock, this.#nextEvent());
  }

  #nextEvent(): ReplicaEvent | null {
    if (this.#log.turns === 0) {
      // The start event comes first, whatever has been queued before it.
      const index = this.#runner.events.findIndex((event) => event.kind === 'start');
      return index < 0 ? null : this.#runner.events.splice(index, 1)[0]!;
    }
    const queued = this.#runner.events.shift();
    if (queued !== undefined) return queued;
    for (const stream of this.#streams) {
      if (stream.port === null) continue;
      const credit = stream.portOpen ? stream.takeCredit() : 0;
      if (credit > 0) return { kind: 'port-credit', port: stream.port, bytes: credit };
      if (stream.waitingInputBytes === 0) continue;
      return { kind: 'port-data', port: stream.port, bytes: stream.takeInput(inputEventBytesMax) };
    }
    return null;
  }

  #fromReplica(message: FromReplica): void {
    switch (message.kind) {
      case 'ready':
        this.#runner.processReady(this.#now);
        return;
      case 'done':
        return this.#executed(this.#runner.done(this.#now, message));
      case 'failed':
        return this.#replicaFailed('PROGRAM_THREW', `${message.name}: ${message.message}`, message.stack);
      case 'output-diverged':
        return this.#digestDiffers(message.turn, decodeOutputs(message.outputs), message.stacks);
      case 'diverged':
        return this.#diverged({
          turn: message.turn,
          expected: message.expected,
          actual: message.actual,
          stack: message.stack,
        });
    }
  }

  #executed(executed: Executed): void {
    const outputs = decodeOutputs(executed.done.outputs);
    if (executed.mode === 'performed') {
      const { event, done, turn } = executed;
      this.#log.append(this.#now, {
        kind: 'turn',
        timeUs: done.startUs,
        event,
        values: done.values,
        hasOutputs: outputs.length > 0,
        digest: outputs.length > 0 ? done.digest : 0,
      });
      this.#clock.atLeast(done.endUs);
      this.#hold(turn, outputs);
      this.#eventTakesEffect(turn, event);
      if (this.#follower !== null && outputs.length > 0) {
        this.#traces.push({ turn, outputs });
        if (this.#traces.length > tracesMax) this.#traces.shift();
      }
      if (!done.alive && outputs.every((output) => output.kind !== 'exit')) this.#programIdle();
      return;
    }
    const { record, firstTurn } = executed;
    if (record.kind === 'turn') {
      this.#hold(firstTurn, outputs);
      this.#eventTakesEffect(firstTurn, record.event);
    }
    this.#applyNotes();
    this.#resumeEnds();
  }

  /** A program with nothing left to wait for ends by itself: the replica says so with an `exit` output. */
  #programIdle(): void {
    this.#report('info', 'PROGRAM_IDLE', 'the program waits for nothing any more');
  }

  /** The program's `exit` has been run; it takes effect when the gate lets it out. */
  #programEnded = false;

  /** The outputs of a turn wait for the gate, on the backup for the primary's word that they are out. */
  #hold(turn: number, outputs: Output[]): void {
    if (outputs.length === 0) return;
    const others: Output[] = [];
    for (const output of outputs) {
      if (output.kind === 'write') {
        const device = this.#requests.deviceOf(output.port);
        if (device !== null) this.#streams[device]!.append(turn, output.bytes);
        continue;
      }
      others.push(output);
      if (output.kind === 'exit') this.#programEnded = true;
      if (output.kind !== 'request') continue;
      if (output.operation === 'open') this.#bindPort(output.port, portSettingsOf(output).path);
      const device = this.#requests.deviceOf(output.port);
      this.#requests.add(turn, output, device === null ? 0 : this.#streams[device]!.produced);
    }
    if (others.length > 0) this.#held.push({ turn, outputs: others });
  }

  #bindPort(port: number, path: string): void {
    const stream = this.#streams.find((each) => each.options.name === path);
    if (stream !== undefined) this.#requests.bind(port, stream.index);
  }

  /** Consequences of an event that both boards draw alike, when its turn has run. */
  #eventTakesEffect(turn: number, event: ReplicaEvent): void {
    if (event.kind === 'completed') {
      const request = this.#requests.completed(event.request);
      const device = request === undefined ? null : this.#requests.deviceOf(request.port);
      if (request === undefined || device === null || !event.ok) return;
      const stream = this.#streams[device]!;
      if (request.operation === 'open') {
        stream.port = request.port;
        stream.portOpen = true;
      } else if (request.operation === 'close' && stream.port === request.port) stream.portOpen = false;
      return;
    }
    if (event.kind === 'port-data') {
      const device = this.#requests.deviceOf(event.port);
      if (device !== null) this.#streams[device]!.recordInput(turn, event.bytes.length);
    } else if (event.kind === 'port-lost') {
      const device = this.#requests.deviceOf(event.port);
      if (device !== null) this.#streams[device]!.portOpen = false;
    } else if (event.kind === 'port-credit') {
      const device = this.#requests.deviceOf(event.port);
      if (device !== null) this.#streams[device]!.credited(event.bytes);
    }
  }

  // ---------------------------------------------------------------- requests

  /** Carries out what the gate has let through and what is still to be begun. */
  #beginRequests(): void {
    for (const request of this.#requests.outstanding()) {
      if (request.turn >= this.#releasedTurns) break;
      this.#carryOutRequest(request);
    }
  }

  #answer(request: OpenRequest, ok: boolean, result: unknown): void {
    request.answered = true;
    const event: ReplicaEvent = {
      kind: 'completed',
      request: request.request,
      ok,
      result: JSON.stringify(result ?? null),
    };
    this.#runner.events.push(event);
  }

  #carryOutRequest(request: OpenRequest): void {
    const device = this.#requests.deviceOf(request.port);
    const stream = device === null ? null : this.#streams[device]!;
    if (request.operation === 'list') {
      this.#answer(request, true, this.#options.start.ports);
      return;
    }
    if (request.operation === 'open') {
      this.#openPort(request, stream);
      return;
    }
    if (stream === null) {
      this.#answer(request, false, { message: 'Port is not open' });
      return;
    }
    if (request.operation === 'drain') {
      if (stream.confirmed >= request.offset || !stream.portOpen) this.#answer(request, true, null);
      return;
    }
    if (
      (request.operation === 'update' || request.operation === 'set') &&
      !request.begun &&
      stream.controller === null
    ) {
      const settings = request.argument;
      this.#effects.push({ kind: 'device-configure', device: stream.index, settings });
    }
    request.begun = true;
    this.#answer(request, true, request.operation === 'get' ? { cts: true, dsr: true, dcd: true } : null);
  }

  #openPort(request: OpenRequest, stream: DeviceStream | null): void {
    const settings = portSettingsOf(request);
    if (stream === null) {
      const text = `No such file or directory, cannot open ${settings.path}`;
      this.#answer(request, false, { message: `Error: ${text}` });
      this.#report(
        'warning',
        'PORT_UNKNOWN',
        `the program opens ${settings.path}, which is not in the config`,
      );
      return;
    }
    if (stream.portOpen) {
      this.#answer(request, false, { message: `Error: Resource temporarily unavailable Cannot lock port` });
      return;
    }
    if (!stream.opened || (stream.controller !== null && !stream.attached)) return;
    if (!request.begun && stream.controller === null) {
      this.#effects.push({ kind: 'device-configure', device: stream.index, settings: request.argument });
    }
    request.begun = true;
    this.#answer(request, true, null);
  }

  // ---------------------------------------------------------------- records out, gate

  #cut(): Batch | null {
    const batch = this.#log.cut();
    if (batch === null) return null;
    this.#effects.push({ kind: 'journal-batch', batch: batch.bytes, turns: batch.endTurn });
    if (this.#follower?.state === 'live') this.#sendBatch(batch);
    return batch;
  }

  #sendBatch(batch: Batch): void {
    const newest = this.#unexecuted.at(-1);
    // One mark for what went out within a few milliseconds is enough to tell how old the lag is.
    if (newest !== undefined && this.#now - newest.sentAt < lagStepMs) newest.endTurn = batch.endTurn;
    else this.#unexecuted.push({ endTurn: batch.endTurn, sentAt: this.#now });
    this.#sentBatches.push({
      sequence: this.#say({ kind: 'records', batch: batch.bytes }),
      endTurn: batch.endTurn,
    });
  }

  #say(message: PairMessage): number {
    const sequence = this.#session.nextSequence;
    this.#unflushed = true;
    this.#fromSession(this.#session.step(this.#now, { kind: 'send', message: encodePairMessage(message) }));
    return sequence;
  }

  #flush(): void {
    this.#unflushed = false;
    this.#fromSession(this.#session.step(this.#now, { kind: 'flush' }));
  }

  /** Records go out, outputs that may go are released. */
  #ship(): void {
    const openSince = this.#log.openSince;
    if (this.#leading && openSince !== null && (this.#log.urgent || this.#now - openSince >= recordDelayMs))
      this.#cut();
    if (this.#unflushed) this.#flush();
    this.#checkFollower();
    if (!this.#leading) return;
    this.#release(this.#releasable());
  }

  #releasable(): number {
    if (this.#pair.role !== 'primary' && this.#gate !== 'acknowledged') return this.#releasedTurns;
    switch (this.#gate) {
      case 'closed':
        return this.#releasedTurns;
      case 'acknowledged':
        return this.#ackedTurns;
      case 'open': {
        // Solo: the journal is the only witness, so it comes first.
        const recorded = this.#log.turns - (this.#log.openSince === null ? 0 : this.#log.openTurns);
        return this.#options.fsync === 'always' ? Math.min(recorded, this.#durableTurns) : recorded;
      }
    }
  }

  #release(turns: number): void {
    if (turns < this.#releasedTurns) return;
    const news = turns > this.#releasedTurns;
    this.#releasedTurns = turns;
    for (const stream of this.#streams) {
      for (const piece of stream.release(turns)) this.#writeOut(stream, piece.offset, piece.bytes);
      const safe = stream.inputsSafe(turns);
      if (safe !== null && stream.controller !== null)
        this.#control(stream, { kind: 'inputs-stored', offset: safe });
    }
    if (!news) return;
    while (this.#held.length > 0 && this.#held[0]!.turn < turns) {
      for (const output of this.#held.shift()!.outputs) this.#emit(output);
    }
    this.#pump();
  }

  #writeOut(stream: DeviceStream, offset: number, bytes: Uint8Array): void {
    if (stream.controller === null)
      this.#effects.push({ kind: 'device-transmit', device: stream.index, bytes });
    else this.#control(stream, { kind: 'write', offset, bytes });
  }

  #emit(output: Output): void {
    if (output.kind === 'console') this.#effects.push(output);
    else if (output.kind === 'exit') this.#programExited(output.code);
  }

  #programExited(code: number): void {
    this.#report(code === 0 ? 'info' : 'warning', 'PROGRAM_EXITED', `the program ended with code ${code}`, {
      code,
    });
    // It ends because its device went away, as it would without us: it is started again once that is back.
    if (this.#deviceRestartAt !== null) return;
    if (this.#options.programExit === 'restart') {
      this.#restartLater('PROGRAM_EXITED');
      return;
    }
    this.#ending = code;
    this.#leaveBy = this.#now + leaveMsMax;
  }

  // ---------------------------------------------------------------- devices

  #deviceOpened(stream: DeviceStream): void {
    stream.opened = true;
    this.#report('info', 'DEVICE_PORT_OPEN', `${stream.options.name}: port open`);
    if (stream.controller !== null) {
      this.#control(stream, { kind: 'port-opened' });
      if (stream === this.#arbiter && this.#followsWhenOpen && this.#pair.role === 'joining') this.#follow();
      if (this.#pair.role === 'primary' && this.#leading) {
        const inputsReceived = stream.session === null ? 0 : stream.inputs + stream.waitingInputBytes;
        this.#control(stream, {
          kind: 'attach',
          term: this.#pair.term,
          session: stream.session,
          inputsReceived,
        });
      }
    }
  }

  #deviceClosed(stream: DeviceStream, code: string, reason: string): void {
    const wasOpen = stream.opened;
    stream.opened = false;
    this.#report('alarm', code, `${stream.options.name}: ${reason}`);
    if (stream.controller !== null) {
      this.#control(stream, { kind: 'port-closed' });
      // This board cannot actuate any more, but its backup may: the program need not know.
      if (wasOpen && stream === this.#arbiter && this.#leading && this.#pair.protected) {
        this.#handOverBecause(`this board lost its port to ${stream.options.name}`);
      }
      if (wasOpen && stream === this.#arbiter) this.#notEligibleWithoutPort(stream);
      return;
    }
    if (this.#leading && stream.portOpen && stream.port !== null) this.#losePort(stream, reason);
  }

  #notEligibleWithoutPort(stream: DeviceStream): void {
    if (this.#pair.role !== 'backup' && this.#pair.role !== 'joining') return;
    const reason = `board ${this.#options.board} has lost its port to ${stream.options.name}`;
    this.#say({ kind: 'not-eligible', reason, report: null });
    this.#flush();
    this.#role({ kind: 'copy-lost', reason });
  }

  #losePort(stream: DeviceStream, reason: string): void {
    this.#runner.events.push({ kind: 'port-lost', port: stream.port!, reason });
    this.#deviceRestartAt = this.#now + this.#options.restartDelayMs;
  }

  #restartIfPortsAreGone(): void {
    if (!this.#leading) return;
    if (this.#programEnded) {
      this.#report(
        'warning',
        'DEVICE_RESTART',
        'the program ended when its device went away: it is started afresh',
      );
      this.#restartProgram('a device was restarted');
      return;
    }
    const gone = this.#streams.find((stream) => stream.port !== null && !stream.portOpen);
    if (gone === undefined) return;
    const reopening = [...this.#requests.outstanding()].some((request) => request.operation === 'open');
    if (reopening) return;
    this.#report(
      'warning',
      'DEVICE_RESTART',
      `the program did not open ${gone.options.name} again: it is started afresh`,
    );
    this.#restartProgram('a device was restarted');
  }

  #deviceBytes(stream: DeviceStream, bytes: Uint8Array): void {
    if (stream.controller !== null) {
      this.#control(stream, { kind: 'bytes', bytes });
      return;
    }
    if (!this.#leading || !stream.portOpen) return;
    if (stream.waitingInputBytes + bytes.length > plainInputBytesMax) {
      stream.inputsLost += bytes.length;
      return;
    }
    stream.receive(bytes);
  }

  #control(stream: DeviceStream, input: Parameters<DeviceController['step']>[1]): void {
    const controller = stream.controller;
    if (controller === null) return;
    const effects = controller.step(this.#now, input);
    for (const effect of effects) {
      switch (effect.kind) {
        case 'transmit':
          this.#effects.push({ kind: 'device-transmit', device: stream.index, bytes: effect.bytes });
          break;
        case 'hello':
          if (stream === this.#arbiter)
            this.#role({ kind: 'held-term', heldTerm: effect.heldTerm, safe: effect.safe });
          break;
        case 'attached': {
          const missing = effects.find((each) => each.kind === 'inputs-missing') ?? null;
          this.#attached(stream, effect.term, effect.session, effect.outputsAccepted, missing);
          break;
        }
        case 'inputs-lost':
          stream.inputsLost = effect.totalBytes;
          this.#report(
            'alarm',
            'DEVICE_INPUT_LOST',
            `${stream.options.name} had no room for ${effect.totalBytes} bytes`,
          );
          break;
        case 'incompatible':
          this.#report(
            'alarm',
            'DEVICE_INCOMPATIBLE',
            `${stream.options.name} speaks stream version ${effect.version}`,
          );
          break;
        case 'stale':
          stream.attached = false;
          this.#report('alarm', 'DEVICE_STALE', `${stream.options.name} holds term ${effect.heldTerm}`, {
            heldTerm: effect.heldTerm,
          });
          this.#role({ kind: 'stale', heldTerm: effect.heldTerm });
          break;
        case 'input':
          if (this.#leading) stream.receive(effect.bytes);
          break;
        case 'accepted':
          stream.confirm(effect.offset);
          break;
        case 'session-lost':
          this.#sessionLost(stream, effect.session);
          break;
        case 'silent':
          this.#report('alarm', 'DEVICE_SILENT', `${stream.options.name} does not answer`);
          if (stream === this.#arbiter && this.#leading && this.#pair.protected) {
            this.#handOverBecause(`${stream.options.name} does not answer this board`);
          }
          break;
        case 'discarded':
          stream.discarded += 1;
          break;
        case 'wake':
          this.#controllerWakeAt[stream.index] = effect.at;
          break;
      }
    }
  }

  #attached(
    stream: DeviceStream,
    term: number,
    session: number,
    outputs: number,
    missing: Missing | null,
  ): void {
    stream.attached = true;
    this.#report('info', 'DEVICE_ATTACHED', `${stream.options.name} follows term ${term}`, {
      term,
      session,
      outputs,
    });
    const inputs = missing?.to ?? 0;
    const untouched = this.#log.turns === 0 && this.#historyId === null;
    if (stream.session === null || untouched) {
      stream.rebase(session, outputs, inputs);
      if (!untouched) this.#noteDevice(stream);
    } else if (stream.session !== session) {
      this.#report('alarm', 'DEVICE_SESSION_LOST', `${stream.options.name} was restarted meanwhile`, {
        session,
      });
      stream.rebase(session, outputs, inputs);
      this.#lostContinuity = true;
    } else if (outputs > stream.produced || outputs < stream.oldest || missing !== null) {
      const text =
        outputs > stream.produced || outputs < stream.oldest
          ? `has accepted ${outputs} bytes, this board has those from ${stream.oldest} to ${stream.produced}`
          : `gave inputs ${missing!.from}..${missing!.to} to a board whose records are lost`;
      this.#report('alarm', 'RECORDS_LOST', `${stream.options.name} ${text}`);
      stream.rebase(session, outputs, missing?.to ?? stream.inputs);
      this.#lostContinuity = true;
    } else stream.rewind(outputs);
    this.#control(stream, { kind: 'inputs-stored', offset: stream.inputsStored });
    if (stream === this.#arbiter && this.#pair.role === 'contending') this.#role({ kind: 'attached', term });
    if (this.#lostContinuity && this.#leading) {
      this.#lostContinuity = false;
      this.#newHistory('the device and the records no longer belong together');
    }
  }

  #lostContinuity = false;

  #sessionLost(stream: DeviceStream, session: number): void {
    this.#report(
      'alarm',
      'DEVICE_SESSION_LOST',
      `${stream.options.name} was restarted or went to its safe state`,
      {
        session,
      },
    );
    stream.attached = false;
    stream.rebase(null, 0, 0);
    if (!this.#leading) {
      // What this copy stands for is not what the device's outputs show any more: never a silent resume.
      this.#lostContinuity = this.#log.turns > 0;
      if (this.#pair.role === 'contending' && stream === this.#arbiter) this.#pendingAttach = this.#lastClaim;
      return;
    }
    if (stream.portOpen) this.#losePort(stream, 'the device was restarted');
    this.#control(stream, { kind: 'attach', term: this.#pair.term, session: null, inputsReceived: 0 });
  }

  // ---------------------------------------------------------------- failures of the replica

  #replicaHangs(): void {
    const text = `no answer from the program for ${this.#runner.patienceMs} ms in turn ${this.#runner.executedTurns}`;
    this.#replicaFailed('PROGRAM_HANGS', text, '');
  }

  #replicaFailed(code: string, text: string, stack: string): void {
    const turn = this.#runner.executedTurns;
    this.#report('alarm', code, `${text} (turn ${turn})`, { turn, stack });
    this.#effects.push({ kind: 'replica-stop', reason: code });
    const suspect = this.#suspectUntilTurn !== null && turn <= this.#suspectUntilTurn;
    this.#runner.reset();
    if (this.#resuming !== null) return this.#forgetJournal();
    switch (this.#pair.role) {
      case 'primary':
      case 'contending':
        if (this.#leading && this.#pair.protected && !suspect) {
          this.#handover = { planned: false, failed: true, reason: `${code}: ${text}`, sequence: null };
          this.#role({ kind: 'replica-failed' });
        } else if (this.#leading) this.#programFault(code, text);
        else this.#role({ kind: 'copy-lost', reason: `${code}: ${text}` });
        return;
      case 'backup':
      case 'joining':
        this.#say({ kind: 'not-eligible', reason: `${code} on board ${this.#options.board}`, report: null });
        this.#joinNotBefore = this.#now + this.#options.restartDelayMs;
        this.#role({ kind: 'copy-lost', reason: `${code}: ${text}` });
        return;
      default:
        return;
    }
  }

  /** Both replicas fail on the same turn, or the only one there is: the fault is the program's. */
  #programFault(code: string, text: string): void {
    this.#report('alarm', 'PROGRAM_FAULT', `the program itself fails: ${code}: ${text}`);
    for (const stream of this.#streams) {
      if (stream.attached) this.#control(stream, { kind: 'release' });
      stream.attached = false;
    }
    if (this.#options.programFailure === 'stop') this.#endPair();
    else this.#restartLater(code);
  }

  #restartLater(code: string): void {
    const undisturbed = this.#now - (this.#restartedAt ?? this.#now) - this.#options.restartDelayMs;
    if (undisturbed >= undisturbedMs) this.#restarts = 0;
    if (this.#restarts >= this.#options.restartsMax) {
      this.#report('alarm', 'RESTARTS_EXHAUSTED', `${this.#restarts} restarts did not help (${code})`);
      this.#endPair();
      return;
    }
    this.#restarts += 1;
    this.#restartedAt = this.#now;
    this.#restartAt = this.#now + this.#options.restartDelayMs;
  }

  /** The program cannot run: the other board, which would only try the same, ends as well. */
  #endPair(): void {
    this.#say({ kind: 'program-exit', code: failedProgramCode });
    this.#flush();
    this.#exit('PROGRAM_FAILED');
  }

  #handOverBecause(reason: string): void {
    if (this.#handover !== null) return;
    this.#handover = { planned: false, failed: false, reason, sequence: null };
    this.#role({ kind: 'replica-failed' });
  }

  /** All records are on their way: the other board may go on. */
  #handOver(): void {
    const handover = this.#handover;
    if (handover === null || handover.sequence !== null || !this.#pair.handingOver) return;
    if (this.#runner.busy) return;
    this.#cut();
    const { planned, reason } = handover;
    handover.sequence = this.#say({ kind: 'handover', term: this.#pair.term, planned, reason });
    this.#gate = 'closed';
    this.#flush();
  }

  // ---------------------------------------------------------------- the other board

  #fromSession(effects: SessionEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'transmit':
          this.#effects.push(effect);
          break;
        case 'deliver':
          this.#deliver(effect.sequence, effect.message, effect.stream);
          break;
        case 'acknowledged':
          this.#acknowledged(effect.sequence);
          break;
        case 'heartbeat':
          this.#detector.signal(effect.link, this.#now);
          this.#peerHeartbeat(effect.payload);
          break;
        case 'peer-connected':
          this.#peerConnected(effect.restarted);
          break;
        case 'discarded':
          this.#datagramDiscarded(effect.reason);
          break;
        case 'wake':
          this.#sessionWakeAt = effect.at;
          break;
      }
    }
  }

  #datagramDiscarded(reason: string): void {
    // Only the responder can tell: to board a a handshake refused is one of its own answered too late.
    if (reason !== 'CHANNEL_HANDSHAKE' || this.#options.board === 'a') return;
    if (this.#connected && this.#verdict !== 'red') return;
    this.#keyRefusals += 1;
    if (this.#keyRefusals !== keyRefusalsMin) return;
    this.#report('alarm', 'PEER_KEY_MISMATCH', 'the other board answers, but not with our pair key');
  }

  /** A board that has waited in vain does not claim the device: the other one is there, only not ours. */
  #observeKey(): void {
    if (this.#exiting || this.#keyRefusals < keyRefusalsMin || this.#pair.role !== 'starting') return;
    if (this.#now - this.#begunAt >= this.#options.pair.waitForPeerMs) this.#exit('PEER_KEY_MISMATCH');
  }

  #peerConnected(restarted: boolean): void {
    if (!restarted) return;
    const again = this.#connected;
    this.#connected = true;
    this.#keyRefusals = 0;
    this.#peerHello = null;
    this.#peer = null;
    this.#sentBatches = [];
    this.#storing = [];
    this.#follower = null;
    this.#followerDropped = false;
    if (again) this.#role({ kind: 'peer-restarted' });
    if (this.#handover !== null && this.#leading) this.#handoverFailed();
    this.#say({
      kind: 'hello',
      board: this.#options.board,
      identity: this.#identity,
      historyId: this.#historyId,
      role: this.#pair.role,
      term: this.#pair.term,
      journalTerm: this.#journalTerm(),
      journalTurns: this.#journalTurns,
    });
    this.#flush();
  }

  /** Whom we were handing over to is gone. */
  #handoverFailed(): void {
    const handover = this.#handover;
    this.#handover = null;
    if (handover?.failed) this.#programFault('HANDOVER_FAILED', handover.reason);
  }

  #peerHeartbeat(payload: Uint8Array): void {
    let heartbeat: Heartbeat;
    try {
      heartbeat = decodeHeartbeat(payload);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#report('warning', 'PEER_HEARTBEAT_UNREADABLE', error.message);
      return;
    }
    const newTerm =
      this.#peer === null || heartbeat.role !== this.#peer.role || heartbeat.term !== this.#peer.term;
    this.#peer = { ...heartbeat, at: this.#now };
    this.#pair.peerJournalIs({ term: heartbeat.journalTerm, turns: heartbeat.turns });
    if (newTerm && this.#peerHello !== null) {
      this.#role({ kind: 'peer-role', role: heartbeat.role, term: heartbeat.term });
    }
    if (heartbeat.role === 'primary' && this.#following && heartbeat.term === this.#pair.term)
      this.#trim(heartbeat);
    while (this.#unexecuted.length > 0 && this.#unexecuted[0]!.endTurn <= heartbeat.executedTurns) {
      this.#unexecuted.shift();
    }
    while (this.#traces.length > 0 && this.#traces[0]!.turn < heartbeat.executedTurns) this.#traces.shift();
  }

  /** Backup: what the primary reports as out need not be kept. */
  #trim(heartbeat: Heartbeat): void {
    const released = Math.min(heartbeat.releasedTurns, this.#runner.executedTurns);
    if (released > this.#releasedTurns) this.#releasedTurns = released;
    while (this.#held.length > 0 && this.#held[0]!.turn < released) this.#held.shift();
    for (const stream of this.#streams) {
      const confirmed = heartbeat.confirmed[stream.index];
      // A count of another session says nothing of this one's outputs.
      if (confirmed !== undefined && stream.session !== null && confirmed.session === stream.session)
        stream.confirm(Math.min(confirmed.outputs, stream.produced));
      stream.inputsSafe(released);
    }
  }

  #observePeer(): void {
    if (!this.#connected) return;
    const verdict = this.#detector.verdict(this.#now);
    if (verdict === this.#verdict) return;
    this.#verdict = verdict;
    if (verdict === 'red') {
      if (this.#handover !== null) this.#handoverFailed();
    }
    const silent = Math.round(this.#detector.silentForMs(this.#now));
    if (verdict === 'red') {
      this.#report('alarm', 'PEER_RED', `the other board is silent on every link (${silent} ms)`, {
        silentForMs: silent,
      });
      this.#wasRed = true;
    } else if (verdict === 'green' && this.#wasRed) {
      this.#report('info', 'PEER_GREEN', 'the other board is heard again on every link');
      this.#wasRed = false;
    }
    this.#role({ kind: 'verdict', verdict });
    if (verdict !== 'red' && this.#followerDropped && this.#leading) {
      this.#followerDropped = false;
      this.#say({ kind: 'rejoin', join: this.#servedJoin });
    }
    if (verdict === 'green' && this.#peer !== null && this.#peerHello !== null) {
      this.#role({ kind: 'peer-role', role: this.#peer.role, term: this.#peer.term });
      if (this.#pair.role === 'stepped-down' || this.#pair.role === 'starting') this.#reintroduce();
    }
  }

  #wasRed = false;
  readonly #silentLinks = new Set<number>();

  /** One cable gone is no takeover, but somebody should look at it. */
  #observeLinks(): void {
    if (!this.#connected || this.#verdict === 'red') return;
    this.#options.linkNames.forEach((name, link) => {
      const heardAt = this.#session.linkStatistics(link).lastHeardAt;
      const silent =
        heardAt === null ? this.#now - this.#begunAt > linkSilentMs : this.#now - heardAt > linkSilentMs;
      if (silent === this.#silentLinks.has(link)) return;
      if (silent) {
        this.#silentLinks.add(link);
        this.#report(
          'warning',
          'LINK_SILENT',
          `nothing is heard on the ${name} link; the pair goes on over the other`,
        );
      } else {
        this.#silentLinks.delete(link);
        this.#report('info', 'LINK_HEARD', `the ${name} link is back`);
      }
    });
  }

  /** The links are back after a silence in which either board may have changed its mind. */
  #reintroduce(): void {
    const hello = this.#peerHello!;
    this.#role({
      kind: 'peer-connected',
      peer: {
        role: this.#peer?.role ?? hello.role,
        term: this.#peer?.term ?? hello.term,
        journal: { term: hello.journalTerm, turns: hello.journalTurns },
        mismatches: [],
      },
    });
  }

  #acknowledged(sequence: number): void {
    while (this.#sentBatches.length > 0 && this.#sentBatches[0]!.sequence <= sequence) {
      this.#ackedTurns = this.#sentBatches.shift()!.endTurn;
    }
    const handover = this.#handover;
    if (handover !== null && handover.sequence !== null && sequence >= handover.sequence) {
      this.#handover = null;
      this.#role({ kind: 'handed-over' });
      if (this.#leaving) this.#exit('LEFT');
    }
  }

  #deliver(sequence: number, bytes: Uint8Array, stream: number): void {
    let message: PairMessage;
    try {
      message = decodePairMessage(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#report('warning', 'PEER_MESSAGE_UNREADABLE', error.message);
      this.#stored(sequence, stream);
      return;
    }
    if (message.kind === 'records') {
      if (this.#claimsTheDevice) {
        // The counts that were named to the device are this copy's last word: what comes later is neither run nor
        // acknowledged, so nothing of it can have been released.
        this.#refusedRecords = true;
        return;
      }
      this.#receiveRecords(message.batch);
      this.#storing.push({ sequence, stream, turns: this.#log.turns });
      this.#acknowledgeStored();
      return;
    }
    this.#handle(message);
    this.#stored(sequence, stream);
  }

  /** A copy that has asked for the device. */
  get #claimsTheDevice(): boolean {
    return this.#following && this.#pair.role === 'contending' && this.#pendingAttach === null;
  }

  /** Records of this stream were refused: an acknowledgement would count for them too. */
  #refusedRecords = false;

  #stored(sequence: number, stream: number): void {
    if (this.#refusedRecords && this.#claimsTheDevice) return;
    this.#refusedRecords = false;
    if (this.#storing.length > 0) this.#storing.push({ sequence, stream, turns: this.#log.turns });
    else this.#fromSession(this.#session.step(this.#now, { kind: 'stored', sequence, stream }));
  }

  /** Journal BEFORE acknowledge: under fsync `always` the acknowledgement waits for the disk. */
  #acknowledgeStored(): void {
    if (this.#refusedRecords && this.#claimsTheDevice) return;
    let stored: { sequence: number; stream: number } | null = null;
    while (this.#storing.length > 0) {
      const first = this.#storing[0]!;
      if (this.#options.fsync === 'always' && first.turns > this.#durableTurns) break;
      stored = first;
      this.#storing.shift();
    }
    if (stored === null) return;
    const { sequence, stream } = stored;
    this.#fromSession(this.#session.step(this.#now, { kind: 'stored', sequence, stream }));
  }

  #receiveRecords(bytes: Uint8Array): void {
    if (!this.#following) return;
    let batch: ReturnType<typeof decodeBatch>;
    try {
      batch = decodeBatch(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#role({ kind: 'copy-lost', reason: `records unreadable: ${error.message}` });
      return;
    }
    if (batch.firstTurn !== this.#log.turns) {
      if (batch.firstTurn > this.#log.turns) {
        this.#role({
          kind: 'copy-lost',
          reason: `records from turn ${batch.firstTurn} came, ${this.#log.turns} is next`,
        });
      }
      return;
    }
    let turn = batch.firstTurn;
    for (const record of batch.records) {
      this.#runner.replay(this.#now, turn, record);
      turn += turnsOf(record);
      this.#clock.observe(this.#now, record.timeUs);
    }
    this.#log.adopt({ firstTurn: batch.firstTurn, endTurn: turn, bytes });
    this.#effects.push({ kind: 'journal-batch', batch: bytes, turns: turn });
  }

  #handle(message: Exclude<PairMessage, { kind: 'records' }>): void {
    switch (message.kind) {
      case 'hello':
        this.#peerHello = message;
        this.#role({
          kind: 'peer-connected',
          peer: {
            role: this.#peer?.role ?? message.role,
            term: Math.max(message.term, this.#peer?.term ?? 0),
            journal: { term: message.journalTerm, turns: message.journalTurns },
            mismatches: compareIdentity(this.#identity, message.identity),
          },
        });
        return;
      case 'follow':
        if (this.#pair.role === 'primary' && this.#historyId !== null) this.#serveWish(message);
        else if (this.#pair.role === 'contending' && this.#leading) this.#waitingWish = message;
        return;
      case 'history':
        this.#adoptHistory(message);
        return;
      case 'protected':
        if (message.term === this.#pair.term && message.join === this.#join)
          this.#role({ kind: 'protected' });
        return;
      case 'not-eligible':
        if (message.report !== null) {
          const { turn, expected, actual, stack } = message.report;
          this.#report('alarm', 'BACKUP_DIVERGED', `the backup diverged at turn ${turn}`, {
            turn,
            expected,
            actual,
            stack,
          });
        }
        this.#follower = null;
        this.#role({ kind: 'unprotected', reason: message.reason });
        if (this.#handover !== null && this.#leading) this.#handoverFailed();
        return;
      case 'handover':
        this.#report('warning', 'HANDOVER', `the primary hands over: ${message.reason}`);
        if (!message.planned) this.#suspectUntilTurn = this.#log.turns + suspectTurns;
        if (this.#pair.role !== 'backup' && this.#pair.role !== 'contending') {
          this.#say({ kind: 'handover-refused', term: message.term });
          return;
        }
        this.#role({ kind: 'handover', term: message.term, planned: message.planned });
        return;
      case 'handover-refused':
        this.#role({ kind: 'handover-refused', term: message.term });
        return;
      case 'note':
        // One of a history that was sent for an earlier wish.
        if (!this.#following) return;
        this.#notes.push(message.note);
        this.#pendingNotes.push(message.note);
        this.#effects.push({ kind: 'journal-note', note: message.note });
        this.#applyNotes();
        this.#pair.journalIs({ term: this.#journalTerm(), turns: this.#log.turns });
        return;
      case 'reign':
        if (this.#joinTerm < message.term)
          this.#role({ kind: 'copy-lost', reason: `the copy is of a reign before term ${message.term}` });
        return;
      case 'rejoin':
        if (message.join !== this.#join) return;
        this.#role({
          kind: 'copy-lost',
          reason: 'the primary dropped records for this board while it was silent',
        });
        return;
      case 'trace-request':
        this.#sendTrace(message.turn);
        return;
      case 'trace':
        this.#traceArrived(message.turn, message.outputs);
        return;
      case 'operator':
        this.#operator(message.command, 'asked at the other board');
        return;
      case 'program-exit':
        this.#report(
          message.code === 0 ? 'info' : 'alarm',
          'PROGRAM_ENDED',
          'the program has ended at the other board: nothing is left to be a copy of',
        );
        this.#exit(message.code === 0 ? 'PROGRAM_EXITED' : 'PROGRAM_FAILED');
        return;
    }
  }

  // ---------------------------------------------------------------- joining

  /** Number of our newest wish to join. */
  #join = 0;
  /** The term under which we wished to. */
  #joinTerm = 0;
  /** Not before this time: a copy that fails at once must not keep the bus busy with its joining. */
  #joinNotBefore = 0;
  #followAt: number | null = null;
  /** Wish to join of the other board that came while our own reign was in question. */
  #waitingWish: Extract<PairMessage, { kind: 'follow' }> | null = null;
  /** The port to the arbiter is missing: the wish to join waits for it. */
  #followsWhenOpen = false;
  /** Number of the other board's wish that we serve. */
  #servedJoin = 0;

  #follow(): void {
    this.#leading = false;
    this.#following = false;
    // Who cannot reach the device could not take over, and must not be taken for a backup.
    this.#followsWhenOpen = this.#arbiter !== null && !this.#arbiter.opened;
    if (this.#followsWhenOpen) return;
    this.#followAt = this.#now < this.#joinNotBefore ? this.#joinNotBefore : null;
    if (this.#followAt !== null) return;
    this.#join += 1;
    this.#joinTerm = this.#pair.term;
    this.#say({ kind: 'follow', join: this.#join, historyId: this.#historyId, fromTurn: 0 });
    this.#flush();
  }

  #serveWish(wish: Extract<PairMessage, { kind: 'follow' }>): void {
    const inPlace = wish.historyId === this.#historyId && wish.fromTurn === this.#log.turns;
    this.#role({ kind: 'unprotected', reason: 'the other board joins afresh' });
    if (this.#handover !== null) this.#handoverFailed();
    this.#servedJoin = wish.join;
    this.#startFollower(inPlace ? wish.fromTurn : 0);
  }

  /** Primary: the other board asked for our history. */
  #startFollower(fromTurn: number): void {
    assert(this.#historyId !== null, 'a primary has a history');
    this.#cut();
    this.#sentBatches = [];
    this.#unexecuted = [];
    this.#ackedTurns = fromTurn;
    this.#say({
      kind: 'history',
      join: this.#servedJoin,
      historyId: this.#historyId,
      fromTurn,
      startedAtMs: this.#startedAtMs,
      restarts: this.#restarts,
    });
    for (const note of this.#notes) if (note.kind !== 'standing') this.#say({ kind: 'note', note });
    this.#follower = { state: 'reading', nextTurn: fromTurn };
    this.#feedFollower();
    this.#flush();
  }

  /** From memory when it reaches back far enough, else from the journal, chunk by chunk. */
  #feedFollower(): void {
    const follower = this.#follower;
    if (follower === null || follower.state !== 'reading') return;
    const batches = this.#log.batchesFrom(follower.nextTurn);
    if (batches === null) {
      this.#effects.push({ kind: 'journal-read', historyId: this.#historyId!, fromTurn: follower.nextTurn });
      return;
    }
    for (const batch of batches) this.#sendBatch(batch);
    this.#cut();
    this.#follower = { state: 'live', since: this.#log.turns };
  }

  #journalChunk(historyId: string, fromTurn: number, batches: Uint8Array[]): void {
    if (historyId !== this.#historyId) return;
    if (this.#resuming !== null) {
      for (const bytes of batches) {
        const batch = decodeBatch(bytes);
        let turn = batch.firstTurn;
        for (const record of batch.records) {
          this.#runner.replay(this.#now, turn, record);
          turn += turnsOf(record);
          this.#clock.observe(this.#now, record.timeUs);
        }
        this.#log.adopt({ firstTurn: batch.firstTurn, endTurn: turn, bytes });
      }
      if (this.#log.turns < this.#resuming.turns && batches.length > 0) {
        this.#effects.push({ kind: 'journal-read', historyId, fromTurn: this.#log.turns });
      } else this.#resuming.turns = this.#log.turns;
      this.#resumeEnds();
      return;
    }
    const follower = this.#follower;
    if (follower === null || follower.state !== 'reading' || follower.nextTurn !== fromTurn) return;
    for (const bytes of batches) {
      const batch = decodeBatch(bytes);
      let turn = batch.firstTurn;
      for (const record of batch.records) turn += turnsOf(record);
      this.#sendBatch({ firstTurn: batch.firstTurn, endTurn: turn, bytes });
      follower.nextTurn = turn;
    }
    this.#flush();
    if (this.#session.writable) this.#feedFollower();
    else this.#followerWaits = true;
  }

  #followerWaits = false;
  #followerDropped = false;

  #checkFollower(): void {
    const follower = this.#follower;
    if (follower === null) return;
    if (this.#verdict === 'red' && !this.#session.writable) {
      // Nobody takes the records any more; when the other board is back it has to join afresh.
      this.#follower = null;
      this.#followerDropped = true;
      return;
    }
    if (follower.state === 'reading') {
      if (this.#followerWaits && this.#session.writable) {
        this.#followerWaits = false;
        this.#feedFollower();
      }
      return;
    }
    if (this.#pair.role !== 'primary' || this.#pair.protected || this.#peer === null) return;
    if (this.#ackedTurns < follower.since || this.#verdict === 'red') return;
    // A copy whose program is still catching up could not take over within the budget.
    if (this.#peer.executedTurns < follower.since) return;
    if (this.#peer.role !== 'joining') return;
    this.#say({ kind: 'protected', join: this.#servedJoin, term: this.#pair.term });
    this.#flush();
    this.#role({ kind: 'protected' });
  }

  #adoptHistory(message: Extract<PairMessage, { kind: 'history' }>): void {
    if (message.join !== this.#join) return;
    if (this.#pair.role === 'backup') {
      this.#role({ kind: 'unprotected', reason: 'the primary began a new history' });
    }
    if (this.#pair.role !== 'joining') return;
    this.#following = true;
    this.#restarts = message.restarts;
    this.#restartedAt = this.#now;
    const inPlace =
      message.historyId === this.#historyId && message.fromTurn === this.#log.turns && message.fromTurn > 0;
    if (inPlace) return;
    this.#historyId = message.historyId;
    this.#startedAtMs = message.startedAtMs;
    this.#resetCopy();
    for (const stream of this.#streams) stream.rebase(null, 0, 0);
    const { historyId, startedAtMs } = message;
    this.#effects.push({ kind: 'journal-create', historyId, startedAtMs });
  }

  // ---------------------------------------------------------------- divergence

  /** The digest only says that something differs: what, the primary's outputs of that turn tell. */
  #digestDiffers(turn: number, outputs: Output[], stacks: string[]): void {
    this.#effects.push({ kind: 'replica-stop', reason: 'DIVERGED' });
    this.#runner.reset();
    this.#digestMismatch = { turn, outputs, stacks };
    if (this.#resuming !== null) {
      this.#diverged({
        turn,
        expected: 'what the recorded digest stands for',
        actual: describeDivergence([], outputs).actual,
        stack: stacks[0] ?? '',
      });
      return;
    }
    // Until it is known what differs this board is no copy, whatever happens meanwhile.
    if (this.#pair.role === 'contending') {
      this.#role({ kind: 'copy-lost', reason: `turn ${turn} had other outputs than the primary's` });
      return;
    }
    this.#role({ kind: 'unprotected', reason: `turn ${turn} had other outputs than the primary's` });
    this.#say({ kind: 'trace-request', turn });
    this.#flush();
  }

  #sendTrace(turn: number): void {
    const trace = this.#traces.find((each) => each.turn === turn);
    const outputs = JSON.stringify(trace?.outputs ?? null, (_key, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    );
    this.#say({ kind: 'trace', turn, outputs });
    this.#flush();
  }

  #traceArrived(turn: number, outputs: string): void {
    const mismatch = this.#digestMismatch;
    if (mismatch === null || mismatch.turn !== turn) return;
    const theirs = JSON.parse(outputs) as unknown[] | null;
    const { expected: first, actual, index } = describeDivergence(theirs ?? [], mismatch.outputs);
    // A turn of long ago: only its digest is left.
    const expected = theirs === null ? 'something else' : first;
    this.#diverged({ turn, expected, actual, stack: mismatch.stacks[index] ?? mismatch.stacks.at(-1) ?? '' });
  }

  /** This board's replica is no copy any more: it never takes over (promise 6). */
  #diverged(report: DivergenceReport): void {
    const { turn, expected, actual, stack } = report;
    const text = `turn ${turn}: the primary did ${expected}, this board ${actual}`;
    this.#report('alarm', 'DIVERGED', text, { turn, expected, actual, stack });
    this.#divergences += 1;
    this.#digestMismatch = null;
    if (this.#resuming !== null) return this.#forgetJournal();
    this.#effects.push({ kind: 'replica-stop', reason: 'DIVERGED' });
    this.#runner.reset();
    this.#joinNotBefore = this.#now + this.#options.restartDelayMs;
    this.#say({ kind: 'not-eligible', reason: `board ${this.#options.board} diverged`, report });
    this.#flush();
    this.#following = false;
    if (this.#divergences > divergencesMax) {
      this.#role({ kind: 'unprotected', reason: `diverged ${this.#divergences} times: not joined again` });
      return;
    }
    this.#role({ kind: 'copy-lost', reason: 'diverged: joining again from the start' });
  }

  /** This board's journal cannot be run again: it is as if there were none. */
  #forgetJournal(): void {
    this.#resetCopy();
    this.#historyId = null;
    for (const stream of this.#streams) stream.rebase(null, 0, 0);
    this.#pair.journalIs({ term: 0, turns: 0 });
    this.#role({ kind: 'copy-lost', reason: 'the journal of this board cannot be run again' });
  }

  // ---------------------------------------------------------------- state shown

  #heartbeat(): Heartbeat {
    return {
      role: this.#pair.role,
      term: this.#pair.term,
      protected: this.#pair.protected,
      journalTerm: this.#journalTerm(),
      turns: this.#journalTurns,
      executedTurns: this.#runner.executedTurns,
      releasedTurns: this.#releasedTurns,
      confirmed: this.#streams.map((stream) => ({
        session: stream.session ?? 0,
        outputs: stream.confirmed,
      })),
    };
  }

  status(now: number): BoardStatus {
    const peer = this.#peer;
    return {
      board: this.#options.board,
      role: this.#pair.role,
      term: this.#pair.term,
      protected: this.#pair.protected,
      historyId: this.#historyId,
      turns: this.#log.turns,
      executedTurns: this.#runner.executedTurns,
      releasedTurns: this.#releasedTurns,
      lagTurns:
        peer === null
          ? null
          : Math.max(
              0,
              this.#pair.role === 'primary'
                ? this.#log.turns - peer.executedTurns
                : peer.turns - this.#runner.executedTurns,
            ),
      verdict: this.#verdict,
      silentForMs: this.#connected ? this.#detector.silentForMs(now) : null,
      virtualTimeUs: this.#clock.lastUs,
      links: this.#options.linkNames.map((name, link) => ({ name, ...this.#session.linkStatistics(link) })),
      devices: this.#streams.map((stream) => ({
        name: stream.options.name,
        kind: stream.options.kind,
        open: stream.opened,
        attached: stream.attached,
        session: stream.session,
        produced: stream.produced,
        confirmed: stream.confirmed,
        inputs: stream.inputs,
        inputsLost: stream.inputsLost,
        discarded: stream.discarded,
      })),
      divergences: this.#divergences,
    };
  }
}
