/**
 * A control program inside the simulator: what a board's supervisor speaks to instead of a replica's process.
 *
 * Everything is synchronous: a message goes in, its answer comes out, and the world decides how much virtual time has
 * passed in between. Messages are given from a macrotask (`setImmediate`, a timer, the main script's callbacks), never
 * from within a promise's reaction or an async function after its first `await`: a turn ends when its microtasks
 * are drained, and those cannot be drained from within one.
 */
import type { FromReplica, ToReplica } from '../../../firmware-host/ipc.ts';

/** One process of the program on one board. */
export interface SimulatedReplica {
  /**
   * The answer to a message. `boot` may come first and is answered with `ready`; a replica that is not sent it has
   * booted all the same. Null comes from a program that hangs, or has ended with an earlier answer (`failed`,
   * `diverged`, `output-diverged`, or a `done` whose outputs hold an exit), as the process of a real one is gone then.
   */
  answer(message: ToReplica): FromReplica | null;
  /** Kills it. Nothing is asked of it any more. */
  end(): void;
}

export interface SimulatedProgram {
  readonly name: string;
  /** What it does, in a line. */
  readonly summary: string;
  /** Names of the devices that it opens. */
  readonly devices: string[];
  /** A fresh process. `random` is the board's own world: what synchronous reads return there, when they are performed. */
  start(random: () => number): SimulatedReplica;
}
