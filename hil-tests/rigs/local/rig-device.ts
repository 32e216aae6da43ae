/** The rig's device: its process, what it says of itself, and every byte of output that it accepted. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { raisePriority } from '../../../firmware-host/priority.ts';
import type { DeviceEvent } from './device-events.ts';
import type { DeviceView, LocalRigOptions, RigEvent } from './rig-contract.ts';

export interface AcceptedOutput {
  port: number;
  /** 0 on a plain device. */
  term: number;
  bytes: Uint8Array;
  /** CLOCK_MONOTONIC in ms. */
  atMs: number;
}

export interface RigDeviceListener {
  event(level: RigEvent['level'], code: string, text: string): void;
  change(): void;
  /** A board was attached under a greater term than any before; CLOCK_MONOTONIC in ms. */
  termBegins(atMs: number): void;
  /** The first output under that term was accepted. */
  termActs(atMs: number): void;
  /** Each time that output was accepted. */
  output?(output: AcceptedOutput): void;
}

/** The TypeScript model, or the firmware's machine code on the emulated Mega: they speak alike. */
const processFiles = {
  simulated: fileURLToPath(new URL('./device-process.ts', import.meta.url)),
  mega: fileURLToPath(new URL('./emulated-device-process.ts', import.meta.url)),
} as const;
const plainFirmwareProcessFile = fileURLToPath(new URL('./emulated-plain-process.ts', import.meta.url));

const noiseCharactersMax = 2000;

export class RigDevice {
  readonly view: DeviceView = {
    attachedBoard: null,
    term: 0,
    session: 0,
    safe: false,
    acceptedBytes: 0,
    rejectedStaleBytes: 0,
  };
  plant: Record<string, number | boolean> = {};
  pins: Record<string, number> = {};
  readonly #listener: RigDeviceListener;
  readonly #accepted = new Map<number, Uint8Array[]>();
  readonly #termsThatActed = new Set<number>();
  #child: ChildProcess | null = null;
  #stopping = false;

  constructor(listener: RigDeviceListener) {
    this.#listener = listener;
  }

  get sessionCount(): number {
    return this.#accepted.size;
  }

  /** Outputs accepted in a session, in order, from its first byte. */
  accepted(session: number): Uint8Array[] {
    return this.#accepted.get(session) ?? [];
  }

  /** Resolves with the device's ports for board a and b. */
  start(rig: LocalRigOptions, directory: string): Promise<[string, string]> {
    const options = {
      plant: rig.plant === 'tank' ? 'water-tank' : 'bench',
      mode: rig.deviceMode ?? 'fenced',
      ...(rig.simulatedBoard === undefined ? {} : { board: rig.simulatedBoard }),
      baudRate: rig.deviceBaudRate ?? 115_200,
      holdTimeMs: rig.holdTimeMs ?? 1000,
      ...(rig.deviceReportIntervalMs === undefined ? {} : { reportIntervalMs: rig.deviceReportIntervalMs }),
      ...(rig.plainFirmwareFile === undefined ? {} : { firmwareFile: rig.plainFirmwareFile }),
      // A port that is plugged in again has the name it had, as with udev's links.
      linkPaths: [join(directory, 'device-a'), join(directory, 'device-b')],
    };
    const processFile =
      rig.plainFirmwareFile === undefined
        ? processFiles[rig.device ?? 'simulated']
        : plainFirmwareProcessFile;
    const child = spawn(process.execPath, [processFile, '--options', JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    if (child.pid !== undefined) raisePriority(child.pid);
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).trim().slice(-noiseCharactersMax);
      this.#listener.event('warning', 'DEVICE_NOISE', chunk.toString().trim());
    });
    return new Promise((accept, reject) => {
      child.once('exit', (code) => {
        if (!this.#stopping) this.#listener.event('alarm', 'DEVICE_PROCESS_ENDED', `with code ${code}`);
        reject(new Error(`the device's process ended with code ${code}${said === '' ? '' : `: ${said}`}`));
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        const event = JSON.parse(line) as DeviceEvent & { monotonicMs: number };
        if (event.event === 'ready') accept(event.paths);
        this.#take(event);
        this.#listener.change();
      });
    });
  }

  #take(event: DeviceEvent & { monotonicMs: number }): void {
    const { view } = this;
    switch (event.event) {
      case 'attached': {
        const isNew = event.term > view.term;
        view.attachedBoard = event.port === 0 ? 'a' : 'b';
        view.safe = false;
        view.session = event.session;
        view.term = event.term;
        if (isNew) this.#listener.termBegins(event.monotonicMs);
        const who = event.port === 0 ? 'A' : 'B';
        this.#listener.event('info', 'DEVICE_FOLLOWS', `the device follows board ${who}, term ${event.term}`);
        return;
      }
      case 'output': {
        const bytes = new Uint8Array(Buffer.from(event.base64, 'base64'));
        const chunks = this.#accepted.get(event.session) ?? [];
        this.#accepted.set(event.session, chunks);
        chunks.push(bytes);
        view.acceptedBytes += bytes.length;
        this.#listener.output?.({ port: event.port, term: event.term, bytes, atMs: event.monotonicMs });
        if (this.#termsThatActed.has(event.term)) return;
        this.#termsThatActed.add(event.term);
        this.#listener.termActs(event.monotonicMs);
        return;
      }
      case 'rejected-stale': {
        view.rejectedStaleBytes += event.bytes;
        const text = `refused what came under old term ${event.term} (${event.bytes} bytes of output)`;
        this.#listener.event('warning', 'DEVICE_REJECTED', text);
        return;
      }
      case 'safe-state': {
        view.safe = true;
        view.attachedBoard = null;
        const text = 'no controller for the hold time: outputs in their safe state';
        this.#listener.event('alarm', 'DEVICE_SAFE_STATE', text);
        return;
      }
      case 'session':
        view.session = event.session;
        return;
      case 'state':
        this.plant = event.plant;
        this.pins = Object.fromEntries(event.pins.map((pin) => [String(pin.pin), pin.value]));
        return;
      case 'input-lost':
        this.#listener.event('alarm', 'DEVICE_INPUT_LOST', `${event.bytes} bytes`);
        return;
      default:
        return;
    }
  }

  command(command: Record<string, unknown>): void {
    this.#child?.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === null || child.exitCode !== null) return;
    const ended = new Promise((accept) => child.once('exit', accept));
    child.stdin?.end();
    child.kill('SIGTERM');
    await ended;
  }
}
