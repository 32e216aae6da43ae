/** The pair and the machine code keep up: figures printed. A longer run: `UNDERSTUDY_LOAD_SECONDS=60 npm test -- hil-tests/scenarios/machine-code-load`. */
import { expect, test } from 'vitest';
import { liveLoad, loadChannels, outputsPerSecond, samplingMs } from '../simulator/machine-code/load-life.ts';
import { inMacrotask } from '../simulator/programs/solo-run.fake.ts';

const seconds = Number(process.env.UNDERSTUDY_LOAD_SECONDS ?? 4);

test(
  `${loadChannels.length} analog channels at ${samplingMs} ms and ${outputsPerSecond} outputs/s through the pair, with no overrun`,
  async () => {
    const life = await inMacrotask(() => liveLoad({ seed: 1, seconds }));
    console.log(
      `pair under load, ${life.seconds.toFixed(1)} emulated s: ${life.letters} outputs of five messages each, ${life.samples.join('+')} samples ` +
        `since the start, ${life.edges} input edges; ${Math.round(life.bytesIn / life.seconds)} bytes/s to the firmware, ` +
        `${Math.round(life.bytesOut / life.seconds)} from it; processor asleep ${Math.round(100 * life.asleepShare)} %, overruns 0`,
    );
    expect(life.trouble).toEqual({});
    expect(life.complaints).toEqual([]);
    expect(life.wrongSamples).toBe(0);
    expect(life.letters).toBeGreaterThan(0.97 * outputsPerSecond * seconds);
    for (const count of life.samples) expect(count).toBeGreaterThan(0.97 * (1000 / samplingMs) * seconds);
  },
  60_000 + 10_000 * seconds,
);
