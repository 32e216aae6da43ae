/**
 * Draws a life from a seed: what the pair is like, what its program does, and what strikes it when.
 *
 * Swarm testing (Groce et al., ISSTA 2012): every life switches about half of the kinds of fault off altogether. A life in
 * which everything goes wrong all the time never comes to the states that a single fault would have led to.
 */
import { companionOf, faultOf } from './drawn-fault.ts';
import { endOf, type Fault, type FaultKind } from './fault.ts';
import type { LifeFacts } from './observation.ts';
import * as provocations from './provocations.ts';
import { Random } from './random.ts';
import type { WorldOptions } from './world.ts';

export type DrawnNumbers = Omit<
  WorldOptions,
  'seed' | 'random' | 'program' | 'devices' | 'interference' | 'observe'
> & {
  devices: { name: string; windowBytes: number; inputRingBytes: number }[];
};

export interface DrawnLife {
  seed: number;
  scenario: string;
  random: Random;
  numbers: DrawnNumbers;
  /** A real johnny-five program in processes of its own, or one that is drawn and runs in this process. */
  program: 'johnny-five' | 'generated';
  faults: Fault[];
  quietAt: number;
  /** Over once the pair has gone on as one for a while after `quietAt`, and not only when it must have become one. */
  endsEarly: boolean;
}

interface Scenario {
  /** What is looked for, in a line. */
  about: string;
  /** Kinds that may strike; each is still switched off in about half of the lives, but for `always`. */
  kinds: readonly FaultKind[];
  always?: readonly FaultKind[];
  troubleMs: { least: number; most: number };
  /** Faults that are laid, beside those drawn. */
  provoke?: (stage: provocations.Stage) => Fault[];
  numbers?: (random: Random) => Partial<DrawnNumbers>;
  /** Share of lives with a real johnny-five program. */
  johnnyFiveShare?: number;
}

const bus: readonly FaultKind[] = [
  'loss',
  'delay',
  'duplication',
  'reordering',
  'corruption',
  'cut',
  'stall',
  'slow-link',
];
const boards: readonly FaultKind[] = [
  'kill',
  'power',
  'pause',
  'late-wakes',
  'slow-replica',
  'replica',
  'disk-full',
  'slow-disk',
  'clock-step',
  'clock-drift',
];
const devices: readonly FaultKind[] = ['device-restart', 'device-port-lost', 'line-noise', 'slow-device'];
const people: readonly FaultKind[] = ['switchover', 'leave', 'forgery'];

export const scenarios: Record<string, Scenario> = {
  any: {
    about: 'everything that can go wrong',
    kinds: [...bus, ...boards, ...devices, ...people],
    troubleMs: { least: 500, most: 8000 },
    johnnyFiveShare: 1 / 500,
  },
  'johnny-five': {
    about: 'examples/tank.js in real replica processes, in front of the simulated tank',
    kinds: ['kill', 'pause', 'power', 'switchover', 'loss', 'cut', 'device-restart', 'line-noise'],
    always: ['kill'],
    troubleMs: { least: 2000, most: 6000 },
    johnnyFiveShare: 1,
  },
  calm: { about: 'nothing goes wrong', kinds: [], troubleMs: { least: 500, most: 3000 } },
  bus: { about: 'cables only', kinds: bus, troubleMs: { least: 500, most: 8000 } },
  takeovers: {
    about: 'boards die and come back, again and again',
    kinds: ['kill', 'pause', 'power', 'switchover', 'loss'],
    always: ['kill'],
    troubleMs: { least: 2000, most: 10_000 },
  },
  'split-brain': {
    about: 'both links cut while both boards live, and pauses',
    kinds: ['cut', 'pause', 'switchover', 'late-wakes', 'kill'],
    always: ['cut'],
    troubleMs: { least: 1500, most: 8000 },
  },
  power: {
    about: 'power cuts, with and without the disk, torn writes',
    kinds: ['power', 'slow-disk', 'disk-full', 'kill', 'loss'],
    always: ['power'],
    troubleMs: { least: 1500, most: 8000 },
    numbers: (random) => ({ fsync: random.pick(['always', 'always', 'interval', 'never']) }),
  },
  devices: {
    about: 'devices restart, lose their ports, have noisy lines and are slow',
    kinds: [...devices, 'kill', 'switchover'],
    troubleMs: { least: 1500, most: 8000 },
  },
  replicas: {
    about: 'replicas die, hang, diverge and fall behind',
    kinds: ['replica', 'slow-replica', 'kill', 'switchover'],
    always: ['replica'],
    troubleMs: { least: 1500, most: 8000 },
  },
  forgery: {
    about: 'somebody without the key is on the bus',
    kinds: ['forgery', 'kill', 'loss', 'switchover'],
    always: ['forgery'],
    troubleMs: { least: 1000, most: 6000 },
  },
  lines: {
    about: 'noise on the lines to the devices',
    kinds: ['line-noise', 'slow-device', 'kill'],
    always: ['line-noise'],
    troubleMs: { least: 1500, most: 8000 },
  },
  'burst-at-claim': {
    about: 'all that a silent board has sent arrives when the other one asks for the device',
    kinds: [],
    provoke: provocations.burstAtClaim,
    troubleMs: { least: 4000, most: 10_000 },
  },
  'stale-datagrams': {
    about: 'datagrams of a dead process arrive after those of its successor',
    kinds: [],
    provoke: provocations.staleDatagrams,
    troubleMs: { least: 3000, most: 8000 },
  },
  'lossy-join': {
    about: 'boards find each other, and join, while most of what they say is lost',
    kinds: [],
    provoke: provocations.lossyJoin,
    troubleMs: { least: 2000, most: 5000 },
  },
  'held-joins': {
    about: 'what a board that joins is told comes twice, for its acknowledgements are late',
    kinds: [],
    provoke: provocations.heldJoins,
    troubleMs: { least: 4000, most: 8000 },
  },
  'drowned-copy': {
    about: 'silences so long that a small send buffer is full',
    kinds: [],
    provoke: provocations.drownedCopy,
    troubleMs: { least: 3500, most: 8000 },
    numbers: () => ({ sendBufferBytesMax: 1024 }),
  },
  'port-then-primary': {
    about: 'the backup cannot reach the device, then the primary is gone',
    kinds: [],
    provoke: provocations.portThenPrimary,
    troubleMs: { least: 4000, most: 8000 },
    numbers: () => ({ alone: 'lead', waitForPeerMs: 200, holdTimeMs: 2000 }),
  },
  'restart-then-takeover': {
    about: 'devices restart, and a moment later their controller is gone',
    kinds: [],
    provoke: provocations.restartThenTakeover,
    troubleMs: { least: 4000, most: 9000 },
  },
  'afresh-meanwhile': {
    about:
      'the program is begun afresh after a restart of its device, while a switchover or a claim is under way',
    kinds: [],
    provoke: provocations.afreshMeanwhile,
    troubleMs: { least: 4000, most: 9000 },
  },
  'restart-for-the-old': {
    about: 'the device restarts when its controller is gone and the one before wakes',
    kinds: [],
    provoke: provocations.restartForTheOld,
    troubleMs: { least: 3000, most: 7000 },
  },
  'noisy-rows': {
    about: 'outputs and inputs pile up, then go in one row over noisy lines',
    kinds: [],
    provoke: provocations.rowsOnNoisyLines,
    troubleMs: { least: 3000, most: 8000 },
  },
  'lone-failure': {
    about: 'one board is gone without a word, and nothing else is wrong',
    kinds: [],
    provoke: provocations.loneFailure,
    troubleMs: { least: 2500, most: 4000 },
  },
  'held-acknowledgements': {
    about: 'acknowledgements stay away for nearly as long as a board may be silent; the lag may be long',
    kinds: [],
    provoke: provocations.heldAcknowledgements,
    troubleMs: { least: 3000, most: 7000 },
    numbers: () => ({
      heartbeatIntervalMs: 40,
      detectionTimeoutMs: 3000,
      holdTimeMs: 4000,
      sendBufferBytesMax: 1024,
      lagTurnsMax: 100_000,
      lagMsMax: 5000,
    }),
  },
  'survivor-restarts': {
    about: 'who took over is killed while the other board is gone',
    kinds: [],
    provoke: provocations.survivorRestarts,
    troubleMs: { least: 3000, most: 8000 },
    numbers: () => ({ alone: 'lead', waitForPeerMs: 200 }),
  },
  'stale-primary': {
    about: 'a lone primary sleeps until the other board leads, and the bus is cut',
    kinds: [],
    provoke: provocations.stalePrimary,
    troubleMs: { least: 5500, most: 7000 },
    numbers: () => ({ alone: 'lead', waitForPeerMs: 200 }),
  },
  blackout: {
    about: 'the power of both boards fails',
    kinds: [],
    provoke: provocations.blackout,
    troubleMs: { least: 2000, most: 6000 },
    numbers: (random) => ({ fsync: random.pick(['always', 'always', 'interval']) }),
  },
  'gone-while-joining': {
    about: 'the primary is gone before a board that joins is a backup',
    kinds: [],
    provoke: provocations.primaryGoneWhileJoining,
    troubleMs: { least: 3000, most: 8000 },
  },
  'paused-backup': {
    about: 'boards stand still for longer than a silence may last',
    kinds: [],
    provoke: provocations.pausedBackup,
    troubleMs: { least: 2000, most: 6000 },
  },
};

/** What johnny-five takes for its board when nobody names one. */
const johnnyFiveDevice = '/dev/ttyACM0';
const offShare = 0.5;
/** No fault that is drawn begins before, so that the pair has had a chance to become one. */
const settleMs = { least: 900, most: 1700 };
const wholeTailShare = 0.1;

function numbersFrom(random: Random): DrawnNumbers {
  const heartbeatIntervalMs = random.pick([10, 20, 20, 40]);
  const detectionTimeoutMs = heartbeatIntervalMs * random.pick([4, 5, 8, 10, 15]);
  const count = random.pick([1, 1, 1, 2, 3]);
  return {
    devices: Array.from({ length: count }, (_, index) => ({
      name: index === 0 ? 'machine' : `machine-${index + 1}`,
      windowBytes: random.pick([64, 256, 1024]),
      inputRingBytes: random.pick([256, 1024, 4096]),
    })),
    deviceBitsPerSecond: random.pick([57_600, 115_200, 115_200, 460_800]),
    ethernetBitsPerSecond: random.pick([10_000_000, 100_000_000]),
    serialBitsPerSecond: random.pick([57_600, 115_200, 115_200, 921_600]),
    heartbeatIntervalMs,
    detectionTimeoutMs,
    suspectTimeoutMs: Math.min(15, detectionTimeoutMs),
    waitForPeerMs: random.pick([200, 400, 800]),
    alone: random.chance(0.8) ? 'lead' : 'wait',
    holdTimeMs: detectionTimeoutMs + random.pick([300, 500, 1000]),
    keepaliveIntervalMs: random.pick([25, 50]),
    deviceTimeoutMs: random.pick([300, 500]),
    turnTimeoutMs: random.pick([200, 400]),
    turnMs: random.magnitude(0.02, 0.5),
    lagTurnsMax: random.pick([100, 500]),
    lagMsMax: random.pick([100, 200]),
    sendBufferBytesMax: random.pick([4096, 65_536, 1_048_576]),
    fsync: random.pick(['always', 'interval', 'interval', 'never']),
    fsyncIntervalMs: random.pick([20, 50, 200]),
    diskWriteMs: random.magnitude(0.1, 2),
    diskSyncMs: random.magnitude(0.5, 8),
    programFailure: random.chance(0.9) ? 'restart' : 'stop',
    programExit: random.chance(0.9) ? 'restart' : 'stop',
    restartDelayMs: random.pick([50, 200]),
    restartsMax: 50,
  };
}

/** None outlasts the time of trouble. */
function laidFaults(scenario: Scenario, stage: provocations.Stage): Fault[] {
  const faults: Fault[] = [];
  for (const fault of scenario.provoke?.(stage) ?? []) {
    if (fault.at >= stage.to) continue;
    if (!('until' in fault)) faults.push(fault);
    else if (fault.until > fault.at) faults.push({ ...fault, until: Math.min(fault.until, stage.to) });
  }
  return faults;
}

export function drawLife(seed: number, scenarioName: string): DrawnLife {
  const scenario = scenarios[scenarioName];
  if (scenario === undefined) throw new RangeError(`there is no scenario ${scenarioName}`);
  const random = new Random(`${seed}`);
  const numbersRandom = random.stream('numbers');
  const numbers = { ...numbersFrom(numbersRandom), ...scenario.numbers?.(numbersRandom.stream('scenario')) };
  const program = random.stream('program kind').chance(scenario.johnnyFiveShare ?? 0)
    ? 'johnny-five'
    : 'generated';
  if (program === 'johnny-five') {
    numbers.devices = [{ name: johnnyFiveDevice, windowBytes: 256, inputRingBytes: 1024 }];
    // Its answers come as fast as the process gives them, but a turn of a real one takes a while.
    numbers.turnMs = 0.3;
  }
  const plan = random.stream('plan');
  const troubleFrom = plan.between(settleMs.least, settleMs.most);
  const quietAt =
    troubleFrom + plan.stream('trouble').magnitude(scenario.troubleMs.least, scenario.troubleMs.most);
  const faults: Fault[] = [];
  for (const kind of scenario.kinds) {
    const ofKind = plan.stream(kind);
    const isAlways = scenario.always?.includes(kind) === true;
    if (!isAlways && ofKind.chance(offShare)) continue;
    for (let count = 1 + ofKind.below(3); count > 0; count--) {
      const fault = faultOf(kind, ofKind, troubleFrom, quietAt, numbers.devices.length);
      faults.push(fault);
      const companion = companionOf(fault, ofKind);
      if (companion !== null && endOf(companion) > companion.at) faults.push(companion);
    }
  }
  faults.push(
    ...laidFaults(scenario, { random: plan.stream('laid'), from: troubleFrom, to: quietAt, numbers }),
  );
  // Something may also be wrong from the very beginning.
  if (faults.length > 0 && plan.chance(0.1)) {
    const early = plan.pick(faults);
    if ('until' in early)
      faults.push({ ...early, at: plan.between(0, 300), until: plan.between(300, troubleFrom) });
  }
  faults.sort((left, right) => left.at - right.at);
  return {
    seed,
    scenario: scenarioName,
    random,
    numbers,
    program,
    faults,
    quietAt,
    endsEarly: !plan.stream('tail').chance(wholeTailShare),
  };
}

/** Long enough for a pair to become one again from anything, and then to go on for a while. */
function tailMs(numbers: DrawnNumbers): number {
  return (
    2500 +
    2 * numbers.detectionTimeoutMs +
    2 * numbers.holdTimeMs +
    numbers.waitForPeerMs +
    4 * numbers.restartDelayMs +
    2 * numbers.turnTimeoutMs
  );
}

/** `faults`: those of the life, some of them, or others. */
export function factsOf(life: DrawnLife, faults: Fault[]): LifeFacts {
  const { numbers } = life;
  const quietAt = Math.max(life.quietAt, ...faults.map(endOf));
  return {
    seed: life.seed,
    detectionTimeoutMs: numbers.detectionTimeoutMs,
    suspectTimeoutMs: numbers.suspectTimeoutMs,
    heartbeatIntervalMs: numbers.heartbeatIntervalMs,
    waitForPeerMs: numbers.waitForPeerMs,
    holdTimeMs: numbers.holdTimeMs,
    restartDelayMs: numbers.restartDelayMs,
    turnTimeoutMs: numbers.turnTimeoutMs,
    lagTurnsMax: numbers.lagTurnsMax,
    lagMsMax: numbers.lagMsMax,
    sendBufferBytesMax: numbers.sendBufferBytesMax,
    fsync: numbers.fsync,
    alone: numbers.alone,
    devices: numbers.devices.map((device, index) => ({ name: device.name, arbiter: index === 0 })),
    faults,
    quietAt,
    endsAt: quietAt + tailMs(numbers),
  };
}
