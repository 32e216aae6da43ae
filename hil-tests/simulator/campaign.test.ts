import { describe, expect, test } from 'vitest';
import { type CampaignPlan, failingSeeds, runCampaign } from './campaign.ts';
import { crashChecker, type Failure, failureOf, isSameKind, type LiveOne } from './outcome.ts';
import { live, liveFromMacrotask } from './planted-life.fake.ts';
import { Random } from './random.ts';
import { Totals } from './totals.ts';

/** Lives that end out of order, after as many immediates as chance will have it. */
function unorderedLives(name: string): LiveOne {
  const random = new Random(name);
  return (order) =>
    new Promise((resolve) => {
      let rounds = Math.floor(random.unit() * 20);
      const wait = (): void => {
        if (rounds-- > 0) setImmediate(wait);
        else resolve({ kind: 'lived', result: live(order), timeline: [] });
      };
      setImmediate(wait);
    });
}

const plan: CampaignPlan = { firstSeed: 1, seeds: 60, scenario: 'any', jobs: 1, keepGoing: true };

async function run(changes: Partial<CampaignPlan>, liveOne?: LiveOne, isOver = () => false) {
  const totals = new Totals();
  const seeds: number[] = [];
  const watch = {
    isOver,
    onOutcome: (outcome: Parameters<Totals['add']>[0]): void => {
      totals.add(outcome);
      if (outcome.kind === 'lived') seeds.push(outcome.result.seed);
    },
  };
  const jobs = changes.jobs ?? plan.jobs;
  const failures = await runCampaign(
    { ...plan, ...changes },
    liveOne ?? unorderedLives(`${jobs} jobs`),
    watch,
  );
  return { failures, totals, seeds };
}

describe('a campaign', () => {
  test('lives every seed once; its sums and its digest do not depend on the number of jobs', async () => {
    const one = await run({ jobs: 1 });
    const many = await run({ jobs: 7 });
    expect(one.seeds.toSorted((left, right) => left - right)).toEqual(
      Array.from({ length: 60 }, (_, index) => index + 1),
    );
    expect(many.seeds).not.toEqual(one.seeds);
    expect(many.totals.toJSON()).toEqual(one.totals.toJSON());
    expect(many.failures).toEqual(one.failures);
    expect(one.failures.map(({ seed }) => seed)).toEqual([7, 17, 27, 37, 47, 57]);
    const other = await run({ firstSeed: 2 });
    expect(other.totals.digest).not.toBe(one.totals.digest);
  });

  test.each([
    1, 2, 5, 16,
  ])('without keep-going the lowest failing seed is found with %i jobs', async (jobs) => {
    const { failures, seeds } = await run({ jobs, keepGoing: false });
    expect(failures[0]!.seed).toBe(7);
    expect(seeds).toEqual(expect.arrayContaining([1, 2, 3, 4, 5, 6, 7]));
    expect(seeds.length).toBeLessThan(7 + 3 * jobs);
  });

  test('without a number of seeds it goes on until it is over', async () => {
    let asked = 0;
    const { totals } = await run({ seeds: null, scenario: 'sound' }, undefined, () => ++asked > 25);
    expect(totals.lives).toBe(25);
  });

  test('ends when nobody lives for it any more, with the failures until then', async () => {
    const lives = unorderedLives('interrupted');
    const { failures, totals } = await run({}, (order) =>
      order.seed > 20 ? Promise.resolve(null) : lives(order),
    );
    expect(failures.map(({ seed }) => seed)).toEqual([7, 17]);
    expect(totals.lives).toBe(20);
  });

  test('given faults are those of every life', async () => {
    const { totals } = await run({ seeds: 3, faults: [{ kind: 'device-restart', at: 5, device: 0 }] });
    expect(totals.faults).toEqual([['device-restart', 3]]);
  });
});

describe('failures', () => {
  const failure = (checker: string, message: string, seed = 1): Failure => {
    return { seed, checker, message, at: null, summary: null, faults: null, digest: null };
  };

  test('a life that passed has none', async () => {
    expect(
      failureOf({ kind: 'lived', result: await liveFromMacrotask({ seed: 1 }), timeline: [] }),
    ).toBeNull();
  });

  test('are of one kind by their checker; crashes also by what they say, but for numbers', () => {
    expect(isSameKind(failure('one-term', 'x'), failure('one-term', 'y'))).toBe(true);
    expect(isSameKind(failure('one-term', 'x'), failure('counts', 'x'))).toBe(false);
    expect(isSameKind(failure('one-term', 'x'), null)).toBe(false);
    const crash = (message: string): Failure => failure(crashChecker, message);
    expect(isSameKind(crash('turn 5 of 6\n at x'), crash('turn 17 of 20\n at y'))).toBe(true);
    expect(isSameKind(crash('turn 5'), crash('byte 5'))).toBe(false);
  });

  test('are grouped by checker, the checker with the most first', () => {
    const failures = [failure('b', '', 1), failure('a', '', 2), failure('a', '', 5)];
    expect(failingSeeds(failures)).toEqual([
      ['a', [2, 5]],
      ['b', [1]],
    ]);
  });
});
