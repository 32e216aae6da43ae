/** From vitest's JSON report to the three numbers of `npm test`. */
import { relative } from 'node:path';
import { z } from 'zod';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  skips: { name: string; reason: string }[];
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

/** The part of the report that is read here. */
export const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), meta: z.record(z.string(), z.unknown()).optional() }),
      ),
    }),
  ),
});

type Report = z.infer<typeof reportSchema>;

/**
 * `report` is null when vitest wrote none that can be read. A file that fails without a failed case (it does not even
 * load) is one failure, and so is an exit code that nothing else explains (an error outside of all tests).
 */
export function countsOf(report: Report | null, exitCode: number, root: string): Counts {
  if (report === null) return { ...noCounts, failed: 1 };
  const counts: Counts = { ...noCounts, skips: [] };
  for (const file of report.testResults) {
    let failedCases = 0;
    for (const { fullName, status, meta } of file.assertionResults) {
      if (status === 'passed') counts.passed++;
      else if (status === 'failed') failedCases++;
      else {
        counts.skipped++;
        const name = `${relative(root, file.name)} > ${fullName}`;
        counts.skips.push({ name, reason: reasonOf(status, meta) });
      }
    }
    counts.failed += failedCases;
    if (file.status === 'failed' && failedCases === 0) counts.failed++;
  }
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** A test that skips itself says why in `task.meta.skipReason`. */
function reasonOf(status: string, meta: Record<string, unknown> | undefined): string {
  const reason = meta?.['skipReason'];
  return typeof reason === 'string' ? reason : status === 'todo' ? 'to be written' : 'no reason given';
}
