import { expect, test } from 'vitest';
import { countsOf, sum } from './test-counts.ts';

const passed = { name: 'works', state: 'passed' as const };
const failed = { name: 'breaks', state: 'failed' as const };

test('cases are counted by state, skipped ones with their reason', () => {
  const skipped = { name: 'mounts', state: 'skipped' as const, note: 'needs root' };
  const counts = countsOf(
    { errors: 0, files: [{ name: 'x.test.ts', failed: true, cases: [passed, failed, skipped] }] },
    1,
  );
  expect(counts).toEqual({
    passed: 1,
    failed: 1,
    skipped: 1,
    skips: [{ name: 'x.test.ts > mounts', reason: 'needs root' }],
  });
});

test('a file that does not load is one failure', () => {
  const report = { errors: 0, files: [{ name: 'x.test.ts', failed: true, cases: [] }] };
  expect(countsOf(report, 1).failed).toBe(1);
});

test('an error outside of all tests is a failure though all cases passed', () => {
  const files = [{ name: 'x.test.ts', failed: false, cases: [passed] }];
  expect(countsOf({ errors: 1, files }, 1)).toMatchObject({ passed: 1, failed: 1 });
});

test('an exit code that nothing explains is a failure', () => {
  const files = [{ name: 'x.test.ts', failed: false, cases: [passed] }];
  expect(countsOf({ errors: 0, files }, 1).failed).toBe(1);
  expect(countsOf({ errors: 0, files }, 0).failed).toBe(0);
});

test('a case that never ended is a failure', () => {
  const cases = [{ name: 'hangs', state: 'pending' as const }];
  expect(countsOf({ errors: 0, files: [{ name: 'x.test.ts', failed: false, cases }] }, 1).failed).toBe(1);
});

test('no report at all is a failure, and sums add up', () => {
  const none = countsOf(null, 0);
  expect(none).toMatchObject({ passed: 0, failed: 1, skipped: 0 });
  expect(sum(none, none).failed).toBe(2);
});
