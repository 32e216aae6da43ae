/**
 * Mistakes that a life has shown, each with the fewest faults that bring it about. Lived again by every run of the tests.
 *
 * An entry was seen to fail without its fix and to pass with it. What else is drawn (numbers, program, what chance does to
 * datagrams) comes from the seed, so a change of what swarm.ts draws turns an entry into another life: it still must pass,
 * but a rule whose only proof it was wants a mutant (mutants/) as well.
 */
import { readFileSync } from 'node:fs';
import type { Fault } from './fault.ts';

export interface Regression {
  /** What was wrong, in a line. */
  found: string;
  seed: number;
  scenario: string;
  faults: Fault[];
}

/** In regressions.json. */
export const regressions: readonly Regression[] = JSON.parse(
  readFileSync(new URL('regressions.json', import.meta.url), 'utf8'),
);
