import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canBuildFirmware } from '../rigs/local/emulated-firmware.ts';
import { type LocalRig, startLocalRig } from '../rigs/local/local-rig.ts';
import { type DeviceKind, deviceKinds } from '../rigs/local/rig-contract.ts';
import { complaintsOf } from './takeovers.ts';

let rig: LocalRig | null = null;

afterEach(async () => {
  await rig?.stop();
  rig = null;
});

async function protectedWithOutput(device: DeviceKind, holdTimeMs: number): Promise<LocalRig> {
  const started = await startLocalRig({
    program: 'examples/tank.js',
    plant: 'tank',
    device,
    holdTimeMs,
    // Both boards die at the same instant: only what is on the disk counts.
    journal: { fsync: 'always' },
  });
  await started.until(
    (each) => each.isProtected() && each.device.acceptedBytes > 100,
    30_000,
    'protected, at work',
  );
  return started;
}

async function cutPowerOfBoth(pair: LocalRig): Promise<void> {
  pair.kill('a');
  pair.kill('b');
  await pair.until(
    (each) => !each.boards.a.running && !each.boards.b.running,
    10_000,
    'both boards are dead',
  );
}

describe.each(deviceKinds)('power loss of both boards, device %s', (device) => {
  beforeEach((context) => {
    if (device === 'mega' && !canBuildFirmware()) {
      context.skip('a firmware with another hold time needs gcc-avr, avr-libc and make');
    }
  });

  test('a device that kept its state sees the program go on from the journal', {
    timeout: 90_000,
  }, async () => {
    rig = await protectedWithOutput(device, 30_000);
    const { session } = rig.device;
    await cutPowerOfBoth(rig);
    const accepted = rig.device.acceptedBytes;
    rig.restart('a');
    rig.restart('b');
    await rig.until(
      (each) => each.isProtected() && each.device.acceptedBytes > accepted,
      40_000,
      'at work again',
    );
    expect(rig.device.session).toBe(session);
    expect(rig.events.filter((event) => event.code === 'PROGRAM_STARTED')).toHaveLength(1);
    await rig.stopBoards();
    expect(complaintsOf(await rig.verify())).toEqual([]);
  });

  test('one board alone leads when its journal is the newest the device knows', {
    timeout: 90_000,
  }, async () => {
    rig = await protectedWithOutput(device, 60_000);
    await cutPowerOfBoth(rig);
    const accepted = rig.device.acceptedBytes;
    rig.restart('b');
    await rig.until(
      (each) => each.primary() === 'b' && each.device.acceptedBytes > accepted,
      40_000,
      'b goes on alone',
    );
    expect(rig.events.filter((event) => event.code === 'PROGRAM_STARTED')).toHaveLength(1);
  });

  test('a board with an old journal does not lead alone', { timeout: 90_000 }, async () => {
    rig = await protectedWithOutput(device, 60_000);
    // On a busy machine the boards may have changed places by now.
    const [primary, backup] = rig.primary() === 'a' ? (['a', 'b'] as const) : (['b', 'a'] as const);
    const { term } = rig.device;
    rig.kill(backup);
    await rig.until(
      (each) => each.boards[primary].status?.role === 'primary' && each.device.term > term,
      20_000,
      `${primary} is solo`,
    );
    rig.kill(primary);
    await rig.until(
      (each) => !each.boards.a.running && !each.boards.b.running,
      10_000,
      'both boards are dead',
    );
    const held = rig.device.term;
    rig.restart(backup);
    const stale = (each: LocalRig): boolean =>
      each.events.some((event) => event.code === 'PAIR_STALE_JOURNAL');
    await rig.until(stale, 40_000, `${backup} says that its journal is stale`);
    expect(rig.device.term).toBe(held);
    rig.restart(primary);
    await rig.until(
      (each) => each.isProtected() && each.primary() === primary,
      40_000,
      `${primary} leads again, ${backup} joined`,
    );
  });

  test('a device that went to its safe state is never resumed silently', { timeout: 90_000 }, async () => {
    rig = await protectedWithOutput(device, 500);
    await cutPowerOfBoth(rig);
    await rig.until((each) => each.device.safe, 10_000, 'safe state');
    rig.restart('a');
    rig.restart('b');
    const startedAgain = (each: LocalRig): boolean =>
      each.events.filter((event) => event.code === 'PROGRAM_STARTED').length > 1;
    await rig.until(
      (each) => startedAgain(each) && each.isProtected() && !each.device.safe,
      40_000,
      'started afresh',
    );
  });
});
