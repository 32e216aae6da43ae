/**
 * A feature is one group of Firmata messages with what stands behind it (a bus, motors, serial ports). The
 * device hands it messages and time; a feature has no clock and no timers, it says when it wants to be woken.
 */
import type { PinBank } from './pins.ts';
import type { OutputTracer } from './tracer.ts';

export interface FeatureContext {
  readonly pins: PinBank;
  readonly tracer: OutputTracer;
  /** Sends a sysex; `data` holds seven-bit bytes. */
  sendSysex(id: number, data: readonly number[]): void;
  /** Sends text for the program's 'string' event, which is how firmware reports errors. */
  sendString(text: string): void;
}

export interface Feature {
  /** Sysex ids that this feature answers to. */
  readonly ids: readonly number[];
  /** Carries out one message; false when it is malformed, and then nothing was done. */
  sysex(now: number, id: number, data: Uint8Array): boolean;
  /** Device time in ms at which `advance` has something to do; null: never. */
  readonly nextAt: number | null;
  /** Called when `nextAt` was reached. Afterwards `nextAt` is null or later than before. */
  advance(now: number): void;
  /** Back to the state after power-on. Attached parts stay attached. */
  reset(now: number): void;
  /** No controller lives: stop whatever moves. */
  safeState(now: number): void;
}
