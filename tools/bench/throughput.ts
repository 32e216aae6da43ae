/**
 * Throughput: turns committed a second, turns replayed a second, values that the serial link carries, and joins.
 *
 * Committed: a turn counts when the backup has it, so it is counted at the backup. Values that arrive together are one turn,
 * so a flood of sensor values tells of values, and turns are counted with a program that always has 64 requests under
 * way, whose answers are a turn each. Replayed: a history made by fast-forward
 * runs again in one replica's process. Joined: a board alone takes as many events as an uptime would have brought, only
 * faster; then the other board starts, and the time runs until both say that they are protected.
 */
import { fileURLToPath } from 'node:url';
import { bundleProgram } from '../../firmware-host/bundle/bundler.ts';
import { type JournalRecord, turnsOf } from '../../protocol/record.ts';
import type { PlacedRecord } from '../replay/journal-records.ts';
import { ReplayRun } from '../replay/replay-run.ts';
import { BenchPair, startProtectedPair } from './bench-pair.ts';
import { FastForward, replicaProcessOf, turnsIn } from './fast-forward.ts';
import type { Figure, Measurement, MeasureOptions, Part } from './measurement.ts';

const tank = fileURLToPath(new URL('../../examples/tank.js', import.meta.url));
const turnSource = fileURLToPath(new URL('./programs/turn-source.js', import.meta.url));
const reader = fileURLToPath(new URL('./programs/value-reader.js', import.meta.url));
const committedMin = 5_000;
const replayedMin = 20_000;
const joinSecondsMax = 10;
const serialBytesPerSecond = 11_520;
/** One analog message of Firmata. */
const valueBytes = 3;
const eventsPerSecond = 50;
const hourEvents = 3_600 * eventsPerSecond;
/** What of a stream may still be under way when it ends: a few statuses, which come every 100 ms or so. */
const drainMsMax = 400;
const startPatienceMs = 60_000;

interface Flow {
  valuesPerSecond: number;
  turnsPerSecond: number;
  valuesArrivedPerSecond: number;
  /** From the end of the stream until the backup had all of it; null: not within the patience. */
  drainMs: number | null;
  lostBytes: number;
}

type BoardName = 'a' | 'b';

function counts(pair: BenchPair, board: BoardName): { turns: number; inputs: number } {
  const status = pair.boards[board].status!;
  return { turns: status.turns, inputs: status.devices[0]?.inputs ?? 0 };
}

/** Streams so many values a second and watches them arrive at `board`. */
async function flow(
  pair: BenchPair,
  board: BoardName,
  valuesPerSecond: number,
  durationMs: number,
): Promise<Flow> {
  await pair.freshStatus(board);
  const before = counts(pair, board);
  const beganMs = performance.now();
  const { sent, lostBytes } = await pair.device.stream(valuesPerSecond, durationMs);
  const endedMs = performance.now();
  const wanted = before.inputs + sent * valueBytes - lostBytes;
  const patienceMs = 20_000;
  const isDrained = await pair
    .until(() => counts(pair, board).inputs >= wanted, patienceMs, 'the stream at the board')
    .then(() => true)
    .catch(() => false);
  const doneMs = performance.now();
  const after = counts(pair, board);
  const elapsedS = (doneMs - beganMs) / 1000;
  return {
    valuesPerSecond,
    turnsPerSecond: (after.turns - before.turns) / elapsedS,
    valuesArrivedPerSecond: (after.inputs - before.inputs) / valueBytes / elapsedS,
    drainMs: isDrained ? doneMs - endedMs : null,
    lostBytes,
  };
}

/** The primary's name, and the backup's. */
function rolesOf(pair: BenchPair): { primary: BoardName; backup: BoardName } {
  return pair.boards.a.status?.role === 'primary'
    ? { primary: 'a', backup: 'b' }
    : { primary: 'b', backup: 'a' };
}

interface Ramp {
  committed: Flow[];
  serial: Flow[];
}

async function measureRamps(options: MeasureOptions): Promise<Ramp> {
  const pair = await startProtectedPair({
    program: reader,
    device: { mode: 'fenced', baudRate: 0, plant: 'none' },
  });
  const durationMs = options.quick ? 2_000 : 8_000;
  try {
    await programReads(pair, rolesOf(pair).backup);
    const ramp: Ramp = { committed: [], serial: [] };
    for (const rate of [500, 1_000, 2_000, 4_000, 8_000, 16_000]) {
      options.tell(`throughput: ${rate} values/s, both links`);
      ramp.committed.push(await flow(pair, rolesOf(pair).backup, rate, durationMs));
    }
    pair.cutEthernet();
    await pair.until(
      () => pair.boards.a.status?.links.find(({ name }) => name === 'ethernet')?.up === false,
      20_000,
      'the Ethernet link silent',
    );
    for (const rate of [250, 500, 750, 1_000, 1_250, 1_500, 2_000, 2_500, 3_000]) {
      options.tell(`throughput: ${rate} values/s, serial link alone`);
      await pair.until(() => pair.isProtected, 20_000, 'protected over the serial link alone');
      const measured = await flow(pair, rolesOf(pair).backup, rate, durationMs);
      ramp.serial.push(measured);
      if (!keepsUp(measured)) break;
    }
    return ramp;
  } finally {
    await pair.stop();
  }
}

/** Turns a second at the backup while the program has always another one due. */
async function measureTurns(options: MeasureOptions): Promise<number> {
  const seconds = options.quick ? 4 : 20;
  options.tell(`throughput: turns one after the other, ${seconds} s`);
  const device = { mode: 'fenced', baudRate: 0, plant: 'none' } as const;
  const pair = await startProtectedPair({ program: turnSource, device });
  try {
    const { backup } = rolesOf(pair);
    const before = await pair.freshStatus(backup);
    const beganMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const after = await pair.freshStatus(backup);
    return ((after.turns - before.turns) * 1000) / (performance.now() - beganMs);
  } finally {
    await pair.stop();
  }
}

/** Values reach the program: it has asked for them. */
async function programReads(pair: BenchPair, board: BoardName): Promise<void> {
  const before = counts(pair, board).inputs;
  await pair.until(() => pair.boards[board].status!.turns > 5, startPatienceMs, 'the program has begun');
  await pair.device.stream(100, 200);
  await pair.until(() => counts(pair, board).inputs > before, startPatienceMs, 'a value at the program');
}

function keepsUp({ drainMs, lostBytes }: Flow): boolean {
  return drainMs !== null && drainMs <= drainMsMax && lostBytes === 0;
}

interface Join {
  turns: number;
  seconds: number;
}

/** Joins after as many turns, one after the other on one board's growing history. */
async function measureJoins(options: MeasureOptions, uptimesS: readonly number[]): Promise<Join[]> {
  const pair = new BenchPair({
    program: reader,
    device: { mode: 'fenced', baudRate: 0, plant: 'none' },
    timing: { waitForPeerMs: 500 },
    policy: { alone: 'lead' },
  });
  const joins: Join[] = [];
  try {
    await pair.open();
    pair.start('a');
    await pair.until(() => pair.boards.a.status?.role === 'primary', startPatienceMs, 'board a alone');
    await programReads(pair, 'a');
    for (const uptimeS of uptimesS) {
      const wanted = uptimeS * eventsPerSecond;
      options.tell(`throughput: join after ${wanted} events`);
      const deadlineMs = performance.now() + 20_000 + wanted;
      while (counts(pair, 'a').turns < wanted && performance.now() < deadlineMs)
        await flow(pair, 'a', 2_000, 2_000);
      const { turns } = counts(pair, 'a');
      const beganMs = performance.now();
      pair.start('b');
      await pair.until(() => pair.isProtected, 600_000, 'the other board joined');
      joins.push({ turns, seconds: (performance.now() - beganMs) / 1000 });
      await pair.end('b');
      await pair.until(() => pair.boards.a.status?.protected === false, 20_000, 'board a alone again');
    }
    return joins;
  } finally {
    await pair.stop();
  }
}

interface Replayed {
  uptimeS: number;
  turns: number;
  records: number;
  forwardSeconds: number;
  seconds: number;
}

async function measureReplays(options: MeasureOptions, uptimesS: readonly number[]): Promise<Replayed[]> {
  const { code } = await bundleProgram(tank);
  const forward = new FastForward(code, tank);
  const replays: Replayed[] = [];
  let forwardMs = 0;
  try {
    for (const uptimeS of uptimesS) {
      options.tell(`throughput: ${uptimeS} s of the tank program in virtual time, then replayed`);
      const beganMs = performance.now();
      await forward.runTo(uptimeS * 1000);
      forwardMs += performance.now() - beganMs;
      const seconds = await replaySeconds(code, forward.records);
      const turns = turnsIn(forward.records);
      replays.push({
        uptimeS,
        turns,
        records: forward.records.length,
        forwardSeconds: forwardMs / 1000,
        seconds,
      });
    }
    return replays;
  } finally {
    await forward.stop();
  }
}

async function replaySeconds(code: string, records: readonly JournalRecord[]): Promise<number> {
  const replica = replicaProcessOf(code, tank);
  try {
    // The process's own start, and the program's first turn, belong to a join's fixed part.
    const beganMs = performance.now();
    const result = await new ReplayRun(replica, () => Promise.resolve()).run(
      placed(records),
      Number.MAX_SAFE_INTEGER,
    );
    if (result.difference !== null)
      throw new Error(`the replay differs: ${JSON.stringify(result.difference)}`);
    return (performance.now() - beganMs) / 1000;
  } finally {
    await replica.stop();
  }
}

async function* placed(records: readonly JournalRecord[]): AsyncGenerator<PlacedRecord> {
  let turn = 0;
  for (const record of records) {
    yield { turn, record, atByte: 0 };
    turn += turnsOf(record);
  }
}

async function run(options: MeasureOptions): Promise<Part> {
  const uptimesS = options.quick ? [60, 600] : [60, 600, 3_600];
  const ramp = await measureRamps(options);
  const turnsPerSecond = await measureTurns(options);
  const joins = await measureJoins(options, uptimesS);
  const replays = await measureReplays(options, uptimesS);
  return throughputPart({ ramp, turnsPerSecond, joins, replays });
}

export interface ThroughputSamples {
  ramp: Ramp;
  turnsPerSecond: number;
  joins: readonly Join[];
  replays: readonly Replayed[];
}

export function throughputPart({ ramp, turnsPerSecond, joins, replays }: ThroughputSamples): Part {
  const most = (flows: readonly Flow[], pick: (flow: Flow) => number): number => Math.max(...flows.map(pick));
  const fitting = ramp.serial.filter(keepsUp);
  const serialValues = fitting.length === 0 ? null : most(fitting, (each) => each.valuesPerSecond);
  const physical = serialBytesPerSecond / valueBytes;
  const longest = replays.at(-1)!;
  const replayRate = longest.turns / longest.seconds;
  const figures: Figure[] = [
    {
      id: 'throughput.committed-turns',
      text: 'turns committed, both links',
      value: Math.max(
        turnsPerSecond,
        most(ramp.committed, (each) => each.turnsPerSecond),
      ),
      unit: '1/s',
      bound: { kind: 'at least', value: committedMin },
    },
    {
      id: 'throughput.committed-values',
      text: 'sensor values committed, both links',
      value: most(ramp.committed, (each) => each.valuesArrivedPerSecond),
      unit: '1/s',
    },
    {
      id: 'throughput.serial-values',
      text: 'sensor values on the serial link alone before lag grows',
      value: serialValues,
      unit: '1/s',
      floor: physical,
      ...(serialValues === null ? { note: 'not even the slowest rate tried fitted' } : {}),
    },
    {
      id: 'throughput.serial-share',
      text: 'of the physical limit, 3 bytes a value at 115200 baud',
      value: serialValues === null ? null : serialValues / physical,
      unit: '',
    },
    {
      id: 'throughput.replayed-turns',
      text: `turns replayed, tank, ${longest.uptimeS} s of uptime`,
      value: replayRate,
      unit: '1/s',
      bound: { kind: 'at least', value: replayedMin },
    },
    ...joins.map(
      ({ turns, seconds }): Figure => ({
        id: `throughput.join.${turns}`,
        text: `join of a real board after ${turns} turns (${(turns / eventsPerSecond / 60).toFixed(0)} min at 50 events/s)`,
        value: seconds,
        unit: 's',
        ...(turns >= hourEvents ? { bound: { kind: 'at most', value: joinSecondsMax } } : {}),
      }),
    ),
    ...replays.map(
      ({ uptimeS, turns, seconds }): Figure => ({
        id: `throughput.replay.${uptimeS}`,
        text: `replay of ${uptimeS / 60} min of the tank program, ${turns} turns, process start included`,
        value: seconds,
        unit: 's',
        ...(uptimeS === 3_600 ? { bound: { kind: 'at most', value: joinSecondsMax } } : {}),
      }),
    ),
    {
      id: 'throughput.join.day',
      text: 'join after 24 h at 50 events/s',
      value: null,
      unit: 's',
      note: `not measured: ${(24 * 3600 * eventsPerSecond).toLocaleString('en-US')} turns; at the rate above about ${((24 * 3600 * eventsPerSecond) / replayRate / 60).toFixed(1)} min`,
    },
  ];
  const uptimePlot = replays.map(({ turns, seconds }) => [turns, seconds] as const);
  const joinPlot = joins.map(({ turns, seconds }) => [turns, seconds] as const);
  return {
    id: 'throughput',
    title: 'Throughput and join',
    figures,
    plots: [
      {
        title: 'Join and replay over the length of the history',
        xLabel: 'turns of the history',
        yLabel: 'seconds',
        xScale: 'log',
        yScale: 'log',
        curves: [
          { name: 'join of a real board', points: joinPlot },
          { name: 'replay of the tank program', points: uptimePlot },
        ],
      },
      {
        title: 'Values offered and values at the backup',
        xLabel: 'offered, values/s',
        yLabel: 'arrived, values/s',
        xScale: 'linear',
        yScale: 'linear',
        curves: [
          {
            name: 'both links',
            points: ramp.committed.map(
              (each) => [each.valuesPerSecond, each.valuesArrivedPerSecond] as const,
            ),
          },
          {
            name: 'serial link alone',
            points: ramp.serial.map((each) => [each.valuesPerSecond, each.valuesArrivedPerSecond] as const),
          },
        ],
      },
    ],
    remarks: [
      `Fits: nothing lost, and the backup has all values within ${drainMsMax} ms of the last one.`,
      'The growth is linear: a join runs every turn since the start again, so it is bound by the replay rate of the program.',
      'The supervisor reads values as they come: those that wait together are one turn, so turns/s falls behind values/s under flood.',
    ],
  };
}

export const throughput: Measurement = { id: 'throughput', title: 'Throughput and join', run };
