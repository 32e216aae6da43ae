/**
 * The C code and the reference model live the same random lives: the same frames on the line, the same outputs, terms, sessions and safe
 * states, at the same steps. UNDERSTUDY_LOCKSTEP_LIVES says how many lives for each of the settings; without it a thousand.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { anyLife } from './life-intents.test-rig.ts';
import { ModelLife, type Seen, seenInLives } from './model-life.test-rig.ts';
import { findCompiler, StreamHostBuild, type StreamSettings } from './stream-host.test-rig.ts';

const found = findCompiler();
const lives = Number(process.env.UNDERSTUDY_LOCKSTEP_LIVES ?? 1000);

beforeEach((context) => {
  if ('missing' in found) context.skip(found.missing);
});

const settingsOf: [string, Required<StreamSettings>][] = [
  [
    'as it is built for the board',
    {
      HOLD_TIME_MS: 1000,
      WINDOW_BYTES: 256,
      INPUT_RING_BYTES: 512,
      BITS_PER_SECOND: 115_200,
      FIRST_OFFSET: 0,
    },
  ],
  [
    'smallest buffers, offsets that wrap at 2^32',
    {
      HOLD_TIME_MS: 40,
      WINDOW_BYTES: 64,
      INPUT_RING_BYTES: 64,
      BITS_PER_SECOND: 115_200,
      FIRST_OFFSET: 2 ** 32 - 90,
    },
  ],
  [
    'odd buffers, a line of one byte a millisecond, offsets about 2^31',
    {
      HOLD_TIME_MS: 300,
      WINDOW_BYTES: 77,
      INPUT_RING_BYTES: 211,
      BITS_PER_SECOND: 10_000,
      FIRST_OFFSET: 2 ** 31 - 90,
    },
  ],
];

describe('the C code lives as the model does', () => {
  test.each(settingsOf)(
    '%s',
    async (_name, settings) => {
      const seen = Object.fromEntries(seenInLives.map((name) => [name, 0])) as Seen;
      const build = new StreamHostBuild((found as { compiler: string }).compiler, settings);
      const host = build.start();
      try {
        await fc.assert(
          fc.asyncProperty(anyLife(settings), async (life) => {
            const model = new ModelLife(life, settings, seen);
            expect(await host.run(model.commands)).toEqual(model.rows);
          }),
          { numRuns: lives },
        );
      } finally {
        await host.close();
        build.remove();
      }
      // Lives in which something never happens prove nothing about it.
      const never = seenInLives.filter((name) => seen[name] === 0);
      expect(never).toEqual(settings.FIRST_OFFSET === 2 ** 32 - 90 ? [] : ['wrap']);
    },
    30_000 + lives * 100,
  );
});
