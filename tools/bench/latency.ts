/**
 * Added latency: from a sensor's edge to the actuator's byte, both at the device; the bare program beside the pair.
 *
 * Every contestant runs the same johnny-five program before the same device. On a line that takes no time the difference
 * is the pair's own; at 57600 baud the ratio is what a user of an ordinary line sees. On the line a fenced device's edge
 * costs a frame (protocol/README.md §12) where plain Firmata costs three bytes: so the plain device is measured too.
 */
import { fileURLToPath } from 'node:url';
import { BareProgram } from './bare-program.ts';
import { type BenchPair, startProtectedPair } from './bench-pair.ts';
import type { DeviceHandle } from './device-handle.ts';
import { type LoadKind, startLoad } from './load.ts';
import type { Curve, Figure, Measurement, MeasureOptions, Part } from './measurement.ts';
import { edgePatienceMs } from './measuring-device-contract.ts';
import { distributionOf, type Spread, spreadOf } from './quantile.ts';

const program = fileURLToPath(new URL('./programs/edge-follower.js', import.meta.url));
const loads = ['none', 'cpu-50', 'cpu-90'] as const satisfies readonly LoadKind[];
const edgeIntervalMs = 5;
const baudRates = [0, 57_600] as const;
const startPatienceMs = 30_000;
/** A digital message of Firmata in, one out: 3 bytes each, 10 bits a byte. */
const plainWireBytes = 6;
const bitsPerByte = 10;

type Way = 'bare' | 'protected' | 'serial-only' | 'solo' | 'plain-protected';

interface Row {
  way: Way;
  load: LoadKind;
  baudRate: number;
  lost: number;
  latenciesMs: number[];
  /** The pair was not what the way says, all the time: what was measured is something else in part. */
  wasMixed?: boolean;
}

const wayTexts: Record<Way, string> = {
  bare: 'bare program',
  protected: 'pair, protected',
  'serial-only': 'pair, protected over the serial link alone',
  solo: 'pair, solo',
  'plain-protected': 'pair, protected, plain device',
};

async function measureEdges(
  rows: Row[],
  device: DeviceHandle,
  options: MeasureOptions,
  what: { way: Way; load: LoadKind; baudRate: number; pair?: BenchPair },
): Promise<void> {
  const { way, load, baudRate, pair } = what;
  options.tell(
    `latency: ${wayTexts[way]}, load ${load}, ${baudRate === 0 ? 'line without time' : `${baudRate} baud`}`,
  );
  const edges = options.quick ? 200 : 2_000;
  const running = await startLoad(load);
  try {
    // The first ones find code that is not compiled, and a scheduler that has not met the load.
    await device.edges(40, edgeIntervalMs);
    // A load can make a board lose the other for a while: it is waited for once, and told if it happens again.
    if (pair !== undefined && way !== 'solo') {
      await pair.until(() => pair.isProtected, 30_000, 'protected before the edges').catch(() => {});
    }
    const watch = pair === undefined ? null : watchProtection(pair, way !== 'solo');
    const { latenciesMs, lost } = await device.edges(edges, edgeIntervalMs);
    rows.push({ way, load, baudRate, latenciesMs, lost, wasMixed: watch?.end() ?? false });
  } finally {
    await running.stop();
  }
}

/** `end` tells whether the pair was ever not protected (or, for `wanted` false, ever protected). */
function watchProtection(pair: BenchPair, wanted: boolean): { end: () => boolean } {
  let wasMixed = false;
  const look = (): void => {
    if (pair.isPrimaryProtected !== wanted) wasMixed = true;
  };
  look();
  const timer = setInterval(look, 20);
  return {
    end: () => {
      look();
      clearInterval(timer);
      return wasMixed;
    },
  };
}

async function measurePair(
  rows: Row[],
  options: MeasureOptions,
  { mode, baudRate }: { mode: 'fenced' | 'plain'; baudRate: number },
): Promise<void> {
  const pair: BenchPair = await startProtectedPair({ program, device: { mode, baudRate, plant: 'none' } });
  try {
    await pair.device.answering(startPatienceMs);
    const measured = baudRate === 0 && mode === 'fenced' ? loads : (['none'] as const);
    for (const load of measured) {
      const way = mode === 'fenced' ? 'protected' : 'plain-protected';
      await measureEdges(rows, pair.device, options, { way, load, baudRate, pair });
    }
    if (mode === 'plain') return;
    pair.cutEthernet();
    const { boards } = pair;
    await pair.until(
      () => boards.a.status?.links.find(({ name }) => name === 'ethernet')?.up === false,
      20_000,
      'the Ethernet link silent',
    );
    await pair.until(() => pair.isProtected, 20_000, 'protected over the serial link alone');
    for (const load of measured)
      await measureEdges(rows, pair.device, options, { way: 'serial-only', load, baudRate, pair });
    const backup = pair.boards.a.status?.role === 'primary' ? 'b' : 'a';
    const primary = backup === 'a' ? 'b' : 'a';
    await pair.end(backup);
    await pair.until(() => pair.boards[primary].status?.protected === false, 20_000, 'the primary alone');
    await pair.device.answering(startPatienceMs);
    for (const load of measured)
      await measureEdges(rows, pair.device, options, { way: 'solo', load, baudRate, pair });
  } finally {
    await pair.stop();
  }
}

async function run(options: MeasureOptions): Promise<Part> {
  const rows: Row[] = [];
  for (const baudRate of baudRates) {
    const bare = await BareProgram.start(program, baudRate);
    try {
      const measured = baudRate === 0 ? loads : (['none'] as const);
      for (const load of measured)
        await measureEdges(rows, bare.device, options, { way: 'bare', load, baudRate });
    } finally {
      await bare.stop();
    }
    await measurePair(rows, options, { mode: 'fenced', baudRate });
    await measurePair(rows, options, { mode: 'plain', baudRate });
  }
  return latencyPart(rows);
}

export function latencyPart(rows: readonly Row[]): Part {
  const figures = rows.flatMap((row) => figuresOf(row, rows));
  const lineNames = { 0: 'line without time', 57600: '57600 baud' } as const;
  const plots = baudRates.map((baudRate) => ({
    title: `Edge to actuator byte, no load, ${lineNames[baudRate]}`,
    xLabel: 'latency, ms',
    yLabel: 'edges answered by then, %',
    xScale: 'log' as const,
    yScale: 'linear' as const,
    curves: rows
      .filter((row) => row.baudRate === baudRate && row.load === 'none')
      .map((row): Curve => ({ name: wayTexts[row.way], points: distributionOf(row.latenciesMs) })),
  }));
  return {
    id: 'latency',
    title: 'Added latency, sensor edge to actuator byte',
    figures,
    plots,
    remarks: [
      'An edge is made when the one before is answered, 5 to 9 ms later: no two wait for each other.',
      'Added: quantile of the pair less the same quantile of the bare program, under the same load.',
      'A fenced device frames every message, so at 57600 baud its ratio contains the frames; the plain device has none.',
    ],
  };
}

function figuresOf(row: Row, rows: readonly Row[]): Figure[] {
  const { way, load, baudRate, latenciesMs } = row;
  const note = noteOf(row);
  const line = baudRate === 0 ? 'loopback' : String(baudRate);
  const id = `latency.${line}.${way}.${load}`;
  const text = `${wayTexts[way]}, load ${load}, ${baudRate === 0 ? 'line without time' : `${baudRate} baud`}`;
  const spread = spreadOf(latenciesMs);
  const floor = baudRate === 0 ? {} : { floor: (plainWireBytes * bitsPerByte * 1000) / baudRate };
  const figures: Figure[] = (['p50', 'p99', 'max'] as const).map((name) => ({
    id: `${id}.${name}`,
    text: `${text}: ${name}`,
    value: finite(spread[name]),
    unit: 'ms',
    ...floor,
    ...(note === '' ? {} : { note }),
  }));
  const bare = rows.find((each) => each.way === 'bare' && each.load === load && each.baudRate === baudRate);
  if (way === 'bare' || bare === undefined) return figures;
  return [...figures, ...comparisons({ id, text, way, load, baudRate }, spread, spreadOf(bare.latenciesMs))];
}

function noteOf({ lost, wasMixed = false, way }: Row): string {
  const notes = lost === 0 ? [] : [`${lost} edges unanswered within ${edgePatienceMs} ms`];
  if (wasMixed) notes.push(way === 'solo' ? 'not solo all the time' : 'not protected all the time');
  return notes.join('; ');
}

function comparisons(
  row: { id: string; text: string; way: Way; load: LoadKind; baudRate: number },
  pair: Spread,
  bare: Spread,
): Figure[] {
  const isBound = row.way === 'protected' && row.load === 'none';
  const most = (value: number): Pick<Figure, 'bound'> => ({ bound: { kind: 'at most', value } });
  const isSlowLine = row.baudRate !== 0;
  const ratioBound = isSlowLine && (row.way === 'protected' || row.way === 'plain-protected');
  return [
    {
      id: `${row.id}.added-p50`,
      text: `${row.text}: added at p50`,
      value: finite(pair.p50 - bare.p50),
      unit: 'ms',
      ...(isBound && !isSlowLine ? most(0.5) : {}),
    },
    {
      id: `${row.id}.added-p99`,
      text: `${row.text}: added at p99`,
      value: finite(pair.p99 - bare.p99),
      unit: 'ms',
      ...(isBound && !isSlowLine ? most(3) : {}),
    },
    {
      id: `${row.id}.ratio-p50`,
      text: `${row.text}: ratio to bare at p50`,
      value: finite(pair.p50 / bare.p50),
      unit: '',
      ...(ratioBound ? most(1.2) : {}),
    },
  ];
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export const latency: Measurement = { id: 'latency', title: 'Added latency', run };
