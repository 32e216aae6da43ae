/** The writer when the disk is full, broken or slow. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { JournalError, JournalHeader } from './entry.ts';
import { type JournalFile, journalPath, type OpenJournalFile } from './journal-file.ts';
import { readJournal } from './reader.ts';
import { type JournalOptions, JournalWriter } from './writer.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  return directory;
}

const header: JournalHeader = {
  historyId: '00'.repeat(16),
  bundleHash: 'ab'.repeat(32),
  program: 'tank.js',
  startedAtMs: 0,
  runtime: {},
};

/** `value` below 128: the first byte is read as the batch's first turn. */
const entry = (value: number, size = 100) =>
  ({ kind: 'batch', bytes: new Uint8Array(size).fill(value) }) as const;

async function values(directory: string): Promise<number[]> {
  const reading = await readJournal(journalPath(directory));
  const found: number[] = [];
  for await (const placed of reading.entries) {
    if (placed.entry.kind === 'batch') found.push(placed.entry.bytes[0]!);
  }
  expect(reading.tail).toBe('clean');
  return found;
}

function errno(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** A real file whose calls can be made to fail or wait. */
function faulty() {
  const control = {
    /** The next writes, in order: an error, or the number of bytes after which ENOSPC follows. */
    writeFaults: [] as (Error | number)[],
    syncFaults: [] as Error[],
    writesUnderWay: 0,
    writesUnderWayMax: 0,
    syncs: 0,
    /** Entered by every write before it is carried out. */
    gate: Promise.resolve() as Promise<unknown>,
  };
  const openFile: OpenJournalFile = async (path, flags) => {
    const handle = await open(path, flags);
    const file: JournalFile = {
      async write(bytes, offset, length, position) {
        control.writesUnderWay += 1;
        control.writesUnderWayMax = Math.max(control.writesUnderWayMax, control.writesUnderWay);
        try {
          await control.gate;
          const fault = control.writeFaults.shift();
          if (typeof fault === 'number') {
            control.writeFaults.unshift(errno('ENOSPC'));
            return await handle.write(bytes, offset, Math.min(fault, length), position);
          }
          if (fault !== undefined) throw fault;
          return await handle.write(bytes, offset, length, position);
        } finally {
          control.writesUnderWay -= 1;
        }
      },
      read: (bytes, offset, length, position) => handle.read(bytes, offset, length, position),
      async datasync() {
        control.syncs += 1;
        const fault = control.syncFaults.shift();
        if (fault !== undefined) throw fault;
        await handle.datasync();
      },
      truncate: (length) => handle.truncate(length),
      close: () => handle.close(),
    };
    return file;
  };
  return { control, openFile };
}

async function create(directory: string, options: JournalOptions): Promise<JournalWriter> {
  const writer = await JournalWriter.create(directory, header, options);
  cleanups.push(() => writer.close().catch(() => {}));
  return writer;
}

function nextFailure(writer: JournalWriter): Promise<JournalError> {
  return new Promise((resolve) => writer.onFailure(resolve));
}

describe('JournalWriter', () => {
  it('keeps everything when the disk is full, says so once, and writes it when told to retry', async () => {
    const directory = newDirectory();
    const { control, openFile } = faulty();
    const writer = await create(directory, { fsync: 'always', openFile });
    const failures: string[] = [];
    writer.onFailure((error) => failures.push(error.code));
    control.writeFaults.push(70);
    writer.append(entry(1));
    writer.append(entry(2));
    await expect(writer.flush()).rejects.toMatchObject({ code: 'JOURNAL_DISK_FULL' });
    expect(writer.failure?.code).toBe('JOURNAL_DISK_FULL');
    expect(writer.durableEntryNumber).toBe(0);
    writer.append(entry(3));
    expect(writer.pendingBytes).toBeGreaterThan(300);
    const streamed: number[] = [];
    for await (const bytes of writer.readBatchesFrom(0)) streamed.push(bytes[0]!);
    expect(streamed).toEqual([1, 2, 3]);
    const durable = new Promise<number>((resolve) => writer.onDurable(resolve));
    writer.retry();
    expect(await durable).toBe(3);
    expect(failures).toEqual(['JOURNAL_DISK_FULL']);
    await writer.close();
    expect(await values(directory)).toEqual([1, 2, 3]);
  });

  it('names every other failure of the file JOURNAL_WRITE_FAILED, and flush tries again', async () => {
    for (const code of ['EIO', 'EROFS', 'ENODEV']) {
      const directory = newDirectory();
      const { control, openFile } = faulty();
      const writer = await create(directory, { fsync: 'never', openFile });
      control.writeFaults.push(errno(code));
      const failed = nextFailure(writer);
      writer.append(entry(1));
      expect((await failed).code).toBe('JOURNAL_WRITE_FAILED');
      expect((await failed).message).toContain(code);
      await writer.flush();
      expect(writer.failure).toBeNull();
      await writer.close();
      expect(await values(directory)).toEqual([1]);
    }
  });

  it('writes again what was written before a sync that failed', async () => {
    const directory = newDirectory();
    const { control, openFile } = faulty();
    const writer = await create(directory, { fsync: 'always', openFile });
    const headerEndByte = statSync(journalPath(directory)).size;
    control.syncFaults.push(errno('EIO'));
    writer.append(entry(1));
    await expect(writer.flush()).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
    // What a kernel may have done by then: forgotten what it could not write.
    truncateSync(journalPath(directory), headerEndByte);
    await writer.flush();
    await writer.close();
    expect(await values(directory)).toEqual([1]);
  });

  it('has one write under way at a time, and joins what is appended meanwhile', async () => {
    const directory = newDirectory();
    const { control, openFile } = faulty();
    const writer = await create(directory, { fsync: 'never', openFile });
    let release = () => {};
    control.gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const written: number[] = [];
    writer.onDurable((number) => written.push(number));
    writer.append(entry(1));
    const first = writer.flush();
    for (let value = 2; value <= 50; value++) writer.append(entry(value));
    const rest = writer.flush();
    release();
    await Promise.all([first, rest]);
    expect(control.writesUnderWayMax).toBe(1);
    expect(written).toEqual([1, 50]);
  });

  it('syncs by interval, not for every flush', async () => {
    const { control, openFile } = faulty();
    const writer = await create(newDirectory(), { fsync: 'interval', fsyncIntervalMs: 50, openFile });
    const before = control.syncs;
    for (let value = 0; value < 20; value++) {
      writer.append(entry(value));
      await writer.flush();
    }
    expect(writer.durableEntryNumber).toBe(20);
    expect(control.syncs - before).toBeLessThan(10);
    await expect.poll(() => writer.pendingBytes, { interval: 5 }).toBe(0);
    expect(control.syncs - before).toBeGreaterThan(0);
    await writer.close();
  });

  it('is on the disk when closed, though the interval was not over', async () => {
    const { control, openFile } = faulty();
    const writer = await create(newDirectory(), { fsync: 'interval', fsyncIntervalMs: 60_000, openFile });
    const before = control.syncs;
    writer.append(entry(1));
    await writer.flush();
    expect(control.syncs).toBe(before);
    await writer.close();
    expect(control.syncs).toBe(before + 1);
    expect(writer.pendingBytes).toBe(0);
  });

  it('never syncs when told not to', async () => {
    const { control, openFile } = faulty();
    const writer = await create(newDirectory(), { fsync: 'never', openFile });
    writer.append(entry(1));
    await writer.close();
    expect(control.syncs).toBe(0);
  });

  it('rejects close when the last entries cannot be written, and is closed all the same', async () => {
    const { control, openFile } = faulty();
    const writer = await create(newDirectory(), { fsync: 'interval', openFile });
    control.writeFaults.push(errno('EIO'));
    writer.append(entry(1));
    await expect(writer.close()).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
    await expect(writer.flush()).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
  });

  it('leaves an older journal in its place when a new one cannot be begun', async () => {
    const directory = newDirectory();
    const older = await JournalWriter.create(directory, header, { fsync: 'never' });
    older.append(entry(1));
    await older.close();
    const { control, openFile } = faulty();
    control.writeFaults.push(errno('ENOSPC'));
    await expect(
      JournalWriter.create(directory, header, { fsync: 'always', openFile }),
    ).rejects.toMatchObject({
      code: 'JOURNAL_DISK_FULL',
    });
    expect(await values(directory)).toEqual([1]);
  });

  it('says that a directory cannot be made', async () => {
    const directory = newDirectory();
    writeFileSync(join(directory, 'file'), '');
    await expect(
      JournalWriter.create(join(directory, 'file', 'state'), header, { fsync: 'never' }),
    ).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
  });

  it('states the rule for its option', async () => {
    await expect(
      JournalWriter.create(newDirectory(), header, { fsync: 'interval', fsyncIntervalMs: 0 }),
    ).rejects.toThrow(RangeError);
  });

  it('survives a disk that is really full', async (context) => {
    const disk = mountTinyDisk();
    if (disk === null) {
      context.skip('mounting needs root; the injected ENOSPC above stands for it');
      return;
    }
    cleanups.push(() => {
      execFileSync('umount', [disk]);
      rmSync(disk, { recursive: true });
    });
    const directory = join(disk, 'state');
    mkdirSync(directory);
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, new Uint8Array(100_000));
    const writer = await create(directory, { fsync: 'always' });
    const failed = nextFailure(writer);
    const appended: number[] = [];
    for (let value = 0; value < 120; value++) {
      writer.append(entry(value, 1_800));
      appended.push(value);
    }
    expect((await failed).code).toBe('JOURNAL_DISK_FULL');
    expect(statfsSync(disk).bavail).toBe(0);
    await expect(writer.flush()).rejects.toMatchObject({ code: 'JOURNAL_DISK_FULL' });
    unlinkSync(ballast);
    await writer.flush();
    await writer.close();
    expect(await values(directory)).toEqual(appended);
  });
});

function mountTinyDisk(): string | null {
  const point = mkdtempSync(join(tmpdir(), 'disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', point], { stdio: 'ignore' });
    return point;
  } catch {
    rmSync(point, { recursive: true });
    return null;
  }
}
