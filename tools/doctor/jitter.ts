/**
 * How late does this machine run what is due?
 *
 * A heartbeat that is sent late looks like silence to the other board. So the default timing is safe only where
 * lateness stays far below what the detector allows: detectionTimeoutMs less one heartbeat interval.
 */
import { type Check, ok, warning } from './check.ts';

export interface Lateness {
  samples: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
}

const stepMs = 1;

/** Runs a timer of 1 ms for so long. Its lateness is the scheduler's, the kernel's timer's and Node's together. */
export function measureLateness(durationMs: number): Promise<Lateness> {
  return new Promise((resolve) => {
    const lateMs: number[] = [];
    const endAt = performance.now() + durationMs;
    let previousAt = performance.now();
    const tick = (): void => {
      const now = performance.now();
      lateMs.push(Math.max(0, now - previousAt - stepMs));
      previousAt = now;
      if (now < endAt) setTimeout(tick, stepMs);
      else resolve(summarise(lateMs));
    };
    setTimeout(tick, stepMs);
  });
}

export function summarise(lateMs: number[]): Lateness {
  const sorted = lateMs.toSorted((left, right) => left - right);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return {
    samples: sorted.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: sorted.at(-1) ?? 0,
  };
}

/** Twice, as sender and receiver may be late at once; twice again, as two seconds show only the usual. */
const safetyFactor = 4;

export function judgeLateness(
  lateness: Lateness,
  timing: { heartbeatIntervalMs: number; detectionTimeoutMs: number },
): Check {
  const { heartbeatIntervalMs, detectionTimeoutMs } = timing;
  const { p50Ms, p99Ms, p999Ms, maxMs, samples } = lateness;
  const found =
    `late by p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)}, p99.9 ${p999Ms.toFixed(1)}, max ${maxMs.toFixed(1)} ms ` +
    `in ${samples} samples`;
  const neededMs = Math.ceil(p999Ms * safetyFactor + heartbeatIntervalMs);
  if (neededMs <= detectionTimeoutMs) {
    return ok('scheduling', `${found}: timing.detectionTimeoutMs ${detectionTimeoutMs} is safe`);
  }
  return warning(
    'scheduling',
    `${found}: too late for timing.detectionTimeoutMs ${detectionTimeoutMs}`,
    `Set timing.detectionTimeoutMs to at least ${neededMs}, or find what keeps the processor from us.`,
  );
}
