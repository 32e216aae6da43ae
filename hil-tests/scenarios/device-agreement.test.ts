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

/**
 * Firmata's client asks for version and firmware when the device's own announcement is not there in time, which on a
 * busy machine it may not be. The device accepts the questions like any output.
 */
const versionAsked = 'f9f079f7';

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
  const hex = (stream: Uint8Array): string => {
    const text = Buffer.from(stream).toString('hex');
    return text.startsWith(versionAsked) ? text.slice(versionAsked.length) : text;
  };
  const digits = Math.min(hex(simulated).length, hex(machine).length);
  expect(digits).toBeGreaterThanOrEqual(2 * afterBytes - versionAsked.length);
  expect(hex(machine).slice(0, digits)).toBe(hex(simulated).slice(0, digits));
});
