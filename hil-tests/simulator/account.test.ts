import { describe, expect, test } from 'vitest';
import { type Account, type AccountOptions, accountFor, accountLines } from './account.ts';
import { crashChecker, type Failure, failureOf, type LifeOrder, type LiveOne } from './outcome.ts';
import { brokenAt, drawnFaults, live, liveFromMacrotask } from './planted-life.fake.ts';
import { timelineRows } from './timeline.ts';

async function failureOfSeed(seed: number, scenario = 'any'): Promise<Failure> {
  const result = await liveFromMacrotask({ seed, scenario });
  return failureOf({ kind: 'lived', result, timeline: [] })!;
}

function lifeHere(orders: LifeOrder[] = []): LiveOne {
  return (order) =>
    new Promise((resolve) => {
      setImmediate(() => {
        orders.push(order);
        const result = live({ ...order, record: true });
        resolve({
          kind: 'lived',
          result,
          timeline: order.wantsTimeline === true ? timelineRows(result.observed) : [],
        });
      });
    });
}

function options(changes: Partial<AccountOptions> = {}): AccountOptions {
  const budget = { livesMax: 300, wallMsMax: 60_000, now: () => 0 };
  return { scenario: 'any', areFaultsDrawn: true, live: lifeHere(), budget, ...changes };
}

async function account(failure: Failure, changes: Partial<AccountOptions> = {}): Promise<Account> {
  return (await accountFor(failure, options(changes)))!;
}

describe('the account of a failing life', () => {
  test('names the two faults that it takes, what happened, and the command', async () => {
    const found = await account(await failureOfSeed(7));
    expect(found).toMatchObject({ isSearchComplete: true, isReproducible: true });
    expect(found.shrunk!.map(({ kind }) => kind)).toEqual(['kill', 'cut']);
    const text = accountLines(found).join('\n');
    expect(text).toMatch(/^FAILED {2}seed 7 {2}one-term at 1200 ms/);
    expect(text).toMatch(/\n2 faults of 32 are enough \(\d+ lives tried; none of them can go\):\n {2}\d/);
    expect(text).toContain('board a: its processes are killed');
    expect(text).toContain('>>> one-term: two terms at');
    expect(text).toContain('\n  npm run sim -- --seed 7 --seeds 1 --scenario any\n');
    expect(text.trimEnd()).toMatch(/--scenario any --faults '\[\{"kind":"kill".*\]'$/);
    expect(text).not.toContain('not of its seed');
  });

  test('only the last life is asked for a timeline', async () => {
    const orders: LifeOrder[] = [];
    const found = await account(await failureOfSeed(17), { live: lifeHere(orders) });
    expect(orders.filter(({ wantsTimeline }) => wantsTimeline === true)).toEqual([orders.at(-1)]);
    expect(orders.at(-1)!.faults).toEqual(found.shrunk);
    expect(orders).toHaveLength(found.livesTried + 2);
  });

  test.each([
    ['lives', { livesMax: 9, wallMsMax: 1e9 }],
    ['time', { livesMax: 1e9, wallMsMax: 9 }],
  ])('the search ends when its budget of %s is used up, with the best list so far', async (_, limits) => {
    let time = -1;
    const found = await account(await failureOfSeed(7), { budget: { ...limits, now: () => ++time } });
    expect(found.isSearchComplete).toBe(false);
    expect(found.livesTried).toBeLessThanOrEqual(9);
    expect(found.shrunk!.length).toBeLessThan(drawnFaults(7).length);
    expect(brokenAt(found.shrunk!)).not.toBeNull();
    expect(accountLines(found).join('\n')).toContain('fewer may do');
  });

  test('without a search the faults are told as they were', async () => {
    const found = await account(await failureOfSeed(7), {
      budget: { livesMax: 0, wallMsMax: 0, now: () => 0 },
    });
    expect(found).toMatchObject({ shrunk: null, livesTried: 0 });
    expect(found.timeline.length).toBeGreaterThan(0);
    expect(accountLines(found).join('\n')).toContain('\n32 faults:\n');
  });

  test('faults that were given are given again', async () => {
    const found = await account(await failureOfSeed(7), { areFaultsDrawn: false });
    const commands = accountLines(found).filter((line) => line.includes('npm run sim'));
    expect(commands).toHaveLength(2);
    for (const command of commands) expect(command).toContain("--faults '[{");
  });

  test('a seed that ends otherwise the second time is said to', async () => {
    const drifting = await account(await failureOfSeed(7, 'drifting'), { scenario: 'drifting' });
    expect(drifting.isReproducible).toBe(false);
    expect(drifting.shrunk).toHaveLength(2);
    expect(accountLines(drifting).join('\n')).toContain('something in this life is not of its seed');
    const vanished = await account({ ...(await failureOfSeed(7)), checker: 'another' });
    expect(vanished).toMatchObject({ isReproducible: false, shrunk: null, livesTried: 0 });
  });

  test('a crash before the faults were known is told with its stack and the command', async () => {
    const message = 'TypeError: planted\n    at somewhere';
    const none = { at: null, summary: null, faults: null, digest: null };
    const found = await account({ seed: 3, checker: crashChecker, message, ...none });
    const lines = accountLines(found);
    expect(lines.slice(0, 3)).toEqual([
      'FAILED  seed 3  crash',
      '  TypeError: planted',
      '      at somewhere',
    ]);
    expect(lines.at(-1)).toBe('  npm run sim -- --seed 3 --seeds 1 --scenario any');
  });

  test('nobody waits for it when the run is ended', async () => {
    for (const livesBefore of [0, 1, 5]) {
      let lives = 0;
      const lived = lifeHere();
      const ending: LiveOne = (order) => (lives++ < livesBefore ? lived(order) : Promise.resolve(null));
      expect(await accountFor(await failureOfSeed(7), options({ live: ending }))).toBeNull();
    }
  });
});
