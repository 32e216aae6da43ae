/** The measuring device's process, as a measurement holds it. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { raisePriority } from '../../firmware-host/priority.ts';
import type { DeviceOrder, DeviceReport, MeasuringDeviceOptions } from './measuring-device-contract.ts';

const processFile = fileURLToPath(new URL('./measuring-device.ts', import.meta.url));

type Report<Kind extends DeviceReport['kind']> = Extract<DeviceReport, { kind: Kind }>;

export class DeviceHandle {
  readonly #child: ChildProcess;
  paths: [string, string] = ['', ''];

  private constructor(options: MeasuringDeviceOptions) {
    this.#child = fork(processFile, [JSON.stringify(options)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    // A device is not a process of the machine that it is attached to: what else runs there does not delay it.
    if (this.#child.pid !== undefined) raisePriority(this.#child.pid);
  }

  static async start(options: MeasuringDeviceOptions): Promise<DeviceHandle> {
    const device = new DeviceHandle(options);
    device.paths = (await device.#next('ready', 20_000)).paths;
    return device;
  }

  #next<Kind extends DeviceReport['kind']>(kind: Kind, timeoutMs: number): Promise<Report<Kind>> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#child.off('message', heard);
        this.#child.off('exit', ended);
      };
      const heard = (message: unknown): void => {
        const report = message as DeviceReport;
        if (report.kind !== kind) return;
        done();
        resolve(report as Report<Kind>);
      };
      const ended = (): void => {
        done();
        reject(new Error(`the measuring device's process ended before it said ${kind}`));
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`the measuring device did not say ${kind} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#child.on('message', heard);
      this.#child.once('exit', ended);
    });
  }

  #order(order: DeviceOrder): void {
    this.#child.send(order);
  }

  async edges(count: number, intervalMs: number): Promise<Report<'edges'>> {
    const report = this.#next('edges', count * (intervalMs + 510) + 5_000);
    this.#order({ kind: 'edges', count, intervalMs });
    return await report;
  }

  async stream(valuesPerSecond: number, durationMs: number): Promise<Report<'stream'>> {
    const report = this.#next('stream', durationMs + 20_000);
    this.#order({ kind: 'stream', valuesPerSecond, durationMs });
    return await report;
  }

  /** The program has come to its end of starting: the first edges are answered. */
  async answering(timeoutMs: number): Promise<void> {
    const untilMs = performance.now() + timeoutMs;
    while (performance.now() < untilMs) {
      const { latenciesMs } = await this.edges(2, 5);
      if (latenciesMs.length === 2) return;
    }
    throw new Error(`no edge was answered within ${timeoutMs} ms`);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.disconnect();
    await ended;
  }
}
