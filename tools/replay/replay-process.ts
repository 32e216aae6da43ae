/**
 * The replica's process of a replay: the runtime of a board, in a scratch directory, fed from a journal.
 *
 * It lives in the journal's time zone and locale, whatever this machine has, because programs print times. Files
 * that the program writes go to the scratch directory and are removed at the end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  decodeFromReplica,
  encodeToReplica,
  type FromReplica,
  MessageSplitter,
  type ToReplica,
} from '../../firmware-host/ipc.ts';
import { breakPlan } from './debugger-news.ts';

const plainEntry = fileURLToPath(new URL('../../firmware-host/replica/main.ts', import.meta.url));
const inspectedEntry = fileURLToPath(new URL('inspected-replica.ts', import.meta.url));
const noiseCharactersMax = 4096;

export type Answer = FromReplica | { kind: 'gone'; reason: string } | { kind: 'hung'; afterMs: number };

export interface ReplayProcessOptions {
  code: string;
  /** Version 3, JSON; empty for none. */
  sourceMap: string;
  /** The program's path on the board: what it sees as its own. */
  programFile: string;
  timeZone: string;
  locale: string;
  /** Stop at the beginning of this turn for a debugger at 127.0.0.1:`port` (0: any free one). */
  inspect: { turn: number; port: number } | null;
  /** Longest time for one answer; null while somebody is debugging. */
  answerMsMax: number | null;
  /** What the process says besides its program's console, as it comes. */
  onNoise?: (text: string) => void;
}

export class ReplayProcess {
  readonly #folder = mkdtempSync(join(tmpdir(), 'understudy-replay-'));
  readonly #child: ChildProcess;
  readonly #socket: Duplex;
  readonly #answerMsMax: number | null;
  readonly #answers: Answer[] = [];
  readonly #exited: Promise<void>;
  readonly #killAtExit = (): void => {
    this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  };
  #isGone = false;
  #wake: (() => void) | null = null;
  /** What the process wrote past its program's console: Node's own warnings, and where its debugger listens. */
  noise = '';

  constructor(options: ReplayProcessOptions) {
    const { code, sourceMap, programFile, timeZone, locale, inspect } = options;
    this.#answerMsMax = options.answerMsMax;
    const bundleFile = join(this.#folder, 'program.bundle.js');
    const filesRoot = join(this.#folder, 'files');
    mkdirSync(filesRoot);
    writeFileSync(bundleFile, inspect === null ? code : withSourceMap(code, sourceMap));
    if (sourceMap !== '') writeFileSync(`${bundleFile}.map`, sourceMap);
    const planFile = join(this.#folder, 'break-plan.json');
    if (inspect !== null) writeFileSync(planFile, JSON.stringify(breakPlan(programFile, code, sourceMap)));
    const entry =
      inspect === null
        ? [plainEntry]
        : [`--inspect=127.0.0.1:${inspect.port}`, inspectedEntry, String(inspect.turn), planFile];
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...entry], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { TZ: timeZone, LANG: `${locale.replace('-', '_')}.UTF-8` },
    });
    process.once('exit', this.#killAtExit);
    this.#socket = this.#child.stdio[3] as Duplex;
    const splitter = new MessageSplitter();
    this.#socket.on('data', (chunk: Buffer) => {
      for (const body of splitter.push(chunk)) this.#push(decodeFromReplica(body));
    });
    this.#socket.on('error', () => {
      // The end of the process says the same and more.
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.noise = (this.noise + chunk.toString()).slice(-noiseCharactersMax);
        options.onNoise?.(chunk.toString());
      });
    }
    this.#exited = new Promise((resolve) => {
      const ended = (reason: string): void => {
        if (!this.#isGone) this.#push({ kind: 'gone', reason });
        this.#isGone = true;
        resolve();
      };
      this.#child.on('error', (error) => ended(`the process cannot be started: ${error.message}`));
      this.#child.on('close', (exitCode, signal) => ended(signal ?? `exit code ${exitCode}`));
    });
    this.send({ kind: 'boot', options: { bundleFile, programFile, filesRoot } });
  }

  #push(answer: Answer): void {
    this.#answers.push(answer);
    this.#wake?.();
  }

  send(message: ToReplica): void {
    if (!this.#isGone && this.#socket.writable) this.#socket.write(encodeToReplica(message));
  }

  /** The next answer, in the order of what was sent. After `gone` or `hung` none follows. */
  async next(): Promise<Answer> {
    const limit = this.#answerMsMax;
    let isLate = false;
    const giveUp = (): void => {
      isLate = true;
      this.#wake?.();
    };
    const timer = limit === null || this.#answers.length > 0 ? null : setTimeout(giveUp, limit);
    while (this.#answers.length === 0 && !isLate) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (timer !== null) clearTimeout(timer);
    return this.#answers.shift() ?? { kind: 'hung', afterMs: limit! };
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    this.#socket.destroy();
    await this.#exited;
    process.off('exit', this.#killAtExit);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** So that a debugger shows the program's sources. The comment moves no line and is no part of what was compared. */
function withSourceMap(code: string, sourceMap: string): string {
  if (sourceMap === '') return code;
  const base64 = Buffer.from(sourceMap).toString('base64');
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${base64}\n`;
}
