/**
 * One run of `understudy dev`: starts the pair, lets the script or the keys break it, ends it, and compares.
 *
 * The end comes in this order: script or user done -> picture left -> boards stopped in good order -> streams compared
 * -> summary. A first signal takes the same way, a second one ends at once.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { ReadStream, WriteStream } from 'node:tty';
import { bundleProgram } from '../../firmware-host/bundle/bundler.ts';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { startLocalRig } from '../../hil-tests/rigs/local/local-rig.ts';
import type { DeviceKind, LocalRigOptions } from '../../hil-tests/rigs/local/rig-contract.ts';
import { type TerminalAbilities, terminalAbilities } from '../terminal/terminal.ts';
import { Faults } from './faults.ts';
import { PairObserver } from './observer.ts';
import { boardNames, type PairRig, type RigEvent, type Verification } from './pair-rig.ts';
import { playScript, type ScriptFault, type ScriptTiming } from './script.ts';
import { exitCodeOf, type Outcome } from './summary.ts';
import { JsonView, LinesView, ScreenView, type Surroundings, type View } from './views.ts';

const noticeMs = 4000;
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface DevOptions {
  program: string;
  plant: 'tank' | 'bench';
  device?: DeviceKind;
  faults: readonly ScriptFault[];
  /** Do not end after the script. */
  keep: boolean;
  /** Lines and the script, in a terminal too. */
  script: boolean;
  json: boolean;
  /** Where the boards' journals and logs stay; default: a temporary one that is removed. */
  directory?: string;
}

/** What the run stands in; tests hand in others. */
export interface DevSurroundings {
  output: NodeJS.WriteStream;
  input: NodeJS.ReadStream;
  environment: NodeJS.ProcessEnv;
  startRig: (options: LocalRigOptions) => Promise<PairRig>;
  timing?: ScriptTiming;
}

export class DevError extends Error {
  readonly code: 'USAGE_DIRECTORY_NOT_EMPTY';

  constructor(code: DevError['code'], message: string) {
    super(message);
    this.name = 'DevError';
    this.code = code;
  }
}

type End =
  | { kind: 'done' }
  /** `exitCode`: what the boards, or the program on both of them, ended with. */
  | { kind: 'failed'; what: string; exitCode: number | null }
  | { kind: 'signal'; signal: NodeJS.Signals };

/** The process's own streams and the real local rig. */
export function ownSurroundings(): DevSurroundings {
  const { stdout, stdin, env } = process;
  return { output: stdout, input: stdin, environment: env, startRig: startLocalRig };
}

/** @throws BundleError, DevError, whatever the rig's start throws. */
export async function runDev(options: DevOptions, surroundings: DevSurroundings): Promise<number> {
  // Both boards would find the same fault, later and twice.
  await bundleProgram(options.program);
  const { program, plant, device = 'simulated' } = options;
  if (
    options.directory !== undefined &&
    existsSync(options.directory) &&
    readdirSync(options.directory).length > 0
  ) {
    throw new DevError(
      'USAGE_DIRECTORY_NOT_EMPTY',
      `--directory ${options.directory} must be new or empty: a journal of another run belongs to another device`,
    );
  }
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'understudy-dev-'));
  let rig: PairRig | null = null;
  // Whatever ends this process, no board and no temporary file stays behind.
  const cleanUp = (): void => {
    if (rig !== null) for (const name of boardNames) rig.boards[name].child?.kill('SIGKILL');
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
  };
  process.on('exit', cleanUp);
  const endEarly = (signal: NodeJS.Signals): never => process.exit(exitCodeOfSignal(signal));
  for (const signal of endingSignals) process.on(signal, endEarly);
  let session: DevSession | null = null;
  // A mistake of ours must not look like outputs that were lost, and its message not vanish with the picture.
  const crash = (error: Error): never => {
    session?.close();
    process.stderr.write(`understudy: ${error.stack ?? String(error)}\n`);
    process.exit(exitCodes.internal.code);
  };
  process.on('uncaughtException', crash);
  try {
    rig = await surroundings.startRig({ program, plant, device, directory });
    session = new DevSession(rig, options, surroundings);
    for (const signal of endingSignals) process.off(signal, endEarly);
    return await session.run();
  } finally {
    session?.close();
    await rig?.stop();
    for (const signal of endingSignals) process.off(signal, endEarly);
    process.off('uncaughtException', crash);
    process.off('exit', cleanUp);
    cleanUp();
  }
}

function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return signal === 'SIGINT' ? exitCodes.interrupted.code : exitCodes.terminated.code;
}

class DevSession {
  readonly #rig: PairRig;
  readonly #options: DevOptions;
  readonly #timing: ScriptTiming | undefined;
  readonly #observer: PairObserver;
  readonly #faults: Faults;
  readonly #view: View;
  /** The rig's own zero, as its events tell it. */
  #startedAt = performance.now();
  #isClockSet = false;
  readonly #scriptStopped = new AbortController();
  readonly #end = Promise.withResolvers<End>();
  readonly #shown: Surroundings = { script: null, notice: '', isHelpShown: false };
  #isEnding = false;
  #noticeTimer: NodeJS.Timeout | undefined;
  readonly #onSignal = (signal: NodeJS.Signals): void => this.#signalled(signal);

  constructor(rig: PairRig, options: DevOptions, surroundings: DevSurroundings) {
    this.#rig = rig;
    this.#options = options;
    this.#timing = surroundings.timing;
    this.#faults = new Faults(rig);
    this.#observer = new PairObserver(rig, options.program, options.plant);
    this.#view = this.#makeView(surroundings);
    for (const signal of endingSignals) process.on(signal, this.#onSignal);
  }

  #makeView({ output, input, environment }: DevSurroundings): View {
    const write = (text: string): void => void output.write(text);
    const clock = (): number => performance.now() - this.#startedAt;
    if (this.#options.json) return new JsonView(write, this.#rig, clock);
    const abilities: TerminalAbilities = terminalAbilities(environment, output.isTTY === true);
    if (this.#options.script || !abilities.canDraw) return new LinesView(write);
    const keys = input.isTTY ? (input as ReadStream) : null;
    const onKey = (key: string): void => this.#key(key);
    return new ScreenView(
      output as WriteStream,
      keys,
      abilities,
      this.#observer,
      clock,
      () => this.#shown,
      onKey,
    );
  }

  async run(): Promise<number> {
    this.#observer.onFault = (watched) => this.#view.fault(watched);
    this.#rig.on('event', (event) => {
      if (!this.#isClockSet) this.#startedAt = performance.now() - event.atMs;
      this.#isClockSet = true;
      this.#view.event(event);
      this.#watchProgram(event);
    });
    this.#rig.on('change', () => this.#watchForEnd());
    void this.#script();
    const end = await this.#end.promise;
    this.#scriptStopped.abort();
    this.#isEnding = true;
    this.#faults.stop();
    const outcome = await this.#finish(end);
    this.#view.summary(outcome);
    if (end.kind !== 'signal') return exitCodeOf(outcome);
    return exitCodeOfSignal(end.signal);
  }

  async #script(): Promise<void> {
    const end = await playScript(this.#rig, {
      faults: this.#options.faults,
      signal: this.#scriptStopped.signal,
      onStep: (step, steps, text) => {
        this.#shown.script = { step, steps, text };
        this.#view.step(text);
      },
      ...(this.#timing === undefined ? {} : { timing: this.#timing }),
    }).catch((error: unknown) => {
      this.#end.reject(error);
      return { kind: 'aborted' } as const;
    });
    this.#shown.script = null;
    if (end.kind === 'stuck')
      this.#end.resolve({ kind: 'failed', what: `Waited in vain: ${end.what}.`, exitCode: null });
    else if (end.kind === 'played' && !this.#options.keep) this.#end.resolve({ kind: 'done' });
  }

  /** With both boards gone for good, there is nothing left to watch. Killed ones have no exit code. */
  #watchForEnd(): void {
    if (this.#isEnding) return;
    const { a, b } = this.#rig.boards;
    if (a.running || b.running || a.exitCode === null || b.exitCode === null) return;
    const what = `Both boards have ended, with exit code ${a.exitCode} and ${b.exitCode}.`;
    this.#end.resolve({ kind: 'failed', what, exitCode: a.exitCode === b.exitCode ? a.exitCode : null });
  }

  /** Left alone with a program that does not run, the script has nothing to show. */
  #watchProgram({ code, text }: RigEvent): void {
    if (this.#isEnding || this.#scriptStopped.signal.aborted || this.#options.keep) return;
    if (code !== 'PROGRAM_FAULT' && code !== 'PROGRAM_EXITED') return;
    const what = `${text[0]!.toUpperCase()}${text.slice(1)}.`;
    this.#end.resolve({ kind: 'failed', what, exitCode: exitCodes.program.code });
  }

  #key(typed: string): void {
    const key = typed.toLowerCase();
    if (key === 'ctrl-c') return this.#signalled('SIGINT');
    if (this.#isEnding) return;
    this.#scriptStopped.abort();
    this.#shown.script = null;
    if (key === 'q') return this.#end.resolve({ kind: 'done' });
    if (key === '?') this.#shown.isHelpShown = !this.#shown.isHelpShown;
    else {
      this.#shown.isHelpShown = false;
      const did = this.#faults.press(key);
      this.#shown.notice = did === null ? '' : `You: ${did}.`;
      clearTimeout(this.#noticeTimer);
      this.#noticeTimer = setTimeout(() => {
        this.#shown.notice = '';
      }, noticeMs).unref();
    }
  }

  #signalled(signal: NodeJS.Signals): void {
    // The second one: the user does not want to wait. The `exit` listeners put the terminal and the boards in order.
    if (this.#isEnding) process.exit(exitCodeOfSignal(signal));
    this.#end.resolve({ kind: 'signal', signal });
  }

  async #finish(end: End): Promise<Outcome> {
    const rig = this.#rig;
    this.#view.close();
    this.#view.say('Stopping both boards, then comparing their outputs with an unbroken run.');
    const leader = rig.primary() ?? rig.device.attachedBoard ?? undefined;
    await rig.stopBoards();
    this.#observer.finish();
    let failure = end.kind === 'failed' ? end.what : null;
    let verification: Verification | null = null;
    try {
      verification = await rig.verify(leader);
    } catch (error) {
      failure ??= `The outputs cannot be compared: ${(error as Error).message}`;
    }
    return {
      faults: this.#observer.faults,
      verification,
      failure,
      endedWith: end.kind === 'failed' ? end.exitCode : null,
    };
  }

  close(): void {
    this.#view.close();
    for (const signal of endingSignals) process.off(signal, this.#onSignal);
  }
}
