/**
 * What a measurement hands back: figures with their bounds, curves, and what has to be known to read them.
 *
 * One form for all, so that the terminal, the JSON file and the page show the same (result-table.ts, result-page.ts).
 */

export interface Figure {
  /** Stable, for programs: `latency.loopback.protected.none.p50`. */
  id: string;
  /** What was measured, for people, without its value. */
  text: string;
  /** Null: could not be measured; `note` says why. */
  value: number | null;
  /** Unit of `value`; '' for a ratio or a count. */
  unit: string;
  /** What the project wants of itself. */
  bound?: { kind: 'at most' | 'at least'; value: number };
  /** The least (or, for a rate, the most) that physics allows: wire time, round trip, detection interval. */
  floor?: number;
  note?: string;
}

export interface Curve {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  title: string;
  xLabel: string;
  yLabel: string;
  xScale: 'linear' | 'log';
  yScale: 'linear' | 'log';
  curves: readonly Curve[];
}

/** Every value that a figure was drawn from: kept, so that others can draw theirs. */
export interface Samples {
  name: string;
  unit: string;
  values: readonly number[];
}

export interface Part {
  /** `latency`, `cost`, ... */
  id: string;
  title: string;
  figures: Figure[];
  plots: Plot[];
  remarks: string[];
  /** Shown as histograms on the page. */
  samples?: Samples[];
  /** What went wrong beside the figures that are here, each told with its cause. */
  failures?: string[];
}

export interface MeasureOptions {
  /** Short runs: the same figures, with more noise. */
  quick: boolean;
  /** One line on what is going on, for whoever waits. */
  tell: (text: string) => void;
}

export interface Measurement {
  id: string;
  title: string;
  run(options: MeasureOptions): Promise<Part>;
}

/** Null: no bound, or no value. */
export function isWithinBound({ value, bound }: Figure): boolean | null {
  if (value === null || bound === undefined) return null;
  return bound.kind === 'at most' ? value <= bound.value : value >= bound.value;
}
