import { describe, expect, test } from 'vitest';
import type { Fault } from './fault.ts';
import { brokenAt, drawnFaults } from './planted-life.fake.ts';
import { shrink } from './shrink.ts';

function shrunkWith(
  faults: readonly Fault[],
  fails: (faults: readonly Fault[]) => boolean,
): { kept: readonly Fault[]; attempts: number } {
  const search = shrink(faults);
  let attempts = 0;
  let step = search.next();
  while (step.done !== true) {
    attempts++;
    step = search.next(fails(step.value));
  }
  return { kept: step.value, attempts };
}

const restart = (at: number): Fault => ({ kind: 'device-restart', at, device: 0 });
const restarts = (count: number): Fault[] => Array.from({ length: count }, (_, index) => restart(index));

describe('shrink', () => {
  test('finds the planted pair among many, and when it matters', () => {
    const faults = drawnFaults(7);
    const { kept, attempts } = shrunkWith(faults, (tried) => brokenAt(tried) !== null);
    expect(kept.map(({ kind }) => kind)).toEqual(['kill', 'cut']);
    expect(brokenAt(kept)).not.toBeNull();
    for (const fault of kept) expect((fault as { until: number }).until - fault.at).toBeLessThanOrEqual(2);
    expect(attempts).toBeLessThan(120);
  });

  test('finds that no fault is needed with one attempt', () => {
    expect(shrunkWith(restarts(50), () => true)).toEqual({ kept: [], attempts: 1 });
  });

  test('keeps everything when everything is needed', () => {
    const faults = restarts(9);
    expect(shrunkWith(faults, (tried) => tried.length === 9).kept).toEqual(faults);
  });

  test.each([1, 2, 3, 5, 8, 13])('what is left of %i needed ones is exactly those, in order', (needed) => {
    const faults = restarts(40);
    const isNeeded = ({ at }: Fault): boolean => at % 3 === 0 && at / 3 < needed;
    const { kept } = shrunkWith(faults, (tried) => tried.filter(isNeeded).length === needed);
    expect(kept).toEqual(faults.filter(isNeeded));
  });

  test('every list that is tried is a part of the one before that failed, never longer', () => {
    const begin: Fault = { kind: 'pause', at: 10, until: 1000, board: 'a' };
    let best: readonly Fault[] = [begin, ...restarts(6)];
    shrunkWith(best, (tried) => {
      expect(tried.length).toBeLessThanOrEqual(best.length);
      const fails = tried.some((fault) => fault.kind === 'pause' && fault.at <= 200 && fault.until >= 300);
      if (fails) best = tried;
      return fails;
    });
    expect(best).toHaveLength(1);
    const [{ at, until }] = best as [Extract<Fault, { kind: 'pause' }>];
    expect(at).toBeLessThanOrEqual(200);
    expect(until).toBeGreaterThanOrEqual(300);
    expect(until - at).toBeLessThan(200);
  });

  test('a fault that only a longer one needed goes after that was narrowed', () => {
    // The restart is needed as long as the pause lasts longer than 100 ms.
    const faults: Fault[] = [{ kind: 'pause', at: 0, until: 1024, board: 'b' }, restart(5)];
    const { kept } = shrunkWith(faults, (tried) => {
      const pause = tried.find(({ kind }) => kind === 'pause') as { at: number; until: number } | undefined;
      return pause !== undefined && (tried.length === 2 || pause.until - pause.at <= 100);
    });
    expect(kept).toHaveLength(1);
  });
});
