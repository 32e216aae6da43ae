/**
 * Looks on while the supervisor's core works: each step's input and effects, as they are. Nothing that looks on can change them.
 */
import type { SupervisorEffect, SupervisorInput } from '../supervisor/effects.ts';

/** `now`: milliseconds of the steps' own clock. */
export type StepListener = (
  now: number,
  input: SupervisorInput,
  effects: readonly SupervisorEffect[],
) => void;

export interface Steppable {
  step(now: number, input: SupervisorInput): SupervisorEffect[];
}

/** Returns the same supervisor, observed. */
export function observeSteps<Core extends Steppable>(core: Core, listener: StepListener): Core {
  const step = core.step.bind(core);
  core.step = (now, input) => {
    const effects = step(now, input);
    listener(now, input, effects);
    return effects;
  };
  return core;
}
