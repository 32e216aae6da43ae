/**
 * The local rig: a whole pair on one computer, made of the real parts.
 *
 *   understudy run --board a --config pair.yaml  --serial--\            /--serial-- understudy run --board b
 *            |   \--UDP--[Ethernet cable]--UDP--------------+--[cable]--+                 |
 *            +---serial (pty)---- device process: fence, Firmata, plant ----serial (pty)---+
 *
 * The boards are the same processes as on two machines, with the same config file; the rig only owns what a
 * person would own: power, cables, the device on the bench. Everything it knows, it knows from the boards'
 * consoles and from what the device says.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { ConsoleItem } from '../../../firmware-host/console/console-server.ts';
import { raisePriority } from '../../../firmware-host/priority.ts';
import type { BoardStatus } from '../../../firmware-host/supervisor/status.ts';
import { compareStreams, runUninterrupted, type StreamComparison } from '../../checkers/uninterrupted-run.ts';
import { type DeviceEvent, type DeviceSummary, monotonicMs } from './device-events.ts';
import { type EthernetCable, freeUdpPorts, openEthernetCable } from './ethernet-cable.ts';
import { openPlainDevices, type PlainDevice } from './plain-devices.ts';
import { openSerialCable, type SerialCable, type SerialNoise } from './serial-cable.ts';

export type BoardName = 'a' | 'b';
export type CableName = 'serial' | 'ethernet';

export interface LocalRigOptions {
  program: string;
  plant: 'tank' | 'bench';
  /** For journals, logs and sockets; default: a fresh one that `stop` removes. */
  directory?: string;
  /** Sections of pair.yaml that differ from the defaults. */
  timing?: Record<string, unknown>;
  policy?: Record<string, unknown>;
  journal?: Record<string, unknown>;
  serialBaudRate?: number;
  /** Hold time of the device. Default 1000. */
  holdTimeMs?: number;
  deviceBaudRate?: number;
  deviceMode?: 'fenced' | 'plain';
  /** Further, plain devices: `kind@path` as in programs/manifest.ts. */
  plainDevices?: readonly string[];
  arguments?: string[];
  /** The other board runs another program, or has another key: to see it refused. */
  programOfB?: string;
  pairKeyOfB?: string;
  /** Keep what the program prints. Default true. */
  start?: boolean;
}

/** How one start of a board differs from the others. */
export interface BoardLaunch {
  /** Instead of the rig's own. */
  configFile?: string;
  /** On top of this process's. */
  environment?: Record<string, string>;
}

export interface RigEvent {
  /** Since the rig was started. */
  atMs: number;
  source: BoardName | 'device' | 'rig' | 'program';
  level: 'info' | 'warning' | 'alarm';
  code: string;
  text: string;
  details?: Record<string, unknown>;
}

export interface FaultRecord {
  kind: string;
  board: BoardName | null;
  atMs: number;
  /** Fault -> the device follows the new term. Null: no takeover (yet, or none wanted). */
  attachGapMs: number | null;
  /** Fault -> the device accepted the first output of the new term. */
  outputGapMs: number | null;
}

export interface BoardView {
  running: boolean;
  frozen: boolean;
  status: (BoardStatus & { pid: number; replicaPid: number | null }) | null;
  statusAt: number;
  exitCode: number | null;
}

export interface DeviceView {
  attachedBoard: BoardName | null;
  term: number;
  session: number;
  safe: boolean;
  acceptedBytes: number;
  rejectedStaleBytes: number;
}

export interface Verification {
  streamMatches: boolean;
  comparedBytes: number;
  outputsLost: number;
  outputsRepeated: number;
  outputsRejectedStale: number;
  divergences: number;
  sessions: number;
  turns: number;
  comparisons: StreamComparison[];
}

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const cli = join(repository, 'tools/understudy.ts');
const deviceProcessFile = fileURLToPath(new URL('./device-process.ts', import.meta.url));
const deviceName = '/dev/ttyACM0';
const eventsKept = 2000;

interface BoardProcess extends BoardView {
  child: ChildProcess | null;
  console: Socket | null;
  generation: number;
}

export class LocalRig extends EventEmitter<{ change: []; event: [RigEvent] }> {
  readonly boards: Record<BoardName, BoardProcess> = { a: newBoard(), b: newBoard() };
  readonly device: DeviceView = {
    attachedBoard: null,
    term: 0,
    session: 0,
    safe: false,
    acceptedBytes: 0,
    rejectedStaleBytes: 0,
  };
  plant: Record<string, number | boolean> = {};
  pins: Record<string, number> = {};
  readonly cables: Record<CableName, 'up' | 'cut'> = { serial: 'up', ethernet: 'up' };
  readonly events: RigEvent[] = [];
  readonly faults: FaultRecord[] = [];
  readonly directory: string;
  /** What the program printed, through whichever board led. */
  programOutput = '';
  deviceSummary: DeviceSummary | null = null;
  readonly #options: LocalRigOptions;
  readonly #startedAt = monotonicMs();
  readonly #ownsDirectory: boolean;
  readonly #accepted = new Map<number, Uint8Array[]>();
  #termsSeen = new Map<number, { attachedAt: number; firstOutputAt: number | null }>();
  #serialCable: SerialCable | null = null;
  #ethernetCable: EthernetCable | null = null;
  #deviceChild: ChildProcess | null = null;
  #plainDevices: PlainDevice[] = [];
  #stopped = false;

  constructor(options: LocalRigOptions) {
    super();
    this.#options = options;
    this.#ownsDirectory = options.directory === undefined;
    this.directory = options.directory ?? mkdtempSync(join(tmpdir(), 'understudy-rig-'));
    mkdirSync(this.directory, { recursive: true });
  }

  get configFile(): string {
    return join(this.directory, 'pair.yaml');
  }

  stateDirectory(board: BoardName): string {
    return join(this.directory, `board-${board}`);
  }

  async open(): Promise<void> {
    const { serialBaudRate = 115_200 } = this.#options;
    // Cables and devices do not wait for a processor; what stands for them should not either.
    raisePriority(process.pid);
    this.#serialCable = openSerialCable({ baudRate: serialBaudRate });
    const [portA, portB] = (await freeUdpPorts(2)) as [number, number];
    this.#ethernetCable = await openEthernetCable({ portA, portB });
    const paths = await this.#startDevice();
    this.#plainDevices = openPlainDevices(this.#options.plainDevices ?? []);
    const pairKey = randomBytes(32).toString('hex');
    this.#writeConfig('pair.yaml', this.#options.program, pairKey, paths, portA, portB);
    const { programOfB, pairKeyOfB } = this.#options;
    if (programOfB !== undefined || pairKeyOfB !== undefined) {
      this.#writeConfig(
        'pair-b.yaml',
        programOfB ?? this.#options.program,
        pairKeyOfB ?? pairKey,
        paths,
        portA,
        portB,
      );
    }
    if (this.#options.start !== false) {
      this.#startBoard('a');
      this.#startBoard('b');
    }
  }

  #writeConfig(
    file: string,
    program: string,
    pairKey: string,
    paths: [string, string],
    portA: number,
    portB: number,
  ): void {
    const { timing, policy, journal, serialBaudRate = 115_200 } = this.#options;
    const cable = this.#serialCable!;
    const ethernet = this.#ethernetCable!;
    const address = ({ address: host, port }: { address: string; port: number }): string => `${host}:${port}`;
    const config = {
      program: resolve(program),
      ...(this.#options.arguments === undefined ? {} : { arguments: this.#options.arguments }),
      pairKey,
      boards: {
        a: {
          serial: { path: cable.pathA, baudRate: serialBaudRate },
          ethernet: { listen: `127.0.0.1:${portA}`, peer: address(ethernet.addressForA) },
          state: this.stateDirectory('a'),
          console: join(this.directory, 'a.sock'),
        },
        b: {
          serial: { path: cable.pathB, baudRate: serialBaudRate },
          ethernet: { listen: `127.0.0.1:${portB}`, peer: address(ethernet.addressForB) },
          state: this.stateDirectory('b'),
          console: join(this.directory, 'b.sock'),
        },
      },
      devices: [
        {
          name: deviceName,
          kind: this.#options.deviceMode ?? 'fenced',
          baudRate: this.#options.deviceBaudRate ?? 115_200,
          ports: { a: paths[0], b: paths[1] },
        },
        ...this.#plainDevices.map(({ name, ports }) => ({ name, kind: 'plain', baudRate: 9600, ports })),
      ],
      ...(timing === undefined ? {} : { timing }),
      ...(policy === undefined ? {} : { policy }),
      ...(journal === undefined ? {} : { journal }),
    };
    writeFileSync(join(this.directory, file), stringify(config));
  }

  // ---------------------------------------------------------------- device

  #startDevice(): Promise<[string, string]> {
    const options = {
      plant: this.#options.plant === 'tank' ? 'water-tank' : 'bench',
      mode: this.#options.deviceMode ?? 'fenced',
      baudRate: this.#options.deviceBaudRate ?? 115_200,
      holdTimeMs: this.#options.holdTimeMs ?? 1000,
      // A port that is plugged in again has the name it had, as with udev's links.
      linkPaths: [join(this.directory, 'device-a'), join(this.directory, 'device-b')],
    };
    const child = spawn(process.execPath, [deviceProcessFile, '--options', JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#deviceChild = child;
    if (child.pid !== undefined) raisePriority(child.pid);
    child.stderr?.on('data', (chunk: Buffer) =>
      this.#event('device', 'warning', 'DEVICE_NOISE', chunk.toString().trim()),
    );
    return new Promise((accept, reject) => {
      child.once('exit', (code) => {
        if (!this.#stopped) this.#event('device', 'alarm', 'DEVICE_PROCESS_ENDED', `with code ${code}`);
        reject(new Error(`the device's process ended with code ${code}`));
      });
      createInterface({ input: child.stdout! }).on('line', (line) => {
        const event = JSON.parse(line) as DeviceEvent & { monotonicMs: number };
        if (event.event === 'ready') accept(event.paths);
        this.#deviceEvent(event);
      });
    });
  }

  #deviceEvent(event: DeviceEvent & { monotonicMs: number }): void {
    switch (event.event) {
      case 'attached': {
        this.device.attachedBoard = event.port === 0 ? 'a' : 'b';
        this.device.safe = false;
        this.device.session = event.session;
        if (event.term > this.device.term) {
          this.#termsSeen.set(event.term, { attachedAt: event.monotonicMs, firstOutputAt: null });
          for (const fault of this.#faultsWaiting())
            fault.attachGapMs = event.monotonicMs - this.#startedAt - fault.atMs;
        }
        this.device.term = event.term;
        const who = event.port === 0 ? 'A' : 'B';
        this.#event(
          'device',
          'info',
          'DEVICE_FOLLOWS',
          `the device follows board ${who}, term ${event.term}`,
        );
        break;
      }
      case 'output': {
        const bytes = new Uint8Array(Buffer.from(event.base64, 'base64'));
        let chunks = this.#accepted.get(event.session);
        if (chunks === undefined) {
          chunks = [];
          this.#accepted.set(event.session, chunks);
        }
        chunks.push(bytes);
        this.device.acceptedBytes += bytes.length;
        const term = this.#termsSeen.get(event.term);
        if (term !== undefined && term.firstOutputAt === null) {
          term.firstOutputAt = event.monotonicMs;
          for (const fault of this.faults) {
            if (fault.attachGapMs !== null && fault.outputGapMs === null) {
              fault.outputGapMs = event.monotonicMs - this.#startedAt - fault.atMs;
            }
          }
        }
        break;
      }
      case 'rejected-stale':
        this.device.rejectedStaleBytes += event.bytes;
        this.#event(
          'device',
          'warning',
          'DEVICE_REJECTED',
          `refused what came under old term ${event.term} (${event.bytes} bytes of output)`,
        );
        break;
      case 'safe-state':
        this.device.safe = true;
        this.device.attachedBoard = null;
        this.#event(
          'device',
          'alarm',
          'DEVICE_SAFE_STATE',
          'no controller for the hold time: outputs in their safe state',
        );
        break;
      case 'session':
        this.device.session = event.session;
        break;
      case 'state':
        this.plant = event.plant;
        this.pins = Object.fromEntries(event.pins.map((pin) => [String(pin.pin), pin.value]));
        break;
      case 'input-lost':
        this.#event('device', 'alarm', 'DEVICE_INPUT_LOST', `${event.bytes} bytes`);
        break;
      case 'summary':
        this.deviceSummary = event;
        break;
      default:
        break;
    }
    this.emit('change');
  }

  /** Faults that the attachment of a new term answers. */
  #faultsWaiting(): FaultRecord[] {
    const last = this.faults.at(-1);
    return last !== undefined && last.attachGapMs === null && takesOver(last.kind) ? [last] : [];
  }

  deviceCommand(command: Record<string, unknown>): void {
    this.#deviceChild?.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  // ---------------------------------------------------------------- boards

  #startBoard(name: BoardName, launch: BoardLaunch = {}): void {
    const board = this.boards[name];
    board.generation += 1;
    const { generation } = board;
    const configB = join(this.directory, 'pair-b.yaml');
    const usual = name === 'b' && existsSync(configB) ? configB : this.configFile;
    const config = launch.configFile ?? usual;
    // The pipe is the leash: boards do not outlive their rig, however it ends.
    const words = ['run', '--board', name, '--config', config, '--json', '--until-stdin-ends'];
    const child = spawn(process.execPath, [cli, ...words], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...launch.environment },
    });
    board.child = child;
    board.running = true;
    board.frozen = false;
    board.exitCode = null;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.programOutput = (this.programOutput + chunk.toString()).slice(-200_000);
    });
    createInterface({ input: child.stderr! }).on('line', (line) => this.#boardLine(name, line));
    child.on('exit', (code, signal) => {
      if (board.generation !== generation) return;
      board.running = false;
      board.frozen = false;
      board.status = null;
      board.exitCode = code;
      board.console?.destroy();
      board.console = null;
      if (!this.#stopped) {
        const how = signal === null ? `exit code ${code}` : `killed (${signal})`;
        this.#event(
          'rig',
          code === 0 ? 'info' : 'warning',
          'BOARD_ENDED',
          `board ${name.toUpperCase()}: ${how}`,
        );
      }
      this.emit('change');
    });
    this.#connectConsole(name, generation);
  }

  #boardLine(name: BoardName, line: string): void {
    if (line === '') return;
    try {
      const { level, code, text, details } = JSON.parse(line) as RigEvent;
      this.#event(name, level, code, text, details);
    } catch {
      this.#event(name, 'warning', 'BOARD_NOISE', line);
    }
  }

  #connectConsole(name: BoardName, generation: number): void {
    const board = this.boards[name];
    if (board.generation !== generation || !board.running || this.#stopped) return;
    const socket = createConnection(join(this.directory, `${name}.sock`));
    const retry = (): void => {
      board.console = null;
      setTimeout(() => this.#connectConsole(name, generation), 30).unref();
    };
    socket.once('error', () => {});
    socket.once('close', retry);
    socket.once('connect', () => {
      board.console = socket;
    });
    createInterface({ input: socket })
      .on('error', () => {})
      .on('line', (line) => {
        const item = JSON.parse(line) as ConsoleItem;
        if (item.kind !== 'status') return;
        board.status = item;
        board.statusAt = monotonicMs();
        this.emit('change');
      });
  }

  #event(
    source: RigEvent['source'],
    level: RigEvent['level'],
    code: string,
    text: string,
    details?: Record<string, unknown>,
  ): void {
    const event: RigEvent = { atMs: monotonicMs() - this.#startedAt, source, level, code, text };
    if (details !== undefined) event.details = details;
    this.events.push(event);
    if (this.events.length > eventsKept) this.events.splice(0, this.events.length - eventsKept);
    this.emit('event', event);
    this.emit('change');
  }

  primary(): BoardName | null {
    const leading = (['a', 'b'] as const).filter((name) => {
      const board = this.boards[name];
      return board.running && !board.frozen && board.status?.role === 'primary';
    });
    const best = leading.sort((x, y) => this.boards[y].status!.term - this.boards[x].status!.term)[0];
    return best ?? null;
  }

  /** Both boards agree that the backup can take over. */
  isProtected(): boolean {
    const primary = this.primary();
    if (primary === null) return false;
    const backup = this.boards[other(primary)];
    return (
      this.boards[primary].status?.protected === true &&
      backup.running &&
      !backup.frozen &&
      backup.status?.role === 'backup' &&
      backup.status.term === this.boards[primary].status.term &&
      this.device.attachedBoard === primary
    );
  }

  // ---------------------------------------------------------------- faults

  #fault(kind: string, board: BoardName | null, text: string): void {
    const atMs = monotonicMs() - this.#startedAt;
    this.faults.push({ kind, board, atMs, attachGapMs: null, outputGapMs: null });
    this.#event('rig', 'warning', 'FAULT', text);
  }

  kill(name: BoardName): void {
    const board = this.boards[name];
    if (!board.running) return;
    this.#fault(
      this.primary() === name ? 'kill-primary' : 'kill-backup',
      name,
      `board ${name.toUpperCase()} killed (SIGKILL)`,
    );
    board.child?.kill('SIGKILL');
    if (board.status?.replicaPid) killQuietly(board.status.replicaPid, 'SIGKILL');
  }

  /** Only the replica's process dies. */
  killReplica(name: BoardName): void {
    const pid = this.boards[name].status?.replicaPid;
    if (pid === undefined || pid === null) return;
    const kind = this.primary() === name ? 'kill-replica' : 'kill-backup-replica';
    this.#fault(kind, name, `the replica on board ${name.toUpperCase()} killed`);
    killQuietly(pid, 'SIGKILL');
  }

  restart(name: BoardName, launch: BoardLaunch = {}): void {
    if (this.boards[name].running) return;
    this.#event('rig', 'info', 'BOARD_STARTED', `board ${name.toUpperCase()} switched on again`);
    this.#startBoard(name, launch);
  }

  freeze(name: BoardName): void {
    const board = this.boards[name];
    if (!board.running || board.frozen) return;
    this.#fault(
      this.primary() === name ? 'freeze-primary' : 'freeze-backup',
      name,
      `board ${name.toUpperCase()} frozen (SIGSTOP)`,
    );
    board.frozen = true;
    board.child?.kill('SIGSTOP');
    if (board.status?.replicaPid) killQuietly(board.status.replicaPid, 'SIGSTOP');
    this.emit('change');
  }

  thaw(name: BoardName): void {
    const board = this.boards[name];
    if (!board.frozen) return;
    this.#event('rig', 'info', 'BOARD_THAWED', `board ${name.toUpperCase()} goes on (SIGCONT)`);
    board.frozen = false;
    if (board.status?.replicaPid) killQuietly(board.status.replicaPid, 'SIGCONT');
    board.child?.kill('SIGCONT');
    this.emit('change');
  }

  cut(cable: CableName): void {
    if (this.cables[cable] === 'cut') return;
    this.cables[cable] = 'cut';
    if (cable === 'serial') this.#serialCable?.cut();
    else this.#ethernetCable?.cut();
    this.#fault(`cut-${cable}`, null, `${cable} cable cut`);
  }

  restore(cable: CableName): void {
    if (this.cables[cable] === 'up') return;
    this.cables[cable] = 'up';
    if (cable === 'serial') this.#serialCable?.restore();
    else this.#ethernetCable?.restore();
    this.#event('rig', 'info', 'RESTORED', `${cable} cable restored`);
  }

  /** Disturbs every byte of the serial link; `{}` makes it quiet again. */
  setSerialNoise(noise: SerialNoise): void {
    this.#serialCable?.setNoise(noise);
  }

  switchover(): void {
    const primary = this.primary();
    if (primary === null) return;
    this.#fault('switchover', primary, `switchover asked for at board ${primary.toUpperCase()}`);
    this.boards[primary].console?.write(
      `${JSON.stringify({ command: 'switchover', reason: 'asked for at the rig' })}\n`,
    );
  }

  /** Waits for a condition; rejects after `timeoutMs` with what was waited for and the last events. */
  until(condition: (rig: this) => boolean, timeoutMs: number, what: string): Promise<void> {
    return new Promise((accept, reject) => {
      const check = (): void => {
        if (!condition(this)) return;
        clearTimeout(timer);
        this.off('change', check);
        accept();
      };
      const timer = setTimeout(() => {
        this.off('change', check);
        const last = this.events
          .slice(-25)
          .map((e) => `${e.atMs.toFixed(0)} ${e.source} ${e.code} ${e.text}`);
        reject(new Error(`not within ${timeoutMs} ms: ${what}\n${last.join('\n')}`));
      }, timeoutMs);
      this.on('change', check);
      check();
    });
  }

  // ---------------------------------------------------------------- end

  /** Asks both boards to leave in good order: the backup first, then the primary closes its journal. */
  async stopBoards(): Promise<void> {
    for (const name of ['a', 'b'] as const) this.thaw(name);
    const primary = this.primary() ?? 'a';
    for (const name of [other(primary), primary]) {
      const board = this.boards[name];
      if (!board.running) continue;
      board.child?.kill('SIGTERM');
      await this.until(() => !board.running, 10_000, `board ${name} leaves`).catch(() =>
        board.child?.kill('SIGKILL'),
      );
    }
  }

  /** After `stopBoards`: compares what the device took with one uninterrupted run of the recorded events. */
  async verify(journalOf?: BoardName): Promise<Verification> {
    const board = journalOf ?? this.device.attachedBoard ?? 'a';
    const state = this.stateDirectory(board);
    const reference = await runUninterrupted(join(state, 'journal.usj'), {
      bundleFile: join(state, 'program.bundle.js'),
      programFile: resolve(this.#options.program),
      filesRoot: '',
    });
    const comparisons = reference.sessions
      .filter((session) => session.device === deviceName)
      .map((session) => compareStreams(session, Buffer.concat(this.#accepted.get(session.session) ?? [])));
    const divergences =
      this.events.filter((event) => event.code === 'DIVERGED').length +
      (reference.divergedAtTurn === null ? 0 : 1);
    const total = (pick: (comparison: StreamComparison) => number): number =>
      comparisons.reduce((sum, comparison) => sum + pick(comparison), 0);
    return {
      streamMatches: comparisons.length > 0 && comparisons.every((each) => each.differsAt === null),
      comparedBytes: total((each) => each.comparedBytes),
      outputsLost: total((each) => each.lostBytes),
      outputsRepeated: total((each) => each.repeatedBytes),
      outputsRejectedStale: this.device.rejectedStaleBytes,
      divergences,
      sessions: this.#accepted.size,
      turns: reference.turns,
      comparisons,
    };
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    await this.stopBoards().catch(() => {});
    this.#stopped = true;
    for (const name of ['a', 'b'] as const) {
      const board = this.boards[name];
      board.console?.destroy();
      if (board.running) board.child?.kill('SIGKILL');
    }
    const device = this.#deviceChild;
    if (device !== null && device.exitCode === null) {
      const ended = new Promise((accept) => device.once('exit', accept));
      device.stdin?.end();
      device.kill('SIGTERM');
      await ended;
    }
    for (const each of this.#plainDevices) each.close();
    this.#serialCable?.close();
    await this.#ethernetCable?.close();
    if (this.#ownsDirectory) rmSync(this.directory, { recursive: true, force: true });
  }
}

function newBoard(): BoardProcess {
  return {
    running: false,
    frozen: false,
    status: null,
    statusAt: 0,
    exitCode: null,
    child: null,
    console: null,
    generation: 0,
  };
}

/** Kinds of fault that a takeover or switchover answers. */
function takesOver(kind: string): boolean {
  return (
    kind === 'kill-primary' || kind === 'freeze-primary' || kind === 'kill-replica' || kind === 'switchover'
  );
}

export function other(board: BoardName): BoardName {
  return board === 'a' ? 'b' : 'a';
}

function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export async function startLocalRig(options: LocalRigOptions): Promise<LocalRig> {
  const rig = new LocalRig(options);
  try {
    await rig.open();
  } catch (error) {
    await rig.stop();
    throw error;
  }
  return rig;
}
