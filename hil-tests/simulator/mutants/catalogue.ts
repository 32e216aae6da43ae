/** All mutants, and how one is found by its name. */
import { deviceStreamMutants } from './device-stream-mutants.ts';
import type { Mutant } from './mutant.ts';
import { roleMutants } from './role-mutants.ts';
import { sessionMutants } from './session-mutants.ts';
import { supervisorMutants } from './supervisor-mutants.ts';
import { turnMutants } from './turn-mutants.ts';

export const mutants: readonly Mutant[] = [
  ...deviceStreamMutants,
  ...sessionMutants,
  ...roleMutants,
  ...turnMutants,
  ...supervisorMutants,
];

/** Throws for a name that no mutant has. */
export function mutantNamed(name: string): Mutant {
  const found = mutants.find((mutant) => mutant.name === name);
  if (found === undefined) throw new Error(`there is no mutant "${name}"`);
  return found;
}
