/** From what vitest reports to the three numbers of `npm test`. */

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  skips: { name: string; reason: string }[];
}

/** What test-reporter.ts writes. */
export interface TestReport {
  /** Errors outside of all tests. */
  errors: number;
  files: {
    name: string;
    failed: boolean;
    cases: { name: string; state: 'passed' | 'failed' | 'skipped' | 'pending'; note?: string }[];
  }[];
}

export const noCounts: Counts = { passed: 0, failed: 0, skipped: 0, skips: [] };

export function sum(left: Counts, right: Counts): Counts {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
    skips: [...left.skips, ...right.skips],
  };
}

/**
 * `report` is null when vitest died before it wrote one. A file that fails without a failed case (it does not even
 * load) is one failure, each error outside of all tests is one, and so is an exit code that nothing else explains.
 */
export function countsOf(report: TestReport | null, exitCode: number): Counts {
  if (report === null) return { ...noCounts, failed: 1 };
  const counts: Counts = { ...noCounts, failed: report.errors, skips: [] };
  for (const file of report.files) {
    const failedBefore = counts.failed;
    for (const { name, state, note } of file.cases) {
      if (state === 'passed') counts.passed++;
      // A case that never ended was cut off by whatever ended the run.
      else if (state === 'failed' || state === 'pending') counts.failed++;
      else {
        counts.skipped++;
        counts.skips.push({ name: `${file.name} > ${name}`, reason: note ?? 'no reason given' });
      }
    }
    if (file.failed && counts.failed === failedBefore) counts.failed++;
  }
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}
