/**
 * Exactly once, both ways, with the real pair core before the real machine code: counted at the pins. A long run:
 * `UNDERSTUDY_TAKEOVERS=1000 npm test -- hil-tests/scenarios/machine-code-takeovers` (docs/reliability.md).
 */
import { expect, test } from 'vitest';
import { blows, liveTakeovers, type Takeover } from '../simulator/machine-code/takeover-lives.ts';
import { inMacrotask } from '../simulator/programs/solo-run.fake.ts';

const takeoversWanted = Number(process.env.UNDERSTUDY_TAKEOVERS ?? 25);
/** A life replays its history at every join: many short ones instead of a long one. */
const takeoversPerLife = 25;
const deadlineMs = 60_000 + 5_000 * takeoversWanted;

function spread(values: number[]): string {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1);
  return `n ${sorted.length}  min ${at(0)}  p50 ${at(0.5)}  p99 ${at(0.99)}  max ${at(1)} ms`;
}

test(
  `${takeoversWanted} takeovers of the real pair: every letter, step and input edge once, at the pins`,
  async () => {
    const all: Takeover[] = [];
    const sums = { simulatedMs: 0, letters: 0, steps: 0, edges: 0 };
    for (let seed = 1; all.length < takeoversWanted; seed++) {
      const count = Math.min(takeoversPerLife, takeoversWanted - all.length);
      const life = await inMacrotask(() => liveTakeovers({ seed, count }));
      expect(life.complaints, `seed ${seed}`).toEqual([]);
      expect(life.takeovers).toHaveLength(count);
      // Guards against a life in which nothing happened.
      expect(life.letters.atPins).toBeGreaterThan(5 * count);
      expect(life.steps.atPins).toBeGreaterThan(5 * count);
      expect(life.edges.applied).toBeGreaterThan(5 * count);
      all.push(...life.takeovers);
      sums.simulatedMs += life.simulatedMs;
      sums.letters += life.letters.atPins;
      sums.steps += life.steps.atPins;
      sums.edges += life.edges.applied;
    }
    expect(all).toHaveLength(takeoversWanted);
    for (const blow of blows) {
      const gaps = all.filter((takeover) => takeover.blow === blow).map(({ gapMs }) => gapMs);
      if (gaps.length > 0) console.log(`${blow.padEnd(10)} blow -> next letter at the pins: ${spread(gaps)}`);
    }
    console.log(
      `${all.length} takeovers in ${Math.round(sums.simulatedMs / 1000)} emulated s: ${sums.letters} letters, ${sums.steps} steps, ` +
        `${sums.edges} input edges; lost 0, repeated 0`,
    );
  },
  deadlineMs,
);
