/**
 * Split brain and sleepers before the machine code, judged at the pins. A long run:
 * `UNDERSTUDY_SPLITS=200 npm test -- hil-tests/scenarios/machine-code-split-brain` (docs/reliability.md).
 */
import { expect, test } from 'vitest';
import { liveSplits, type Split, splitKinds } from '../simulator/machine-code/split-lives.ts';
import { inMacrotask } from '../simulator/programs/solo-run.fake.ts';

const splitsWanted = Number(process.env.UNDERSTUDY_SPLITS ?? 6);
const splitsPerLife = 12;
const deadlineMs = 60_000 + 10_000 * splitsWanted;

test(
  `${splitsWanted} times both links cut with both boards alive: the pins follow one board, the other steps down and says why`,
  async () => {
    const all: Split[] = [];
    for (let seed = 1; all.length < splitsWanted; seed++) {
      const count = Math.min(splitsPerLife, splitsWanted - all.length);
      const order = Array.from({ length: count }, (_, index) => splitKinds[index % splitKinds.length]!);
      const life = await inMacrotask(() => liveSplits({ seed, kinds: order }));
      expect(life.complaints, `seed ${seed}`).toEqual([]);
      all.push(...life.splits);
    }
    expect(all).toHaveLength(splitsWanted);
    for (const split of all) expect(split.lastWords).not.toBe('');
    const sleepers = all.filter(({ kind }) => kind !== 'race');
    // A sleeper wakes as a primary: it must have said something to the device, and been refused.
    for (const split of sleepers) expect(split.refusals).toBeGreaterThan(0);
    const deaf = all.filter(({ kind }) => kind === 'deaf');
    for (const split of deaf) expect(split.stepDownMs).toBeGreaterThan(0);
    const races = all.filter(({ kind }) => kind === 'race');
    const sum = (of: (split: Split) => number) => all.reduce((total, split) => total + of(split), 0);
    console.log(
      `${all.length} split brains: ${races.length} races (${races.filter(({ before, winner }) => before === winner).length} won by the primary), ` +
        `${sleepers.length} times two primaries, the sleeper stepped down at most ` +
        `${Math.max(...sleepers.map(({ stepDownMs }) => stepDownMs)).toFixed(1)} ms after waking; ` +
        `refused ${sum(({ refusals }) => refusals)} messages with ${sum(({ refusedBytes }) => refusedBytes)} output bytes, ` +
        `${sum(({ unseenLetters }) => unseenLetters)} letters of losers unseen at the pins; last words "${all.at(-1)!.lastWords}"`,
    );
  },
  deadlineMs,
);

test('a primary that was frozen for 10 s and wakes moves no pin', async () => {
  const kinds = ['woken', 'deaf'] as const;
  const life = await inMacrotask(() => liveSplits({ seed: 100, kinds, frozenMs: 10_000 }));
  expect(life.complaints).toEqual([]);
  for (const split of life.splits) {
    expect(split.refusals).toBeGreaterThan(0);
    expect(split.lastWords).not.toBe('');
  }
}, 120_000);
