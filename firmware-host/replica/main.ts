/**
 * A replica's process: the world in which one copy of the control program runs.
 *
 * It reads messages from its supervisor on file descriptor 3 with *blocking* reads and answers them in order.
 * Node's event loop does not run meanwhile, so nothing but a message can run a line of the program, and a turn
 * costs no trip through the loop. The alternative, a socket in the event loop, would let any handle that slips
 * through the interposition run the program outside of a turn.
 */
import { readFileSync, readSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { dirname } from 'node:path';
import {
  type BootOptions,
  decodeToReplica,
  encodeFromReplica,
  type FromReplica,
  MessageSplitter,
  type ToReplica,
} from '../ipc.ts';
import { createRequireForProgram } from './builtins.ts';
import { installGlobals } from './globals.ts';
import { leashTo } from './leash.ts';
import { runProgram } from './program.ts';
import { createBinding } from './serial/binding.ts';
import { createFirmataModule } from './serial/firmata-module.ts';
import { addSerialPortMock, createSerialPortModule } from './serial/serialport-module.ts';
import { createStackMapper } from './stack-map.ts';
import { TurnRunner } from './turn-runner.ts';
import { installWorld } from './virtual-globals.ts';

const socketFd = 3;
const readBytesMax = 64 * 1024;
/** Answers to replayed turns are gathered up to this size: a write a turn would halve the speed of a join. */
const answerBytesMax = 16 * 1024;

interface NativeProcess {
  _tickCallback(): void;
  _fatalException(error: unknown, fromPromise: boolean): boolean;
  reallyExit(code: number): never;
}

// Everything of the real process is taken before the program can see or change it.
const native = process as unknown as NativeProcess;
const supervisorPid = process.ppid;
const drainMicrotasks = native._tickCallback.bind(process);
const fatalException = native._fatalException.bind(process);
const endProcess = native.reallyExit.bind(process);
const sharedWord = new Int32Array(new SharedArrayBuffer(4));
const realWait: (word: Int32Array, index: number, value: number, ms: number) => string = Atomics.wait;
const waitShortly = () => realWait(sharedWord, 0, 0, 1);

let answers: Uint8Array[] = [];
let answerBytes = 0;

/** Repeats a call on a descriptor that somebody made non-blocking. */
function persistently(call: () => number): number {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      waitShortly();
    }
  }
}

function flushAnswers(): void {
  if (answers.length === 0) return;
  let bytes = answers[0]!;
  if (answers.length > 1) {
    bytes = new Uint8Array(answerBytes);
    let position = 0;
    for (const message of answers) {
      bytes.set(message, position);
      position += message.length;
    }
  }
  answers = [];
  answerBytes = 0;
  for (let sent = 0; sent < bytes.length; ) {
    sent += persistently(() => writeSync(socketFd, bytes, sent));
  }
}

function answer(message: FromReplica): void {
  const bytes = encodeFromReplica(message);
  answers.push(bytes);
  answerBytes += bytes.length;
}

function end(message: FromReplica): never {
  try {
    answer(message);
    flushAnswers();
  } finally {
    endProcess(0);
  }
  throw new Error('the process did not end');
}

function createRunner(boot: BootOptions): TurnRunner {
  const runner = new TurnRunner(boot, {
    drainMicrotasks,
    handleUncaught: (error) => fatalException(error, false),
    end,
    mapStack: createStackMapper(`${boot.bundleFile}.map`, boot.programFile),
    beforeExit: () => process.emit('beforeExit', Number(process.exitCode ?? 0)),
    exit: () => process.exit(),
  });
  // Node calls this member for rejections nobody handled and for errors in queueMicrotask.
  native._fatalException = (error, fromPromise) => {
    if (fatalException(error, fromPromise)) return true;
    return runner.fail(error);
  };
  const code = readFileSync(boot.bundleFile, 'utf8');
  runner.on('start', () => {
    installWorld(runner);
    const serialPort = createSerialPortModule(createBinding(runner, runner));
    addSerialPortMock(serialPort);
    const require = createRequireForProgram(runner, {
      supplied: { serialport: () => serialPort, firmata: () => createFirmataModule(serialPort) },
      // Not an output: the alarm concerns this board alone.
      onAlarm: (alarm) => writeSync(2, `${JSON.stringify(alarm)}\n`),
    });
    installGlobals(runner, require);
    runProgram(runner, { code, require, dirname: dirname(boot.programFile) });
  });
  return runner;
}

let runner: TurnRunner | undefined;

function handle(message: ToReplica): void {
  if (message.kind === 'boot') {
    runner = createRunner(message.options);
    answer({ kind: 'ready' });
    flushAnswers();
    return;
  }
  if (runner === undefined) throw new Error('a turn before boot');
  answer(message.kind === 'turn' ? runner.run(message) : runner.runIdle(message));
  // The primary's next event waits for this answer, a joining backup's does not.
  const performed = message.kind === 'turn' && message.mode === 'perform';
  if (performed || answerBytes >= answerBytesMax) flushAnswers();
}

function serve(): never {
  const splitter = new MessageSplitter();
  const chunk = new Uint8Array(readBytesMax);
  for (;;) {
    let length: number;
    try {
      length = persistently(() => readSync(socketFd, chunk));
    } catch {
      length = 0;
    }
    if (length === 0) endProcess(0);
    for (const body of splitter.push(chunk.subarray(0, length))) handle(decodeToReplica(body));
    flushAnswers();
  }
}

leashTo(supervisorPid);
// Not from the module's own evaluation: that is a microtask, within which no others can be drained.
setImmediate(() => {
  // It ends by a signal or with the program, so what was compiled would never be kept.
  flushCompileCache();
  serve();
});
