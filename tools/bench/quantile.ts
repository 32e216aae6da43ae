/** Quantiles of samples, by the nearest rank: always a value that was really measured. */

export interface Spread {
  samples: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/** `part` 0..1. NaN without samples. */
export function quantileOf(sorted: readonly number[], part: number): number {
  const rank = Math.max(1, Math.ceil(part * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right);
  return {
    samples: sorted.length,
    p50: quantileOf(sorted, 0.5),
    p90: quantileOf(sorted, 0.9),
    p99: quantileOf(sorted, 0.99),
    max: sorted.at(-1) ?? Number.NaN,
  };
}

/** For a plot: quantile in percent over value, so that two distributions can be laid over each other. */
export function distributionOf(values: readonly number[], steps = 100): [number, number][] {
  const sorted = values.toSorted((left, right) => left - right);
  if (sorted.length === 0) return [];
  return Array.from({ length: steps }, (_, index) => {
    const part = (index + 1) / steps;
    return [quantileOf(sorted, part), part * 100];
  });
}
