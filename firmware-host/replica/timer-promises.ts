/** The module `timers/promises` over the virtual timers. */
import type { Immediate, Timeout, TimerQueue } from './timers.ts';

interface TimerOptions {
  signal?: AbortSignal;
  ref?: boolean;
}

/** As Node's, which is not exported: recognised by name and code. */
class AbortError extends Error {
  readonly code = 'ABORT_ERR';
  constructor(cause: unknown) {
    super('The operation was aborted', { cause });
    this.name = 'AbortError';
  }
}

export interface TimerPromises {
  setTimeout<T>(delay?: number, value?: T, options?: TimerOptions): Promise<T>;
  setImmediate<T>(value?: T, options?: TimerOptions): Promise<T>;
  setInterval<T>(delay?: number, value?: T, options?: TimerOptions): AsyncGenerator<T, void>;
  scheduler: { wait(delay?: number, options?: TimerOptions): Promise<void>; yield(): Promise<void> };
}

export function createTimerPromises(queue: TimerQueue): TimerPromises {
  function wait<T>(
    set: (callback: () => void) => Timeout | Immediate,
    clear: (handle: unknown) => void,
    value: T,
    { signal, ref = true }: TimerOptions,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(new AbortError(signal.reason));
        return;
      }
      const handle = set(() => {
        signal?.removeEventListener('abort', abort);
        resolve(value);
      });
      const abort = () => {
        clear(handle);
        reject(new AbortError(signal?.reason));
      };
      if (!ref) handle.unref();
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  const setTimeout = <T>(delay?: number, value?: T, options: TimerOptions = {}) =>
    wait((callback) => queue.setTimeout(callback, delay), queue.clearTimeout, value as T, options);

  const setImmediate = <T>(value?: T, options: TimerOptions = {}) =>
    wait((callback) => queue.setImmediate(callback), queue.clearImmediate, value as T, options);

  async function* setInterval<T>(delay?: number, value?: T, options: TimerOptions = {}) {
    const { signal, ref = true } = options;
    if (signal?.aborted) throw new AbortError(signal.reason);
    let due = 0;
    let wake: (() => void) | undefined;
    const interval = queue.setInterval(() => {
      due += 1;
      wake?.();
    }, delay);
    if (!ref) interval.unref();
    const abort = () => wake?.();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      for (;;) {
        if (due === 0 && !signal?.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          wake = undefined;
        }
        for (; due > 0; due--) yield value as T;
        if (signal?.aborted) throw new AbortError(signal.reason);
      }
    } finally {
      queue.clearTimeout(interval);
      signal?.removeEventListener('abort', abort);
    }
  }

  return {
    setTimeout,
    setImmediate,
    setInterval,
    scheduler: {
      wait: (delay, options) => setTimeout(delay, undefined, options),
      yield: () => setImmediate(undefined),
    },
  };
}
