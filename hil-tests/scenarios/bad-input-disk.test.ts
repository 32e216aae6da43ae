/**
 * A full disk under a board: a tiny file system in memory, mounted for the test. At the start it is refused; in
 * mid-run the pair goes on, says what is not recorded, and catches up when there is room again.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { readJournal } from '../../firmware-host/journal/reader.ts';
import { type LocalRig, startLocalRig } from '../rigs/local/local-rig.ts';
import { exitCodeOf, innardsShown, patientTiming, untilReported } from './bad-input.ts';

const canMount = process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0;

describe('a full disk', { timeout: 30_000 }, () => {
  let opened: LocalRig | undefined;
  let mounted: string[] = [];

  beforeEach((context) => {
    if (!canMount) context.skip('mounting a small disk needs root');
  });

  afterEach(async () => {
    await opened?.stopBoards();
    for (const directory of mounted) {
      const unmounted = spawnSync('umount', ['--lazy', directory]);
      expect(unmounted.status, String(unmounted.stderr)).toBe(0);
    }
    mounted = [];
    await opened?.stop();
    opened = undefined;
  });

  /** The rig with board a's state directory on a disk of this size; no board started. */
  async function openRig(diskKilobytes: number): Promise<{ rig: LocalRig; directory: string }> {
    const rig = await startLocalRig({
      program: 'examples/tank.js',
      plant: 'tank',
      timing: patientTiming,
      start: false,
    });
    opened = rig;
    const directory = rig.stateDirectory('a');
    mkdirSync(directory);
    const result = spawnSync('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${diskKilobytes}k`,
      'understudy-test',
      directory,
    ]);
    expect(result.status, String(result.stderr)).toBe(0);
    mounted.push(directory);
    return { rig, directory };
  }

  test('at the start ends the board with its own code', async () => {
    const { rig } = await openRig(64);
    rig.restart('a');
    expect(await exitCodeOf(rig, 'a')).toBe(exitCodes.disk.code);
    await untilReported(rig, 'STATE_DISK_FULL', 'a');
    expect(rig.device).toMatchObject({ term: 0, acceptedBytes: 0 });
    expect(innardsShown(rig)).toEqual([]);
  });

  test('in mid-run is told, the pair goes on, and the journal is whole when there is room again', async () => {
    const { rig, directory } = await openRig(16 * 1024);
    rig.restart('a');
    rig.restart('b');
    await rig.until((each) => each.isProtected(), 20_000, 'protected');
    const journal = join(directory, 'journal.usj');
    await rig.until(() => statSync(journal, { throwIfNoEntry: false }) !== undefined, 10_000, 'a journal');
    const { term } = rig.device;
    const filler = join(directory, 'filler');
    fill(filler, directory);
    await untilReported(rig, 'JOURNAL_DISK_FULL', 'a');
    const { acceptedBytes } = rig.device;
    await rig.until((each) => each.device.acceptedBytes > acceptedBytes + 20, 15_000, 'the program goes on');
    expect(rig.isProtected()).toBe(true);
    expect(rig.device).toMatchObject({ term, safe: false });
    const fullAt = statSync(journal).size;
    rmSync(filler);
    await rig.until(() => statSync(journal).size > fullAt, 10_000, 'the journal grows again');
    await rig.stopBoards();
    expect(rig.boards.a.exitCode).toBe(exitCodes.ok.code);
    const reading = await readJournal(journal);
    for await (const { number } of reading.entries) expect(number).toBeGreaterThan(0);
    expect(reading.tail).toBe('clean');
    expect(innardsShown(rig)).toEqual([]);
  });
});

/** Takes all the room that is left. */
function fill(file: string, directory: string): void {
  const { bavail, bsize } = statfsSync(directory);
  try {
    writeFileSync(file, Buffer.alloc(bavail * bsize + bsize));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
