/**
 * Drives the replica: which turn runs next (primary), or the recorded turns in their order (backup, join).
 *
 * On the primary one turn is under way at a time: its outcome decides when the next one is due. On the backup
 * any number is sent ahead; the replica answers in order. A turn that is not answered within `turnTimeoutMs` of
 * real time means that the program hangs.
 */
import { assert } from '../../protocol/assert.ts';
import { type JournalRecord, type ReplicaEvent, turnsOf } from '../../protocol/record.ts';
import { Fifo } from '../fifo.ts';
import type { FromReplica, ToReplica } from '../ipc.ts';
import type { VirtualClock } from './virtual-clock.ts';

export type TurnDone = Extract<FromReplica, { kind: 'done' }>;

/** A turn that came back, with what it was started by. */
export type Executed =
  | { mode: 'performed'; turn: number; event: ReplicaEvent; done: TurnDone }
  | { mode: 'replayed'; firstTurn: number; record: JournalRecord; done: TurnDone };

interface Sent {
  mode: 'performed' | 'replayed';
  turn: number;
  event: ReplicaEvent | null;
  record: JournalRecord | null;
  sentAt: number;
}

/** Lateness up to which a timer runs at the very time it was set for, so that idle turns keep an even step. */
const punctualUs = 50_000;
/** The first turn loads and compiles the program with all its packages, which takes a small board seconds. */
const startPatience = 5;
const none = new Uint8Array(0);

export class ProgramRunner {
  /** The replica's process is up and its program can be started. */
  ready = false;
  /** Turns that the replica has run. */
  executedTurns = 0;
  /** The program has something that can still start a turn. */
  alive = true;
  readonly events: ReplicaEvent[] = [];
  #wakeAtUs: number | null = null;
  readonly #sent = new Fifo<Sent>();
  #unsent: { firstTurn: number; record: JournalRecord }[] = [];
  readonly #turnTimeoutMs: number;
  readonly #send: (message: ToReplica) => void;

  constructor(turnTimeoutMs: number, send: (message: ToReplica) => void) {
    this.#turnTimeoutMs = turnTimeoutMs;
    this.#send = send;
  }

  /** A new process: nothing has run. */
  reset(): void {
    this.ready = false;
    this.executedTurns = 0;
    this.alive = true;
    this.events.length = 0;
    this.#wakeAtUs = null;
    this.#sent.clear();
    this.#unsent = [];
  }

  get busy(): boolean {
    return this.#sent.length > 0 || this.#unsent.length > 0;
  }

  get wakeAtUs(): number | null {
    return this.#wakeAtUs;
  }

  /** This board was not running for so long: nor was the program, most likely. */
  paused(gapMs: number): void {
    for (const sent of this.#sent) sent.sentAt += gapMs;
  }

  /** How long the turn under way may take. */
  get patienceMs(): number {
    return this.#turnTimeoutMs * (this.#sent.first?.turn === 0 ? startPatience : 1);
  }

  /** Monotonic time at which the turn under way counts as hung, or null. */
  get deadline(): number | null {
    const first = this.#sent.first;
    return first === undefined ? null : first.sentAt + this.patienceMs;
  }

  processReady(now: number): void {
    this.ready = true;
    const waiting = this.#unsent;
    this.#unsent = [];
    for (const { firstTurn, record } of waiting) this.replay(now, firstTurn, record);
  }

  replay(now: number, firstTurn: number, record: JournalRecord): void {
    if (!this.ready) {
      this.#unsent.push({ firstTurn, record });
      return;
    }
    this.#sent.push({
      mode: 'replayed',
      turn: firstTurn + turnsOf(record) - 1,
      event: null,
      record,
      sentAt: now,
    });
    if (record.kind === 'idle') {
      const { timeUs, stepUs, count } = record;
      this.#send({ kind: 'idle', turn: firstTurn, timeUs, stepUs, count });
    } else {
      const { timeUs, event, values } = record;
      const expectedDigest = record.hasOutputs ? record.digest : null;
      this.#send({ kind: 'turn', mode: 'replay', turn: firstTurn, timeUs, event, values, expectedDigest });
    }
  }

  /** Primary: starts the next turn if something is due. Returns the event that it took, or null. */
  perform(now: number, turn: number, clock: VirtualClock, event: ReplicaEvent | null): boolean {
    assert(this.ready && !this.busy, 'a turn is performed only after the one before');
    let timeUs = clock.read(now);
    let next = event;
    if (next === null) {
      if (this.#wakeAtUs === null || this.#wakeAtUs > timeUs) return false;
      if (timeUs - this.#wakeAtUs < punctualUs) timeUs = this.#wakeAtUs;
      next = { kind: 'time' };
    }
    this.#sent.push({ mode: 'performed', turn, event: next, record: null, sentAt: now });
    this.#send({ kind: 'turn', mode: 'perform', turn, timeUs, event: next, values: none });
    return true;
  }

  /** The replica's answer to the oldest turn sent. */
  done(now: number, done: TurnDone): Executed {
    const sent = this.#sent.shift();
    assert(
      sent !== undefined && sent.turn === done.turn,
      `the replica answers turn ${done.turn}, not the one asked`,
    );
    this.executedTurns = done.turn + 1;
    this.#wakeAtUs = done.wakeAtUs;
    this.alive = done.alive;
    const following = this.#sent.first;
    if (following !== undefined) following.sentAt = Math.max(following.sentAt, now);
    if (sent.mode === 'performed') return { mode: 'performed', turn: sent.turn, event: sent.event!, done };
    return { mode: 'replayed', firstTurn: done.turn + 1 - turnsOf(sent.record!), record: sent.record!, done };
  }
}
