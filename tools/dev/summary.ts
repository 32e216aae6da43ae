/** How it ended: what each fault did as measured at the device, and whether the device noticed. */
import { type ExitCode, exitCodes } from '../../firmware-host/exit-codes.ts';
import type { WatchedFault } from './observer.ts';
import type { Verification } from './pair-rig.ts';
import { faultName, grouped, milliseconds, needsTakeover } from './words.ts';

export interface Outcome {
  faults: readonly WatchedFault[];
  /** Null: the comparison itself was not possible, for `failure`. */
  verification: Verification | null;
  /** What else went wrong: what the script waited for in vain, or why nothing could be compared. */
  failure: string | null;
  /** Exit code of what ended both boards, or the program on both. */
  endedWith: number | null;
}

export function isGood({ verification, failure }: Outcome): boolean {
  return (
    failure === null &&
    verification !== null &&
    verification.streamMatches &&
    verification.outputsLost === 0 &&
    verification.outputsRepeated === 0 &&
    verification.divergences === 0
  );
}

export function exitCodeOf(outcome: Outcome): number {
  if (isGood(outcome)) return exitCodes.ok.code;
  const known = Object.values<ExitCode>(exitCodes).some(({ code }) => code === outcome.endedWith);
  return known && outcome.endedWith ? outcome.endedWith : exitCodes.failed.code;
}

function takeoverWords({ fault, termBefore, termAfter, follower }: WatchedFault): string {
  if (needsTakeover(fault.kind)) {
    return fault.attachGapMs === null || follower === null
      ? 'NONE'
      : `board ${follower.toUpperCase()} after ${milliseconds(fault.attachGapMs)}`;
  }
  return termAfter === termBefore ? 'none needed' : `term ${termBefore} to ${termAfter}`;
}

export function faultRow(watched: WatchedFault): [string, string, string] {
  const { outputGapMs } = watched.fault;
  return [
    faultName(watched.fault),
    takeoverWords(watched),
    outputGapMs === null ? '-' : milliseconds(outputGapMs),
  ];
}

function tableOf(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('   ')
      .trimEnd(),
  );
}

export function summaryLines(outcome: Outcome): string[] {
  const lines: string[] = ['', 'SUMMARY'];
  if (outcome.faults.length > 0) {
    const header = ['fault', 'device obeys', 'next output after'];
    lines.push(...tableOf([header, ...outcome.faults.map(faultRow)]).map((line) => `  ${line}`));
  } else lines.push('  no fault was injected');
  const { verification } = outcome;
  if (verification !== null) {
    lines.push(
      '',
      `  Compared with one run of the same program that never failed (${grouped(verification.turns)} turns):`,
    );
    const counts: [string, number, string][] = [
      ['compared', verification.comparedBytes, 'bytes of outputs'],
      ['lost', verification.outputsLost, 'bytes'],
      ['repeated', verification.outputsRepeated, 'bytes'],
      [
        'of an old term, refused',
        verification.outputsRejectedStale,
        'bytes (harmless: the device did not obey)',
      ],
      ['divergences', verification.divergences, ''],
    ];
    for (const [name, count, unit] of counts) {
      lines.push(`  ${name.padEnd(24)}${grouped(count).padStart(10)} ${unit}`.trimEnd());
    }
    if (!verification.streamMatches) lines.push('  THE STREAMS DIFFER');
  }
  if (outcome.failure !== null) lines.push('', `  ${outcome.failure}`);
  lines.push('', verdictOf(outcome));
  return lines;
}

export function verdictOf(outcome: Outcome): string {
  if (outcome.failure !== null) return 'FAILED: the run did not go as it should.';
  if (!isGood(outcome)) return 'FAILED: the device saw, or may have seen, a difference.';
  if (outcome.faults.length === 0) return 'PASSED: nothing lost, nothing repeated.';
  return 'PASSED: the device did not notice any of it. Nothing lost, nothing repeated.';
}

export function summaryJson(outcome: Outcome): Record<string, unknown> {
  const { verification } = outcome;
  const counts =
    verification === null ? null : (({ comparisons: _, ...rest }: Verification) => rest)(verification);
  return {
    faults: outcome.faults.map(faultJson),
    verification: counts,
    failure: outcome.failure,
    verdict: isGood(outcome) ? 'passed' : 'failed',
    exitCode: exitCodeOf(outcome),
  };
}

export function faultJson({ fault, termBefore, termAfter, follower }: WatchedFault): Record<string, unknown> {
  const { kind, ...measured } = fault;
  return { fault: kind, ...measured, termBefore, termAfter, follower };
}
