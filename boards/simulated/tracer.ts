/**
 * Counts and digests every effect that the device had on its surroundings, repeated ones included: two runs
 * whose digests agree drove the world by the same effects in the same order. This is what tests of
 * "exactly once" compare. The digest is FNV-1a over the effects' numbers, without their times, because a
 * takeover may delay an output but must not change it.
 */

export type EffectKind =
  | 'pin-mode'
  | 'digital'
  | 'pwm'
  | 'servo'
  | 'servo-range'
  | 'i2c-write'
  | 'one-wire'
  | 'step'
  | 'serial-write'
  | 'string'
  | 'ping'
  | 'safe-state'
  | 'reset';

export interface Effect {
  atMs: number;
  kind: EffectKind;
  /** Pin, I2C address, stepper or serial port, by kind. */
  target: number;
  /** What was written there. */
  values: readonly number[];
}

const kinds: readonly EffectKind[] = [
  'pin-mode',
  'digital',
  'pwm',
  'servo',
  'servo-range',
  'i2c-write',
  'one-wire',
  'step',
  'serial-write',
  'string',
  'ping',
  'safe-state',
  'reset',
];

export class OutputTracer {
  readonly #recentMax: number;
  #recent: Effect[] = [];
  #digest = 0x811c9dc5;
  #count = 0;
  readonly #counts = new Map<EffectKind, number>();
  /** Called for every effect, in order. Must not call into the device. */
  onEffect: ((effect: Effect) => void) | null = null;

  /** @param recentMax effects kept for reading; older ones are only counted and digested. */
  constructor(recentMax = 4096) {
    this.#recentMax = recentMax;
  }

  get count(): number {
    return this.#count;
  }

  get digest(): number {
    return this.#digest;
  }

  /** The last effects, oldest first. */
  get recent(): readonly Effect[] {
    return this.#recent.slice(-this.#recentMax);
  }

  countOf(kind: EffectKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  record(atMs: number, kind: EffectKind, target: number, values: readonly number[]): void {
    this.#count += 1;
    this.#counts.set(kind, this.countOf(kind) + 1);
    this.#mix(kinds.indexOf(kind));
    this.#mix(target);
    this.#mix(values.length);
    for (const value of values) this.#mix(value);
    const effect: Effect = { atMs, kind, target, values };
    this.#recent.push(effect);
    if (this.#recent.length >= 2 * this.#recentMax) this.#recent = this.#recent.slice(-this.#recentMax);
    this.onEffect?.(effect);
  }

  #mix(number: number): void {
    let digest = this.#digest;
    for (let shift = 0; shift < 32; shift += 8) {
      digest = Math.imul(digest ^ ((number >>> shift) & 0xff), 0x01000193);
    }
    this.#digest = digest >>> 0;
  }
}
