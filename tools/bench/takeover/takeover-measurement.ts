/**
 * The gap at the device: from a fault to the first output of the survivor that the device accepts, for Understudy and for
 * what people use instead, all with the same program (programs/counting-output.js) on the same simulated device.
 *
 * The program numbers its outputs. So what a takeover did to them is read at the device, in the same way for all: numbers
 * that are missing were lost, numbers that come again are actuated twice, and a survivor that begins at one has lost the
 * program's state. The program writes every 5 ms: each gap holds half of that, on average, that is no one's fault.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../../hil-tests/rigs/local/device-events.ts';
import { seededRandom } from '../../../hil-tests/rigs/local/seeded-random.ts';
import { startCpuLoad } from '../../../hil-tests/scenarios/endurance.ts';
import type { BenchOptions } from '../catalog.ts';
import type { Curve, Figure, Measurement, MeasureOptions, Part, Samples } from '../measurement.ts';
import { distributionOf, spreadOf } from '../quantile.ts';
import {
  type Account,
  type Contestant,
  type ContestantEntry,
  type FaultId,
  faultIds,
  faultTexts,
} from './contestant.ts';
import { countingIntervalMs } from './counting-program.ts';
import { keepalivedEntries } from './keepalived-contestant.ts';
import { incidentsOf, judge } from './output-watch.ts';
import { restartEntries } from './restart-contestant.ts';
import { understudyEntry } from './understudy-contestant.ts';
import { willEntry } from './will-contestant.ts';

export const contestants: readonly ContestantEntry[] = [
  understudyEntry,
  ...restartEntries,
  willEntry,
  ...keepalivedEntries,
];

/** After the pair is whole again, so that no run begins with the end of the one before. */
const settleMs = 50;
/** So many in a row from one hand, and nobody else is in control. */
const settledNumbers = 10;
const settlePatienceMs = 10_000;
const settleTriesMax = 50;
const runsByDefault = 200;
const runsQuick = 5;
const minutesByDefault = 10;
/** Then it begins anew: a pair's records grow with its life, and every board that joins runs all of them again. */
const runsOfOneLife = 25;
/** A way that never answers a fault shows it in so many runs. */
const unansweredMax = 3;
const detectionTimeoutMs = 200;
/** The bounds of issue 6, for Understudy. */
const bounds: Partial<Record<FaultId, { p50?: number; p99: number }>> = {
  kill: { p50: 15, p99: 50 },
  freeze: { p99: detectionTimeoutMs + 10 },
  'power-cut': { p99: detectionTimeoutMs + 10 },
};

interface Cell {
  contestant: string;
  fault: FaultId;
  gapsMs: number[];
  unanswered: number;
  lost: number;
  repeated: number;
  statesLost: number;
  /** Times that control changed hands between two faults: false takeovers, and boards that both led for a while. */
  disturbances: number;
}

/** Null when all names are known. */
export function unknownName(options: BenchOptions): string | null {
  const contestantIds = contestants.map(({ id }) => id);
  const contestant = options.contestants.find((id) => !contestantIds.includes(id));
  if (contestant !== undefined)
    return `--contestant must be one of ${contestantIds.join(', ')} (got ${contestant})`;
  const fault = options.faults.find((id) => !(faultIds as readonly string[]).includes(id));
  return fault === undefined ? null : `--fault must be one of ${faultIds.join(', ')} (got ${fault})`;
}

export function takeoverMeasurement(options: BenchOptions): Measurement {
  return {
    id: 'takeover',
    title: 'Takeover gap at the device',
    run: (measure) => {
      const unknown = unknownName(options);
      if (unknown !== null) throw Object.assign(new Error(unknown), { code: 'USAGE_BENCH' });
      return new TakeoverMeasurement(options, measure).run();
    },
  };
}

class TakeoverMeasurement {
  readonly #options: BenchOptions;
  readonly #tell: (text: string) => void;
  readonly #runs: number;
  readonly #minutes: number;
  readonly #random = seededRandom(1);
  readonly #part: Part = {
    id: 'takeover',
    title: 'Takeover gap at the device',
    figures: [],
    plots: [],
    remarks: [],
  };
  readonly #cells: Cell[] = [];
  readonly #living = new Set<Contestant>();

  constructor(options: BenchOptions, { quick, tell }: MeasureOptions) {
    this.#options = options;
    this.#tell = tell;
    this.#runs = options.runs ?? (quick ? runsQuick : runsByDefault);
    this.#minutes = options.minutes ?? (quick ? 0 : minutesByDefault);
  }

  async run(): Promise<Part> {
    const end = (signal: NodeJS.Signals): void => {
      this.#tell(`${signal}: ending what was started`);
      const stopped = Promise.allSettled([...this.#living].map((contestant) => contestant.stop()));
      const code = signal === 'SIGINT' ? 130 : 143;
      void stopped.then(() => process.exit(code));
    };
    process.once('SIGINT', end);
    process.once('SIGTERM', end);
    try {
      for (const entry of contestants) {
        if (this.#options.contestants.length === 0 || this.#options.contestants.includes(entry.id)) {
          await this.#contestant(entry).catch((error: Error) => this.#failed(entry, error));
        }
      }
    } finally {
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
    }
    this.#ratios();
    this.#part.plots.push(...this.#plots());
    this.#part.samples = this.#cells.map(
      ({ contestant, fault, gapsMs }): Samples => ({
        name: `${contestant}: ${faultTexts[fault]}`,
        unit: 'ms',
        values: gapsMs,
      }),
    );
    this.#part.remarks.push(
      `the program writes every ${countingIntervalMs} ms, so a gap of about half of that is none`,
      'lost: numbers that the device never got; repeated: numbers that it is given again; both summed over the runs',
      'the bare contestants stand at a plain device without a reset at opening: a real Arduino’s bootloader adds a second or more',
    );
    return this.#part;
  }

  /** What was measured of it, and of all others, stands. */
  #failed(entry: ContestantEntry, { message }: Error): void {
    const reason = `${entry.id}: ${message}`;
    this.#part.failures = [...(this.#part.failures ?? []), reason];
    this.#part.figures.push({
      id: `takeover.${entry.id}.failed`,
      text: entry.what,
      value: null,
      unit: 'ms',
      note: `failed: ${message.split('\n')[0]}`,
    });
  }

  async #contestant(entry: ContestantEntry): Promise<void> {
    const missing = entry.missing();
    if (missing !== null) {
      this.#part.figures.push({
        id: `takeover.${entry.id}`,
        text: entry.what,
        value: null,
        unit: 'ms',
        note: `skipped: ${missing}`,
      });
      this.#tell(`${entry.id}: skipped: ${missing}`);
      return;
    }
    const accounts: Account[] = [];
    for (const fault of faultIds) {
      if (this.#options.faults.length === 0 || this.#options.faults.includes(fault)) {
        await this.#cell(entry, fault, accounts);
      }
    }
    if (this.#minutes > 0) {
      await this.#live(entry, null, accounts, (contestant) => this.#underLoad(entry, contestant));
    }
    if (accounts.length > 0) this.#part.figures.push(figureOf(entry, accounts));
  }

  /** One life of a contestant, from its start to its end. */
  async #live(
    entry: ContestantEntry,
    fault: FaultId | null,
    accounts: Account[],
    run: (contestant: Contestant) => Promise<void>,
  ): Promise<void> {
    const contestant = entry.create(fault);
    this.#living.add(contestant);
    try {
      await contestant.start();
      await run(contestant);
    } finally {
      this.#living.delete(contestant);
      const account = await contestant.stop();
      if (account !== null) accounts.push(account);
    }
  }

  async #cell(entry: ContestantEntry, fault: FaultId, accounts: Account[]): Promise<void> {
    const refusal = entry.refusal(fault);
    const id = `takeover.${entry.id}.${fault}`;
    const text = `${entry.what}: ${faultTexts[fault]}`;
    if (refusal !== null) {
      this.#part.figures.push({ id, text, value: null, unit: 'ms', note: `no takeover: ${refusal}` });
      return;
    }
    const cell: Cell = {
      contestant: entry.id,
      fault,
      gapsMs: [],
      unanswered: 0,
      lost: 0,
      repeated: 0,
      statesLost: 0,
      disturbances: 0,
    };
    let begun = 0;
    const mayBegin = (): boolean => begun < this.#runs && cell.unanswered < unansweredMax;
    const lane = async (): Promise<void> => {
      while (mayBegin()) {
        await this.#live(entry, fault, accounts, async (contestant) => {
          for (let run = 0; run < runsOfOneLife && mayBegin(); run++) {
            begun += 1;
            await this.#strike(entry, contestant, fault, cell);
          }
        });
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: entry.lanes(fault) }, lane));
    for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
    this.#cells.push(cell);
    this.#part.figures.push(...figuresOf(cell, id, text, entry));
    const { p50, p99, max } = spreadOf(cell.gapsMs);
    this.#tell(
      `${entry.id} ${fault}: n ${cell.gapsMs.length} p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} max ${max.toFixed(1)} ms, ` +
        `unanswered ${cell.unanswered}, lost ${cell.lost}, repeated ${cell.repeated}, state lost ${cell.statesLost}, without a fault ${cell.disturbances}`,
    );
  }

  async #strike(entry: ContestantEntry, contestant: Contestant, fault: FaultId, cell: Cell): Promise<void> {
    // The fault is to fall at any moment of the program's work: this is the scenario, not a wait for calm.
    await sleep(settleMs + this.#random() * entry.phaseMs(fault));
    const { watch } = contestant;
    cell.disturbances += await settled(contestant);
    const known = watch.successions.length;
    const atMs = monotonicMs();
    contestant.strike(fault);
    const succession = await watch.successionAfter(known, entry.patienceMs);
    if (succession === null) cell.unanswered += 1;
    else {
      const { lost, repeated, isStateLost } = judge(succession);
      cell.gapsMs.push(succession.atMs - atMs);
      cell.lost += lost;
      cell.repeated += repeated;
      if (isStateLost) cell.statesLost += 1;
    }
    await contestant.recover(fault);
  }

  /** No fault, one busy process beside it: every succession is a false takeover. */
  async #underLoad(entry: ContestantEntry, contestant: Contestant): Promise<void> {
    const before = contestant.watch.successions.length;
    const load = startCpuLoad(1);
    try {
      await sleep(this.#minutes * 60_000);
    } finally {
      for (const child of load) child.kill('SIGKILL');
    }
    const successions = contestant.watch.successions.slice(before);
    this.#part.figures.push({
      id: `takeover.${entry.id}.false`,
      text: `${entry.what}: false takeovers in ${this.#minutes} min with one busy process`,
      value: incidentsOf(successions),
      unit: '',
      ...(successions.length === incidentsOf(successions)
        ? {}
        : { note: `two boards led at once: control changed hands ${successions.length} times` }),
      ...(entry.id === 'understudy' ? { bound: { kind: 'at most', value: 0 } as const } : {}),
    });
  }

  #ratios(): void {
    const ours = this.#cells.filter(({ contestant }) => contestant === 'understudy');
    for (const cell of this.#cells) {
      const own = ours.find(({ fault }) => fault === cell.fault);
      if (cell.contestant === 'understudy' || own === undefined) continue;
      if (cell.gapsMs.length === 0 || own.gapsMs.length === 0) continue;
      const leastRatio =
        cell.contestant === 'keepalived-1s' ? 50 : cell.contestant === 'keepalived-10ms' ? 1 : null;
      this.#part.figures.push({
        id: `takeover.ratio.${cell.contestant}.${cell.fault}`,
        text: `${cell.contestant} / understudy, ${faultTexts[cell.fault]}, p50`,
        value: spreadOf(cell.gapsMs).p50 / spreadOf(own.gapsMs).p50,
        unit: '',
        ...(leastRatio === null ? {} : { bound: { kind: 'at least', value: leastRatio } as const }),
      });
    }
  }

  #plots(): Part['plots'] {
    return faultIds.flatMap((fault) => {
      const curves = this.#cells
        .filter((cell) => cell.fault === fault && cell.gapsMs.length > 0)
        .map((cell): Curve => ({ name: cell.contestant, points: distributionOf(cell.gapsMs) }));
      if (curves.length === 0) return [];
      const title = `Gap after ${faultTexts[fault]}: share of runs that were answered so soon`;
      return [{ title, xLabel: 'ms', yLabel: '% of runs', xScale: 'log', yScale: 'linear', curves }] as const;
    });
  }
}

/** Waits until control has stayed in one hand for a while. Returns how often it changed hands before. */
async function settled({ watch }: Contestant): Promise<number> {
  const before = watch.successions.length;
  for (let tries = 0; tries < settleTriesMax; tries++) {
    const known = watch.successions.length;
    const isFlowing = await watch.flows(settledNumbers, settlePatienceMs);
    if (isFlowing && watch.successions.length === known) return incidentsOf(watch.successions.slice(before));
  }
  throw new Error('control does not stay in one hand');
}

/** What its own books say of all its lives. */
function figureOf(entry: ContestantEntry, accounts: readonly Account[]): Figure {
  const complaints = accounts.flatMap((account) => account.complaints);
  const sum = (of: (account: Account) => number): number =>
    accounts.reduce((total, account) => total + of(account), 0);
  const account =
    `${sum(({ comparedBytes }) => comparedBytes)} bytes that the device accepted in ${sum(({ turns }) => turns)} turns ` +
    `of ${accounts.length} lives, compared with runs without faults`;
  return {
    id: `takeover.${entry.id}.differences`,
    text: `${entry.what}: outputs lost, repeated or changed`,
    value: complaints.length,
    unit: '',
    note: complaints.length === 0 ? account : `${account}; FAILED: ${complaints.join('; ')}`,
    bound: { kind: 'at most', value: 0 },
  };
}

function figuresOf(cell: Cell, id: string, text: string, entry: ContestantEntry): Figure[] {
  const runs = cell.gapsMs.length + cell.unanswered;
  const unanswered = `no output of a survivor within ${entry.patienceMs / 1000} s in ${cell.unanswered} of ${runs} runs`;
  if (cell.gapsMs.length === 0) return [{ id, text, value: null, unit: 'ms', note: unanswered }];
  const { p50, p99, max } = spreadOf(cell.gapsMs);
  const bound = entry.id === 'understudy' ? bounds[cell.fault] : undefined;
  const account =
    `lost ${cell.lost}, repeated ${cell.repeated}, program state lost ${cell.statesLost === 0 ? 'no' : `yes (${cell.statesLost} of ${runs})`}` +
    (cell.disturbances === 0 ? '' : `; control changed hands without a fault ${cell.disturbances} times`) +
    (cell.unanswered === 0 ? '' : `; ${unanswered}`);
  const atMost = (value: number | undefined): Pick<Figure, 'bound'> =>
    value === undefined ? {} : { bound: { kind: 'at most', value } };
  return [
    {
      id: `${id}.p50`,
      text: `${text}, p50`,
      value: p50,
      unit: 'ms',
      ...atMost(bound?.p50),
      note: `n ${runs}`,
    },
    { id: `${id}.p99`, text: `${text}, p99`, value: p99, unit: 'ms', ...atMost(bound?.p99) },
    { id: `${id}.max`, text: `${text}, max`, value: max, unit: 'ms', note: account },
  ];
}
