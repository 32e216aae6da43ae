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
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ConsoleItem } from '../../../firmware-host/console/console-schema.ts';
import { raisePriority } from '../../../firmware-host/priority.ts';
import { assert } from '../../../protocol/assert.ts';
import { monotonicMs } from './device-events.ts';
import { type EthernetCable, freeUdpPorts, openEthernetCable } from './ethernet-cable.ts';
import { FaultLedger } from './fault-ledger.ts';
import { openPlainDevices, type PlainDevice } from './plain-devices.ts';
import { pairConfig, stateDirectoryOf } from './rig-config.ts';
import {
  type BoardLaunch,
  type BoardName,
  type BoardView,
  type CableName,
  type DeviceView,
  type FaultRecord,
  type LocalRigOptions,
  other,
  type RigEvent,
  type Verification,
} from './rig-contract.ts';
import { type AcceptedOutput, RigDevice } from './rig-device.ts';
import { verifyRun } from './rig-verification.ts';
import { openSerialCable, type SerialCable, type SerialNoise } from './serial-cable.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const cli = join(repository, 'tools/understudy.js');
const eventsKept = 2000;

interface BoardProcess extends BoardView {
  child: ChildProcess | null;
  console: Socket | null;
  generation: number;
}

export class LocalRig extends EventEmitter<{ change: []; event: [RigEvent]; output: [AcceptedOutput] }> {
  readonly boards: Record<BoardName, BoardProcess> = { a: newBoard(), b: newBoard() };
  readonly cables: Record<CableName, 'up' | 'cut'> = { serial: 'up', ethernet: 'up' };
  readonly events: RigEvent[] = [];
  readonly #faults = new FaultLedger();
  readonly directory: string;
  /** What the program printed, through whichever board led. */
  programOutput = '';
  readonly #options: LocalRigOptions;
  readonly #startedAt = monotonicMs();
  readonly #ownsDirectory: boolean;
  readonly #device = new RigDevice({
    event: (level, code, text) => this.#event('device', level, code, text),
    change: () => this.emit('change'),
    termBegins: (atMs) => this.#faults.termBegins(atMs - this.#startedAt),
    termActs: (atMs) => this.#faults.termActs(atMs - this.#startedAt),
    output: (output) => this.emit('output', output),
  });
  #serialCable: SerialCable | null = null;
  #ethernetCable: EthernetCable | null = null;
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
    return stateDirectoryOf(this.directory, board);
  }

  async open(): Promise<void> {
    const { serialBaudRate = 115_200 } = this.#options;
    // Cables and devices do not wait for a processor; what stands for them should not either.
    raisePriority(process.pid);
    this.#serialCable = openSerialCable({ baudRate: serialBaudRate });
    const [portA, portB] = (await freeUdpPorts(2)) as [number, number];
    if (this.#options.ethernet !== 'direct') this.#ethernetCable = await openEthernetCable({ portA, portB });
    const devicePorts = await this.#device.start(this.#options, this.directory);
    this.#plainDevices = openPlainDevices(this.#options.plainDevices ?? []);
    const parts = {
      directory: this.directory,
      serialCable: this.#serialCable,
      ethernetCable: this.#ethernetCable,
      udpPorts: { a: portA, b: portB },
      devicePorts,
      plainDevices: this.#plainDevices,
    };
    const pairKey = randomBytes(32).toString('hex');
    const { program, programOfB = program, pairKeyOfB = pairKey } = this.#options;
    writeFileSync(this.configFile, pairConfig(this.#options, parts, program, pairKey));
    if (programOfB !== program || pairKeyOfB !== pairKey) {
      writeFileSync(
        join(this.directory, 'pair-b.yaml'),
        pairConfig(this.#options, parts, programOfB, pairKeyOfB),
      );
    }
    if (this.#options.start !== false) {
      this.#startBoard('a');
      this.#startBoard('b');
    }
  }

  // ---------------------------------------------------------------- device

  get faults(): readonly FaultRecord[] {
    return this.#faults.records;
  }

  get device(): DeviceView {
    return this.#device.view;
  }

  /** Every byte of output that the device accepted in its present session, in order. */
  get acceptedOutputs(): Uint8Array {
    return Buffer.concat(this.#device.accepted(this.device.session));
  }

  get plant(): Record<string, number | boolean> {
    return this.#device.plant;
  }

  get pins(): Record<string, number> {
    return this.#device.pins;
  }

  deviceCommand(command: Record<string, unknown>): void {
    this.#device.command(command);
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
    this.#faults.record(kind, board, monotonicMs() - this.#startedAt);
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

  /** The replica's process stands still; its supervisor runs on. */
  hangReplica(name: BoardName): void {
    const pid = this.boards[name].status?.replicaPid;
    if (pid === undefined || pid === null) return;
    const kind = this.primary() === name ? 'hang-replica' : 'hang-backup-replica';
    this.#fault(kind, name, `the replica on board ${name.toUpperCase()} hangs (SIGSTOP)`);
    killQuietly(pid, 'SIGSTOP');
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
    assert(
      cable !== 'ethernet' || this.#options.ethernet !== 'direct',
      'a direct Ethernet has no cable to cut',
    );
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
      `${JSON.stringify({ command: 'switchover', reason: 'asked for at the rig', yes: true })}\n`,
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
      await this.until(() => !board.running, 15_000, `board ${name} leaves`).catch(() =>
        board.child?.kill('SIGKILL'),
      );
    }
  }

  /** After `stopBoards`: compares what the device took with one uninterrupted run of the recorded events. */
  async verify(journalOf?: BoardName): Promise<Verification> {
    const state = this.stateDirectory(journalOf ?? this.device.attachedBoard ?? 'a');
    return await verifyRun(state, this.#options.program, this.#device, this.events);
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
    await this.#device.stop();
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
