import { describe, expect, test } from 'vitest';
import type { LifeOutcome } from './outcome.ts';
import {
  clockText,
  countText,
  progressLine,
  type RunFacts,
  summaryLine,
  Totals,
  totalsTable,
} from './totals.ts';

function lived(
  seed: number,
  digest: number,
  violation: { checker: string; message: string; at: number } | null,
) {
  return {
    kind: 'lived',
    timeline: [],
    result: {
      seed,
      scenario: 'any',
      summary: '',
      faults: [],
      simulatedMs: 1_800_000,
      takeovers: 2,
      switchovers: 1,
      faultCounts: { loss: 600, kill: 1 },
      digest,
      violation,
      observed: [],
    },
  } satisfies LifeOutcome;
}

const run: RunFacts = {
  date: '2026-11-23',
  commit: 'abcdef012345',
  firstSeed: 41,
  scenario: 'any',
  jobs: 2,
  cores: 2,
};

describe('totals', () => {
  const totals = new Totals();
  totals.add(lived(41, 5, null));
  totals.add(lived(42, 6, null));

  test('the line for docs/reliability.md', () => {
    const digest = totals.digest.toString(16).padStart(8, '0');
    expect(summaryLine(totals, run, 3_723_000)).toBe(
      '- 2026-11-23, commit abcdef012345: 2 seeds from 41, scenario any, all passed; 1.0 simulated hours; ' +
        '1,202 faults (kill 2, loss 1,200); 4 takeovers; 2 switchovers; wall time 1:02:03 with 2 jobs; ' +
        `1 simulated s/s (0 per core); digest ${digest}`,
    );
  });

  test('progress tells the lives, the rate and what has happened', () => {
    expect(progressLine(totals, { seeds: 1000, wallMs: 2000, cores: 2 })).toBe(
      '0:00:02  2 of 1,000 lives  1,800 simulated s/s (900 per core)  takeovers 4  switchovers 2  ' +
        'faults 1,202 (kill 2, loss 1,200)',
    );
    expect(progressLine(new Totals(), { seeds: null, wallMs: 0, cores: 1 })).toContain(
      '0 lives  0 simulated s/s',
    );
  });

  test('a run without a life did not pass', () => {
    expect(summaryLine(new Totals(), run, 1)).toContain('0 seeds from 41, scenario any, none lived; ');
  });

  test('failures and crashes are counted and said', () => {
    const failing = new Totals();
    failing.add(lived(1, 1, { checker: 'one-term', message: 'two', at: 5 }));
    failing.add({ kind: 'crashed', seed: 2, message: 'it broke' });
    expect(failing).toMatchObject({ lives: 2, failed: 2, simulatedMs: 1_800_000 });
    expect(summaryLine(failing, run, 1000)).toContain('2 FAILED');
    expect(progressLine(failing, { seeds: 2, wallMs: 1, cores: 1 })).toContain('2 FAILED');
    expect(totalsTable(failing, run, 1000)).toContainEqual(expect.stringMatching(/^failed +2$/));
  });

  test('the digest of all lives does not depend on their order, but on whose digest is whose', () => {
    const digestOf = (...lives: [seed: number, digest: number][]): number => {
      const sum = new Totals();
      for (const [seed, digest] of lives) sum.add(lived(seed, digest, null));
      return sum.digest;
    };
    expect(digestOf([1, 10], [2, 20])).toBe(digestOf([2, 20], [1, 10]));
    expect(digestOf([1, 10], [2, 20])).not.toBe(digestOf([1, 20], [2, 10]));
    expect(digestOf([1, 10])).not.toBe(digestOf([1, 10 + 2 ** 40]));
  });

  test('numbers for people', () => {
    expect([0, 999, 1000, 1234567].map(countText)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([0, 61_999, 100 * 3_600_000].map(clockText)).toEqual(['0:00:00', '0:01:01', '100:00:00']);
  });
});
