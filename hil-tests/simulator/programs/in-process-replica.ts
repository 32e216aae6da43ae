/**
 * Replicas in the simulator's own process: the real TurnRunner with its clock, timers, values and digests, and the
 * real serial binding, around a program that is given them as arguments.
 *
 *     ToReplica -> TurnRunner.run -> program (through ProgramWorld) -> FromReplica
 *
 * Left out is what installs that world as Node's globals: it would change this process, in which several replicas and
 * the world around them live. Rejected: a process or a worker a replica, which costs a thread switch a turn
 * and half a second a start, where a life has dozens of starts and a hundred thousand turns.
 */
import assert from 'node:assert/strict';
import type { BindingInterface } from '@serialport/bindings-interface';
import type { FromReplica, ToReplica } from '../../../firmware-host/ipc.ts';
import { SeededRandom } from '../../../firmware-host/replica/random.ts';
import { createBinding } from '../../../firmware-host/replica/serial/binding.ts';
import type { TimerQueue } from '../../../firmware-host/replica/timers.ts';
import { TurnRunner } from '../../../firmware-host/replica/turn-runner.ts';
import type { SimulatedReplica } from './replica-in-the-world.ts';

type Turn = Extract<ToReplica, { kind: 'turn' }>;

const boot = { bundleFile: '', programFile: '/programs/generated.js', filesRoot: '' };
/** Node's own: runs next ticks and microtasks until none is left. Does nothing from within a microtask. */
const drainMicrotasks = (process as unknown as { _tickCallback(): void })._tickCallback.bind(process);
/** Thrown where a real replica's process ends. Its stack tells nothing, so one serves all. */
const replicaEnded = new Error('the replica has ended');

/** What a program has here in place of Node's globals and modules. */
export class ProgramWorld {
  readonly runner: TurnRunner;
  readonly timers: TimerQueue;
  readonly binding: BindingInterface;
  readonly #read: () => number;
  #random: SeededRandom | undefined;
  #last: FromReplica | null = null;

  constructor(read: () => number) {
    this.#read = read;
    this.runner = new TurnRunner(boot, {
      drainMicrotasks,
      handleUncaught: (error) => {
        if (error === replicaEnded) throw error;
        return false;
      },
      end: (message) => {
        this.#last ??= message;
        throw replicaEnded;
      },
      // Frames name places on this machine, and a life must be the same on every machine.
      mapStack: (stack) => stack.split('\n', 1)[0]!,
      beforeExit: () => {},
      exit: () => this.runner.exit(0),
    });
    this.timers = this.runner.timers;
    this.binding = createBinding(this.runner, this.runner);
  }

  /** The message with which the replica ended, or null. */
  get last(): FromReplica | null {
    return this.#last;
  }

  /** Math.random. */
  random(): number {
    this.#random ??= new SeededRandom(this.runner.start.seed, 'Math.random');
    return this.#random.nextFraction();
  }

  /** A synchronous call of the outside world: `perform` gets the board's own randomness, and is not called in replay. */
  read<T>(call: string, perform: (world: () => number) => T): T {
    return this.runner.value(call, () => perform(this.#read));
  }

  /**
   * Makes a callback fit for promises and next ticks, which run outside of the runner's care: in a real
   * replica what they throw ends the process through Node's own handler, here it would end the simulator.
   */
  guarded<T>(callback: (value: T) => void): (value: T) => void {
    return (value) => {
      try {
        callback(value);
      } catch (error) {
        this.thrown(error);
      }
    };
  }

  thrown(error: unknown): void {
    if (error === replicaEnded) return;
    try {
      this.runner.fail(error);
    } catch {
      // The sentinel of `end`: what there was to say is in `last`.
    }
  }
}

class InProcessReplica implements SimulatedReplica {
  readonly #world: ProgramWorld;
  #begun = false;
  #ended = false;

  constructor(world: ProgramWorld) {
    this.#world = world;
  }

  answer(message: ToReplica): FromReplica | null {
    if (this.#ended) return null;
    if (!this.#begun) assertDrainable();
    this.#begun = true;
    if (message.kind === 'boot') return { kind: 'ready' };
    let done: FromReplica | null = null;
    try {
      done = message.kind === 'turn' ? this.#run(message) : this.#world.runner.runIdle(message);
    } catch (error) {
      if (error !== replicaEnded) throw error;
    }
    const answer = this.#world.last ?? done;
    this.#ended = this.#world.last !== null || answer?.kind === 'output-diverged';
    return answer;
  }

  /**
   * Compares the digest in the runner's place: that keeps the stack of every output, which no life ever looks at
   * and which takes longer than the rest of the turn.
   */
  #run(message: Turn): FromReplica {
    const { expectedDigest: expected } = message;
    if (expected === undefined) return this.#world.runner.run(message);
    const { turn, mode, timeUs, event, values } = message;
    const done = this.#world.runner.run({ kind: 'turn', mode, turn, timeUs, event, values });
    assert(done.kind === 'done', 'a turn that ended otherwise was thrown out of');
    const { outputs, digest } = done;
    if ((outputs.length === 0 ? null : digest) === expected) return done;
    return { kind: 'output-diverged', turn, outputs, stacks: [] };
  }

  end(): void {
    this.#ended = true;
  }
}

/** Says at the start of a replica, not in a wrong turn a thousand turns later, that it is driven from a microtask. */
function assertDrainable(): void {
  let drained = false;
  queueMicrotask(() => {
    drained = true;
  });
  drainMicrotasks();
  assert(
    drained,
    'a replica in this process must be driven from a macrotask: its microtasks cannot be drained',
  );
}

/** `begin` is called in the turn of the start event; it may register for `signal`, `stdin` and `stdin-end` before. */
export function startInProcess(world: ProgramWorld, begin: () => void): SimulatedReplica {
  world.runner.on('start', begin);
  return new InProcessReplica(world);
}
