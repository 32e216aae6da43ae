/**
 * A pair in front of a measuring device: the real command of a board, twice, as the local rig starts it.
 *
 * The local rig's cables and config, but a device that keeps exact time (measuring-device.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ConsoleItem, StatusOnConsole } from '../../firmware-host/console/console-schema.ts';
import { raisePriority } from '../../firmware-host/priority.ts';
import {
  type EthernetCable,
  freeUdpPorts,
  openEthernetCable,
} from '../../hil-tests/rigs/local/ethernet-cable.ts';
import { pairConfig, stateDirectoryOf } from '../../hil-tests/rigs/local/rig-config.ts';
import { openSerialCable, type SerialCable } from '../../hil-tests/rigs/local/serial-cable.ts';
import { DeviceHandle } from './device-handle.ts';
import type { MeasuringDeviceOptions } from './measuring-device-contract.ts';

const entry = fileURLToPath(new URL('../understudy.js', import.meta.url));
const linesKept = 20;

export interface BenchPairOptions {
  program: string;
  device: MeasuringDeviceOptions;
  /** Of the serial link between the boards. Default 115200. */
  serialBaudRate?: number;
  timing?: Record<string, unknown>;
  policy?: Record<string, unknown>;
}

type BoardName = 'a' | 'b';

interface Board {
  child: ChildProcess | null;
  console: Socket | null;
  status: StatusOnConsole | null;
}

export class BenchPair {
  readonly boards: Record<BoardName, Board> = {
    a: { child: null, console: null, status: null },
    b: { child: null, console: null, status: null },
  };
  readonly #directory = mkdtempSync(join(tmpdir(), 'understudy-bench-'));
  readonly #options: BenchPairOptions;
  readonly #lines: string[] = [];
  readonly #watchers = new Set<() => void>();
  #serialCable: SerialCable | null = null;
  #ethernetCable: EthernetCable | null = null;
  #device: DeviceHandle | null = null;
  #isStopped = false;

  constructor(options: BenchPairOptions) {
    this.#options = options;
  }

  get device(): DeviceHandle {
    return this.#device!;
  }

  stateDirectory(board: BoardName): string {
    return stateDirectoryOf(this.#directory, board);
  }

  /** Cables, device and config; no board runs yet. */
  async open(): Promise<void> {
    const { program, device, serialBaudRate = 115_200, timing, policy } = this.#options;
    raisePriority(process.pid);
    this.#serialCable = openSerialCable({ baudRate: serialBaudRate });
    const [portA, portB] = (await freeUdpPorts(2)) as [number, number];
    this.#ethernetCable = await openEthernetCable({ portA, portB });
    this.#device = await DeviceHandle.start(device);
    const config = pairConfig(
      {
        program,
        plant: 'tank',
        deviceMode: device.mode,
        deviceBaudRate: device.baudRate === 0 ? 115_200 : device.baudRate,
        serialBaudRate,
        ...(timing === undefined ? {} : { timing }),
        ...(policy === undefined ? {} : { policy }),
      },
      {
        directory: this.#directory,
        serialCable: this.#serialCable,
        ethernetCable: this.#ethernetCable,
        udpPorts: { a: portA, b: portB },
        devicePorts: this.#device.paths,
        plainDevices: [],
      },
      program,
      randomBytes(32).toString('hex'),
    );
    writeFileSync(join(this.#directory, 'pair.yaml'), config);
  }

  start(name: BoardName): void {
    const words = ['run', '--board', name, '--config', join(this.#directory, 'pair.yaml'), '--json'];
    const child = spawn(process.execPath, [entry, ...words, '--until-stdin-ends'], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.boards[name].child = child;
    createInterface({ input: child.stderr! }).on('line', (line) => {
      this.#lines.push(`${name} ${line}`);
      if (this.#lines.length > linesKept) this.#lines.shift();
    });
    this.#connect(name);
  }

  #connect(name: BoardName): void {
    const board = this.boards[name];
    if (this.#isStopped || board.child?.exitCode !== null) return;
    const socket = createConnection(join(this.#directory, `${name}.sock`));
    socket.once('error', () => {});
    socket.once('connect', () => {
      board.console = socket;
    });
    socket.once('close', () => {
      board.console = null;
      if (!this.#isStopped) setTimeout(() => this.#connect(name), 30).unref();
    });
    createInterface({ input: socket })
      .on('error', () => {})
      .on('line', (line) => {
        const item = JSON.parse(line) as ConsoleItem;
        if (item.kind !== 'status') return;
        board.status = item;
        for (const watcher of this.#watchers) watcher();
      });
  }

  /** As the primary last said. */
  get isPrimaryProtected(): boolean {
    const { a, b } = this.boards;
    return [a, b].some(({ status }) => status?.role === 'primary' && status.protected);
  }

  get isProtected(): boolean {
    const { a, b } = this.boards;
    return a.status?.protected === true && b.status?.protected === true;
  }

  cutEthernet(): void {
    this.#ethernetCable?.cut();
  }

  /** A status that is newer than this call. */
  async freshStatus(name: BoardName): Promise<StatusOnConsole> {
    const before = this.boards[name].status;
    await this.until(() => this.boards[name].status !== before, 10_000, `a status of board ${name}`);
    return this.boards[name].status!;
  }

  /** Looked at with each status. */
  until(condition: () => boolean, timeoutMs: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(check);
        reject(new Error(`not within ${timeoutMs} ms: ${what}\n${this.#lines.join('\n')}`));
      }, timeoutMs);
      this.#watchers.add(check);
      check();
    });
  }

  async end(name: BoardName): Promise<void> {
    const { child } = this.boards[name];
    this.boards[name].status = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const tooLong = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(tooLong);
    this.boards[name].console?.destroy();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.end('b');
    await this.end('a');
    await this.#device?.stop();
    this.#serialCable?.close();
    await this.#ethernetCable?.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Opened, both boards started, protected, and the program answers. */
export async function startProtectedPair(options: BenchPairOptions): Promise<BenchPair> {
  const pair = new BenchPair(options);
  try {
    await pair.open();
    pair.start('a');
    pair.start('b');
    await pair.until(() => pair.isProtected, 60_000, 'both boards protected');
  } catch (error) {
    await pair.stop();
    throw error;
  }
  return pair;
}
