/**
 * The processes that live: as many as jobs, each with one life at a time, begun when first needed.
 *
 * A process is replaced after some thousand lives: each life loads programs into contexts of their own, and what V8
 * keeps of them is not given back for sure. A life must not depend on those before it, so this changes no digest.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LifeOrder, LifeOutcome, LiveOne } from './outcome.ts';

export interface LifeWorkersOptions {
  jobs: number;
  /** Exports `live`, see campaign-worker.ts. */
  lifeModule: URL;
  /** A life that takes longer has hung and counts as crashed. Milliseconds, default 600 000. */
  lifeWallMsMax?: number;
  /** Default 4000. */
  livesPerProcess?: number;
}

interface Task {
  order: LifeOrder;
  resolve(outcome: LifeOutcome | null): void;
  reject(error: Error): void;
}

interface Worker {
  child: ChildProcess;
  isReady: boolean;
  task: Task | null;
  lives: number;
  /** The end of what it wrote: what is known when it dies. */
  said: string;
  isHung: boolean;
  /** Has lived enough and is about to end. */
  isRetiring: boolean;
  deadline: NodeJS.Timeout | null;
}

const workerFile = fileURLToPath(new URL('campaign-worker.ts', import.meta.url));
const saidCharactersMax = 4000;
const closeMsMax = 2000;

/** By message: a child whose channel its parent has disconnected never tells its `close`. */
function askToEnd(child: ChildProcess): void {
  // A process that is ending already has nobody to take it.
  if (child.connected) child.send('end', () => {});
}

export class LifeWorkers {
  readonly #options: Required<LifeWorkersOptions>;
  readonly #workers = new Set<Worker>();
  readonly #waiting: Task[] = [];
  #isClosed = false;
  /** What lives make is in here, so that it can be cleared away after a process that was killed. */
  #folder: string | null = null;

  constructor(options: LifeWorkersOptions) {
    this.#options = { lifeWallMsMax: 600_000, livesPerProcess: 4000, ...options };
  }

  /** Rejects when a process cannot even begin, for instance because the module cannot be loaded. */
  readonly live: LiveOne = (order) =>
    new Promise((resolve, reject) => {
      if (this.#isClosed) {
        resolve(null);
        return;
      }
      this.#waiting.push({ order, resolve, reject });
      this.#handOut();
    });

  /**
   * Ends every process: at the end of its life, so that it can clear away what it made, or after a while by its id.
   * What is under way ends as null.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve(null);
    const ended = [...this.#workers].map(({ child, task }) => {
      task?.resolve(null);
      return new Promise<void>((resolve) => {
        const patience = setTimeout(() => child.kill('SIGKILL'), closeMsMax);
        child.once('close', () => {
          clearTimeout(patience);
          resolve();
        });
        askToEnd(child);
      });
    });
    await Promise.all(ended);
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Of the processes that run, for whoever has to see that none is left. */
  get processIds(): number[] {
    return [...this.#workers].map(({ child }) => child.pid!);
  }

  /** Temporary folder of all processes, null before the first. */
  get folder(): string | null {
    return this.#folder;
  }

  #handOut(): void {
    for (const worker of this.#workers) {
      const isFree = worker.isReady && !worker.isRetiring && worker.task === null;
      if (isFree && this.#waiting.length > 0) {
        this.#give(worker, this.#waiting.shift()!);
      }
    }
    let coming = 0;
    for (const worker of this.#workers) if (!worker.isReady) coming++;
    for (; coming < this.#waiting.length && this.#workers.size < this.#options.jobs; coming++) this.#begin();
  }

  #give(worker: Worker, task: Task): void {
    worker.task = task;
    worker.said = '';
    worker.lives++;
    worker.deadline = setTimeout(() => {
      worker.isHung = true;
      worker.child.kill('SIGKILL');
    }, this.#options.lifeWallMsMax);
    // That it cannot be sent shows as the end of the process.
    worker.child.send(task.order, () => {});
  }

  #begin(): void {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'understudy-sim-'));
    const child = fork(workerFile, [this.#options.lifeModule.href], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Histories and outputs hold bytes, which JSON would not keep.
      serialization: 'advanced',
      env: { ...process.env, TMPDIR: this.#folder },
      // Of a group of its own: Ctrl-C would reach the replicas of a life too, and look like one that failed.
      detached: true,
    });
    const worker: Worker = {
      child,
      isReady: false,
      task: null,
      lives: 0,
      said: '',
      isHung: false,
      isRetiring: false,
      deadline: null,
    };
    this.#workers.add(worker);
    const listen = (chunk: Buffer): void => {
      worker.said = `${worker.said}${chunk.toString()}`.slice(-saidCharactersMax);
    };
    child.stdout!.on('data', listen);
    child.stderr!.on('data', listen);
    child.on('message', (message: 'ready' | LifeOutcome) => {
      if (message === 'ready') worker.isReady = true;
      else this.#take(worker, message);
      this.#handOut();
    });
    child.on('error', () => {});
    child.on('close', (code, signal) => this.#buried(worker, signal ?? `exit code ${code}`));
  }

  #take(worker: Worker, outcome: LifeOutcome): void {
    assert(worker.task !== null, 'an outcome that nobody asked for');
    const { resolve } = worker.task;
    this.#free(worker);
    if (worker.lives >= this.#options.livesPerProcess) {
      worker.isRetiring = true;
      askToEnd(worker.child);
    }
    resolve(outcome);
  }

  #free(worker: Worker): void {
    worker.task = null;
    if (worker.deadline !== null) clearTimeout(worker.deadline);
  }

  #buried(worker: Worker, cause: string): void {
    this.#workers.delete(worker);
    const { task } = worker;
    this.#free(worker);
    if (this.#isClosed) return;
    if (!worker.isReady) {
      const error = new Error(`a process to live in could not begin (${cause}): ${worker.said.trim()}`);
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      return;
    }
    if (task !== null) {
      const why = worker.isHung
        ? `the life did not end within ${this.#options.lifeWallMsMax / 1000} s`
        : `the process ended (${cause})`;
      const message = `${why}\n${worker.said}`.trimEnd();
      task.resolve({ kind: 'crashed', seed: task.order.seed, message });
    }
    this.#handOut();
  }
}
