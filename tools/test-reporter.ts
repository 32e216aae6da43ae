/**
 * vitest's result as a file, for `npm test`: vitest's own JSON reporter leaves out the reasons that tests give for
 * skipping themselves. The file is named by the environment.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import type { TestReport } from './test-counts.ts';

export const reportFileVariable = 'UNDERSTUDY_TEST_REPORT';

export default class TestReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const report: TestReport = {
      errors: errors.length,
      files: modules.map((module) => ({
        name: relative(process.cwd(), module.moduleId),
        failed: module.state() === 'failed',
        cases: [...module.children.allTests()].map((test) => {
          const result = test.result();
          const note = result.state === 'skipped' ? result.note : undefined;
          return { name: test.fullName, state: result.state, ...(note === undefined ? {} : { note }) };
        }),
      })),
    };
    const file = process.env[reportFileVariable];
    if (file !== undefined) writeFileSync(file, JSON.stringify(report));
  }
}
