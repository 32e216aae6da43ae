/**
 * Lives in every run of the tests: the same few of each scenario, and some that nobody has lived before. The long runs are
 * those of `npm run sim` (docs/simulator.md).
 */
import { randomInt } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { live } from './life.ts';
import { LifeWorkers } from './life-workers.ts';
import { failureOf } from './outcome.ts';
import { inMacrotask } from './programs/solo-run.fake.ts';
import { scenarios } from './swarm.ts';

/** The first of them; the others follow. */
const fixedSeed = 1;
const fixedSeeds = 2;
const freshSeed = randomInt(1, 2_000_000_000);
const freshSeeds = 2;

/** A life with the real johnny-five takes many times as long; programs/johnny-five-program.test.ts has it. */
const quick = Object.keys(scenarios).filter((name) => name !== 'johnny-five');

const workers = new LifeWorkers({ jobs: 2, lifeModule: new URL('life.ts', import.meta.url) });
afterAll(() => workers.close());

/** For each life that failed why, and the command that lives it again. */
async function failuresFrom(first: number, count: number, scenario: string): Promise<string[]> {
  const seeds = Array.from({ length: count }, (_, index) => first + index);
  const told = seeds.map(async (seed) => {
    const outcome = await workers.live({ seed, scenario });
    if (outcome === null) return [`seed ${seed} was not lived`];
    const failure = failureOf(outcome);
    if (failure === null) return [];
    const command = `npm run sim -- --seed ${seed} --seeds 1 --scenario ${scenario}`;
    return [`${failure.checker}: ${failure.message}\n  ${command}`];
  });
  return (await Promise.all(told)).flat();
}

describe('lives', () => {
  test.concurrent.for(quick)('of scenario %s', async (scenario, { expect }) => {
    expect(await failuresFrom(fixedSeed, fixedSeeds, scenario)).toEqual([]);
  });

  test('that nobody has lived before', { timeout: 60_000 }, async () => {
    console.log(`fresh lives: npm run sim -- --seed ${freshSeed} --seeds ${freshSeeds} --scenario any`);
    expect(await failuresFrom(freshSeed, freshSeeds, 'any')).toEqual([]);
  });
});

describe('a seed', () => {
  const request = { seed: 3, scenario: 'takeovers' };

  test('gives the same life again, here and in another process', async () => {
    const [once, again] = await inMacrotask(() => [live(request), live(request)] as const);
    expect(once.violation).toBeNull();
    expect(once.takeovers + once.switchovers).toBeGreaterThan(0);
    expect(again.digest).toBe(once.digest);
    expect(await workers.live(request)).toMatchObject({ kind: 'lived', result: { digest: once.digest } });
  });

  test('gives another life than its neighbour', async () => {
    const [one, other] = await inMacrotask(() => [live(request), live({ ...request, seed: 4 })] as const);
    expect(one.digest).not.toBe(other.digest);
  });
});
