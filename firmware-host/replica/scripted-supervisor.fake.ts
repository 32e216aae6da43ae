/** A supervisor for tests: starts a replica's process on a hand-made bundle and sends it turns. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeOutputs, type Output, type ReplicaEvent, type StartEvent } from '../../protocol/record.ts';
import {
  type BootOptions,
  decodeFromReplica,
  encodeToReplica,
  type FromReplica,
  MessageSplitter,
} from '../ipc.ts';

const mainFile = fileURLToPath(new URL('./main.ts', import.meta.url));
const answerDeadlineMs = 20_000;

export const startUs = 1_800_000_000_000_000;

export type Done = Extract<FromReplica, { kind: 'done' }>;

/** A turn as it was performed: what a record of it holds. */
export interface PerformedTurn {
  timeUs: number;
  event: ReplicaEvent;
  values: Uint8Array;
  digest: number;
}

export const startEvent: StartEvent = {
  kind: 'start',
  seed: '000102030405060708090a0b0c0d0e0f',
  argv: [],
  env: { TZ: 'UTC' },
  hostname: 'pair',
  ports: ['/dev/ttyACM0'],
  stdinIsTerminal: false,
};

export class ScriptedSupervisor {
  readonly #folder = mkdtempSync(join(tmpdir(), 'replica-'));
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #splitter = new MessageSplitter();
  readonly #answers: FromReplica[] = [];
  readonly #exited: Promise<void>;
  #hasExited = false;
  #wake: (() => void) | undefined;
  #turn = 0;
  #wakeAtUs: number | null = null;
  readonly history: PerformedTurn[] = [];
  readonly outputs: Output[] = [];
  readonly bootOptions: BootOptions;
  readonly mainFile = mainFile;
  nativeErrors = '';
  endUs = startUs;

  constructor(program: string, sourceMap?: object) {
    const bundleFile = join(this.#folder, 'bundle.js');
    writeFileSync(bundleFile, program);
    if (sourceMap !== undefined) writeFileSync(`${bundleFile}.map`, JSON.stringify(sourceMap));
    this.#child = spawn(process.execPath, [mainFile], { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.nativeErrors += chunk.toString();
    });
    this.#socket = this.#child.stdio[3] as Socket;
    this.#socket.on('data', (chunk: Buffer) => {
      for (const body of this.#splitter.push(chunk)) this.#answers.push(decodeFromReplica(body));
      this.#wake?.();
    });
    this.#socket.on('error', () => {});
    this.#exited = new Promise((resolve) => {
      this.#child.on('close', () => {
        this.#hasExited = true;
        this.#wake?.();
        resolve();
      });
    });
    this.bootOptions = { bundleFile, programFile: '/programs/program.js', filesRoot: this.#folder };
    this.#socket.write(encodeToReplica({ kind: 'boot', options: this.bootOptions }));
  }

  async answer(): Promise<FromReplica> {
    const deadline = AbortSignal.timeout(answerDeadlineMs);
    deadline.addEventListener('abort', () => this.#wake?.());
    while (this.#answers.length === 0) {
      if (this.#hasExited) throw new Error(`the replica ended without an answer: ${this.nativeErrors}`);
      if (deadline.aborted) throw new Error(`no answer in ${answerDeadlineMs} ms: ${this.nativeErrors}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#answers.shift()!;
  }

  get childPid(): number {
    return this.#child.pid!;
  }

  /** Resolves when the process has ended. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** Waits for `ready`, then performs the start turn. */
  async start(overrides: Partial<StartEvent> = {}): Promise<Done> {
    await this.ready();
    return this.perform(startUs, { ...startEvent, ...overrides });
  }

  async ready(): Promise<void> {
    const answer = await this.answer();
    if (answer.kind !== 'ready') throw new Error(`expected ready, got ${answer.kind}`);
  }

  /** Performs one turn and expects it to be done. */
  async perform(timeUs: number, event: ReplicaEvent = { kind: 'time' }): Promise<Done> {
    const done = await this.tryPerform(timeUs, event);
    if (done.kind !== 'done') throw new Error(`turn ${this.#turn - 1}: ${JSON.stringify(done)}`);
    this.history.push({ timeUs, event, values: done.values, digest: done.digest });
    this.outputs.push(...decodeOutputs(done.outputs));
    this.#wakeAtUs = done.wakeAtUs;
    this.endUs = done.endUs;
    return done;
  }

  async tryPerform(timeUs: number, event: ReplicaEvent = { kind: 'time' }): Promise<FromReplica> {
    const values = new Uint8Array(0);
    this.#socket.write(
      encodeToReplica({ kind: 'turn', mode: 'perform', turn: this.#turn++, timeUs, event, values }),
    );
    return this.answer();
  }

  async replay(
    turn: Omit<PerformedTurn, 'digest'> & { expectedDigest?: number | null },
  ): Promise<FromReplica> {
    this.#socket.write(encodeToReplica({ kind: 'turn', mode: 'replay', turn: this.#turn++, ...turn }));
    return this.answer();
  }

  async idle(timeUs: number, stepUs: number, count: number): Promise<FromReplica> {
    this.#socket.write(encodeToReplica({ kind: 'idle', turn: this.#turn, timeUs, stepUs, count }));
    this.#turn += count;
    return this.answer();
  }

  /** Sends raw bytes, for turns that are sent ahead. */
  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Performs time turns as they fall due, until `untilUs`, or nothing waits, or the program exits. */
  async runUntil(untilUs: number): Promise<void> {
    while (this.#wakeAtUs !== null && this.#wakeAtUs <= untilUs && this.exitCode === undefined) {
      await this.perform(this.#wakeAtUs);
    }
  }

  get exitCode(): number | undefined {
    const exit = this.outputs.find((output) => output.kind === 'exit');
    return exit?.code;
  }

  get consoleText(): string {
    const decoder = new TextDecoder();
    return this.outputs
      .map((output) => (output.kind === 'console' ? decoder.decode(output.bytes) : ''))
      .join('');
  }

  async stop(): Promise<void> {
    this.#socket.destroy();
    await this.#exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
