/** A row of small bars: how much arrived, sample by sample, newest last. */
const sparks = [...'▁▂▃▄▅▆▇'];

/** Full height is what usually arrives: what matters is whether it does, not how much it is. */
export function sparkline(samples: readonly number[], width: number): string {
  const shown = samples.slice(-width);
  const arrived = shown.filter((sample) => sample > 0).toSorted((left, right) => left - right);
  const usual = arrived[arrived.length >> 1] ?? 1;
  const top = sparks.length - 1;
  return shown
    .map((sample) => (sample === 0 ? ' ' : sparks[Math.min(top, Math.round((sample / usual) * top))]!))
    .join('');
}
