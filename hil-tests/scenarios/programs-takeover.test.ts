/**
 * Promise 1 and 3 together: ordinary johnny-five programs lose their primary by SIGKILL at a random moment, and the
 * device's stream is that of one uninterrupted run over the same recorded events.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { examples, programPath, programs } from '../programs/manifest.ts';
import { startLocalRig } from '../rigs/local/local-rig.ts';
import { other } from '../rigs/local/rig-contract.ts';
import { seededRandom } from '../rigs/local/seeded-random.ts';
import { complaintsOf } from './takeovers.ts';

const seed = Number(process.env.UNDERSTUDY_SEED ?? Date.now() % 1_000_000);
const random = seededRandom(seed);
const onTheUno = [...programs, ...examples].filter((entry) => entry.plant !== 'none');

describe(`programs lose their primary at a random moment (UNDERSTUDY_SEED=${seed})`, () => {
  test.each(onTheUno.map((entry) => [entry.file, entry] as const))(
    '%s',
    { timeout: 60_000 },
    async (_file, entry) => {
      const rig = await startLocalRig({
        program: programPath(entry),
        plant: entry.plant === 'tank' ? 'tank' : 'bench',
        plainDevices: entry.devices ?? [],
      });
      try {
        await rig.until((each) => each.isProtected(), 30_000, 'protected');
        await rig.until((each) => each.device.acceptedBytes > 0, 10_000, 'the program speaks to its device');
        // The moment of death is drawn: this is the fault, not a wait for calm.
        await sleep(random() * 1500);
        const primary = rig.primary()!;
        rig.kill(primary);
        await rig.until(
          (each) => each.device.attachedBoard === other(primary),
          10_000,
          'the backup takes over',
        );
        const taken = rig.device.acceptedBytes;
        const survivor = rig.boards[other(primary)];
        const turnsThen = survivor.status?.turns ?? 0;
        const mayEnd = entry.expectation.exitCode !== undefined;
        // Some programs have said all they had to say by then; their survivor still takes its turns.
        const goesOn = (): boolean =>
          survivor.status?.role === 'primary' && survivor.status.turns > turnsThen + 5;
        await rig.until(
          (each) => each.device.acceptedBytes > taken || goesOn() || (mayEnd && !survivor.running),
          10_000,
          'the survivor goes on',
        );
        await rig.stopBoards();
        expect(complaintsOf(await rig.verify(other(primary)))).toEqual([]);
      } finally {
        await rig.stop();
      }
    },
  );
});
