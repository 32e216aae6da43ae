import { expect, test } from 'vitest';
import { live } from './life.ts';
import { inMacrotask } from './programs/solo-run.fake.ts';
import { regressions } from './regressions.ts';

test.each(regressions)('does not come again: $found', async ({ seed, scenario, faults }) => {
  const { violation } = await inMacrotask(() => live({ seed, scenario, faults }));
  const command = `npm run sim -- --seed ${seed} --seeds 1 --scenario ${scenario} --faults '${JSON.stringify(faults)}'`;
  expect(violation, command).toBeNull();
});

test('each is told once, and has faults that strike', () => {
  expect(new Set(regressions.map(({ found }) => found)).size).toBe(regressions.length);
  for (const { faults } of regressions) expect(faults).not.toEqual([]);
});
