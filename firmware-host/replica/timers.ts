/**
 * Timers and immediates of the control program, in virtual time.
 *
 * The event "time is now t" fires what is due, in a fixed order (DESIGN.md section 3). Where it can be seen,
 * this behaves as Node's `timers`: a delay is whole milliseconds, at least 1, counted from the current
 * millisecond of the clock, so that `Date.now()` differences are never shorter than the delay; a delay beyond
 * 31 bits becomes 1 with a warning; an interval is restarted after its callback, from the time before it.
 */
import { promisify } from 'node:util';
import { CallbackScope, type Uncaught } from './callback-scope.ts';
import type { VirtualClock } from './clock.ts';
import { type HeapEntry, TimerHeap } from './timer-heap.ts';

const delayMsMax = 2 ** 31 - 1;

type Callback = (...args: unknown[]) => void;

function assertCallback(callback: unknown): asserts callback is Callback {
  if (typeof callback === 'function') return;
  const error = new TypeError(
    `The "callback" argument must be of type function. Received ${callback === null ? 'null' : typeof callback}`,
  );
  throw Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
}

function delayMsOf(delay: unknown): number {
  const ms = delay === undefined ? 1 : Number(delay);
  if (ms >= 1 && ms <= delayMsMax) return Math.trunc(ms);
  if (ms > delayMsMax) warn(`${ms} does not fit into a 32-bit signed integer.`, 'TimeoutOverflowWarning');
  else if (ms < 0) warn(`${ms} is a negative number.`, 'TimeoutNegativeWarning');
  else if (Number.isNaN(ms)) warn(`${ms} is not a number.`, 'TimeoutNaNWarning');
  return 1;
}

function warn(message: string, type: string): void {
  process.emitWarning(`${message}\nTimeout duration was set to 1.`, type);
}

/** What `setTimeout` returns. The underscored members are those of Node's own class, which libraries read. */
export class Timeout implements HeapEntry {
  _idleTimeout: number;
  _onTimeout: Callback | null;
  _timerArgs: unknown[];
  _repeat: number | null;
  _destroyed = false;
  dueUs = 0;
  sequence = 0;
  place = -1;
  readonly #queue: TimerQueue;
  readonly #scope = new CallbackScope('Timeout');
  #referenced = true;

  constructor(queue: TimerQueue, callback: Callback, delayMs: number, args: unknown[], repeat: boolean) {
    this._idleTimeout = delayMs;
    this._onTimeout = callback;
    this._timerArgs = args;
    this._repeat = repeat ? delayMs : null;
    this.#queue = queue;
  }

  run(uncaught: Uncaught): void {
    const callback = this._onTimeout;
    if (callback !== null) this.#scope.run(() => callback.apply(this, this._timerArgs), uncaught);
  }

  ref(): this {
    if (!this.#referenced) {
      this.#referenced = true;
      this.#queue.referenceChanged(this);
    }
    return this;
  }

  unref(): this {
    if (this.#referenced) {
      this.#referenced = false;
      this.#queue.referenceChanged(this);
    }
    return this;
  }

  hasRef(): boolean {
    return this.#referenced;
  }

  refresh(): this {
    if (this._onTimeout !== null) this.#queue.startTimer(this);
    return this;
  }

  close(): this {
    this.#queue.clearTimeout(this);
    return this;
  }

  [Symbol.toPrimitive](): number {
    return this.#queue.identify(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** What `setImmediate` returns. */
export class Immediate {
  _onImmediate: Callback | null;
  _argv: unknown[];
  _destroyed = false;
  readonly #queue: TimerQueue;
  readonly #scope = new CallbackScope('Immediate');
  #referenced = true;

  constructor(queue: TimerQueue, callback: Callback, args: unknown[]) {
    this._onImmediate = callback;
    this._argv = args;
    this.#queue = queue;
  }

  run(uncaught: Uncaught): void {
    const callback = this._onImmediate;
    this._destroyed = true;
    if (callback !== null) this.#scope.run(() => callback.apply(this, this._argv), uncaught);
  }

  ref(): this {
    if (!this.#referenced) {
      this.#referenced = true;
      this.#queue.immediateReferenceChanged(this, 1);
    }
    return this;
  }

  unref(): this {
    if (this.#referenced) {
      this.#referenced = false;
      this.#queue.immediateReferenceChanged(this, -1);
    }
    return this;
  }

  hasRef(): boolean {
    return this.#referenced;
  }

  [Symbol.dispose](): void {
    this.#queue.clearImmediate(this);
  }
}

export class TimerQueue {
  readonly #clock: VirtualClock;
  readonly #heap = new TimerHeap<Timeout>();
  #sequence = 0;
  #referencedTimers = 0;
  #immediates: Immediate[] = [];
  #referencedImmediates = 0;
  #identifierCount = 0;
  readonly #identifiers = new WeakMap<Timeout, number>();
  readonly #identified = new Map<number, Timeout>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Virtual time of the timer that falls due next, referenced or not; null: none is set. */
  get nextDueUs(): number | null {
    return this.#heap.first?.dueUs ?? null;
  }

  /** True while a referenced timer or immediate waits. */
  get keepsAlive(): boolean {
    return this.#referencedTimers > 0 || this.#referencedImmediates > 0;
  }

  get hasImmediates(): boolean {
    return this.#immediates.length > 0;
  }

  readonly setTimeout = (callback: unknown, delay?: unknown, ...args: unknown[]): Timeout => {
    assertCallback(callback);
    const timer = new Timeout(this, callback, delayMsOf(delay), args, false);
    this.startTimer(timer);
    return timer;
  };

  readonly setInterval = (callback: unknown, delay?: unknown, ...args: unknown[]): Timeout => {
    assertCallback(callback);
    const timer = new Timeout(this, callback, delayMsOf(delay), args, true);
    this.startTimer(timer);
    return timer;
  };

  readonly setImmediate = (callback: unknown, ...args: unknown[]): Immediate => {
    assertCallback(callback);
    const immediate = new Immediate(this, callback, args);
    this.#immediates.push(immediate);
    this.#referencedImmediates += 1;
    return immediate;
  };

  /** Also clearInterval: Node makes no difference. Takes a timer or its number; anything else is ignored. */
  readonly clearTimeout = (handle: unknown): void => {
    const timer =
      typeof handle === 'number' || typeof handle === 'string'
        ? this.#identified.get(Number(handle))
        : handle;
    if (!(timer instanceof Timeout)) return;
    timer._onTimeout = null;
    timer._repeat = null;
    this.#stop(timer);
    this.#forget(timer);
  };

  readonly clearImmediate = (handle: unknown): void => {
    if (!(handle instanceof Immediate) || handle._onImmediate === null || handle._destroyed) return;
    if (handle.hasRef()) this.#referencedImmediates -= 1;
    handle._onImmediate = null;
    handle._destroyed = true;
    const index = this.#immediates.indexOf(handle);
    if (index >= 0) this.#immediates.splice(index, 1);
  };

  startTimer(timer: Timeout): void {
    this.#startFrom(timer, this.#clock.us);
  }

  #startFrom(timer: Timeout, fromUs: number): void {
    this.#stop(timer);
    timer.dueUs = Math.floor(fromUs / 1000) * 1000 + timer._idleTimeout * 1000;
    timer.sequence = this.#sequence++;
    timer._destroyed = false;
    this.#heap.add(timer);
    if (timer.hasRef()) this.#referencedTimers += 1;
  }

  #stop(timer: Timeout): void {
    timer._destroyed = true;
    if (timer.place < 0) return;
    this.#heap.remove(timer);
    if (timer.hasRef()) this.#referencedTimers -= 1;
  }

  referenceChanged(timer: Timeout): void {
    if (timer.place >= 0) this.#referencedTimers += timer.hasRef() ? 1 : -1;
  }

  immediateReferenceChanged(immediate: Immediate, change: number): void {
    if (!immediate._destroyed) this.#referencedImmediates += change;
  }

  identify(timer: Timeout): number {
    let identifier = this.#identifiers.get(timer);
    if (identifier === undefined) {
      identifier = ++this.#identifierCount;
      this.#identifiers.set(timer, identifier);
    }
    if (!timer._destroyed) this.#identified.set(identifier, timer);
    return identifier;
  }

  #forget(timer: Timeout): void {
    const identifier = this.#identifiers.get(timer);
    if (identifier !== undefined) this.#identified.delete(identifier);
  }

  /**
   * Runs what is due at `untilUs`, the time at which the turn began, and `afterEach` after each, which drains
   * microtasks. A timer set meanwhile is due later than that, so a turn ends.
   */
  runDue(untilUs: number, uncaught: Uncaught, afterEach: () => void): void {
    for (;;) {
      const timer = this.#heap.first;
      if (timer === undefined || timer.dueUs > untilUs) return;
      this.#stop(timer);
      timer._destroyed = false;
      const fromUs = this.#clock.us;
      timer.run(uncaught);
      afterEach();
      if (timer.place >= 0) continue;
      if (timer._repeat !== null) {
        timer._idleTimeout = timer._repeat;
        this.#startFrom(timer, fromUs);
      } else {
        timer._destroyed = true;
        this.#forget(timer);
      }
    }
  }

  /** Runs the immediates that wait, not those set meanwhile. */
  runImmediates(uncaught: Uncaught, afterEach: () => void): void {
    const round = this.#immediates;
    this.#immediates = [];
    for (const immediate of round) {
      if (immediate._onImmediate === null) continue;
      if (immediate.hasRef()) this.#referencedImmediates -= 1;
      immediate.run(uncaught);
      afterEach();
    }
  }
}

/** Members of the module `timers` and of the global object, with their promisified forms attached. */
export function timerFunctions(
  queue: TimerQueue,
  promises: { setTimeout: unknown; setImmediate: unknown },
): Record<string, (...args: never[]) => unknown> {
  const hidden = { enumerable: true, configurable: true };
  const setTimeout = (callback: unknown, delay?: unknown, ...args: unknown[]) =>
    queue.setTimeout(callback, delay, ...args);
  const setImmediate = (callback: unknown, ...args: unknown[]) => queue.setImmediate(callback, ...args);
  Object.defineProperty(setTimeout, promisify.custom, { ...hidden, get: () => promises.setTimeout });
  Object.defineProperty(setImmediate, promisify.custom, { ...hidden, get: () => promises.setImmediate });
  return {
    setTimeout,
    setInterval: queue.setInterval,
    setImmediate,
    clearTimeout: queue.clearTimeout,
    clearInterval: queue.clearTimeout,
    clearImmediate: queue.clearImmediate,
  };
}
