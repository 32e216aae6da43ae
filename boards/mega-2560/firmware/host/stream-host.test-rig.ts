/**
 * The C stream code as a process that a test talks to (stream_host.c). Built where the test runs, into a temporary folder: what is
 * tested is the source of this checkout, with whichever C compiler there is.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./', import.meta.url));

const answers = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

/** Why the C code cannot be built here, or the compiler that will do it. */
export function findCompiler(): { missing: string } | { compiler: string } {
  const compiler = ['cc', 'gcc', 'clang'].find(answers);
  if (compiler === undefined) return { missing: 'there is no C compiler here (cc, gcc or clang)' };
  if (!answers('make')) return { missing: 'there is no make here' };
  return { compiler };
}

/** Compile-time settings of stream_device.h, without their prefix STREAM_. */
export interface StreamSettings {
  HOLD_TIME_MS?: number;
  WINDOW_BYTES?: number;
  INPUT_RING_BYTES?: number;
  BITS_PER_SECOND?: number;
  FIRST_OFFSET?: number;
}

/** The program, in a temporary folder of its own. */
export class StreamHostBuild {
  readonly #folder: string;

  /** Throws with the compiler's own words if the code does not build, and also if it builds with warnings. */
  constructor(compiler: string, settings: StreamSettings = {}) {
    this.#folder = mkdtempSync(join(tmpdir(), 'understudy-stream-host-'));
    const defines = Object.entries(settings).map(([name, value]) => `-DSTREAM_${name}=${value}u`);
    const made = spawnSync(
      'make',
      ['-s', '-C', folder, `BUILD=${this.#folder}`, `CC=${compiler}`, `DEFINES=${defines.join(' ')}`],
      { encoding: 'utf8' },
    );
    if (made.status !== 0 || made.stderr !== '') {
      this.remove();
      throw new Error(`the C code does not build without complaint:\n${made.stdout}${made.stderr}`);
    }
  }

  start(): StreamHost {
    return new StreamHost(join(this.#folder, 'stream_host'));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export class StreamHost {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #rows: string[] = [];
  #waiting: { resolve: (rows: string[]) => void; reject: (error: Error) => void } | null = null;
  #failure: Error | null = null;
  #told = '';

  constructor(program: string) {
    this.#process = spawn(program);
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#told += text;
    });
    this.#process.stdin.on('error', () => {
      // The process has gone: 'close' tells why.
    });
    this.#process.on('close', (code, signal) => this.#fail(code, signal));
    createInterface({ input: this.#process.stdout }).on('line', (row) => this.#hear(row));
  }

  /** The events that follow from these commands, one row each. */
  run(commands: readonly string[]): Promise<string[]> {
    if (this.#waiting !== null) throw new Error('one run at a time');
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure);
      this.#waiting = { resolve, reject };
      this.#process.stdin.write(`${commands.join('\n')}\nend\n`);
    });
  }

  /** Ends the process, and resolves when it has ended. */
  close(): Promise<void> {
    if (this.#failure !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#process.once('close', () => resolve());
      this.#process.stdin.end();
    });
  }

  #hear(row: string): void {
    if (row !== 'end') {
      this.#rows.push(row);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(this.#rows.splice(0));
  }

  #fail(code: number | null, signal: NodeJS.Signals | null): void {
    this.#failure ??= new Error(`stream_host ended (${signal ?? `exit code ${code}`}): ${this.#told}`);
    this.#waiting?.reject(this.#failure);
    this.#waiting = null;
  }
}
