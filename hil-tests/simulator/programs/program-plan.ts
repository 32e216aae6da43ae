/**
 * A generated control program as data: ports that it opens, routines that something starts again and again, and steps
 * that a routine takes. Drawn from one number; planned-program.ts runs it.
 *
 * The rates are drawn so that a program runs some sixty turns a second of virtual time, most of them idle or with
 * one line of output, and what it writes fits a line of 57,600 baud; floods that do not are drawn, but seldom.
 */
import type { Random } from '../random.ts';

/** What a step does. Everything that it reads goes into the program's hash, which its lines show. */
export type Action =
  | { kind: 'write'; port: number; lines: number; paddingBytes: number }
  | { kind: 'console'; stream: 'stdout' | 'stderr' }
  /** A synchronous call of the outside world. */
  | { kind: 'read'; returns: 'number' | 'text' | 'bytes' | 'error' }
  | { kind: 'random'; count: number }
  | { kind: 'random-bytes'; length: number }
  | { kind: 'clock'; reads: number }
  /** Reads the clock until it has moved so far. */
  | { kind: 'spin'; us: number }
  /** So many promises, each of which waits for the one before. */
  | { kind: 'promises'; count: number }
  | { kind: 'next-tick' }
  /** An "asynchronous" call that completes in the same turn, as reading a file does. */
  | { kind: 'completion' }
  /** An immediate that sets itself so often: beyond four it is paced, over several turns. */
  | { kind: 'immediates'; rounds: number }
  /** A timer of its own, whose callback writes a line. */
  | { kind: 'later'; ms: number; port: number }
  /** A timer that is set and cleared at once. */
  | { kind: 'cancelled'; ms: number }
  | { kind: 'drain'; port: number }
  | { kind: 'configure'; port: number; operation: 'set' | 'get' | 'update' | 'flush' };

export interface Step {
  action: Action;
  /** Taken every so-many-th time. */
  every: number;
  /** And then by this share of Math.random; 1: always, without asking it. */
  share: number;
}

export type Routine =
  | { kind: 'interval'; ms: number; referenced: boolean; steps: Step[] }
  /** Timeouts that set the next one, after a delay from Math.random. */
  | { kind: 'chain'; msMin: number; msMax: number; steps: Step[] }
  /** A timeout that every input of the port puts off (`refresh`). */
  | { kind: 'watchdog'; ms: number; port: number; steps: Step[] }
  /** Every so many input bytes of the port. */
  | { kind: 'data'; port: number; everyBytes: number; steps: Step[] };

export interface PortPlan {
  device: string;
  openAfterMs: number;
  /** Size of the buffer that the program reads into. */
  readBytesMax: number;
  /** Lines beyond this wait for nothing: they are not written, and counted. */
  queueBytesMax: number;
  /** After a loss or a failed opening; null: the port is given up. */
  reopenAfterMs: number | null;
}

export interface ProgramPlan {
  ports: PortPlan[];
  routines: Routine[];
  exit: { afterMs: number; code: number } | null;
  throwAfterMs: number | null;
}

export interface ProgramPlanOptions {
  /** Allows programs that end themselves; half of them do. Default false. */
  exits?: boolean;
  /** Allows programs that throw, on every board at the same turn; half of them do. Default false. */
  throws?: boolean;
}

/** A line that shows the hash is written at least this often to every port. */
const reportMsMax = 400;
/** The least time between two steps that write to a port, on average over a routine. */
const writeEveryMsMin = 60;
const endAfterMsMin = 500;
const endAfterMsMax = 60_000;

class PlanDrawer {
  readonly #random: Random;
  readonly #portCount: number;

  constructor(random: Random, portCount: number) {
    this.#random = random;
    this.#portCount = portCount;
  }

  port(device: string): PortPlan {
    const random = this.#random;
    return {
      device,
      openAfterMs: random.chance(0.6) ? 0 : Math.floor(random.magnitude(1, 500)),
      readBytesMax: random.pick([4, 64, 1024, 65_536]),
      queueBytesMax: random.pick([2048, 16_384, 131_072]),
      reopenAfterMs: random.chance(0.8) ? Math.floor(random.magnitude(5, 1500)) : null,
    };
  }

  /** Beats on whatever happens, so that what the program has seen is soon told to the device. */
  report(port: number): Routine {
    const ms = Math.floor(this.#random.magnitude(writeEveryMsMin, reportMsMax));
    return { kind: 'interval', ms, referenced: true, steps: [this.#writeStep(port, 1)] };
  }

  reaction(port: number): Routine {
    const everyBytes = Math.floor(this.#random.magnitude(16, 128));
    return { kind: 'data', port, everyBytes, steps: [this.#writeStep(port, 1), ...this.#steps(2, 200)] };
  }

  routine(): Routine {
    const random = this.#random;
    const kind = random.pick(['interval', 'interval', 'chain', 'chain', 'watchdog', 'data'] as const);
    switch (kind) {
      case 'interval': {
        const ms = Math.floor(random.magnitude(8, 1000));
        return { kind, ms, referenced: random.chance(0.8), steps: this.#steps(4, ms) };
      }
      case 'chain': {
        const msMin = Math.floor(random.magnitude(1, 600));
        const msMax = msMin + 10 + (random.chance(0.2) ? 0 : Math.floor(random.magnitude(1, 500)));
        return { kind, msMin, msMax, steps: this.#steps(4, (msMin + msMax) / 2) };
      }
      case 'watchdog': {
        const ms = Math.floor(random.magnitude(20, 2000));
        return { kind, ms, port: this.#port(), steps: this.#steps(3, ms) };
      }
      case 'data': {
        const everyBytes = Math.floor(random.magnitude(1, 256));
        return { kind, port: this.#port(), everyBytes, steps: this.#steps(3, everyBytes * 2) };
      }
    }
  }

  flood(port: number): Routine {
    const random = this.#random;
    const action = {
      kind: 'write',
      port,
      lines: 40 + random.below(260),
      paddingBytes: random.below(300),
    } as const;
    const msMin = 4000 + random.below(8000);
    return { kind: 'chain', msMin, msMax: msMin + 5000, steps: [{ action, every: 1, share: 1 }] };
  }

  #port(): number {
    return this.#random.below(this.#portCount);
  }

  #steps(countMax: number, ms: number): Step[] {
    const steps: Step[] = [];
    for (let count = 1 + this.#random.below(countMax); count > 0; count--) steps.push(this.#step(ms));
    return steps;
  }

  #writeStep(port: number, every: number): Step {
    const random = this.#random;
    const paddingBytes = random.chance(0.5) ? 0 : random.below(random.chance(0.2) ? 120 : 20);
    return { action: { kind: 'write', port, lines: 1, paddingBytes }, every, share: 1 };
  }

  /** A step of a routine that comes round every `ms` or so. */
  #step(ms: number): Step {
    const random = this.#random;
    const action = this.#action();
    const everyMsMin = everyMsMinOf(action);
    const every = Math.max(1, Math.ceil(everyMsMin / ms)) * (random.chance(0.5) ? 1 : 1 + random.below(6));
    return { action, every, share: random.chance(0.7) ? 1 : random.between(0.1, 0.9) };
  }

  #action(): Action {
    const random = this.#random;
    const port = this.#port();
    const kind = random.pick(actionKinds);
    switch (kind) {
      case 'write':
        return {
          kind,
          port,
          lines: random.chance(0.8) ? 1 : 2 + random.below(4),
          paddingBytes: random.below(60),
        };
      case 'console':
        return { kind, stream: random.pick(['stdout', 'stderr']) };
      case 'read':
        return { kind, returns: random.pick(['number', 'number', 'text', 'bytes', 'error']) };
      case 'random':
        return { kind, count: 1 + random.below(4) };
      case 'random-bytes':
        return { kind, length: 1 + random.below(24) };
      case 'clock':
        return { kind, reads: 1 + random.below(5) };
      case 'spin':
        return { kind, us: 1 + random.below(300) };
      case 'promises':
        return { kind, count: 1 + random.below(5) };
      case 'next-tick':
      case 'completion':
        return { kind };
      case 'immediates':
        return { kind, rounds: random.chance(0.7) ? 1 + random.below(4) : 5 + random.below(20) };
      case 'later':
        return { kind, ms: Math.floor(random.magnitude(1, 300)), port };
      case 'cancelled':
        return { kind, ms: 1 + random.below(50) };
      case 'drain':
        return { kind, port };
      case 'configure':
        return { kind, port, operation: random.pick(['set', 'get', 'update', 'flush']) };
    }
  }
}

/** Listed as often as they shall be drawn. */
const actionKinds = [
  'write',
  'write',
  'write',
  'write',
  'console',
  'read',
  'read',
  'random',
  'random',
  'random-bytes',
  'clock',
  'spin',
  'promises',
  'next-tick',
  'completion',
  'immediates',
  'later',
  'cancelled',
  'drain',
  'configure',
] as const;

/** How often at most an action is taken: what costs the lines, the bus or the simulator more comes less often. */
function everyMsMinOf(action: Action): number {
  switch (action.kind) {
    case 'write':
      return writeEveryMsMin * action.lines;
    case 'immediates':
      return action.rounds > 4 ? 1000 : 50;
    case 'later':
      return writeEveryMsMin;
    case 'drain':
    case 'configure':
      return 500;
    case 'console':
      return 300;
    case 'read':
      return 100;
    case 'spin':
      return 50;
    default:
      return 20;
  }
}

/** Equal randomness gives an equal plan. The plan opens every device, in the order given. */
export function drawProgramPlan(
  random: Random,
  devices: readonly { name: string }[],
  options: ProgramPlanOptions = {},
): ProgramPlan {
  const drawer = new PlanDrawer(random, devices.length);
  const ports = devices.map(({ name }) => drawer.port(name));
  const routines: Routine[] = [];
  for (const port of ports.keys()) {
    routines.push(drawer.report(port));
    if (random.chance(0.7)) routines.push(drawer.reaction(port));
    if (random.chance(0.03)) routines.push(drawer.flood(port));
  }
  for (let count = random.below(4); count > 0; count--) routines.push(drawer.routine());
  const exits = options.exits === true && random.chance(0.5);
  const throws = options.throws === true && random.chance(0.5);
  const endAfterMs = () => Math.floor(random.magnitude(endAfterMsMin, endAfterMsMax));
  return {
    ports,
    routines,
    exit: exits ? { afterMs: endAfterMs(), code: random.pick([0, 1, 3]) } : null,
    throwAfterMs: throws ? endAfterMs() : null,
  };
}

/** The plan in a line, for people. */
export function describePlan(plan: ProgramPlan): string {
  const parts = [`${plan.ports.length} port${plan.ports.length === 1 ? '' : 's'}`];
  for (const routine of plan.routines) {
    const actions = routine.steps.map(({ action }) => action.kind).join('+');
    parts.push(`${paceOf(routine)}: ${actions}`);
  }
  if (plan.ports.some(({ reopenAfterMs }) => reopenAfterMs === null)) parts.push('gives up a lost port');
  if (plan.exit !== null) parts.push(`exits with ${plan.exit.code} after ${plan.exit.afterMs} ms`);
  if (plan.throwAfterMs !== null) parts.push(`throws after ${plan.throwAfterMs} ms`);
  return parts.join('; ');
}

function paceOf(routine: Routine): string {
  switch (routine.kind) {
    case 'interval':
      return `every ${routine.ms} ms${routine.referenced ? '' : ' (unref)'}`;
    case 'chain':
      return `after ${routine.msMin}..${routine.msMax} ms`;
    case 'watchdog':
      return `after ${routine.ms} ms of silence`;
    case 'data':
      return `every ${routine.everyBytes} bytes`;
  }
}
