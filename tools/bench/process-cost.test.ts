import { expect, test } from 'vitest';
import { memoryOf, processorSeconds } from './process-cost.ts';

test('work is counted, and so is memory', () => {
  const before = processorSeconds(process.pid);
  const own = process.cpuUsage();
  while (process.cpuUsage(own).user < 60_000);
  // Two ticks of 10 ms may be cut off.
  expect(processorSeconds(process.pid) - before).toBeGreaterThanOrEqual(0.04);
  const { residentBytes, proportionalBytes } = memoryOf(process.pid);
  const difference = Math.abs(residentBytes - process.memoryUsage.rss());
  expect(difference).toBeLessThan(0.5 * residentBytes);
  expect(proportionalBytes).toBeGreaterThan(0);
  expect(proportionalBytes).toBeLessThanOrEqual(residentBytes);
});
