/** How a life ended, as whoever asked for it is told: also when it could not be lived to its end. */
import type { Fault } from './fault.ts';
import type { LifeRequest, LifeResult } from './life.ts';
import type { TimelineRow } from './timeline.ts';

export interface LifeOrder extends LifeRequest {
  /** Send back the rows of a timeline. */
  wantsTimeline?: boolean;
}

export type LifeOutcome =
  /** `result.observed` is empty: what was observed is many megabytes, and `timeline` holds what is shown of it. */
  | { kind: 'lived'; result: LifeResult; timeline: TimelineRow[] }
  /** It threw, its process ended, or it did not end in time. */
  | { kind: 'crashed'; seed: number; message: string };

/** Lives one life; null when the run is being ended and nobody waits for it any more. */
export type LiveOne = (order: LifeOrder) => Promise<LifeOutcome | null>;

export interface Failure {
  seed: number;
  /** `crash` for whatever is not a broken promise. */
  checker: string;
  /** Of a crash with its stack. */
  message: string;
  /** Milliseconds of virtual time, null when unknown. */
  at: number | null;
  summary: string | null;
  /** Null when the life crashed before it said which faults it has. */
  faults: readonly Fault[] | null;
  digest: number | null;
}

export const crashChecker = 'crash';

export function failureOf(outcome: LifeOutcome): Failure | null {
  if (outcome.kind === 'crashed') {
    const { seed, message } = outcome;
    return { seed, checker: crashChecker, message, at: null, summary: null, faults: null, digest: null };
  }
  const { seed, violation, summary, faults, digest } = outcome.result;
  if (violation === null) return null;
  const { checker, at, stack } = violation;
  return { seed, checker, message: stack ?? violation.message, at, summary, faults, digest };
}

/**
 * Whether two failures are of one kind: the same checker, and of crashes also the same first line but for its numbers,
 * since every mistake there is ends in a crash.
 */
export function isSameKind(left: Failure, right: Failure | null): boolean {
  if (left.checker !== right?.checker) return false;
  return left.checker !== crashChecker || crashOf(left) === crashOf(right);
}

function crashOf({ message }: Failure): string {
  return message.split('\n')[0]!.replaceAll(/\d+/g, '#');
}
