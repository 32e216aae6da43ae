import { existsSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { LifeWorkers, type LifeWorkersOptions } from './life-workers.ts';
import type { LifeOutcome } from './outcome.ts';
import { liveFromMacrotask } from './planted-life.fake.ts';

const lifeModule = new URL('planted-life.fake.ts', import.meta.url);
let open: LifeWorkers[] = [];

function workers(options: Partial<LifeWorkersOptions> = {}): LifeWorkers {
  const made = new LifeWorkers({ jobs: 1, lifeModule, ...options });
  open.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(open.map((each) => each.close()));
  open = [];
});

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}

function livedOf(outcome: LifeOutcome | null): Extract<LifeOutcome, { kind: 'lived' }> {
  if (outcome?.kind !== 'lived') throw new Error(`did not live: ${JSON.stringify(outcome)}`);
  return outcome;
}

describe('life workers', () => {
  test('a life in a process of its own is the life that it is here, whatever was lived before', async () => {
    const here = await liveFromMacrotask({ seed: 7, scenario: 'any' });
    const one = workers({ livesPerProcess: 2 });
    for (const seed of [7, 1, 7, 7]) {
      const { result, timeline } = livedOf(
        await one.live({ seed, scenario: 'any', wantsTimeline: seed === 1 }),
      );
      if (seed === 7) expect(result).toEqual({ ...here, observed: [] });
      expect(timeline.length > 0).toBe(seed === 1);
    }
  });

  test('several live at the same time, each order is answered once', async () => {
    const two = workers({ jobs: 2 });
    const seeds = [1, 2, 4, 5, 6, 8];
    const outcomes = await Promise.all(seeds.map((seed) => two.live({ seed })));
    expect(outcomes.map((outcome) => livedOf(outcome).result.seed)).toEqual(seeds);
    expect(two.processIds).toHaveLength(2);
  });

  test('what a life throws comes back with its stack, and the process goes on', async () => {
    const one = workers();
    const outcome = await one.live({ seed: 13, scenario: 'throws' });
    expect(outcome).toMatchObject({ kind: 'crashed', seed: 13 });
    expect((outcome as { message: string }).message).toMatch(/^TypeError: a mistake.*\n +at /);
    const [before] = one.processIds;
    livedOf(await one.live({ seed: 14, scenario: 'throws' }));
    expect(one.processIds).toEqual([before]);
  });

  test('a life that ends its process is told with its last words; the next has a new one', async () => {
    const one = workers();
    const ending = one.live({ seed: 3, scenario: 'dies' });
    const next = one.live({ seed: 4, scenario: 'dies' });
    expect(await ending).toEqual({
      kind: 'crashed',
      seed: 3,
      message: 'the process ended (exit code 9)\nlast words',
    });
    livedOf(await next);
  });

  test('a life that never ends is ended', async () => {
    const one = workers({ lifeWallMsMax: 200 });
    const outcome = await one.live({ seed: 3, scenario: 'endless' });
    expect(outcome).toEqual({ kind: 'crashed', seed: 3, message: 'the life did not end within 0.2 s' });
    expect(one.processIds).toEqual([]);
  });

  test('closing ends every process, also one in a life without end, and answers everybody', async () => {
    const two = workers({ jobs: 2 });
    livedOf(await two.live({ seed: 1 }));
    const orders = [3, 13, 23].map((seed) => two.live({ seed, scenario: 'endless' }));
    await expect.poll(() => two.processIds.length, { timeout: 10_000 }).toBe(2);
    const { processIds, folder } = two;
    expect(existsSync(folder!)).toBe(true);
    await two.close();
    expect(await Promise.all(orders)).toEqual([null, null, null]);
    expect(processIds.filter(isRunning)).toEqual([]);
    expect(existsSync(folder!)).toBe(false);
    expect(await two.live({ seed: 1 })).toBeNull();
  });

  test('a module that cannot be loaded is no failing life', async () => {
    const none = workers({ lifeModule: new URL('there-is-none.ts', import.meta.url) });
    await expect(none.live({ seed: 1 })).rejects.toThrow('there-is-none.ts');
  });
});
