/**
 * Runs turns: from one event until microtasks, completions and immediates are drained (DESIGN.md section 3).
 *
 *   due timers -> the event -> microtasks -> completions -> immediates (up to 4 rounds) -> done
 *                 microtasks are drained after every callback, as Node does
 *
 * What reschedules itself for ever with immediates or completions is paced: it goes on about 1 ms later, in a
 * turn of its own, so that a busy poll costs neither the bus nor the CPU. The alternative, running immediates
 * in Node's event loop, would let the loop's timing decide what a turn holds.
 */
import assert from 'node:assert/strict';
import { crc32 } from '../../protocol/crc.ts';
import {
  encodeOutputs,
  type Output,
  type ReplicaEvent,
  type RequestOutput,
  type StartEvent,
} from '../../protocol/record.ts';
import type { BootOptions, FromReplica, ToReplica } from '../ipc.ts';
import { CallbackScope } from './callback-scope.ts';
import { VirtualClock } from './clock.ts';
import { SeededRandom } from './random.ts';
import { TimerQueue } from './timers.ts';
import type { TurnContext } from './turn-context.ts';
import { ValueRecorder, ValueReplayer } from './values.ts';

const immediateRoundsMax = 4;
/** A loop of "asynchronous" calls, each of which completes at once, must not make a turn endless. */
const completionsMax = 4096;
const pacedStepUs = 1000;

/** What the runner asks of the process around it. */
export interface TurnSurroundings {
  /** Drains next ticks and microtasks; throws what a next tick throws. */
  drainMicrotasks(): void;
  /** Node's handling of an error nobody caught: true when the program handled it. May not return. */
  handleUncaught(error: unknown): boolean;
  /** Sends a last message and ends the process. */
  end(message: FromReplica): never;
  /** The program's stack with source lines. */
  mapStack(stack: string): string;
  /** Emits 'beforeExit'. */
  beforeExit(): void;
  /** Emits 'exit' and ends through `TurnRunner.exit`. */
  exit(): void;
}

/** Takes events of its kinds; registered by the parts of the replica's world. */
export type EventHandler<K extends ReplicaEvent['kind']> = (
  event: Extract<ReplicaEvent, { kind: K }>,
) => void;

type Done = Extract<FromReplica, { kind: 'done' }>;
type Turn = Extract<ToReplica, { kind: 'turn' }>;
type Idle = Extract<ToReplica, { kind: 'idle' }>;

const noBytes = new Uint8Array(0);

export class TurnRunner implements TurnContext {
  mode: 'perform' | 'replay' = 'perform';
  readonly boot: BootOptions;
  readonly clock = new VirtualClock();
  readonly timers: TimerQueue;
  readonly #surroundings: TurnSurroundings;
  readonly #handlers = new Map<string, (event: never) => void>();
  readonly #recorder = new ValueRecorder();
  #replayer = new ValueReplayer(noBytes);
  #start: StartEvent | undefined;
  #randomBytes: SeededRandom | undefined;
  #outputs: Output[] = [];
  #outputSites: Error[] = [];
  #expectedDigest: number | null | undefined;
  #completions: { scope: CallbackScope; callback: () => void }[] = [];
  #holds = 0;
  #turn = 0;
  #startUs = 0;
  #digest = 0;
  #requestCount = 0;
  readonly #requests = new Map<number, { resolve(value: unknown): void; reject(reason: Error): void }>();
  readonly #liveness: (() => boolean)[] = [];
  readonly #digestTail = new DataView(new ArrayBuffer(16));
  readonly #digestTailBytes = new Uint8Array(this.#digestTail.buffer);

  constructor(boot: BootOptions, surroundings: TurnSurroundings) {
    this.boot = boot;
    this.#surroundings = surroundings;
    this.timers = new TimerQueue(this.clock);
    this.on('completed', (event) => this.#complete(event));
    this.on('time', () => {});
  }

  get start(): StartEvent {
    assert(this.#start !== undefined, 'no start event yet');
    return this.#start;
  }

  on<K extends ReplicaEvent['kind']>(kind: K, handler: EventHandler<K>): void {
    assert(!this.#handlers.has(kind), `two handlers for ${kind}`);
    this.#handlers.set(kind, handler);
  }

  /** Adds a condition under which the program is alive. */
  aliveWhile(condition: () => boolean): void {
    this.#liveness.push(condition);
  }

  value<T>(call: string, perform: () => T): T {
    if (this.mode === 'perform') return this.#recorder.perform(call, perform);
    const replayed = this.#replayer.next<T>(call);
    if (replayed.matches) return replayed.value;
    return this.#diverge(replayed.expected, call);
  }

  nowUs(): number {
    return this.clock.read();
  }

  randomBytes(length: number): Uint8Array {
    this.#randomBytes ??= new SeededRandom(this.start.seed, 'bytes');
    return this.#randomBytes.bytes(length);
  }

  completeSoon(callback: () => void): void {
    this.#completions.push({ scope: new CallbackScope('Completion'), callback });
  }

  output(output: Output): void {
    this.#outputs.push(output);
    // Where it was made: only a board that compares can need it, so the primary does not pay.
    if (this.#expectedDigest !== undefined) this.#outputSites.push(siteOfOutput());
  }

  request(operation: RequestOutput['operation'], port: number, argument: unknown): Promise<unknown> {
    const request = this.#requestCount++;
    this.output({ kind: 'request', request, operation, port, argument: JSON.stringify(argument ?? null) });
    return new Promise((resolve, reject) => this.#requests.set(request, { resolve, reject }));
  }

  holdAlive(): () => void {
    this.#holds += 1;
    let held = true;
    return () => {
      if (held) this.#holds -= 1;
      held = false;
    };
  }

  /** Runs `callback` as the event loop would: what it throws is uncaught, microtasks are drained after it. */
  #invoke(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.uncaught(error);
    }
    this.#drain();
  }

  readonly uncaught = (error: unknown): void => {
    if (!this.#surroundings.handleUncaught(error)) this.fail(error);
  };

  /** Ends the replica: the program threw and nothing caught it. */
  fail(error: unknown): never {
    const thrown = error instanceof Error ? error : undefined;
    return this.#surroundings.end({
      kind: 'failed',
      turn: this.#turn,
      name: String(thrown?.name ?? 'Error'),
      message: String(thrown === undefined ? error : thrown.message),
      stack: this.#surroundings.mapStack(String(thrown?.stack ?? error)),
    });
  }

  /** Ends the replica as the program wished, after everything it did in this turn until here. */
  exit(code: number): never {
    this.output({ kind: 'exit', code });
    return this.#surroundings.end(this.#finish());
  }

  /** Runs one turn. */
  run(message: Turn): FromReplica {
    this.#begin(message.mode, message.turn, message.timeUs);
    this.#expectedDigest = message.expectedDigest;
    this.#replayer = new ValueReplayer(message.mode === 'replay' ? message.values : noBytes);
    this.#runEvent(message.event);
    return this.#finish();
  }

  /** Replays a run of turns that had no effect. One that has is a divergence. */
  runIdle(message: Idle): FromReplica {
    assert(message.count > 0, 'an idle run of 0 turns');
    for (let index = 0; ; index++) {
      this.#begin('replay', message.turn + index, message.timeUs + message.stepUs * index);
      this.#replayer = new ValueReplayer(noBytes);
      this.#runEvent({ kind: 'time' });
      const output = this.#outputs[0];
      if (output !== undefined) this.#diverge('a turn without outputs', describeOutput(output));
      const done = this.#finish();
      if (index === message.count - 1) return done;
    }
  }

  #begin(mode: 'perform' | 'replay', turn: number, timeUs: number): void {
    this.mode = mode;
    this.#turn = turn;
    this.#outputs = [];
    this.#outputSites = [];
    this.#expectedDigest = undefined;
    this.#startUs = this.clock.begin(timeUs);
  }

  #runEvent(event: ReplicaEvent): void {
    this.timers.runDue(this.#startUs, this.uncaught, this.#drain);
    if (event.kind === 'start') this.#start = event;
    const handler = this.#handlers.get(event.kind) as ((event: ReplicaEvent) => void) | undefined;
    assert(handler !== undefined, `no handler for ${event.kind}`);
    if (event.kind !== 'time') this.#invoke(() => handler(event));
    this.#settle();
    if (!this.alive) {
      this.#invoke(() => this.#surroundings.beforeExit());
      this.#settle();
      if (!this.alive) this.#surroundings.exit();
    }
  }

  #settle(): void {
    this.#drain();
    let completionsLeft = completionsMax;
    for (let round = 0; ; round++) {
      while (this.#completions.length > 0 && completionsLeft > 0) {
        const batch = this.#completions.splice(0, completionsLeft);
        completionsLeft -= batch.length;
        for (const { scope, callback } of batch) {
          scope.run(callback, this.uncaught);
          this.#drain();
        }
      }
      if (round === immediateRoundsMax || !this.timers.hasImmediates) return;
      this.timers.runImmediates(this.uncaught, this.#drain);
    }
  }

  readonly #drain = (): void => {
    for (;;) {
      try {
        this.#surroundings.drainMicrotasks();
        return;
      } catch (error) {
        this.uncaught(error);
      }
    }
  };

  get #paced(): boolean {
    return this.timers.hasImmediates || this.#completions.length > 0;
  }

  get alive(): boolean {
    return (
      this.timers.keepsAlive ||
      this.#holds > 0 ||
      this.#completions.length > 0 ||
      this.#requests.size > 0 ||
      this.#liveness.some((condition) => condition())
    );
  }

  #finish(): Done {
    if (this.mode === 'replay') {
      const missing = this.#replayer.nextCall;
      if (missing !== undefined) this.#diverge(missing, 'no further call');
    }
    const paced = this.#paced;
    const timerUs = this.timers.nextDueUs;
    const pacedUs = this.#startUs + pacedStepUs;
    const wakeAtUs = !paced ? timerUs : timerUs === null ? pacedUs : Math.min(timerUs, pacedUs);
    const outputs = this.#outputs.length === 0 ? noBytes : encodeOutputs(this.#outputs);
    const endUs = this.clock.us;
    // The digest runs over outputs, then end and wake time as little-endian float64 (-1: no wake time).
    this.#digestTail.setFloat64(0, endUs, true);
    this.#digestTail.setFloat64(8, wakeAtUs ?? -1, true);
    const overOutputs = outputs.length === 0 ? this.#digest : crc32(outputs, this.#digest);
    this.#digest = crc32(this.#digestTailBytes, overOutputs);
    const expected = this.#expectedDigest;
    if (expected !== undefined && (outputs.length === 0 ? null : this.#digest) !== expected) {
      const stacks = this.#outputSites.map((site) => this.#surroundings.mapStack(site.stack ?? ''));
      this.#surroundings.end({ kind: 'output-diverged', turn: this.#turn, outputs, stacks });
    }
    return {
      kind: 'done',
      turn: this.#turn,
      startUs: this.#startUs,
      endUs,
      values: this.mode === 'perform' ? this.#recorder.take() : noBytes,
      outputs,
      digest: this.#digest,
      wakeAtUs,
      alive: this.alive,
      paced,
    };
  }

  #diverge(expected: string, actual: string): never {
    const stack = this.#surroundings.mapStack(new Error('diverged').stack ?? '');
    return this.#surroundings.end({ kind: 'diverged', turn: this.#turn, expected, actual, stack });
  }

  #complete(event: Extract<ReplicaEvent, { kind: 'completed' }>): void {
    const request = this.#requests.get(event.request);
    assert(request !== undefined, `request ${event.request} is not open`);
    this.#requests.delete(event.request);
    const result: unknown = event.result === '' ? undefined : JSON.parse(event.result);
    if (event.ok) request.resolve(result);
    else request.reject(errorOf(result));
  }
}

/** Streams of Node lie between the program's call and the output: its own lines are deep in the stack. */
const outputStackDepth = 40;

function siteOfOutput(): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = outputStackDepth;
  const site = new Error('output');
  Error.stackTraceLimit = limit;
  return site;
}

/** A failed request's result is a message, or an object with a message and further properties. */
function errorOf(result: unknown): Error {
  if (typeof result !== 'object' || result === null) return new Error(String(result));
  const { message, ...properties } = result as { message?: unknown };
  return Object.assign(new Error(String(message)), properties);
}

function describeOutput(output: Output): string {
  switch (output.kind) {
    case 'write':
      return `write of ${output.bytes.length} bytes to port ${output.port}`;
    case 'request':
      return `${output.operation}(${output.argument}) on port ${output.port}`;
    case 'console':
      return `${output.stream}: ${new TextDecoder().decode(output.bytes).trimEnd()}`;
    case 'exit':
      return `exit with code ${output.code}`;
  }
}
