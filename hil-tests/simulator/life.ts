/**
 * One life of a pair, from one seed: drawn (swarm.ts), lived (world.ts), judged (hil-tests/checkers).
 *
 * `live` is to be called from a macrotask, `setImmediate` for example, and never from a promise's reaction: the replicas
 * in it drain their microtasks at the end of every turn, which works only when none is running.
 */

import { assert } from '../../protocol/assert.ts';
import { crc32 } from '../../protocol/crc.ts';
import { everyChecker } from '../checkers/every-checker.ts';
import { endOf, type Fault, type FaultKind } from './fault.ts';
import { type Checker, type Observed, Violation } from './observation.ts';
import { createFirmataFirmware } from './programs/firmata-firmware.ts';
import { generateProgram } from './programs/generated-program.ts';
import { prepareJohnnyFive } from './programs/johnny-five-program.ts';
import { createNumberedFirmware } from './programs/numbered-firmware.ts';
import type { SimulatedProgram } from './programs/replica-in-the-world.ts';
import { Recovery } from './recovery.ts';
import { type DrawnLife, drawLife, factsOf } from './swarm.ts';
import { World } from './world.ts';

export interface LifeRequest {
  seed: number;
  /** Name of a scenario that narrows what is drawn; default `any`. */
  scenario?: string;
  /** Instead of those drawn: what a shorter list is tried with. Everything else stays as the seed has it. */
  faults?: Fault[];
  /** Keep all that was observed, for a timeline. */
  record?: boolean;
  /** Instead of all. */
  checkers?: readonly (typeof everyChecker)[number][];
}

export interface LifeResult {
  seed: number;
  scenario: string;
  /** What the pair was and what program it ran, in a line. */
  summary: string;
  faults: Fault[];
  simulatedMs: number;
  takeovers: number;
  switchovers: number;
  faultCounts: Partial<Record<FaultKind, number>>;
  /** Chained over everything observed: equal on every machine. */
  digest: number;
  violation: { checker: string; message: string; at: number; stack?: string } | null;
  /** Only if asked for. */
  observed: Observed[];
}

/** How long the pair is one again before a life that may end early does. */
const goesOnMs = 400;

/** Looks on: counts, chains the digest, asks every checker. */
class Onlooker {
  readonly observed: Observed[] = [];
  takeovers = 0;
  switchovers = 0;
  digest = 0;
  readonly recovery = new Recovery(goesOnMs);
  readonly #checkers: Checker[];
  readonly #record: boolean;
  readonly #numbers = new Float64Array(4);
  readonly #numberBytes = new Uint8Array(this.#numbers.buffer);

  constructor(checkers: Checker[], record: boolean) {
    this.#checkers = checkers;
    this.#record = record;
  }

  readonly observe = (observed: Observed): void => {
    this.recovery.observe(observed);
    if (this.#record) this.observed.push(observed);
    this.#count(observed);
    for (const checker of this.#checkers) checker.observe(observed);
  };

  #count(observed: Observed): void {
    switch (observed.kind) {
      case 'turn':
        return this.#chain(1, observed.at, observed.digest, observed.turn);
      case 'device-output':
        this.digest = crc32(observed.bytes, this.digest);
        return this.#chain(2, observed.at, observed.offset, observed.term);
      case 'device-attached':
        return this.#chain(3, observed.at, observed.term, observed.session);
      case 'report': {
        const { code } = observed.report;
        if (code === 'PAIR_CLAIM' && observed.report.text.includes('takeover')) this.takeovers += 1;
        if (code === 'PAIR_CLAIM' && observed.report.text.includes('switchover')) this.switchovers += 1;
        return this.#chain(4, observed.at, code.length, observed.report.text.length);
      }
      default:
    }
  }

  #chain(kind: number, at: number, one: number, two: number): void {
    this.#numbers[0] = kind;
    this.#numbers[1] = at;
    this.#numbers[2] = one;
    this.#numbers[3] = two;
    this.digest = crc32(this.#numberBytes, this.digest);
  }
}

let johnnyFive: SimulatedProgram | null = null;

/** To be awaited once in every process before its first life: bundles the real program, which cannot be done in between. */
export async function prepareLives(): Promise<void> {
  johnnyFive ??= await prepareJohnnyFive();
}

function buildWorld(
  drawn: DrawnLife,
  observe: (observed: Observed) => void,
): { world: World; program: string } {
  const { random, numbers } = drawn;
  const isReal = drawn.program === 'johnny-five';
  const program = isReal ? johnnyFive : generateProgram(random.stream('program').unit, numbers.devices);
  assert(program !== null, 'prepareLives is awaited before the first life');
  const world = new World({
    ...numbers,
    random: random.stream('world'),
    program,
    devices: numbers.devices.map((device) => {
      const chance = random.stream(`firmware ${device.name}`).unit;
      return { ...device, firmware: isReal ? createFirmataFirmware(chance) : createNumberedFirmware(chance) };
    }),
    observe,
  });
  return { world, program: program.summary };
}

export function live(request: LifeRequest): LifeResult {
  const drawn = drawLife(request.seed, request.scenario ?? 'any');
  const faults = request.faults ?? drawn.faults;
  const facts = factsOf(drawn, faults);
  const checkers = (request.checkers ?? everyChecker).map((create) => create(facts));
  const onlooker = new Onlooker(checkers, request.record === true);
  const { world, program } = buildWorld(drawn, onlooker.observe);
  const faultCounts: LifeResult['faultCounts'] = {};
  for (const fault of faults) {
    faultCounts[fault.kind] = (faultCounts[fault.kind] ?? 0) + 1;
    world.time.at(fault.at, () => world.begin(fault));
    if ('until' in fault) world.time.at(endOf(fault), () => world.end(fault));
  }
  const { numbers } = drawn;
  const summary =
    `${numbers.devices.length} device(s) at ${numbers.deviceBitsPerSecond}, heartbeat ${numbers.heartbeatIntervalMs} ms, ` +
    `timeout ${numbers.detectionTimeoutMs} ms, fsync ${numbers.fsync}, alone ${numbers.alone}; ${program}`;
  let violation: LifeResult['violation'] = null;
  try {
    world.start();
    world.time.runUntil(facts.quietAt);
    const isOver = drawn.endsEarly ? () => onlooker.recovery.isDone(facts.quietAt) : undefined;
    world.time.runUntil(facts.endsAt, isOver);
    const end = world.finish();
    for (const checker of checkers) checker.end(end);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    violation = {
      checker: error instanceof Violation ? error.checker : 'crash',
      message: error.message,
      at: world.time.now,
      ...(error instanceof Violation || error.stack === undefined ? {} : { stack: error.stack }),
    };
    world.abandon();
  }
  return {
    seed: request.seed,
    scenario: drawn.scenario,
    summary,
    faults,
    simulatedMs: world.time.now,
    takeovers: onlooker.takeovers,
    switchovers: onlooker.switchovers,
    faultCounts,
    digest: onlooker.digest,
    violation,
    observed: onlooker.observed,
  };
}
