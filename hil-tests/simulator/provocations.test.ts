import { describe, expect, test } from 'vitest';
import { endOf } from './fault.ts';
import { drawLife, scenarios } from './swarm.ts';

const laid = Object.entries(scenarios).filter(([, { provoke }]) => provoke !== undefined);
const seeds = Array.from({ length: 40 }, (_, index) => index + 1);

test('there are scenarios that lay their faults', () => {
  expect(laid.length).toBeGreaterThanOrEqual(10);
});

describe.each(laid.map(([name]) => name))('%s', (name) => {
  test('strikes in every life, within the time of trouble', () => {
    for (const seed of seeds) {
      const { faults, quietAt } = drawLife(seed, name);
      expect(faults.length).toBeGreaterThan(0);
      for (const fault of faults) {
        expect(fault.at).toBeGreaterThanOrEqual(0);
        expect(fault.at).toBeLessThan(quietAt);
        expect(endOf(fault)).toBeLessThanOrEqual(quietAt);
        if ('until' in fault) expect(fault.until).toBeGreaterThan(fault.at);
      }
    }
  });

  test('is the same for a seed, and another for another', () => {
    expect(drawLife(7, name).faults).toEqual(drawLife(7, name).faults);
    expect(drawLife(7, name).faults).not.toEqual(drawLife(8, name).faults);
  });
});
