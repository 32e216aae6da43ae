/**
 * From the faults that a failing life had to the few that it takes: delta debugging over the list, then over how long
 * each fault lasts.
 *
 * Intuition: of some hundred faults drawn, two usually do it. Leave out halves, then quarters, then single ones, as
 * long as the life still fails; then let each of those left begin later and end earlier. Nothing else of the life moves,
 * because every part draws from a stream of its own (random.ts).
 *
 * A generator of lists to be tried, told of each whether it still fails: it knows neither lives nor processes, and
 * whoever drives it may stop whenever a budget is used up. A list that fails is the best so far.
 *
 * Source: A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002 (ddmin, complements
 * only: a part that fails alone is what is left when all else has been dropped).
 */
import type { Fault } from './fault.ts';

/** Below this, how long a fault lasts says nothing more to a reader. Milliseconds. */
const shortestMs = 2;

type Attempt<T> = Generator<readonly Fault[], T, boolean>;

/** Yields lists to be tried; takes whether the life still fails with one; returns the last that did. */
export function* shrink(faults: readonly Fault[]): Attempt<readonly Fault[]> {
  let kept = faults;
  if (kept.length > 0 && (yield [])) return [];
  let narrowed = yield* dropParts(kept);
  do {
    kept = narrowed;
    narrowed = yield* narrow(kept);
    // A shorter fault can make another one superfluous.
    if (narrowed !== kept) narrowed = yield* dropParts(narrowed, 1);
  } while (narrowed.length < kept.length);
  return narrowed;
}

function* dropParts(faults: readonly Fault[], firstPart?: number): Attempt<readonly Fault[]> {
  let kept = faults;
  let part = firstPart ?? Math.ceil(kept.length / 2);
  // One fault is never dropped here: that none is needed was tried first.
  while (kept.length > 1) {
    const before = kept.length;
    for (let start = 0; start < kept.length && kept.length > 1; ) {
      const rest = kept.toSpliced(start, part);
      if (rest.length > 0 && (yield rest)) kept = rest;
      else start += part;
    }
    // Single ones again and again until none of them can go.
    if (part === 1 && kept.length === before) break;
    part = Math.max(1, Math.ceil(Math.min(part, kept.length) / 2));
  }
  return kept;
}

function* narrow(faults: readonly Fault[]): Attempt<readonly Fault[]> {
  let kept = faults;
  for (let index = 0; index < kept.length; index++) {
    for (const share of [1 / 2, 1 / 4, 1 / 8]) {
      for (const side of ['end', 'begin'] as const) {
        for (;;) {
          const shorter = shortened(kept[index]!, share, side);
          if (shorter === null) break;
          const attempt = kept.with(index, shorter);
          if (!(yield attempt)) break;
          kept = attempt;
        }
      }
    }
  }
  return kept;
}

/** Whole milliseconds, so that the list can be read; null for a single blow and for what is short enough. */
function shortened(fault: Fault, share: number, side: 'begin' | 'end'): Fault | null {
  if (!('until' in fault)) return null;
  const lasts = fault.until - fault.at;
  if (lasts <= shortestMs) return null;
  const less = Math.max(1, lasts * share);
  if (side === 'end') {
    const until = Math.ceil(fault.until - less);
    return until > fault.at && until < fault.until ? { ...fault, until } : null;
  }
  const at = Math.floor(fault.at + less);
  return at > fault.at && at < fault.until ? { ...fault, at } : null;
}
