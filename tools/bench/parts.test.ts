import { expect, test } from 'vitest';
import type { JournalRecord } from '../../protocol/record.ts';
import { bytesOfRecords } from './cost.ts';
import { detectorPart } from './detector.ts';
import { latencyPart } from './latency.ts';
import { isWithinBound, type Part } from './measurement.ts';
import { distributionOf, spreadOf } from './quantile.ts';
import { throughputPart } from './throughput.ts';

function figureValue(part: Part, id: string): number | null {
  const figure = part.figures.find((each) => each.id === id);
  expect(figure, id).toBeDefined();
  return figure!.value;
}

test('quantiles are values that were measured', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect(spreadOf(values)).toEqual({ samples: 200, p50: 100, p90: 180, p99: 198, max: 200 });
  expect(distributionOf([3, 1, 2, 4], 4)).toEqual([
    [1, 25],
    [2, 50],
    [3, 75],
    [4, 100],
  ]);
  expect(distributionOf([])).toEqual([]);
});

test('latency is compared with the bare program under the same load and on the same line', () => {
  const row = (way: 'bare' | 'protected', load: 'none' | 'cpu-90', baudRate: number, ms: number) => {
    return { way, load, baudRate, lost: 0, latenciesMs: [ms, ms, ms] };
  };
  const part = latencyPart([
    row('bare', 'none', 0, 0.2),
    row('bare', 'cpu-90', 0, 2),
    row('bare', 'none', 57_600, 1.5),
    row('protected', 'none', 0, 0.9),
    row('protected', 'cpu-90', 0, 3),
    row('protected', 'none', 57_600, 1.65),
  ]);
  expect(figureValue(part, 'latency.loopback.protected.none.added-p50')).toBeCloseTo(0.7);
  expect(figureValue(part, 'latency.loopback.protected.cpu-90.added-p50')).toBeCloseTo(1);
  expect(figureValue(part, 'latency.57600.protected.none.ratio-p50')).toBeCloseTo(1.1);
  const verdicts = Object.fromEntries(part.figures.map((figure) => [figure.id, isWithinBound(figure)]));
  expect(verdicts['latency.loopback.protected.none.added-p50']).toBe(false);
  expect(verdicts['latency.loopback.protected.none.added-p99']).toBe(true);
  expect(verdicts['latency.57600.protected.none.ratio-p50']).toBe(true);
  // Six bytes of ten bits: no line of that speed is faster.
  expect(part.figures.find(({ id }) => id === 'latency.57600.bare.none.p50')?.floor).toBeCloseTo(1.0417, 3);
});

test('no edge was answered: a figure without a value, not a wrong one', () => {
  const part = latencyPart([{ way: 'bare', load: 'none', baudRate: 0, lost: 9, latenciesMs: [] }]);
  expect(part.figures[0]).toMatchObject({ value: null, note: '9 edges unanswered within 500 ms' });
});

test('a pair that lost its protection on the way says so', () => {
  const row = { way: 'serial-only' as const, load: 'none' as const, baudRate: 0, lost: 0, latenciesMs: [1] };
  expect(latencyPart([{ ...row, wasMixed: true }]).figures[0]!.note).toBe('not protected all the time');
  expect(latencyPart([row]).figures[0]).not.toHaveProperty('note');
});

test('bytes are counted by record, without the start', () => {
  const none = new Uint8Array(0);
  const start = { seed: '', argv: [], env: {}, hostname: '', ports: [], stdinIsTerminal: false };
  const turn = (timeUs: number): JournalRecord => ({
    kind: 'turn',
    timeUs,
    event: { kind: 'port-data', port: 0, bytes: Uint8Array.of(1, 2, 3) },
    values: none,
    hasOutputs: false,
    digest: 0,
  });
  const sum = bytesOfRecords([
    {
      kind: 'turn',
      timeUs: 0,
      event: { kind: 'start', ...start },
      values: none,
      hasOutputs: false,
      digest: 0,
    },
    ...Array.from({ length: 40 }, (_, index) => turn(index * 1000)),
  ]);
  expect(sum).toMatchObject({ records: 40, own: 120 });
  // Two batches of 20: what a batch says once is shared.
  expect(sum.batched).toBeLessThan(sum.alone);
  expect(sum.batched).toBeGreaterThan(sum.own);
  for (const other of [sum.messagePack, sum.cbor, sum.protocolBuffers]) expect(other).toBeLessThan(sum.json);
});

test('what fits the serial link is what arrives in time and whole', () => {
  const flow = (valuesPerSecond: number, drainMs: number | null, lostBytes = 0) => {
    return {
      valuesPerSecond,
      turnsPerSecond: 900,
      valuesArrivedPerSecond: valuesPerSecond,
      drainMs,
      lostBytes,
    };
  };
  const part = throughputPart({
    ramp: { committed: [flow(16_000, 10)], serial: [flow(960, 100), flow(1_250, 900), flow(1_500, 10, 3)] },
    turnsPerSecond: 5_500,
    joins: [{ turns: 3_000, seconds: 4 }],
    replays: [{ uptimeS: 3_600, turns: 300_000, records: 200_000, forwardSeconds: 60, seconds: 12 }],
  });
  expect(figureValue(part, 'throughput.serial-values')).toBe(960);
  expect(figureValue(part, 'throughput.serial-share')).toBeCloseTo(0.25);
  expect(figureValue(part, 'throughput.committed-turns')).toBe(5_500);
  expect(figureValue(part, 'throughput.replayed-turns')).toBe(25_000);
  const hour = part.figures.find(({ id }) => id === 'throughput.replay.3600')!;
  expect(isWithinBound(hour)).toBe(false);
});

test('false takeovers are told a minute, and only the default of a board is bound', () => {
  const result = {
    durationMs: 30_000,
    priorityRefused: null,
    falseTakeovers: [
      { timeoutMs: 20, intervalMs: 6, count: 3, longestSilenceMs: 31 },
      { timeoutMs: 200, intervalMs: 10, count: 0, longestSilenceMs: 40 },
    ],
  };
  const part = detectorPart([
    { load: 'cpu', priority: 'nice', result },
    { load: 'cpu', priority: 'normal', result: { ...result, priorityRefused: 'not permitted' } },
  ]);
  expect(figureValue(part, 'detector.cpu.nice.20')).toBe(6);
  expect(figureValue(part, 'detector.cpu.nice.silence')).toBe(40);
  expect(part.figures.filter(({ bound }) => bound !== undefined).map(({ id }) => id)).toEqual([
    'detector.cpu.nice.200',
  ]);
  expect(part.figures.at(-1)?.note).toContain('not permitted');
});
