/** The sums of a run over many lives, and how they are shown: in passing, as a table, and as the line that is kept. */
import { failureOf, type LifeOutcome } from './outcome.ts';

/** What a run is, beyond its sums. */
export interface RunFacts {
  /** Day of the run, 2026-11-23. */
  date: string;
  /** Null when there is no git to ask. */
  commit: string | null;
  firstSeed: number;
  scenario: string;
  jobs: number;
  /** Cores that the jobs can have: at most one each. */
  cores: number;
}

export class Totals {
  lives = 0;
  failed = 0;
  simulatedMs = 0;
  takeovers = 0;
  switchovers = 0;
  /** Of all lives together, whatever the order in which they ended: equal seeds give equal digests on every machine. */
  digest = 0;
  readonly #faults = new Map<string, number>();

  add(outcome: LifeOutcome): void {
    this.lives++;
    if (failureOf(outcome) !== null) this.failed++;
    if (outcome.kind === 'crashed') return;
    const { seed, simulatedMs, takeovers, switchovers, faultCounts, digest } = outcome.result;
    this.simulatedMs += simulatedMs;
    this.takeovers += takeovers;
    this.switchovers += switchovers;
    for (const [kind, count] of Object.entries(faultCounts)) {
      this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
    }
    this.digest = (this.digest + mixed(seed, digest)) >>> 0;
  }

  /** By kind, in the order of the alphabet. */
  get faults(): [kind: string, count: number][] {
    return [...this.#faults].toSorted(([left], [right]) => (left < right ? -1 : 1));
  }

  get faultCount(): number {
    return this.faults.reduce((sum, [, count]) => sum + count, 0);
  }

  get simulatedHours(): number {
    return this.simulatedMs / 3_600_000;
  }

  /** Simulated seconds per second. */
  rate(wallMs: number): number {
    return wallMs === 0 ? 0 : this.simulatedMs / wallMs;
  }

  toJSON(): Record<string, unknown> {
    const { lives, failed, simulatedMs, takeovers, switchovers } = this;
    const faults = Object.fromEntries(this.faults);
    return { lives, failed, simulatedMs, takeovers, switchovers, faults, digest: digestText(this.digest) };
  }
}

/** Two numbers of up to 53 bits into 32: a digest must not count for another seed's. */
function mixed(seed: number, digest: number): number {
  let hash = 0x811c9dc5;
  for (const word of [seed, seed / 2 ** 32, digest, digest / 2 ** 32]) {
    hash = Math.imul(hash ^ (word >>> 0), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  }
  return (hash ^ (hash >>> 16)) >>> 0;
}

export function digestText(digest: number): string {
  return digest.toString(16).padStart(8, '0');
}

/** 1:02:03. */
export function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value % 60).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60))}:${two(seconds)}`;
}

/** 100,000. */
export function countText(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

function rateText(totals: Totals, wallMs: number, cores: number): string {
  const rate = totals.rate(wallMs);
  return `${countText(rate)} simulated s/s (${countText(rate / cores)} per core)`;
}

/** `seeds` is null when only the time is limited. */
export function progressLine(
  totals: Totals,
  { seeds, wallMs, cores }: { seeds: number | null; wallMs: number; cores: number },
): string {
  const of = seeds === null ? '' : ` of ${countText(seeds)}`;
  const faults = totals.faults.map(([kind, count]) => `${kind} ${countText(count)}`).join(', ');
  return [
    clockText(wallMs),
    `${countText(totals.lives)}${of} lives`,
    ...(totals.failed === 0 ? [] : [`${countText(totals.failed)} FAILED`]),
    rateText(totals, wallMs, cores),
    `takeovers ${countText(totals.takeovers)}`,
    `switchovers ${countText(totals.switchovers)}`,
    `faults ${countText(totals.faultCount)}${faults === '' ? '' : ` (${faults})`}`,
  ].join('  ');
}

export function totalsTable(totals: Totals, run: RunFacts, wallMs: number): string[] {
  const rows: [string, string][] = [
    ['lives', countText(totals.lives)],
    ['passed', countText(totals.lives - totals.failed)],
    ['failed', countText(totals.failed)],
    ['simulated hours', totals.simulatedHours.toFixed(2)],
    ['takeovers', countText(totals.takeovers)],
    ['switchovers', countText(totals.switchovers)],
    ['faults', countText(totals.faultCount)],
    ...totals.faults.map(([kind, count]): [string, string] => [`  ${kind}`, countText(count)]),
    ['wall time', clockText(wallMs)],
    ['jobs', String(run.jobs)],
    ['simulated s/s', countText(totals.rate(wallMs))],
    ['  per core', countText(totals.rate(wallMs) / run.cores)],
    ['digest of all lives', digestText(totals.digest)],
  ];
  const left = Math.max(...rows.map(([name]) => name.length));
  const right = Math.max(...rows.map(([, value]) => value.length));
  return rows.map(([name, value]) => `${name.padEnd(left)}  ${value.padStart(right)}`);
}

/** The line that docs/reliability.md keeps of a run, an item of a Markdown list. */
export function summaryLine(totals: Totals, run: RunFacts, wallMs: number): string {
  const faults = totals.faults.map(([kind, count]) => `${kind} ${countText(count)}`).join(', ');
  const allPassed = totals.lives === 0 ? 'none lived' : 'all passed';
  const verdict = totals.failed === 0 ? allPassed : `${countText(totals.failed)} FAILED`;
  return (
    `- ${run.date}, commit ${run.commit ?? 'unknown'}: ` +
    [
      `${countText(totals.lives)} seeds from ${run.firstSeed}, scenario ${run.scenario}, ${verdict}`,
      `${totals.simulatedHours.toFixed(1)} simulated hours`,
      `${countText(totals.faultCount)} faults${faults === '' ? '' : ` (${faults})`}`,
      `${countText(totals.takeovers)} takeovers`,
      `${countText(totals.switchovers)} switchovers`,
      `wall time ${clockText(wallMs)} with ${run.jobs} ${run.jobs === 1 ? 'job' : 'jobs'}`,
      rateText(totals, wallMs, run.cores),
      `digest ${digestText(totals.digest)}`,
    ].join('; ')
  );
}
