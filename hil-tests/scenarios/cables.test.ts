import { afterEach, describe, expect, test } from 'vitest';
import { type LocalRig, startLocalRig } from '../rigs/local/local-rig.ts';
import { deviceKinds } from '../rigs/local/rig-contract.ts';
import { cutCable } from './endurance.ts';
import { complaintsOf } from './takeovers.ts';

let rig: LocalRig | null = null;

afterEach(async () => {
  await rig?.stop();
  rig = null;
});

describe.each(deviceKinds)('cables, device %s', (device) => {
  test('either cable may be out: still protected, no takeover', { timeout: 90_000 }, async () => {
    // What the cables do is asked, not what this machine's scheduler does: its stalls shall not count as silence.
    const timing = { detectionTimeoutMs: 1500, deviceTimeoutMs: 5000 };
    rig = await startLocalRig({ program: 'examples/tank.js', plant: 'tank', timing, device });
    for (const cable of ['ethernet', 'serial'] as const) {
      const result = await cutCable(rig, cable, 3);
      expect(result).toMatchObject({ cable, takeovers: 0, unprotectedMs: 0 });
    }
    await rig.stopBoards();
    expect(complaintsOf(await rig.verify())).toEqual([]);
  });

  test('both cables out: one board wins the device, the other joins again later', {
    timeout: 90_000,
  }, async () => {
    rig = await startLocalRig({ program: 'examples/tank.js', plant: 'tank', device });
    await rig.until(
      (each) => each.isProtected() && each.device.acceptedBytes > 100,
      30_000,
      'protected, at work',
    );
    const { term } = rig.device;
    rig.cut('ethernet');
    rig.cut('serial');
    await rig.until((each) => each.device.term === term + 1, 10_000, 'one board claims the device');
    rig.restore('ethernet');
    rig.restore('serial');
    await rig.until((each) => each.isProtected(), 30_000, 'protected again');
    await rig.stopBoards();
    expect(complaintsOf(await rig.verify())).toEqual([]);
  });
});
