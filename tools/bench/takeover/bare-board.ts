/**
 * A board without Understudy: the program on its port of a plain device, and the device itself.
 *
 * The plain device is one that can be handed over: it obeys whoever writes. Its port is opened without a reset; a real
 * Arduino's bootloader would add a second or more to each of these gaps.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { raisePriority } from '../../../firmware-host/priority.ts';
import type { BoardName } from '../../../hil-tests/rigs/local/rig-contract.ts';
import { RigDevice } from '../../../hil-tests/rigs/local/rig-device.ts';
import { countingProgram } from './counting-program.ts';
import { OutputWatch } from './output-watch.ts';

const preload = fileURLToPath(new URL('../bare-preload.ts', import.meta.url));
const leash = fileURLToPath(new URL('./leash.ts', import.meta.url));
const baudRate = 115_200;
/** A real board announces itself at once when its port is opened; this one when it looks. */
const lookIntervalMs = 10;

export class PlainBench {
  readonly watch = new OutputWatch();
  readonly directory = mkdtempSync(join(tmpdir(), 'understudy-bare-'));
  readonly #device = new RigDevice({
    event: () => {},
    change: () => {},
    termBegins: () => {},
    termActs: () => {},
    output: (output) => this.watch.take(output),
  });
  #ports: [string, string] = ['', ''];

  async start(): Promise<void> {
    // As the local rig does: what is compared is the way of failing over, not the scheduler's favour.
    raisePriority(process.pid);
    this.#ports = await this.#device.start(
      {
        program: countingProgram,
        plant: 'tank',
        deviceMode: 'plain',
        deviceBaudRate: baudRate,
        deviceReportIntervalMs: lookIntervalMs,
      },
      this.directory,
    );
  }

  /** For the program of a board; it ends with this process. */
  environment(board: BoardName): Record<string, string> {
    return {
      UNDERSTUDY_BARE_PORT: this.#ports[board === 'a' ? 0 : 1],
      UNDERSTUDY_BARE_BAUD_RATE: String(baudRate),
      UNDERSTUDY_BENCH_PID: String(process.pid),
    };
  }

  /**
   * The program that had the port is gone: the next opening of it is a new one, which the device answers with its
   * announcement. (A pseudo-terminal does not tell of an end; firmata would wait five seconds for the announcement.)
   */
  replug(board: BoardName): void {
    const port = board === 'a' ? 0 : 1;
    this.#device.command({ command: 'close-port', port });
    this.#device.command({ command: 'open-port', port });
  }

  /** Words after `node`. */
  words(entry: string): string[] {
    return ['--import', leash, '--import', preload, entry];
  }

  spawn(board: BoardName, entry: string, environment: Record<string, string> = {}): ChildProcess {
    return spawn(process.execPath, this.words(entry), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.environment(board), ...environment },
    });
  }

  async stop(): Promise<void> {
    await this.#device.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}
