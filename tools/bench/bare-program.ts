/** The bare program in front of a measuring device: what a pair is compared with. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { raisePriority } from '../../firmware-host/priority.ts';
import { DeviceHandle } from './device-handle.ts';

const preload = fileURLToPath(new URL('./bare-preload.ts', import.meta.url));
const fastBaudRate = 115_200;
const noiseCharactersMax = 4000;

export class BareProgram {
  readonly device: DeviceHandle;
  readonly #child: ChildProcess;
  #noise = '';

  private constructor(program: string, device: DeviceHandle, baudRate: number) {
    this.device = device;
    this.#child = spawn(process.execPath, ['--import', preload, program], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        UNDERSTUDY_BARE_PORT: device.paths[0],
        UNDERSTUDY_BARE_BAUD_RATE: String(baudRate === 0 ? fastBaudRate : baudRate),
      },
    });
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#noise = (this.#noise + chunk.toString()).slice(-noiseCharactersMax);
    });
    // The boards raise theirs too: what is compared is the way through them, not the scheduler's favour.
    if (this.#child.pid !== undefined) raisePriority(this.#child.pid);
  }

  /** On a plain device, whose line has this speed (0: takes no time). */
  static async start(program: string, baudRate: number): Promise<BareProgram> {
    const device = await DeviceHandle.start({ mode: 'plain', baudRate, plant: 'none' });
    const bare = new BareProgram(program, device, baudRate);
    try {
      await device.answering(20_000);
    } catch (error) {
      await bare.stop();
      throw new Error(`the bare program: ${(error as Error).message}\n${bare.#noise}`);
    }
    return bare;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    await this.device.stop();
  }
}
