import { afterEach, describe, expect, test } from 'vitest';
import { type LocalRig, startLocalRig } from '../rigs/local/local-rig.ts';
import { deviceKinds } from '../rigs/local/rig-contract.ts';
import { complaintsOf, runTakeovers } from './takeovers.ts';

let rig: LocalRig | null = null;

afterEach(async () => {
  await rig?.stop();
  rig = null;
});

describe.each(deviceKinds)('takeovers on the local pair, device %s', (device) => {
  test('kill, freeze, a dead replica and a switchover in turn lose and repeat nothing', {
    timeout: 120_000,
  }, async () => {
    rig = await startLocalRig({ program: 'examples/tank.js', plant: 'tank', device });
    const { takeovers, verification } = await runTakeovers(rig, {
      count: 8,
      seed: 1,
      kinds: ['kill', 'freeze', 'kill-replica', 'switchover'],
    });
    expect(takeovers).toHaveLength(8);
    expect(complaintsOf(verification)).toEqual([]);
  });
});
