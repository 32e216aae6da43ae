/** A device's port that is missing, locked or lost: who can still reach the device leads; nobody else claims to be a backup. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type LocalRig, startLocalRig } from '../rigs/local/local-rig.ts';
import { faultyProgram, innardsShown, ledPin, patientTiming, reports, untilReported } from './bad-input.ts';
import { holdPort, type PortHolder } from './port-holder.ts';

describe("a device's port", { timeout: 30_000 }, () => {
  let rig: LocalRig;
  let holder: PortHolder | null = null;

  afterEach(async () => {
    await holder?.release();
    holder = null;
    await rig?.stop();
  });

  async function openRig(start: boolean, holdTimeMs = 2000): Promise<void> {
    rig = await startLocalRig({
      program: faultyProgram,
      arguments: [],
      plant: 'bench',
      timing: patientTiming,
      holdTimeMs,
      start,
    });
  }

  const untilActing = (): Promise<void> =>
    rig.until((each) => each.isProtected() && each.pins[ledPin] === 1, 20_000, 'protected, the LED on');

  function startBoth(): void {
    rig.restart('a');
    rig.restart('b');
  }

  test('that is missing at the start is told and waited for', async () => {
    await openRig(false);
    const port = join(rig.directory, 'device-a');
    renameSync(port, `${port}.unplugged`);
    startBoth();
    await untilReported(rig, 'DEVICE_PORT_MISSING', 'a');
    await rig.until((each) => each.boards.b.status?.role === 'starting', 10_000, 'board b waits too');
    expect(rig.device).toMatchObject({ term: 0, acceptedBytes: 0 });
    renameSync(`${port}.unplugged`, port);
    await untilActing();
    expect(reports(rig, 'DEVICE_PORT_MISSING', 'a')).toHaveLength(1);
    expect(innardsShown(rig)).toEqual([]);
  });

  test('that another process has locked is told and waited for', async () => {
    await openRig(false);
    holder = await holdPort(join(rig.directory, 'device-a'));
    startBoth();
    await untilReported(rig, 'DEVICE_PORT_LOCKED', 'a');
    expect(rig.device).toMatchObject({ term: 0, acceptedBytes: 0 });
    await holder.release();
    await untilActing();
    expect(reports(rig, 'DEVICE_PORT_LOCKED', 'a')).toHaveLength(1);
    expect(innardsShown(rig)).toEqual([]);
  });

  test('that the primary loses in mid-run makes the backup take over, and is needed to be a backup again', async () => {
    await openRig(true);
    await untilActing();
    const [primary, port] = rig.primary() === 'a' ? (['a', 0] as const) : (['b', 1] as const);
    const { term, session } = rig.device;
    rig.deviceCommand({ command: 'close-port', port });
    await untilReported(rig, 'DEVICE_PORT_LOST', primary);
    await rig.until((each) => each.device.term > term, 10_000, 'the other board leads');
    await rig.until((each) => each.boards[primary].status?.role === 'joining', 10_000, 'it wishes to join');
    await untilReported(rig, 'DEVICE_PORT_MISSING', primary);
    expect(rig.isProtected()).toBe(false);
    rig.deviceCommand({ command: 'open-port', port });
    await rig.until((each) => each.isProtected(), 20_000, 'protected again');
    // The same session: the outputs were held all the while.
    expect(rig.device).toMatchObject({ session, safe: false });
    expect(rig.primary()).not.toBe(primary);
    expect(innardsShown(rig)).toEqual([]);
  });

  test('that the backup loses in mid-run ends the protection until it is back', async () => {
    await openRig(true);
    await untilActing();
    const [backup, port] = rig.primary() === 'a' ? (['b', 1] as const) : (['a', 0] as const);
    const { term, session } = rig.device;
    rig.deviceCommand({ command: 'close-port', port });
    await rig.until((each) => !each.isProtected(), 15_000, 'not protected');
    await untilReported(rig, 'DEVICE_PORT_LOST', backup);
    rig.deviceCommand({ command: 'open-port', port });
    await rig.until((each) => each.isProtected(), 20_000, 'protected again');
    expect(rig.device).toMatchObject({ session, term, safe: false });
    expect(innardsShown(rig)).toEqual([]);
  });

  test('that both boards lose leaves the device in its safe state, and the program begins again when it is back', async () => {
    await openRig(true, 300);
    await untilActing();
    const { session } = rig.device;
    rig.deviceCommand({ command: 'close-port', port: 0 });
    rig.deviceCommand({ command: 'close-port', port: 1 });
    await rig.until((each) => each.device.safe && each.pins[ledPin] !== 1, 10_000, 'the safe state');
    rig.deviceCommand({ command: 'open-port', port: 0 });
    rig.deviceCommand({ command: 'open-port', port: 1 });
    await untilActing();
    expect(rig.device.session).not.toBe(session);
    expect(innardsShown(rig)).toEqual([]);
  });
});
