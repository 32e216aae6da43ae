/**
 * The host of the supervisor's core: carries its effects out with real links, processes, ports and files, and
 * hands it what happens. No decision is taken here.
 *
 * Inputs are taken one after the other; what happens while effects are being carried out waits its turn.
 */
import { mkdirSync } from 'node:fs';
import type { Identity, JournalNote } from '../../protocol/pair-message.ts';
import type { BootOptions, ToReplica } from '../ipc.ts';
import type { JournalHeader } from '../journal/entry.ts';
import type { JournalOptions } from '../journal/writer.ts';
import type { DatagramLink } from '../links/link.ts';
import { DevicePort } from './device-port.ts';
import type { ExitReason, OperatorCommand, Report, SupervisorEffect, SupervisorInput } from './effects.ts';
import { JournalStore } from './journal-store.ts';
import { ReplicaProcess } from './replica-process.ts';
import type { BoardStatus } from './status.ts';
import type { Supervisor } from './supervisor.ts';

/** The core's status with what the host adds to it. */
export type HostStatus = BoardStatus & {
  pid: number;
  replicaPid: number | null;
  /** CLOCK_MONOTONIC, for other processes; and the clock of the core's inputs, of which `lastHeardAt` is. */
  monotonicMs: number;
  hostMs: number;
};

export type JournalledEntry =
  /** An empty journal was begun. */
  { kind: 'create' } | { kind: 'batch'; bytes: Uint8Array } | { kind: 'note'; note: JournalNote };

export type SeenByReplica =
  /** A new process, which has run nothing. */
  | { kind: 'started' }
  /** Bytes of a device, for the program. */
  | { kind: 'input'; port: number; bytes: Uint8Array }
  /** What a turn did: `encodeOutputs`. */
  | { kind: 'outputs'; outputs: Uint8Array };

export interface HostOptions {
  board: 'a' | 'b';
  supervisor: Supervisor;
  links: DatagramLink[];
  /** `path` null: this board has no port to that device. */
  devices: { name: string; path: string | null; baudRate: number }[];
  boot: BootOptions;
  identity: Identity;
  program: string;
  stateDirectory: string;
  journal: JournalOptions;
  /** Every report, for the log and the console. */
  onReport(report: Report): void;
  onConsole(stream: 'stdout' | 'stderr', bytes: Uint8Array): void;
  /** What is journalled, for whoever watches. */
  onJournal(entry: JournalledEntry): void;
  /** What the replica is told and says, on either board, for whoever watches. */
  onReplica(seen: SeenByReplica): void;
  onExit(reason: ExitReason): void;
}

/** What the system's clock is ahead of `performance.now()`. */
const systemClockMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export class Host {
  readonly #options: HostOptions;
  readonly #supervisor: Supervisor;
  readonly #journal: JournalStore;
  /** By link: what never came so far as to the session, such as frames with a wrong checksum. */
  readonly #linkDiscards: Record<string, number>[];
  #replica: ReplicaProcess | null = null;
  #ports: (DevicePort | null)[] = [];
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #queue: SupervisorInput[] = [];
  #running = false;
  #ended = false;
  #exitTimer: NodeJS.Timeout | null = null;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#supervisor = options.supervisor;
    this.#linkDiscards = options.links.map(() => ({}));
    mkdirSync(options.stateDirectory, { recursive: true });
    this.#journal = new JournalStore(options.stateDirectory, options.journal, {
      durable: (turns) => this.input({ kind: 'journal-durable', turns }),
      fault: (code, text) => this.#options.onReport({ level: 'alarm', code, text }),
    });
  }

  async start(): Promise<void> {
    const journal = await this.#journal.open(this.#options.identity.programHash);
    this.#options.links.forEach((link, index) => {
      link.onDatagram((bytes) => this.input({ kind: 'datagram', link: index, bytes }));
      link.onDiscarded((reason) => {
        const counts = this.#linkDiscards[index]!;
        counts[reason] = (counts[reason] ?? 0) + 1;
      });
      link.onRefused(() => this.input({ kind: 'link-refused', link: index }));
      link.onState((state, fault) => {
        const text = fault === undefined ? `${link.name} link up` : fault.message;
        this.#options.onReport({
          level: state === 'up' ? 'info' : 'warning',
          code: fault?.code ?? 'LINK_UP',
          text,
        });
      });
    });
    this.input({ kind: 'begin', journal, identity: this.#options.identity });
    this.#ports = this.#options.devices.map((device, index) =>
      device.path === null
        ? null
        : new DevicePort(device.path, device.baudRate, {
            opened: () => this.input({ kind: 'device-opened', device: index }),
            closed: (code, reason) => this.input({ kind: 'device-closed', device: index, code, reason }),
            bytes: (bytes) => this.input({ kind: 'device-bytes', device: index, bytes }),
            written: (bytes) => this.input({ kind: 'device-written', device: index, bytes }),
          }),
    );
  }

  input(input: SupervisorInput): void {
    if (this.#ended) return;
    this.#queue.push(input);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        for (const effect of this.#supervisor.step(performance.now(), next)) this.#carryOut(effect);
        this.#replica?.flush();
      }
    } finally {
      this.#running = false;
    }
  }

  command(command: OperatorCommand, reason: string, from: string): void {
    this.input({ kind: 'operator', command, reason, from });
  }

  status(): HostStatus {
    const now = performance.now();
    const status: BoardStatus = this.#supervisor.status(now);
    status.links.forEach((link, index) => {
      link.discarded = { ...link.discarded, ...this.#linkDiscards[index] };
    });
    const monotonicMs = Number(process.hrtime.bigint() / 1000n) / 1000;
    return { ...status, pid: process.pid, replicaPid: this.#replica?.pid ?? null, monotonicMs, hostMs: now };
  }

  #carryOut(effect: SupervisorEffect): void {
    switch (effect.kind) {
      case 'transmit':
        this.#options.links[effect.link]!.send(effect.bytes);
        return;
      case 'replica-start':
        return this.#startReplica();
      case 'replica-send':
        this.#toReplica(effect.message);
        return;
      case 'replica-stop':
        this.#replica?.stop();
        this.#replica = null;
        return;
      case 'journal-create':
        this.#journal.create(this.#header(effect.historyId, effect.startedAtMs));
        this.#options.onJournal({ kind: 'create' });
        return;
      case 'journal-batch':
        this.#journal.batch(effect.batch, effect.turns);
        this.#options.onJournal({ kind: 'batch', bytes: effect.batch });
        return;
      case 'journal-note':
        this.#journal.note(effect.note);
        this.#options.onJournal({ kind: 'note', note: effect.note });
        return;
      case 'journal-read':
        this.#readJournal(effect.historyId, effect.fromTurn);
        return;
      case 'device-transmit':
        this.#ports[effect.device]?.write(effect.bytes);
        return;
      case 'device-configure':
        this.#ports[effect.device]?.configure(JSON.parse(effect.settings) as Record<string, unknown>);
        return;
      case 'console':
        this.#options.onConsole(effect.stream, effect.bytes);
        return;
      case 'report':
        this.#options.onReport(effect.report);
        return;
      case 'wake':
        return this.#wakeAt(effect.at);
      case 'exit':
        // What has been said to the other board and to the device shall still leave.
        this.#exitTimer ??= setTimeout(() => this.#options.onExit(effect.code), 50);
        return;
    }
  }

  #toReplica(message: ToReplica): void {
    this.#replica?.send(message);
    if (message.kind !== 'turn' || message.event.kind !== 'port-data') return;
    const { port, bytes } = message.event;
    this.#options.onReplica({ kind: 'input', port, bytes });
  }

  #header(historyId: string, startedAtMs: number): JournalHeader {
    const { identity, program } = this.#options;
    return { historyId, startedAtMs, bundleHash: identity.programHash, program, runtime: identity.runtime };
  }

  #readJournal(historyId: string, fromTurn: number): void {
    this.#journal.read(fromTurn).then(
      (batches) => this.input({ kind: 'journal-chunk', historyId, fromTurn, batches }),
      (error: Error) =>
        this.#options.onReport({ level: 'alarm', code: 'JOURNAL_READ_FAILED', text: error.message }),
    );
  }

  #startReplica(): void {
    this.#replica?.stop();
    const replica = new ReplicaProcess(this.#options.boot, {
      message: (message) => {
        if (this.#replica !== replica) return;
        if (message.kind === 'done' && message.outputs.length > 0)
          this.#options.onReplica({ kind: 'outputs', outputs: message.outputs });
        this.input({ kind: 'replica', message });
      },
      exited: (reason) => {
        if (this.#replica !== replica) return;
        this.#replica = null;
        this.input({ kind: 'replica-exited', reason });
      },
      noise: (text) =>
        this.#options.onReport({ level: 'warning', code: 'REPLICA_NOISE', text: text.trimEnd() }),
    });
    this.#replica = replica;
    this.#options.onReplica({ kind: 'started' });
  }

  /**
   * Timers of Node count whole milliseconds of the system's clock, and one that is told how long to wait comes up to one
   * too early, finds nothing due and is set again. So this one is told the first whole millisecond at which `at` has come.
   */
  #wakeAt(at: number): void {
    if (at === this.#timerAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Number.POSITIVE_INFINITY;
        this.input({ kind: 'tick' });
      },
      Math.max(0, Math.ceil(at + systemClockMs) - Math.floor(performance.now() + systemClockMs)),
    );
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#exitTimer !== null) clearTimeout(this.#exitTimer);
    this.#replica?.stop();
    await Promise.all([
      ...this.#ports.map((port) => port?.close()),
      ...this.#options.links.map((link) => link.close()),
    ]);
    await this.#journal.close();
  }
}
