/** What the role machine has to tell, as one of its effects. */
import type { PairEffect, PairReportCode } from './pair-contract.ts';

export function report(level: 'info' | 'warning' | 'alarm', code: PairReportCode, text: string): PairEffect {
  return { kind: 'report', level, code, text };
}
