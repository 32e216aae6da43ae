/**
 * The same program on the pair with the simulated device and with the firmware's machine code, a takeover in the middle of
 * each: what the device accepted must be one and the same stream.
 */
import { afterEach, expect, test } from 'vitest';
import { type LocalRig, startLocalRig } from '../rigs/local/local-rig.ts';
import type { LocalRigOptions } from '../rigs/local/rig-contract.ts';
import { complaintsOf } from './takeovers.ts';

const program = 'hil-tests/programs/fixtures/rgb-cycle.js';
/** Enough for the program's start, its steady work, a takeover in it and work after that. */
const beforeBytes = 120;
const afterBytes = 240;

let rig: LocalRig | null = null;

afterEach(async () => {
  await rig?.stop();
  rig = null;
});

async function acceptedWithTakeover(options: Partial<LocalRigOptions>): Promise<Uint8Array> {
  rig = await startLocalRig({ program, plant: 'tank', ...options });
  await rig.until(
    (each) => each.isProtected() && each.device.acceptedBytes > beforeBytes,
    40_000,
    'protected, at work',
  );
  rig.kill(rig.primary()!);
  await rig.until((each) => each.device.acceptedBytes > afterBytes, 40_000, 'at work after the takeover');
  await rig.stopBoards();
  const accepted = rig.acceptedOutputs;
  expect(complaintsOf(await rig.verify())).toEqual([]);
  await rig.stop();
  return accepted;
}

test('the simulated device and the machine code accept the same stream of the same program', {
  timeout: 180_000,
}, async () => {
  const simulated = await acceptedWithTakeover({ simulatedBoard: 'mega-2560' });
  const machine = await acceptedWithTakeover({ device: 'mega' });
  const bytes = Math.min(simulated.length, machine.length);
  expect(bytes).toBeGreaterThan(afterBytes);
  const hex = (stream: Uint8Array) => Buffer.from(stream.subarray(0, bytes)).toString('hex');
  expect(hex(machine)).toBe(hex(simulated));
});
