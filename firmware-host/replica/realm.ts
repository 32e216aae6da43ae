/**
 * Gives a JavaScript realm the replica's clock and randomness: the main one, and every context that a program
 * makes, for the `repl` evaluates in a realm with its own `Date` and `Math`.
 */
import type { SeededRandom } from './random.ts';

/** Milliseconds since the epoch, as Date.now() gives them. Every call advances the clock. */
export type NowMs = () => number;

/** The parts of a global object that are replaced. */
export interface Realm {
  Date: DateConstructor;
  Math: Math;
  Intl: typeof Intl;
  Atomics: Atomics;
  WeakRef: unknown;
  FinalizationRegistry: unknown;
  Temporal?: unknown;
}

function define(target: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
}

/** A Date constructor over the realm's own that tells `nowMs`. Shares the realm's prototype. */
export function virtualDate(RealDate: DateConstructor, nowMs: NowMs): DateConstructor {
  function VirtualDate(...parts: unknown[]): unknown {
    if (new.target === undefined) return new RealDate(nowMs()).toString();
    return Reflect.construct(RealDate, parts.length === 0 ? [nowMs()] : parts, new.target);
  }
  define(VirtualDate, 'name', 'Date');
  Object.defineProperty(VirtualDate, 'length', { value: 7, configurable: true });
  Object.defineProperty(VirtualDate, 'prototype', { value: RealDate.prototype, writable: false });
  define(VirtualDate, 'now', function now() {
    return nowMs();
  });
  define(VirtualDate, 'parse', RealDate.parse);
  define(VirtualDate, 'UTC', RealDate.UTC);
  define(RealDate.prototype, 'constructor', VirtualDate);
  return VirtualDate as unknown as DateConstructor;
}

/** `format()` and `formatToParts()` without an argument mean now. */
function installDateFormat(intl: typeof Intl, nowMs: NowMs): void {
  const prototype = intl.DateTimeFormat.prototype;
  const realFormat = Object.getOwnPropertyDescriptor(prototype, 'format')!.get!;
  const bound = new WeakMap<object, (date?: unknown) => string>();
  Object.defineProperty(prototype, 'format', {
    configurable: true,
    get(this: object) {
      let format = bound.get(this);
      if (format === undefined) {
        const real = realFormat.call(this) as (date: unknown) => string;
        format = (date) => real(date === undefined ? nowMs() : date);
        bound.set(this, format);
      }
      return format;
    },
  });
  const realToParts = prototype.formatToParts;
  define(prototype, 'formatToParts', function formatToParts(this: Intl.DateTimeFormat, date?: Date | number) {
    return realToParts.call(this, date === undefined ? nowMs() : date);
  });
}

/** When garbage is collected differs between boards: a weak reference holds, a registry never calls. */
class HoldingWeakRef<T extends WeakKey> {
  readonly #target: T;
  constructor(target: T) {
    if ((typeof target !== 'object' && typeof target !== 'function') || target === null) {
      throw new TypeError('WeakRef: target must be an object');
    }
    this.#target = target;
  }
  deref(): T {
    return this.#target;
  }
}
Object.defineProperty(HoldingWeakRef, 'name', { value: 'WeakRef' });
Object.defineProperty(HoldingWeakRef.prototype, Symbol.toStringTag, { value: 'WeakRef', configurable: true });

class SilentFinalizationRegistry {
  constructor(callback: unknown) {
    if (typeof callback !== 'function') {
      throw new TypeError('FinalizationRegistry: cleanup must be callable');
    }
  }
  register(): void {}
  unregister(): boolean {
    return false;
  }
}
Object.defineProperty(SilentFinalizationRegistry, 'name', { value: 'FinalizationRegistry' });

/** `sleep` moves the virtual clock by some microseconds. */
export function installRealm(
  realm: Realm,
  { nowMs, random, sleepUs }: { nowMs: NowMs; random: SeededRandom; sleepUs: (us: number) => void },
): void {
  define(realm, 'Date', virtualDate(realm.Date, nowMs));
  define(realm.Math, 'random', function random_() {
    return random.nextFraction();
  });
  Object.defineProperty(realm.Math.random, 'name', { value: 'random', configurable: true });
  installDateFormat(realm.Intl, nowMs);
  // The one way to sleep synchronously without a loop: virtual time passes, nothing else could wake it.
  define(realm.Atomics, 'wait', function wait(array: Int32Array, index: number, value: number, ms?: number) {
    if (Atomics.load(array, index) !== value) return 'not-equal';
    if (ms === undefined || !Number.isFinite(ms)) {
      throw new Error('Atomics.wait without a timeout never returns: no other thread runs in a replica');
    }
    sleepUs(Math.max(0, Math.round(ms * 1000)));
    return 'timed-out';
  });
  define(realm.Atomics, 'waitAsync', undefined);
  define(realm, 'WeakRef', HoldingWeakRef);
  define(realm, 'FinalizationRegistry', SilentFinalizationRegistry);
  delete realm.Temporal;
}
