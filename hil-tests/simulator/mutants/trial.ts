/**
 * A mutant's trial: it lives until a checker catches it, or until it has lived all its lives.
 *
 * A life that catches it is lived once more by the unbroken protocol: what that does not survive either is a fault of
 * the protocol (or of a checker), and proves nothing about the mutant.
 */
import { LifeWorkers } from '../life-workers.ts';
import { failureOf } from '../outcome.ts';
import type { Mutant } from './mutant.ts';

export interface Life {
  seed: number;
  scenario: string;
}

/** `by`: the checker, or `crash`: the code itself could not go on, or never came to an end. */
export interface Catch extends Life {
  by: string;
  message: string;
}

export interface Outcome {
  mutant: Mutant;
  /** Null: it has survived. */
  caught: Catch | null;
  lives: number;
  seconds: number;
  /** Lives that the unbroken protocol does not survive either. */
  unsound: Catch[];
}

/** A life takes a second or two on a busy machine. */
const lifeWallMsMax = 60_000;

/** The unbroken protocol, or one mutant, with some checkers that always pass (`*`: all of them). */
export class Pairs {
  readonly #workers: LifeWorkers;

  constructor(options: { mutant: string | null; blindCheckers: readonly string[]; jobs: number }) {
    const lifeModule = new URL('./mutant-life.ts', import.meta.url);
    if (options.mutant !== null) lifeModule.searchParams.set('mutant', options.mutant);
    lifeModule.searchParams.set('blind', options.blindCheckers.join(','));
    this.#workers = new LifeWorkers({ jobs: options.jobs, lifeModule, lifeWallMsMax });
  }

  /** Null: survived. Rejects when no life can even begin, which is never the mutant's doing. */
  async live({ seed, scenario }: Life): Promise<Catch | null> {
    const outcome = await this.#workers.live({ seed, scenario });
    const failure = outcome === null ? null : failureOf(outcome);
    return failure === null ? null : { seed, scenario, by: failure.checker, message: failure.message };
  }

  close(): Promise<void> {
    return this.#workers.close();
  }
}

export async function tryMutant(
  mutant: Mutant,
  lives: Iterable<Life>,
  pairs: { broken: Pairs; unbroken: Pairs },
): Promise<Outcome> {
  const began = performance.now();
  const outcome: Outcome = { mutant, caught: null, lives: 0, seconds: 0, unsound: [] };
  for (const life of lives) {
    outcome.lives += 1;
    const caught = await pairs.broken.live(life);
    if (caught === null) continue;
    if ((await pairs.unbroken.live(life)) === null) {
      outcome.caught = caught;
      break;
    }
    outcome.unsound.push(caught);
  }
  outcome.seconds = (performance.now() - began) / 1000;
  return outcome;
}
