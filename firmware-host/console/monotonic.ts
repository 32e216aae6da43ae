/** CLOCK_MONOTONIC in milliseconds: the clock of every time on a console, and of nothing that is decided. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
