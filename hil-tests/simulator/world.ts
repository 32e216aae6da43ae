/**
 * A whole pair in virtual time, in one thread: two boards with the real supervisors, sessions, detectors, journals and
 * replica runtime, the bus, fenced devices, and whatever strikes them.
 *
 *   Board a: disk, clock, replica, supervisor ==ethernet, serial== Board b
 *                  \-- line -- fenced device (1..n) -- line --/
 *
 * Everything that happens is told to `observe`, in order; nothing is decided here that a board would decide.
 */
import { Supervisor } from '../../firmware-host/supervisor/supervisor.ts';
import { Channel } from '../../protocol/channel.ts';
import { FailureDetector } from '../../protocol/detector.ts';
import { DeviceController } from '../../protocol/device-stream/controller.ts';
import { heartbeatIntervalMsOn } from '../../protocol/link-state.ts';
import { Session } from '../../protocol/session.ts';
import { Board, type Interference } from './board.ts';
import type { DeviceInTheWorld, DeviceSurroundings } from './device-in-the-world.ts';
import type { JournalEntryOfLife } from './disk.ts';
import { type BoardName, boardNames, type Fault, linkNames } from './fault.ts';
import { FaultHandling } from './fault-handling.ts';
import { Forger } from './forger.ts';
import { Network, type Sent } from './network.ts';
import type { LifeEnd, Observation, Observed } from './observation.ts';
import type { SimulatedProgram } from './programs/replica-in-the-world.ts';
import type { SimulatedFirmware } from './programs/simulated-firmware.ts';
import type { Random } from './random.ts';
import { historiesOf, RecordKeeper } from './record-keeper.ts';
import { createSimulatedCrypto } from './simulated-crypto.ts';
import { SimulatedDevice } from './simulated-device.ts';
import { VirtualTime } from './virtual-time.ts';

/** A device of the reference model with this firmware behind it. */
export interface ModelledDevice {
  name: string;
  firmware: SimulatedFirmware;
  windowBytes: number;
  inputRingBytes: number;
}

/** A device of another making. */
export interface BuiltDevice {
  name: string;
  build(surroundings: DeviceSurroundings): DeviceInTheWorld;
}

/** Numbers of a pair and its surroundings, as a config file and the hardware would give them. Times in milliseconds. */
export interface WorldOptions {
  random: Random;
  program: SimulatedProgram;
  devices: (ModelledDevice | BuiltDevice)[];
  deviceBitsPerSecond: number;
  ethernetBitsPerSecond: number;
  serialBitsPerSecond: number;
  heartbeatIntervalMs: number;
  detectionTimeoutMs: number;
  suspectTimeoutMs: number;
  waitForPeerMs: number;
  alone: 'wait' | 'lead';
  holdTimeMs: number;
  keepaliveIntervalMs: number;
  deviceTimeoutMs: number;
  turnTimeoutMs: number;
  turnMs: number;
  lagTurnsMax: number;
  lagMsMax: number;
  sendBufferBytesMax: number;
  fsync: 'always' | 'interval' | 'never';
  fsyncIntervalMs: number;
  diskWriteMs: number;
  diskSyncMs: number;
  programFailure: 'restart' | 'stop';
  programExit: 'restart' | 'stop';
  restartDelayMs: number;
  restartsMax: number;
  interference?: Interference;
  observe(observed: Observed): void;
}

/** As firmware-host/main.ts has it. */
const claimRetryMs = 250;
const statusEveryMs = 100;
const datagramBytesMax = { ethernet: 1400, serial: 512 };
const pairKey = new Uint8Array(32).fill(7);
const prologue = Uint8Array.of(1);

export class World {
  readonly time = new VirtualTime();
  readonly boards: Record<BoardName, Board>;
  readonly devices: DeviceInTheWorld[];
  readonly #options: WorldOptions;
  readonly #random: Random;
  readonly #network: Network;
  readonly #forger: Forger;
  readonly #records: RecordKeeper;
  readonly #faults: FaultHandling;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = options.random;
    const { ethernetBitsPerSecond: ethernet, serialBitsPerSecond: serial } = options;
    this.#network = new Network(
      this.time,
      this.#random.stream('network'),
      { ethernet, serial },
      { arrived: (board, link, bytes, sent) => this.#arrived(board, link, bytes, sent) },
    );
    this.#records = new RecordKeeper();
    this.#forger = new Forger(this.#random.stream('forger'), this.#crypto('forger'), prologue);
    const board = (name: BoardName): Board =>
      new Board(
        name,
        this.#random.stream(`board ${name}`),
        {
          fsync: options.fsync,
          fsyncIntervalMs: options.fsyncIntervalMs,
          writeMs: options.diskWriteMs,
          syncMs: options.diskSyncMs,
        },
        {
          interference: options.interference,
          time: this.time,
          program: options.program,
          buildSupervisor: (of) => this.#buildSupervisor(of),
          transmit: (of, link, sent) => this.#transmit(of, link, sent),
          toDevice: (of, device, bytes) => this.devices[device]!.lines[of.name].toDevice(bytes),
          openPorts: (of) => this.#faults.openPorts(of),
          journalIs: (of, historyId, entries) => this.#records.is(of.name, historyId, entries),
          journalGrows: (of, historyId, entry: JournalEntryOfLife) =>
            this.#records.grows(of.name, historyId, entry),
          observe: (observation) => this.#observe(observation),
        },
      );
    this.boards = { a: board('a'), b: board('b') };
    this.devices = options.devices.map((device, index) => {
      const surroundings: DeviceSurroundings = {
        time: this.time,
        random: this.#random.stream(`device ${index}`),
        index,
        bitsPerSecond: options.deviceBitsPerSecond,
        toBoard: (name, bytes) => this.boards[name].input({ kind: 'device-bytes', device: index, bytes }),
        observe: (observation) => this.#observe(observation),
      };
      if ('build' in device) return device.build(surroundings);
      const { firmware, windowBytes, inputRingBytes } = device;
      const { holdTimeMs } = options;
      return new SimulatedDevice({ ...surroundings, firmware, windowBytes, inputRingBytes, holdTimeMs });
    });
    this.#faults = new FaultHandling({
      time: this.time,
      network: this.#network,
      boards: this.boards,
      devices: this.devices,
      forger: this.#forger,
      turnMs: options.turnMs,
      observe: (observation) => this.#observe(observation),
    });
    for (const name of boardNames) this.boards[name].replica.turnMs = options.turnMs;
  }

  start(): void {
    for (const device of this.devices) device.start();
    this.boards.a.start();
    this.time.after(this.#random.stream('start').between(0, 60), () => {
      if (!this.boards.b.isUp && this.#faults.mayRun('b')) this.boards.b.start();
    });
    this.#tellStatus();
  }

  #tellStatus(): void {
    this.time.after(statusEveryMs, () => {
      for (const name of boardNames) {
        const board = this.boards[name];
        if (!board.isRunning) continue;
        const supervisor = board.supervisor!;
        this.#observe({
          kind: 'status',
          board: name,
          status: supervisor.status(board.now),
          bufferedBytes: this.#sessions[name]?.unacknowledgedBytes ?? 0,
        });
      }
      this.#tellStatus();
    });
  }

  #observe(observation: Observation): void {
    this.#records.observe(observation);
    const observed = observation as Observed;
    observed.at = this.time.now;
    this.#options.observe(observed);
  }

  // ---------------------------------------------------------------- the bus

  #transmit(board: Board, link: number, sent: Sent): void {
    this.#forger.saw(board.name, sent.bytes);
    if (this.#options.interference?.carries(board, link, sent) === false) return;
    this.#network.carry(board.name, link, sent);
  }

  #arrived(name: BoardName, link: number, bytes: Uint8Array, sent: Sent | null): void {
    const board = this.boards[name];
    const other = this.boards[name === 'a' ? 'b' : 'a'];
    if (!board.isUp) {
      // The kernel of a board that is still powered says that nobody listens there.
      if (linkNames[link] !== 'ethernet' || !board.isPowered || this.#network.isCut(name, link)) return;
      this.time.after(0.2, () => other.input({ kind: 'link-refused', link }));
      return;
    }
    if (sent !== null && board.isRunning) {
      this.#forger.delivered(name, bytes);
      if (sent.process === other.process) this.#observe({ kind: 'heard', board: name, link });
    }
    this.#options.interference?.arrives?.(board, link, bytes);
    board.input({ kind: 'datagram', link, bytes });
  }

  // ---------------------------------------------------------------- boards

  readonly #sessions: Partial<Record<BoardName, Session>> = {};

  #crypto(name: string): ReturnType<typeof createSimulatedCrypto> {
    return createSimulatedCrypto(this.#random.stream(name).below(2 ** 31));
  }

  #buildSupervisor(board: Board): Supervisor {
    const options = this.#options;
    const random = board.random.stream(`process ${board.process}`);
    const bootId = random.bytes(8);
    const links = linkNames.map((name) => ({
      name,
      bitsPerSecond: name === 'serial' ? options.serialBitsPerSecond : options.ethernetBitsPerSecond,
      datagramBytesMax: datagramBytesMax[name],
    }));
    const { heartbeatIntervalMs, detectionTimeoutMs, suspectTimeoutMs } = options;
    const session = new Session({
      board: board.name,
      bootId,
      channel: new Channel({
        role: board.name === 'a' ? 'initiator' : 'responder',
        pairKey,
        prologue,
        crypto: createSimulatedCrypto(random.below(2 ** 31)),
        handshakePayload: bootId,
      }),
      links,
      heartbeatIntervalMs,
      sendBufferBytesMax: options.sendBufferBytesMax,
      receiveBufferBytesMax: options.sendBufferBytesMax,
    });
    this.#sessions[board.name] = session;
    return new Supervisor({
      board: board.name,
      pair: { waitForPeerMs: options.waitForPeerMs, alone: options.alone, claimRetryMs },
      session,
      detector: new FailureDetector({
        links: links.map((link) => ({
          name: link.name,
          intervalMs: heartbeatIntervalMsOn(link, heartbeatIntervalMs),
        })),
        detectionTimeoutMs,
        suspectTimeoutMs,
      }),
      linkNames: [...linkNames],
      devices: options.devices.map(({ name }, index) => ({
        options: { name, kind: 'fenced', arbiter: index === 0 },
        controller: new DeviceController({
          bitsPerSecond: options.deviceBitsPerSecond,
          keepaliveIntervalMs: options.keepaliveIntervalMs,
          deviceTimeoutMs: options.deviceTimeoutMs,
        }),
      })),
      heartbeatIntervalMs,
      turnTimeoutMs: options.turnTimeoutMs,
      lagTurnsMax: options.lagTurnsMax,
      lagMsMax: options.lagMsMax,
      fsync: options.fsync,
      programFailure: options.programFailure,
      programExit: options.programExit,
      restartDelayMs: options.restartDelayMs,
      restartsMax: options.restartsMax,
      start: {
        argv: [],
        env: {},
        hostname: 'pair',
        ports: options.devices.map(({ name }) => name),
        stdinIsTerminal: false,
      },
      randomHex: (bytes) => random.hex(bytes),
      wallTimeUs: () => board.clock.wallUs(this.time.now),
    });
  }

  // ---------------------------------------------------------------- faults

  begin(fault: Fault): void {
    this.#observe({ kind: 'fault', phase: 'begins', fault });
    this.#faults.begin(fault);
  }

  end(fault: Fault): void {
    this.#observe({ kind: 'fault', phase: 'ends', fault });
    this.#faults.end(fault);
  }

  // ---------------------------------------------------------------- the end

  /** How it stands now. Whatever the boards' journals hold is run once more, uninterrupted. */
  finish(): LifeEnd {
    const statusOf = (board: Board): LifeEnd['boards']['a'] => board.supervisor?.status(board.now) ?? null;
    const histories = historiesOf(
      this.#records,
      this.#options.program,
      this.#options.devices.map((device) => device.name),
    );
    const { a, b } = this.boards;
    this.abandon();
    return {
      at: this.time.now,
      boards: { a: statusOf(a), b: statusOf(b) },
      exits: this.#records.exits,
      histories,
    };
  }

  /** Ends the replicas. */
  abandon(): void {
    for (const name of boardNames) this.boards[name].replica.stop();
  }
}
