/**
 * Lives with a planted mistake, for whatever runs and shrinks lives: they fail if and only if the Ethernet link is cut
 * while board a is killed. Seeds that end in 7 draw such a pair among many others; the scenarios end otherwise.
 */
import type { Fault, FaultKind } from './fault.ts';
import type { LifeRequest, LifeResult } from './life.ts';
import type { Observed } from './observation.ts';
import { Random } from './random.ts';

export const scenarios = {
  any: { about: 'seeds that end in 7 break a promise' },
  sound: { about: 'nothing is ever wrong' },
  throws: { about: 'seeds that end in 3 throw' },
  dies: { about: 'seeds that end in 3 end their process' },
  endless: { about: 'seeds that end in 3 never end' },
  drifting: { about: 'as any, but no two lives are alike' },
};

export function drawnFaults(seed: number): Fault[] {
  const random = new Random(seed).stream('faults');
  const faults: Fault[] = Array.from({ length: 30 }, (_, index) => ({
    kind: 'loss',
    at: 100 * index,
    until: 100 * index + 50,
    link: 'serial',
    from: null,
    probability: Math.round(random.unit() * 100) / 100,
  }));
  faults.splice(5, 0, { kind: 'kill', at: 700, until: 1500, board: seed % 10 === 7 ? 'a' : 'b' });
  faults.splice(21, 0, { kind: 'cut', at: 1200, until: 2500, link: 'ethernet', from: null });
  return faults;
}

/** The planted one: when it begins, or null. */
export function brokenAt(faults: readonly Fault[]): number | null {
  const cuts = faults.filter((fault) => fault.kind === 'cut' && fault.link === 'ethernet');
  const kills = faults.filter((fault) => fault.kind === 'kill' && fault.board === 'a');
  for (const cut of cuts as Extract<Fault, { until: number }>[]) {
    for (const kill of kills as Extract<Fault, { until: number }>[]) {
      const at = Math.max(cut.at, kill.at);
      if (at < Math.min(cut.until, kill.until)) return at;
    }
  }
  return null;
}

/** For tests, whose functions are reactions of promises. */
export function liveFromMacrotask(request: LifeRequest): Promise<LifeResult> {
  return new Promise((resolve) => {
    setImmediate(() => resolve(live(request)));
  });
}

let livesOfThisProcess = 0;

export function live({
  seed,
  scenario = 'any',
  faults = drawnFaults(seed),
  record = false,
}: LifeRequest): LifeResult {
  drainAsReplicasDo();
  livesOfThisProcess++;
  if (seed % 10 === 3) endOtherwise(scenario);
  const at = scenario === 'sound' ? null : brokenAt(faults);
  const faultCounts: Partial<Record<FaultKind, number>> = {};
  for (const { kind } of faults) faultCounts[kind] = (faultCounts[kind] ?? 0) + 1;
  const salt = scenario === 'drifting' ? `${process.pid} ${livesOfThisProcess}` : '';
  return {
    seed,
    scenario,
    summary: 'two boards that are not there',
    faults,
    simulatedMs: 60_000,
    takeovers: seed % 3,
    switchovers: seed % 2,
    faultCounts,
    digest: Math.floor(new Random(`${seed}${JSON.stringify(faults)}${salt}`).unit() * 2 ** 32),
    violation: at === null ? null : { checker: 'one-term', message: `two terms at ${at}`, at },
    observed: record ? storyOf(faults) : [],
  };
}

function storyOf(faults: readonly Fault[]): Observed[] {
  return faults
    .flatMap((fault): Observed[] => [
      { at: fault.at, kind: 'fault', phase: 'begins', fault },
      { at: 'until' in fault ? fault.until : fault.at, kind: 'fault', phase: 'ends', fault },
    ])
    .toSorted((left, right) => left.at - right.at);
}

/** What the replicas of a real life do between two turns; throws where Node does not allow it. */
function drainAsReplicasDo(): void {
  let isDrained = false;
  void Promise.resolve().then(() => {
    isDrained = true;
  });
  process.nextTick(() => {});
  (process as unknown as { _tickCallback(): void })._tickCallback();
  if (!isDrained) throw new Error('not called from a macrotask');
}

function endOtherwise(scenario: string): void {
  if (scenario === 'throws') throw new TypeError('a mistake that was planted');
  if (scenario === 'dies') {
    process.stderr.write('last words\n');
    process.exit(9);
  }
  while (scenario === 'endless');
}
