/**
 * Runs a plan (program-plan.ts) in a ProgramWorld.
 *
 * Everything that the program sees is chained into one hash: input bytes with their port, the time and the results of
 * reads, randomness, what became of its requests, the order of its routines. Its lines to the devices show
 *
 *     line number of the port, input bytes of the port, gaps in their numbering, lines dropped, the hash, padding
 *
 * so whatever is lost, repeated, reordered or computed differently on another board is soon to be seen in the
 * bytes written, and not only in a digest.
 */
import type { ProgramWorld } from './in-process-replica.ts';
import { PlannedPort } from './planned-port.ts';
import type { Action, ProgramPlan, Routine, Step } from './program-plan.ts';

interface Reaction {
  everyBytes: number;
  bytes: number;
  round(): void;
}

const worldCalls = {
  number: 'fs.readFileSync("/sys/class/thermal/thermal_zone0/temp")',
  text: 'fs.readlinkSync("/dev/serial/by-id/machine")',
  bytes: 'fs.readFileSync("calibration.bin")',
  error: 'fs.statSync("calibration.json")',
} as const;

const paddings: string[] = [];

function paddingOf(length: number): string {
  let padding = paddings[length];
  if (padding === undefined) {
    padding = length === 0 ? '' : ` ${'x'.repeat(length - 1)}`;
    paddings[length] = padding;
  }
  return padding;
}

export class PlannedProgram {
  readonly #plan: ProgramPlan;
  readonly #world: ProgramWorld;
  readonly #ports: PlannedPort[];
  /** Lines written to each port. */
  readonly #lines: number[];
  readonly #reactions: Reaction[][];
  /** Started anew by input of the port. */
  readonly #watchdogs: { refresh(): unknown }[][];
  readonly #encoder = new TextEncoder();
  #hash = 0x811c9dc5;
  #consoleLines = 0;

  constructor(plan: ProgramPlan, world: ProgramWorld) {
    this.#plan = plan;
    this.#world = world;
    this.#lines = plan.ports.map(() => 0);
    this.#reactions = plan.ports.map(() => []);
    this.#watchdogs = plan.ports.map(() => []);
    this.#ports = plan.ports.map(
      (port, index) =>
        new PlannedPort(port, world, {
          received: (bytes) => this.#received(index, bytes),
          happened: (what) => {
            this.#mix(index);
            this.#mixText(what);
          },
        }),
    );
    world.runner.on('stdin', ({ bytes }) => this.#mixBytes(bytes));
    world.runner.on('stdin-end', () => this.#mix(1));
    world.runner.on('signal', ({ signal }) => {
      this.#mixText(signal);
      this.#writeConsole('stdout');
      world.runner.exit(3);
    });
  }

  begin(): void {
    const { start } = this.#world.runner;
    this.#mixText(JSON.stringify([start.seed, start.argv, start.hostname, start.ports]));
    for (const port of this.#ports) port.begin();
    for (const routine of this.#plan.routines) this.#beginRoutine(routine);
    const { exit, throwAfterMs } = this.#plan;
    const { timers, runner } = this.#world;
    if (exit !== null) timers.setTimeout(() => runner.exit(exit.code), exit.afterMs);
    if (throwAfterMs !== null) {
      timers.setTimeout(() => {
        throw new TypeError(`the program has a fault (${this.#hash.toString(16)})`);
      }, throwAfterMs);
    }
  }

  #beginRoutine(routine: Routine): void {
    const { timers } = this.#world;
    const round = this.#roundOf(routine.steps);
    switch (routine.kind) {
      case 'interval': {
        const timer = timers.setInterval(round, routine.ms);
        if (!routine.referenced) timer.unref();
        return;
      }
      case 'chain': {
        const spanMs = routine.msMax - routine.msMin;
        const next = () => {
          const delayMs = routine.msMin + Math.floor(this.#world.random() * (spanMs + 1));
          timers.setTimeout(link, delayMs);
        };
        const link = () => {
          round();
          next();
        };
        next();
        return;
      }
      case 'watchdog': {
        const timer = timers.setTimeout(() => {
          round();
          timer.refresh();
        }, routine.ms);
        this.#watchdogs[routine.port]!.push(timer);
        return;
      }
      case 'data':
        this.#reactions[routine.port]!.push({ everyBytes: routine.everyBytes, bytes: 0, round });
        return;
    }
  }

  #roundOf(steps: readonly Step[]): () => void {
    let rounds = 0;
    const acts = steps.map(({ action }) => this.#actOf(action));
    return () => {
      rounds += 1;
      this.#mix(rounds);
      for (let index = 0; index < steps.length; index++) {
        const { every, share } = steps[index]!;
        if (rounds % every !== 0) continue;
        if (share === 1 || this.#world.random() < share) acts[index]!();
      }
    };
  }

  /** The action as a function, made once: a turn shall cost no more than what it does. */
  #actOf(action: Action): () => void {
    const world = this.#world;
    const { runner, timers } = world;
    switch (action.kind) {
      case 'write':
        return () => {
          for (let count = 0; count < action.lines; count++) this.#write(action.port, action.paddingBytes);
        };
      case 'console':
        return () => this.#writeConsole(action.stream);
      case 'read':
        return () => this.#readWorld(action.returns);
      case 'random':
        return () => {
          for (let count = 0; count < action.count; count++) this.#mix(world.random() * 0x100000000);
        };
      case 'random-bytes':
        return () => this.#mixBytes(runner.randomBytes(action.length));
      case 'clock':
        return () => {
          for (let count = 0; count < action.reads; count++) this.#mixTime(runner.nowUs());
        };
      case 'spin':
        return () => {
          const untilUs = runner.nowUs() + action.us;
          while (runner.nowUs() < untilUs) this.#hash ^= 1;
        };
      case 'promises':
        return () => {
          this.#awaitOften(action.count).catch((error) => world.thrown(error));
        };
      case 'next-tick': {
        const tick = world.guarded(() => this.#mix(7));
        return () => process.nextTick(tick);
      }
      case 'completion': {
        const completed = () => this.#mix(11);
        return () => runner.completeSoon(completed);
      }
      case 'immediates':
        return () => this.#setImmediates(action.rounds);
      case 'later': {
        const write = () => this.#write(action.port, 0);
        return () => {
          timers.setTimeout(write, action.ms);
        };
      }
      case 'cancelled':
        return () => timers.clearTimeout(timers.setTimeout(() => this.#mix(13), action.ms));
      case 'drain':
        return () => this.#ports[action.port]!.drain();
      case 'configure':
        return () => this.#ports[action.port]!.configure(action.operation);
    }
  }

  async #awaitOften(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      await null;
      this.#mix(index);
    }
  }

  #setImmediates(rounds: number): void {
    let left = rounds;
    const again = () => {
      left -= 1;
      this.#mix(left);
      if (left > 0) this.#world.timers.setImmediate(again);
    };
    this.#world.timers.setImmediate(again);
  }

  #readWorld(returns: keyof typeof worldCalls): void {
    const call = worldCalls[returns];
    switch (returns) {
      case 'number':
        this.#mix(this.#world.read(call, (random) => Math.floor(random() * 0x100000000)));
        return;
      case 'text':
        this.#mixText(this.#world.read(call, (random) => `../../ttyACM${Math.floor(random() * 1000)}`));
        return;
      case 'bytes':
        this.#mixBytes(
          this.#world.read(call, (random) =>
            new Uint8Array(4 + Math.floor(random() * 12)).fill(random() * 256),
          ),
        );
        return;
      case 'error':
        try {
          this.#mix(this.#world.read(call, statOrThrow));
        } catch (error) {
          // Anything else is the end of the replica, which must not be held up.
          const { code } = error as NodeJS.ErrnoException;
          if (code === undefined) throw error;
          this.#mixText(code);
        }
        return;
    }
  }

  #write(port: number, paddingBytes: number): void {
    const target = this.#ports[port]!;
    const lines = this.#lines[port]! + 1;
    const text = `${lines} ${target.inputs} ${target.gaps} ${target.dropped} ${(this.#hash >>> 0).toString(16)}${paddingOf(paddingBytes)}\n`;
    if (!target.takes(text.length)) {
      target.dropped += 1;
      return;
    }
    this.#lines[port] = lines;
    this.#mix(lines);
    target.write(Buffer.from(text, 'latin1'));
  }

  #writeConsole(stream: 'stdout' | 'stderr'): void {
    this.#consoleLines += 1;
    const text = `${this.#consoleLines} ${(this.#hash >>> 0).toString(16)}\n`;
    this.#world.runner.output({ kind: 'console', stream, bytes: this.#encoder.encode(text) });
  }

  #received(port: number, bytes: Uint8Array): void {
    this.#mix(port);
    this.#mixBytes(bytes);
    for (const watchdog of this.#watchdogs[port]!) watchdog.refresh();
    for (const reaction of this.#reactions[port]!) {
      reaction.bytes += bytes.length;
      if (reaction.bytes < reaction.everyBytes) continue;
      reaction.bytes %= reaction.everyBytes;
      reaction.round();
    }
  }

  #mix(value: number): void {
    const hash = Math.imul(this.#hash ^ value, 0x01000193);
    this.#hash = hash ^ (hash >>> 15);
  }

  #mixTime(us: number): void {
    this.#mix(us);
    this.#mix(us / 0x100000000);
  }

  #mixBytes(bytes: Uint8Array): void {
    let hash = this.#hash;
    for (let index = 0; index < bytes.length; index++) {
      hash = Math.imul(hash ^ bytes[index]!, 0x01000193);
      hash ^= hash >>> 15;
    }
    this.#hash = hash;
  }

  #mixText(text: string): void {
    for (let index = 0; index < text.length; index++) this.#mix(text.charCodeAt(index));
  }
}

function statOrThrow(random: () => number): number {
  if (random() < 0.5) return Math.floor(random() * 100_000);
  throw Object.assign(new Error('ENOENT: no such file or directory'), { code: 'ENOENT', errno: -2 });
}
