/** Numbers as people judge them: percentiles and a histogram in text. */

export interface Distribution {
  count: number;
  min: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/** Nearest-rank percentiles. Null for no values. */
export function distributionOf(values: readonly number[]): Distribution | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((x, y) => x - y);
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
  return {
    count: sorted.length,
    min: sorted[0]!,
    p50: rank(0.5),
    p90: rank(0.9),
    p99: rank(0.99),
    max: sorted.at(-1)!,
  };
}

export function describeDistribution(name: string, values: readonly number[]): string {
  const it = distributionOf(values);
  if (it === null) return `${name}: none`;
  const ms = (value: number): string => value.toFixed(1);
  return (
    `${name}: n ${it.count}  min ${ms(it.min)}  p50 ${ms(it.p50)}  p90 ${ms(it.p90)}  ` +
    `p99 ${ms(it.p99)}  max ${ms(it.max)} ms`
  );
}

/** Lines of a histogram with bins that double in width from `firstMs` on. */
export function histogram(values: readonly number[], firstMs = 10, columns = 50): string[] {
  const edges = [0, firstMs];
  const greatest = Math.max(...values, firstMs);
  while (edges.at(-1)! < greatest) edges.push(edges.at(-1)! * Math.SQRT2);
  const counts = edges
    .slice(1)
    .map((edge, index) => values.filter((v) => v > edges[index]! && v <= edge).length);
  const tallest = Math.max(...counts, 1);
  return counts.map((count, index) => {
    const label = `${edges[index]!.toFixed(0)}..${edges[index + 1]!.toFixed(0)}`.padStart(12);
    return `${label} ms ${String(count).padStart(4)} ${'#'.repeat(Math.round((count / tallest) * columns))}`;
  });
}
