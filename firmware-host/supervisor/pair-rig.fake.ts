/**
 * The whole pair in virtual time: two supervisors as firmware-host/main.ts builds them, two bad links, a fenced device
 * with a line to each board, journals on disks that forget what was not durable, scripted replicas.
 *
 *   board a: disk, replica, supervisor ==serial, ethernet== supervisor, replica, disk :board b
 *                                \-- line --> FencedDevice <-- line --/
 *
 * Everything random comes from one seed. What must hold at any moment is checked at any moment.
 */
import assert from 'node:assert/strict';
import { Channel } from '../../protocol/channel.ts';
import { createFakeCrypto } from '../../protocol/crypto.fake.ts';
import { type CryptoProvider, sealTagBytes } from '../../protocol/crypto.ts';
import { FailureDetector } from '../../protocol/detector.ts';
import { DeviceController } from '../../protocol/device-stream/controller.ts';
import { heartbeatIntervalMsOn } from '../../protocol/link-state.ts';
import type { JournalNote } from '../../protocol/pair-message.ts';
import { decodeBatch, decodeOutputs, turnsOf } from '../../protocol/record.ts';
import { Session } from '../../protocol/session.ts';
import type { ToReplica } from '../ipc.ts';
import type { ExitReason, Report, SupervisorEffect, SupervisorInput } from './effects.ts';
import { DeviceRig } from './pair-rig-device.fake.ts';
import { VirtualTime } from './pair-rig-time.fake.ts';
import { plainScript, type Script, ScriptedReplica } from './scripted-replica.fake.ts';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';

export type BoardName = 'a' | 'b';

export interface RigOptions {
  seed: number;
  script?: Partial<Script>;
  supervisor?: Partial<SupervisorOptions>;
  waitForPeerMs?: number;
  alone?: 'wait' | 'lead';
  holdTimeMs?: number;
  deviceTimeoutMs?: number;
  sendBufferBytesMax?: number;
}

const heartbeatIntervalMs = 10;
const sessionLinks = [
  { name: 'ethernet' as const, bitsPerSecond: 100_000_000, datagramBytesMax: 1400 },
  { name: 'serial' as const, bitsPerSecond: 115_200, datagramBytesMax: 512 },
];
export const ethernet = 0;
export const serial = 1;
/** A supervisor that asks to be woken more often than this spins. */
const stepsPerSecondMax = 20_000;

interface Disk {
  historyId: string;
  startedAtMs: number;
  entries: ({ kind: 'batch'; bytes: Uint8Array; turns: number } | { kind: 'note'; note: JournalNote })[];
  durable: number;
}

export class RigBoard {
  readonly rig: PairRig;
  readonly name: BoardName;
  readonly port: 0 | 1;
  up = false;
  frozen = false;
  supervisor!: Supervisor;
  reports: (Report & { at: number })[] = [];
  console = '';
  exit: ExitReason | null = null;
  disk: Disk | null = null;
  replica: ScriptedReplica | null = null;
  /** What is wrong with every replica that this board starts. */
  fault: ScriptedReplica['broken'] = null;
  /** How much longer than usual a turn takes here. */
  turnMs = 0.05;
  process = 0;
  #wake: object = {};
  #waiting: { input: SupervisorInput; replica: ScriptedReplica | null }[] = [];
  #replicaFreeAt = 0;
  #steps = { since: 0, count: 0 };

  constructor(rig: PairRig, name: BoardName) {
    this.rig = rig;
    this.name = name;
    this.port = name === 'a' ? 0 : 1;
  }

  get status(): ReturnType<Supervisor['status']> {
    return this.supervisor.status(this.rig.now);
  }

  get peer(): RigBoard {
    return this.rig.boards[this.name === 'a' ? 'b' : 'a'];
  }

  start(): void {
    assert(!this.up);
    this.up = true;
    this.frozen = false;
    this.exit = null;
    this.process += 1;
    this.supervisor = this.rig.buildSupervisor(this);
    const disk = this.disk;
    const journal =
      disk === null
        ? null
        : {
            historyId: disk.historyId,
            startedAtMs: disk.startedAtMs,
            turns: disk.entries.reduce((turns, entry) => (entry.kind === 'batch' ? entry.turns : turns), 0),
            notes: disk.entries.flatMap((entry) => (entry.kind === 'note' ? [entry.note] : [])),
          };
    const identity = { programHash: 'p', runtime: { node: '24' } };
    this.input({ kind: 'begin', journal, identity });
    this.later(2, () => this.input({ kind: 'device-opened', device: 0 }));
  }

  /** `power`: what was not durable is lost too. */
  crash(options: { power?: boolean } = {}): void {
    this.up = false;
    this.frozen = false;
    this.process += 1;
    this.replica = null;
    this.#waiting = [];
    const disk = this.disk;
    if (options.power === true && disk !== null) {
      disk.entries.length =
        disk.durable + Math.floor(this.rig.random() * (disk.entries.length - disk.durable + 1));
      if (disk.entries.length === 0) this.disk = null;
    }
    // The kernel of a board that is still powered tells the other one.
    if (options.power !== true && this.peer.up)
      this.rig.time.after(0.3, () => this.peer.input({ kind: 'link-refused', link: ethernet }));
  }

  freeze(): void {
    this.frozen = true;
  }

  /** What came meanwhile is read after the timers that ran out. */
  thaw(): void {
    if (!this.up) return;
    this.frozen = false;
    const waiting = this.#waiting.splice(0);
    this.input({ kind: 'tick' });
    for (const { input, replica } of waiting) {
      // A process that was ended is not listened to any more.
      if (input.kind.startsWith('replica') && replica !== this.replica) continue;
      this.input(input);
    }
  }

  /** Runs only while this process lives. */
  later(delayMs: number, run: () => void): void {
    const { process } = this;
    this.rig.time.after(delayMs, () => {
      if (this.up && this.process === process) run();
    });
  }

  input(input: SupervisorInput): void {
    if (!this.up) return;
    if (this.frozen) {
      if (input.kind !== 'tick') this.#waiting.push({ input, replica: this.replica });
      return;
    }
    this.#countStep();
    const reports = this.reports.length;
    for (const effect of this.supervisor.step(this.rig.now, input)) this.#carryOut(effect);
    // No role changes without a report.
    if (this.reports.length > reports) this.rig.check(this);
  }

  #countStep(): void {
    const second = Math.floor(this.rig.now / 1000);
    if (this.#steps.since !== second) this.#steps = { since: second, count: 0 };
    this.#steps.count += 1;
    if (this.#steps.count > stepsPerSecondMax) assert.fail(`board ${this.name} spins at ${this.rig.now}`);
  }

  has(code: string): boolean {
    return this.reports.some((report) => report.code === code);
  }

  #carryOut(effect: SupervisorEffect): void {
    switch (effect.kind) {
      case 'transmit':
        return this.rig.carry(this, effect.link, effect.bytes);
      case 'replica-start':
        return this.#startReplica();
      case 'replica-stop':
        this.replica = null;
        return;
      case 'replica-send':
        return this.#toReplica(effect.message);
      case 'journal-create':
        this.disk = { historyId: effect.historyId, startedAtMs: effect.startedAtMs, entries: [], durable: 0 };
        return;
      case 'journal-batch':
        return this.#store({ kind: 'batch', bytes: effect.batch, turns: effect.turns });
      case 'journal-note':
        return this.#store({ kind: 'note', note: effect.note });
      case 'journal-read':
        return this.#readJournal(effect.historyId, effect.fromTurn);
      case 'device-transmit':
        return this.rig.device.fromBoard(this.port, effect.bytes);
      case 'console':
        this.console += new TextDecoder().decode(effect.bytes);
        return;
      case 'report':
        this.reports.push({ ...effect.report, at: this.rig.now });
        this.rig.trace(`${this.name} ${effect.report.code} ${effect.report.text}`);
        return;
      case 'wake': {
        const wake = {};
        this.#wake = wake;
        this.later(Math.max(0.1, effect.at - this.rig.now), () => {
          if (this.#wake === wake) this.input({ kind: 'tick' });
        });
        return;
      }
      case 'exit':
        if (this.exit !== null) return;
        this.exit = effect.code;
        this.rig.trace(`${this.name} exits: ${effect.code}`);
        this.later(50, () => this.crash());
        return;
      case 'device-configure':
        throw new Error('the rig has no plain device');
    }
  }

  #startReplica(): void {
    const replica = new ScriptedReplica(this.rig.script, this.rig.random);
    replica.broken = this.fault;
    this.replica = replica;
    this.#replicaFreeAt = 0;
    this.later(10 + this.rig.random() * 20, () => {
      if (this.replica === replica) this.input({ kind: 'replica', message: { kind: 'ready' } });
    });
  }

  #toReplica(message: ToReplica): void {
    const replica = this.replica;
    if (replica === null) return;
    this.#replicaFreeAt = Math.max(this.#replicaFreeAt, this.rig.now) + this.turnMs;
    const { process } = this;
    this.rig.time.after(this.#replicaFreeAt - this.rig.now, () => {
      if (this.replica !== replica || this.process !== process) return;
      if (this.fault !== null) replica.broken = this.fault;
      const answer = replica.answer(message);
      if (answer === null) return;
      this.input({ kind: 'replica', message: answer });
      // A program that failed takes its process with it.
      if (answer.kind === 'failed')
        this.later(1, () => {
          if (this.replica === replica) this.input({ kind: 'replica-exited', reason: 'exit code 1' });
        });
    });
  }

  #store(entry: Disk['entries'][number]): void {
    const disk = this.disk;
    assert(disk !== null, 'a journal is created before it is written');
    disk.entries.push(entry);
    const count = disk.entries.length;
    const always = this.rig.options.supervisor?.fsync === 'always';
    this.later(always ? 1 + this.rig.random() * 3 : 50, () => {
      if (this.disk !== disk || disk.durable >= count) return;
      disk.durable = count;
      if (entry.kind === 'batch') this.input({ kind: 'journal-durable', turns: entry.turns });
    });
  }

  #readJournal(historyId: string, fromTurn: number): void {
    this.later(1 + this.rig.random() * 3, () => {
      const batches: Uint8Array[] = [];
      let bytes = 0;
      for (const entry of this.disk?.entries ?? []) {
        if (entry.kind !== 'batch' || decodeBatch(entry.bytes).firstTurn < fromTurn) continue;
        batches.push(entry.bytes);
        bytes += entry.bytes.length;
        if (bytes > 16 * 1024) break;
      }
      this.input({ kind: 'journal-chunk', historyId, fromTurn, batches });
    });
  }
}

export class PairRig {
  readonly options: RigOptions;
  readonly script: Script;
  readonly time: VirtualTime;
  readonly random: () => number;
  readonly boards: Record<BoardName, RigBoard>;
  readonly device: DeviceRig;
  readonly links = sessionLinks.map(() => ({ loss: 0, cutFrom: { a: false, b: false } }));
  readonly lines: string[] = [];
  readonly #leaderOfTerm = new Map<number, string>();
  readonly #lineFreeAt = new Map<string, number>();

  constructor(options: RigOptions) {
    this.options = options;
    this.script = { ...plainScript, ...options.script };
    this.time = new VirtualTime(options.seed);
    this.random = this.time.random;
    this.device = new DeviceRig(this.time, options.holdTimeMs ?? 1000, (port, bytes) =>
      this.boards[port === 0 ? 'a' : 'b'].input({ kind: 'device-bytes', device: 0, bytes }),
    );
    this.boards = { a: new RigBoard(this, 'a'), b: new RigBoard(this, 'b') };
  }

  get now(): number {
    return this.time.now;
  }

  trace(text: string): void {
    this.lines.push(`${this.now.toFixed(2)} ${text}`);
  }

  start(): void {
    this.boards.a.start();
    this.boards.b.start();
  }

  run(durationMs: number, done?: () => boolean): boolean {
    return this.time.run(durationMs, done);
  }

  /** Runs until one board leads and the other one protects it. */
  runUntilProtected(withinMs = 5000): RigBoard {
    const reached = this.run(withinMs, () => this.protectedPrimary !== null);
    assert(reached, `not protected within ${withinMs} ms:\n${this.lines.slice(-40).join('\n')}`);
    return this.protectedPrimary!;
  }

  get protectedPrimary(): RigBoard | null {
    for (const board of [this.boards.a, this.boards.b]) {
      if (!board.up || !board.peer.up || board.frozen || board.peer.frozen) continue;
      const { status } = board;
      if (status.role !== 'primary' || !status.protected) continue;
      const other = board.peer.status;
      if (other.role === 'backup' && other.protected && other.term === status.term) return board;
    }
    return null;
  }

  get primary(): RigBoard | null {
    const leaders = [this.boards.a, this.boards.b].filter(
      (board) => board.up && !board.frozen && board.status.role === 'primary',
    );
    leaders.sort((left, right) => right.status.term - left.status.term);
    return leaders[0] ?? null;
  }

  cutLinks(links: number[], isCut = true): void {
    for (const link of links) this.links[link]!.cutFrom = { a: isCut, b: isCut };
  }

  carry(from: RigBoard, link: number, bytes: Uint8Array): void {
    const faults = this.links[link]!;
    let delayMs = 0.1 + this.random() * 0.2;
    if (link === serial) {
      const freeAt =
        Math.max(this.#lineFreeAt.get(from.name) ?? 0, this.now) + ((bytes.length + 7) * 10) / 115.2;
      this.#lineFreeAt.set(from.name, freeAt);
      delayMs = freeAt - this.now;
    }
    if (faults.cutFrom[from.name] || this.random() < faults.loss) return;
    this.time.after(delayMs, () => from.peer.input({ kind: 'datagram', link, bytes }));
  }

  /** What must hold at any moment. */
  check(board: RigBoard): void {
    const { status } = board;
    if (status.role !== 'primary') return;
    const leader = this.#leaderOfTerm.get(status.term) ?? board.name;
    assert.equal(leader, board.name, `both boards were primary of term ${status.term}`);
    this.#leaderOfTerm.set(status.term, board.name);
  }

  buildSupervisor(board: RigBoard): Supervisor {
    const bootId = Uint8Array.from({ length: 8 }, () => Math.floor(this.random() * 256));
    const channel = new Channel({
      role: board.name === 'a' ? 'initiator' : 'responder',
      pairKey: new Uint8Array(32).fill(7),
      prologue: Uint8Array.of(1),
      crypto: quickCrypto(this.options.seed * 1000 + board.process * 2 + board.port),
      handshakePayload: bootId,
    });
    const sendBufferBytesMax = this.options.sendBufferBytesMax ?? 1024 * 1024;
    return new Supervisor({
      board: board.name,
      pair: {
        waitForPeerMs: this.options.waitForPeerMs ?? 400,
        alone: this.options.alone ?? 'lead',
        claimRetryMs: 250,
      },
      session: new Session({
        board: board.name,
        bootId,
        channel,
        links: sessionLinks,
        heartbeatIntervalMs,
        sendBufferBytesMax,
        receiveBufferBytesMax: 1024 * 1024,
      }),
      detector: new FailureDetector({
        links: sessionLinks.map((link) => ({
          name: link.name,
          intervalMs: heartbeatIntervalMsOn(link, heartbeatIntervalMs),
        })),
        detectionTimeoutMs: 100,
        suspectTimeoutMs: 15,
      }),
      linkNames: sessionLinks.map((link) => link.name),
      devices: [
        {
          options: { name: 'machine', kind: 'fenced', arbiter: true },
          controller: new DeviceController({
            bitsPerSecond: this.device.bitsPerSecond,
            keepaliveIntervalMs: 50,
            deviceTimeoutMs: this.options.deviceTimeoutMs ?? 500,
          }),
        },
      ],
      heartbeatIntervalMs,
      turnTimeoutMs: 300,
      lagTurnsMax: 500,
      lagMsMax: 200,
      fsync: 'interval',
      programFailure: 'restart',
      programExit: 'stop',
      restartDelayMs: 200,
      restartsMax: 10,
      start: { argv: [], env: {}, hostname: 'pair', ports: ['machine'], stdinIsTerminal: false },
      randomHex: (bytes) =>
        Array.from({ length: bytes }, () =>
          Math.floor(this.random() * 256)
            .toString(16)
            .padStart(2, '0'),
        ).join(''),
      wallTimeUs: () => 1_700_000_000_000_000 + Math.round(this.now * 1000),
      ...this.options.supervisor,
    });
  }

  /** What the program writes over the records of a journal, by an independent run of it; `sinceLoss`: since it was told of one last. */
  writtenBy(board: RigBoard, { sinceLoss = false } = {}): string {
    const replica = new ScriptedReplica(this.script, () => 0);
    let text = '';
    let turn = 0;
    for (const entry of board.disk?.entries ?? []) {
      if (entry.kind !== 'batch') continue;
      const batch = decodeBatch(entry.bytes);
      assert.equal(batch.firstTurn, turn, 'the journal has no gap');
      for (const record of batch.records) {
        const answer = replica.answer(
          record.kind === 'idle'
            ? { ...record, turn }
            : {
                kind: 'turn',
                mode: 'replay',
                turn,
                timeUs: record.timeUs,
                event: record.event,
                values: record.values,
              },
        );
        turn += turnsOf(record);
        if (answer?.kind === 'done') text += writesOf(answer.outputs);
        // What its timers wrote before it heard of the loss is lost with the rest.
        if (sinceLoss && record.kind === 'turn' && record.event.kind === 'port-lost') text = '';
      }
    }
    return text;
  }
}

/** What is sealed under a key opens under that key only; nothing else is asked of it here. */
function quickCrypto(seed: number): CryptoProvider {
  const tagOf = (key: Uint8Array, nonce: Uint8Array): Uint8Array =>
    Uint8Array.from({ length: sealTagBytes }, (_, index) => key[index]! ^ nonce[index % nonce.length]!);
  return {
    ...createFakeCrypto(seed),
    seal(key, nonce, _associatedData, plaintext) {
      const sealed = new Uint8Array(plaintext.length + sealTagBytes);
      sealed.set(plaintext);
      sealed.set(tagOf(key, nonce), plaintext.length);
      return sealed;
    },
    open(key, nonce, _associatedData, sealed) {
      const length = sealed.length - sealTagBytes;
      if (length < 0) return null;
      return tagOf(key, nonce).every((byte, index) => byte === sealed[length + index])
        ? sealed.slice(0, length)
        : null;
    },
  };
}

function writesOf(outputs: Uint8Array): string {
  let text = '';
  for (const output of decodeOutputs(outputs))
    if (output.kind === 'write') text += new TextDecoder().decode(output.bytes);
  return text;
}
