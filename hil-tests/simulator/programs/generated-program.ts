/** Control programs that nobody wrote: a plan from a seed (program-plan.ts) on the real replica runtime, in this process. */
import { Random } from '../random.ts';
import { ProgramWorld, startInProcess } from './in-process-replica.ts';
import { PlannedProgram } from './planned-program.ts';
import { describePlan, drawProgramPlan, type ProgramPlan, type ProgramPlanOptions } from './program-plan.ts';
import type { SimulatedProgram } from './replica-in-the-world.ts';

/** A program that runs this plan. */
export function programOf(name: string, plan: ProgramPlan): SimulatedProgram {
  return {
    name,
    summary: describePlan(plan),
    devices: plan.ports.map(({ device }) => device),
    start(random) {
      const world = new ProgramWorld(random);
      const program = new PlannedProgram(plan, world);
      return startInProcess(world, () => program.begin());
    },
  };
}

/** Draws a program that opens all `devices` by their names. Takes one number from `random`, whatever it draws. */
export function generateProgram(
  random: () => number,
  devices: readonly { name: string }[],
  options: ProgramPlanOptions = {},
): SimulatedProgram {
  const number = Math.floor(random() * 0x100000000);
  const plan = drawProgramPlan(new Random(`program/${number}`), devices, options);
  return programOf(`generated-${number.toString(16)}`, plan);
}
