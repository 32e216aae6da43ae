/** One life of a pair, from one seed: drawn, lived, judged. */
import type { Fault, FaultKind } from './fault.ts';
import type { Observed } from './observation.ts';

export interface LifeRequest {
  seed: number;
  /** Name of a scenario that narrows what is drawn; default `any`. */
  scenario?: string;
  /** Instead of those drawn: what a shorter list is tried with. Everything else stays as the seed has it. */
  faults?: Fault[];
  /** Keep all that was observed, for a timeline. */
  record?: boolean;
}

export interface LifeResult {
  seed: number;
  scenario: string;
  /** What the pair was and what program it ran, in a line. */
  summary: string;
  faults: Fault[];
  simulatedMs: number;
  takeovers: number;
  switchovers: number;
  faultCounts: Partial<Record<FaultKind, number>>;
  /** Chained over everything observed: equal on every machine. */
  digest: number;
  violation: { checker: string; message: string; at: number } | null;
  /** Only if asked for. */
  observed: Observed[];
}

export function live(_request: LifeRequest): LifeResult {
  throw new Error('the world is not built yet');
}
