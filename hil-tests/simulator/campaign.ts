/**
 * Many lives, each from its own seed, several at a time.
 *
 * Seeds are handed out in ascending order and nothing is handed out after a failure, so every seed below a failing one
 * is lived to its end: the lowest failing seed is the same whatever the number of jobs.
 */
import type { Fault } from './fault.ts';
import { type Failure, failureOf, type LifeOutcome, type LiveOne } from './outcome.ts';

export interface CampaignPlan {
  firstSeed: number;
  /** Null: until it is over for another reason. */
  seeds: number | null;
  scenario: string;
  /** Instead of those that a seed draws. */
  faults?: Fault[];
  /** Lives at a time. */
  jobs: number;
  /** Go on after a failure. */
  keepGoing: boolean;
}

export interface CampaignWatch {
  onOutcome(outcome: LifeOutcome): void;
  /** Asked before each life: whether time is up. */
  isOver(): boolean;
}

/** Resolves with the failures, by seed. */
export async function runCampaign(
  plan: CampaignPlan,
  live: LiveOne,
  watch: CampaignWatch,
): Promise<Failure[]> {
  const { firstSeed, seeds, scenario, faults } = plan;
  const failures: Failure[] = [];
  let begun = 0;
  const goesOn = (): boolean =>
    (seeds === null || begun < seeds) && (plan.keepGoing || failures.length === 0) && !watch.isOver();
  const lane = async (): Promise<void> => {
    while (goesOn()) {
      const seed = firstSeed + begun++;
      const outcome = await live({ seed, scenario, ...(faults === undefined ? {} : { faults }) });
      if (outcome === null) return;
      const failure = failureOf(outcome);
      if (failure !== null) failures.push(failure);
      watch.onOutcome(outcome);
    }
  };
  await Promise.all(Array.from({ length: plan.jobs }, lane));
  return failures.toSorted((left, right) => left.seed - right.seed);
}

/** Seeds by checker, the checker with the most first. */
export function failingSeeds(failures: readonly Failure[]): [checker: string, seeds: number[]][] {
  const byChecker = Map.groupBy(failures, ({ checker }) => checker);
  return [...byChecker]
    .map(([checker, each]): [string, number[]] => [checker, each.map(({ seed }) => seed)])
    .toSorted(([, left], [, right]) => right.length - left.length);
}
