/** `performance` and `process.hrtime` in virtual time. */
import { type MarkOptions, type MeasureOptions, PerformanceObserver, performance } from 'node:perf_hooks';
import { refusedFunction } from './refusal.ts';

/** Programs compute seconds * 1e9 + nanoseconds in doubles: a small base keeps them exact. */
const monotonicBaseNs = 100_000_000_000n;

export interface Hrtime {
  (previous?: [number, number]): [number, number];
  bigint(): bigint;
}

/** `nowUs` advances with each call; `originUs` is the virtual time at which the program was started. */
export function virtualHrtime(nowUs: () => number, originUs: number): Hrtime {
  const bigint = () => monotonicBaseNs + BigInt(nowUs() - originUs) * 1000n;
  const baseUs = Number(monotonicBaseNs / 1000n);
  function hrtime(previous?: [number, number]): [number, number] {
    const us = nowUs() - originUs + baseUs;
    let seconds = Math.floor(us / 1_000_000);
    let nanoseconds = (us % 1_000_000) * 1000;
    if (previous === undefined) return [seconds, nanoseconds];
    seconds -= previous[0];
    nanoseconds -= previous[1];
    if (nanoseconds < 0) {
      seconds -= 1;
      nanoseconds += 1_000_000_000;
    }
    return [seconds, nanoseconds];
  }
  return Object.assign(hrtime, { bigint });
}

/** Replaces what reads a clock on the one `performance` object, which the module `perf_hooks` shares. */
export function installPerformance(nowUs: () => number, originUs: number): void {
  const now = () => (nowUs() - originUs) / 1000;
  const real = {
    mark: performance.mark.bind(performance),
    measure: performance.measure.bind(performance),
  };
  const members: Record<string, unknown> = {
    now,
    timeOrigin: originUs / 1000,
    mark: (name: string, options: MarkOptions = {}) =>
      real.mark(name, { ...options, startTime: options.startTime ?? now() }),
    measure: (name: string, startOrOptions?: unknown, endMark?: string) => {
      if (typeof startOrOptions === 'object' && startOrOptions !== null) {
        const options = startOrOptions as MeasureOptions;
        const complete =
          options.end !== undefined || (options.start !== undefined && options.duration !== undefined);
        return real.measure(name, complete ? options : { ...options, end: now() });
      }
      const start = startOrOptions as string | undefined;
      return real.measure(name, { ...(start === undefined ? {} : { start }), end: endMark ?? now() });
    },
    eventLoopUtilization: () => ({ idle: 0, active: 0, utilization: 0 }),
    toJSON: () => ({ timeOrigin: originUs / 1000 }),
  };
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(performance, name, { value, writable: true, configurable: true, enumerable: true });
  }
  PerformanceObserver.prototype.observe = refusedFunction('PerformanceObserver.observe', {
    reason: 'its entries arrive when the machine pleases.',
    remedy: 'Read performance.getEntries().',
  });
}
