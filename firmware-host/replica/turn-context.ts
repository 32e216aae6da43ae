/**
 * What the mediated parts of a replica (file system, crypto, serial ports, process, ...) may ask of the turn
 * that runs (DESIGN.md section 3). Everything a control program can see of the outside world goes through
 * here, so that the same record gives the same turn on the other board.
 */
import type { Output, RequestOutput, StartEvent } from '../../protocol/record.ts';
import type { BootOptions } from '../ipc.ts';

export interface TurnContext {
  /** perform: calls are carried out and recorded; replay: their recorded values are returned. */
  readonly mode: 'perform' | 'replay';

  /**
   * Carries out a nondeterministic synchronous call on the primary and records its value, or the error it
   * threw (name, message, code, errno, syscall, path and dest are kept). In replay `perform` is not called:
   * the recorded value is returned or the recorded error thrown. `call` names the call with its arguments,
   * as in `fs.readFileSync("x")`; another name in replay than in the record is a divergence and ends the
   * replica. Values must be serialisable by `node:v8`; both boards get the value as it comes out of that.
   */
  value<T>(call: string, perform: () => T): T;

  /** Virtual time, integer microseconds since the epoch. Every read advances it by 1 microsecond. */
  nowUs(): number;

  /** From a seeded generator of its own, apart from the one behind Math.random. Not secret. */
  randomBytes(length: number): Uint8Array;

  /**
   * Queues the completion of an "asynchronous" call that was carried out synchronously: first in first out,
   * after the current microtasks, before immediates, in the same turn. Keeps the program alive until run.
   */
  completeSoon(callback: () => void): void;

  output(output: Output): void;

  /** Asks the supervisor for something; completes through a `completed` event. `argument` becomes JSON. */
  request(operation: RequestOutput['operation'], port: number, argument: unknown): Promise<unknown>;

  /** Keeps the program alive until the function returned is called. */
  holdAlive(): () => void;

  readonly start: StartEvent;
  readonly boot: BootOptions;
}
