/**
 * Line noise at 1e-3 on both UARTs, judged at the pins. A long run:
 * `UNDERSTUDY_NOISE_SECONDS=600 npm test -- hil-tests/scenarios/machine-code-noise` (docs/reliability.md).
 */
import { expect, test } from 'vitest';
import { liveNoise } from '../simulator/machine-code/noise-life.ts';
import { inMacrotask } from '../simulator/programs/solo-run.fake.ts';

const secondsWanted = Number(process.env.UNDERSTUDY_NOISE_SECONDS ?? 12);
const secondsPerLife = 60;
const probability = 1e-3;
const deadlineMs = 60_000 + 5_000 * secondsWanted;

test(
  `${secondsWanted} s of bytes flipped, dropped and inserted at 1e-3 on both UARTs: nothing lost, repeated or wrong at the pins`,
  async () => {
    const sums = { seconds: 0, carried: 0, flipped: 0, dropped: 0, inserted: 0, discarded: 0 };
    const done = { letters: 0, steps: 0, edges: 0, switchovers: 0 };
    for (let seed = 1; sums.seconds < secondsWanted; seed++) {
      const seconds = Math.min(secondsPerLife, secondsWanted - sums.seconds);
      const life = await inMacrotask(() => liveNoise({ seed, noisyMs: 1000 * seconds, probability }));
      expect(life.complaints, `seed ${seed}`).toEqual([]);
      expect(life.letters.atPins).toBeGreaterThan(30 * seconds);
      const { counts, discarded } = life;
      for (const kind of ['flipped', 'dropped', 'inserted'] as const) {
        expect(counts[kind], kind).toBeGreaterThan(0.5 * probability * counts.carried);
        sums[kind] += counts[kind];
      }
      expect(discarded.a).toBeGreaterThan(0);
      sums.carried += counts.carried;
      sums.discarded += discarded.a + discarded.b;
      sums.seconds += seconds;
      done.letters += life.letters.atPins;
      done.steps += life.steps.atPins;
      done.edges += life.edges.applied;
      done.switchovers += life.switchovers;
    }
    expect(sums.seconds).toBe(secondsWanted);
    console.log(
      `${sums.seconds} emulated s of noise: of ${sums.carried} bytes ${sums.flipped} flipped, ${sums.dropped} dropped, ${sums.inserted} inserted; ` +
        `the firmware discarded ${sums.discarded}; ${done.switchovers} switchovers, ${done.letters} letters, ${done.steps} steps, ` +
        `${done.edges} input edges; lost 0, repeated 0, wrong 0`,
    );
  },
  deadlineMs,
);
