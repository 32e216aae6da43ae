/** A log that is appended to, dated line by line, and rotated: FILE, FILE.1, ... FILE.n. */
import { closeSync, existsSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { MonitorError } from './targets.ts';

export interface LogOptions {
  path: string;
  /** A file that has reached this is rotated. 1,000 or more. */
  bytesMax: number;
  /** Older files that are kept. */
  keep: number;
}

export class LogFile {
  readonly path: string;
  readonly #options: LogOptions;
  #descriptor: number | null = null;
  #bytes = 0;
  /** Called once when the disk refuses; the log is off then. */
  onError: (text: string) => void = () => {};

  /** Throws MonitorError. */
  constructor(options: LogOptions) {
    this.path = options.path;
    this.#options = options;
    try {
      this.#open();
    } catch (error) {
      throw new MonitorError('USAGE_LOG_UNWRITABLE', `--log ${this.path}: ${(error as Error).message}`);
    }
  }

  #open(): void {
    this.#descriptor = openSync(this.path, 'a', 0o640);
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  get isOn(): boolean {
    return this.#descriptor !== null;
  }

  /** Returns whether it is on afterwards. */
  toggle(): boolean {
    if (this.isOn) this.close();
    else this.#guarded(() => this.#open());
    return this.isOn;
  }

  /** A line feed within would look like a line without a date. */
  line(wallTimeMs: number, text: string): void {
    if (this.#descriptor === null) return;
    const bytes = Buffer.from(`${new Date(wallTimeMs).toISOString()} ${text.replaceAll('\n', '\\n')}\n`);
    this.#guarded(() => {
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#options.bytesMax) this.#rotate();
      writeSync(this.#descriptor!, bytes);
      this.#bytes += bytes.length;
    });
  }

  #rotate(): void {
    this.close();
    const { path, keep } = this.#options;
    const old = (index: number): string => (index === 0 ? path : `${path}.${index}`);
    for (let index = keep - 1; index >= 0; index--) {
      if (existsSync(old(index))) renameSync(old(index), old(index + 1));
    }
    if (keep === 0) {
      this.#descriptor = openSync(path, 'w', 0o640);
      this.#bytes = 0;
    } else this.#open();
  }

  #guarded(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.close();
      this.onError(`the log is off: ${(error as Error).message}`);
    }
  }

  close(): void {
    if (this.#descriptor === null) return;
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    closeSync(descriptor);
  }
}
