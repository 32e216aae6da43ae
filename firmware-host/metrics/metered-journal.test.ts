import { expect, test } from 'vitest';
import type { JournalFile } from '../journal/journal-file.ts';
import { meteredJournalFile, SizeWarning } from './metered-journal.ts';

/** A file that takes half of each write and needs 3 ms to sync; broken on request. */
function rig() {
  const state = { now: 0, isBroken: false };
  const seen: unknown[] = [];
  const file: JournalFile = {
    write: async (_bytes, _offset, length) => {
      if (state.isBroken) throw new Error('ENOSPC');
      return { bytesWritten: Math.ceil(length / 2) };
    },
    read: async () => ({ bytesRead: 7 }),
    datasync: async () => {
      state.now += 3;
      if (state.isBroken) throw new Error('EIO');
    },
    truncate: async () => {},
    close: async () => {},
  };
  const open = meteredJournalFile(
    {
      written: (bytes, endByte) => seen.push({ bytes, endByte }),
      synced: (seconds) => seen.push({ seconds }),
      failed: () => seen.push('failed'),
    },
    () => state.now,
    async () => file,
  );
  return { state, seen, open };
}

test('bytes are counted as the kernel takes them, syncs by their time', async () => {
  const { seen, open } = rig();
  const file = await open('journal.usj', 'w+');
  expect(await file.write(new Uint8Array(10), 0, 10, 100)).toEqual({ bytesWritten: 5 });
  await file.datasync();
  expect(await file.read(new Uint8Array(10), 0, 10, 0)).toEqual({ bytesRead: 7 });
  expect(seen).toEqual([{ bytes: 5, endByte: 105 }, { seconds: 0.003 }]);
});

test('a failure is counted and goes on to the writer', async () => {
  const { state, seen, open } = rig();
  const file = await open('journal.usj', 'w+');
  state.isBroken = true;
  await expect(file.write(new Uint8Array(10), 0, 10, 0)).rejects.toThrow('ENOSPC');
  await expect(file.datasync()).rejects.toThrow('EIO');
  expect(seen).toEqual(['failed', 'failed']);
});

test('a large journal is told once, at each doubling, and anew for a new history', () => {
  const warning = new SizeWarning(100);
  const ends = [10, 99, 100, 150, 199, 200, 399, 1000, 1500, 1700, 20, 101, 120];
  expect(ends.filter((end) => warning.reached(end))).toEqual([100, 200, 1000, 1700, 101]);
});
