/**
 * The measurements of `understudy bench`, in the order in which they run.
 *
 * Each is read only when it is wanted. One more measurement: a file that exports a `Measurement` (measurement.ts) or makes
 * one of the options, and a line here.
 */
import type { Measurement } from './measurement.ts';

/** What the command line asks of the measurements; each takes what concerns it. */
export interface BenchOptions {
  quick: boolean;
  /** Runs of each cell. Null: the measurement's own number. */
  runs: number | null;
  /** Minutes of each watch in which nothing must happen. Null: the measurement's own number; 0: none. */
  minutes: number | null;
  /** Contestants by their id; empty: all. */
  contestants: readonly string[];
  /** Faults by their id; empty: all. */
  faults: readonly string[];
}

export interface CatalogEntry {
  id: string;
  what: string;
  load(options: BenchOptions): Promise<Measurement>;
}

export const catalog: readonly CatalogEntry[] = [
  {
    id: 'takeover',
    what: 'gap at the device from a fault to the first output of the survivor, beside what people use instead',
    load: async (options) =>
      (await import('./takeover/takeover-measurement.ts')).takeoverMeasurement(options),
  },
  {
    id: 'latency',
    what: 'added latency from a sensor edge to the actuator byte, beside the bare program',
    load: async () => (await import('./latency.ts')).latency,
  },
  {
    id: 'cost',
    what: 'processor and memory of each process, bytes on the bus, beside other encodings',
    load: async () => (await import('./cost.ts')).cost,
  },
  {
    id: 'throughput',
    what: 'turns committed and replayed a second, values on the serial link, joins over the length of a history',
    load: async () => (await import('./throughput.ts')).throughput,
  },
  {
    id: 'detector',
    what: 'false takeovers over the detection timeout, under loads and priorities',
    load: async () => (await import('./detector.ts')).detector,
  },
];
