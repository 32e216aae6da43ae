import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeBatch, encodeBatch, type JournalRecord } from '../../protocol/record.ts';
import { type JournalEntry, JournalError, type JournalHeader, type JournalNote } from './entry.ts';
import { journalPath } from './journal-file.ts';
import { pastJournals } from './past-journals.ts';
import { readJournal } from './reader.ts';
import { type JournalOptions, JournalWriter } from './writer.ts';

const directories: string[] = [];
const writers: JournalWriter[] = [];
afterEach(async () => {
  await Promise.all(writers.splice(0).map((writer) => writer.close()));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'));
  directories.push(directory);
  return directory;
}

const header: JournalHeader = {
  historyId: '00112233445566778899aabbccddeeff',
  bundleHash: 'ab'.repeat(32),
  program: 'tank.js',
  startedAtMs: 1_700_000_000_000,
  runtime: { node: '24.21.0', icu: '78', arch: 'x64' },
};

function batchAt(firstTurn: number, turns = 1, size = 3): Uint8Array {
  const records: JournalRecord[] = Array.from({ length: turns }, (_, index) => ({
    kind: 'turn',
    timeUs: (firstTurn + index) * 1_000,
    event: { kind: 'port-data', port: 0, bytes: new Uint8Array(size).fill(firstTurn & 0xff) },
    values: new Uint8Array(0),
    digest: 0,
    hasOutputs: false,
  }));
  return encodeBatch({ firstTurn, records });
}

const batch = (firstTurn: number, turns?: number, size?: number) =>
  ({ kind: 'batch', bytes: batchAt(firstTurn, turns, size) }) as const;
const termNote = (term: number) =>
  ({ kind: 'note', note: { kind: 'term', term, turn: 0 } as JournalNote }) as const;

async function create(directory: string, options: Partial<JournalOptions> = {}): Promise<JournalWriter> {
  const writer = await JournalWriter.create(directory, header, { fsync: 'never', ...options });
  writers.push(writer);
  return writer;
}

async function closeAll(): Promise<void> {
  await Promise.all(writers.splice(0).map((writer) => writer.close()));
}

async function readAll(file: string) {
  const reading = await readJournal(file);
  const entries: JournalEntry[] = [];
  for await (const placed of reading.entries) entries.push(placed.entry);
  return { header: reading.header, entries, tail: reading.tail };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof JournalError) return error.code;
    throw error;
  }
  return 'no error';
}

/** A closed journal of header, batch, note, batch, and the offsets at which its entries begin and end. */
async function smallJournal(): Promise<{ directory: string; file: string; bytes: Buffer; ends: number[] }> {
  const directory = newDirectory();
  const writer = await create(directory);
  writer.append(batch(0, 2));
  writer.append(termNote(7));
  writer.append(batch(2));
  await closeAll();
  const file = journalPath(directory);
  const reading = await readJournal(file);
  const ends = [reading.headerEndByte];
  for await (const placed of reading.entries) ends.push(placed.endByte);
  return { directory, file, bytes: readFileSync(file), ends };
}

describe('a journal', () => {
  for (const fsync of ['always', 'interval', 'never'] as const) {
    it(`gives back what was appended (fsync: ${fsync})`, async () => {
      const directory = newDirectory();
      const writer = await create(directory, { fsync, fsyncIntervalMs: 1 });
      const durable: number[] = [];
      writer.onDurable((number) => durable.push(number));
      expect(writer.append(batch(0, 3))).toBe(1);
      expect(writer.append(termNote(1))).toBe(2);
      await writer.flush();
      expect(writer.durableEntryNumber).toBe(2);
      writer.append({ kind: 'note', note: { kind: 'device', device: 'uno', inputs: 12 } });
      await closeAll();
      expect(durable.at(-1)).toBe(3);
      expect(writer.pendingBytes).toBe(0);
      const { entries, tail, ...rest } = await readAll(journalPath(directory));
      expect(rest.header).toEqual(header);
      expect(tail).toBe('clean');
      expect(entries).toEqual([
        batch(0, 3),
        termNote(1),
        { kind: 'note', note: { kind: 'device', device: 'uno', inputs: 12 } },
      ]);
    });
  }

  it('keeps the one before as a past one', async () => {
    const directory = newDirectory();
    (await create(directory)).append(batch(5));
    await closeAll();
    await create(directory);
    await closeAll();
    expect((await readAll(journalPath(directory))).entries).toEqual([]);
    const [past] = await pastJournals(directory);
    expect((await readAll(past!.file)).entries).toEqual([batch(5)]);
  });

  it('goes on where it ended', async () => {
    const directory = newDirectory();
    (await create(directory)).append(batch(0));
    await closeAll();
    const { writer, cut, header: read } = await JournalWriter.reopen(directory, { fsync: 'always' });
    writers.push(writer);
    expect(cut).toBeNull();
    expect(read).toEqual(header);
    expect(writer.append(batch(1))).toBe(2);
    await closeAll();
    expect((await readAll(journalPath(directory))).entries).toEqual([batch(0), batch(1)]);
  });

  it('goes on after a header alone', async () => {
    const directory = newDirectory();
    await create(directory);
    await closeAll();
    const { writer } = await JournalWriter.reopen(directory, { fsync: 'never' });
    writers.push(writer);
    writer.append(batch(0));
    await closeAll();
    expect((await readAll(journalPath(directory))).entries).toEqual([batch(0)]);
  });

  it('has one name for each way in which a file is no journal', async () => {
    const directory = newDirectory();
    const file = journalPath(directory);
    expect(await codeOf(readJournal(file))).toBe('JOURNAL_MISSING');
    expect(await codeOf(JournalWriter.reopen(directory, { fsync: 'never' }))).toBe('JOURNAL_MISSING');
    writeFileSync(file, '#!/bin/sh\necho hello\n');
    expect(await codeOf(readJournal(file))).toBe('JOURNAL_FOREIGN');
    writeFileSync(file, Buffer.from([0x55, 0x53, 0x4a, 0x1a, 9, 0, 0, 0]));
    expect(await codeOf(readJournal(file))).toBe('JOURNAL_VERSION');
  });

  it('cut at any byte, reopens with the whole entries before and says what it cut', async () => {
    const { directory, file, bytes, ends } = await smallJournal();
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(file, bytes.subarray(0, length));
      if (length < ends[0]!) {
        expect(await codeOf(JournalWriter.reopen(directory, { fsync: 'never' }))).toBe('JOURNAL_NO_HEADER');
        continue;
      }
      const whole = ends.filter((end) => end <= length);
      const { writer, cut } = await JournalWriter.reopen(directory, { fsync: 'never' });
      const cutBytes = length - whole.at(-1)!;
      if (cutBytes === 0) expect(cut).toBeNull();
      else expect(cut).toEqual({ atByte: whole.at(-1), cutBytes, reason: 'ENTRY_CUT_SHORT' });
      writer.append(termNote(99));
      await writer.close();
      const { entries, tail } = await readAll(file);
      expect(entries).toEqual(
        [batch(0, 2), termNote(7), batch(2)].slice(0, whole.length - 1).concat(termNote(99) as never),
      );
      expect(tail).toBe('clean');
    }
  });

  it('with any byte turned: damage is an error that names the place, a bad last entry is a torn tail', async () => {
    const { file, bytes, ends } = await smallJournal();
    const lastStart = ends.at(-2)!;
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1 << (at % 8);
      writeFileSync(file, damaged);
      if (at < 4) expect(await codeOf(readAll(file))).toBe('JOURNAL_FOREIGN');
      else if (at < 8) expect(await codeOf(readAll(file))).toBe('JOURNAL_VERSION');
      else if (at < lastStart) {
        const number = ends.findIndex((end) => at < end);
        const startByte = number === 0 ? 8 : ends[number - 1];
        await expect(readAll(file)).rejects.toMatchObject({
          code: 'JOURNAL_DAMAGED',
          message: expect.stringContaining(`at byte ${startByte}, entry ${number} `),
        });
      } else {
        const { entries, tail } = await readAll(file);
        expect(entries.length).toBe(2);
        expect(tail).toMatchObject({ tornAtByte: lastStart, tornBytes: bytes.length - lastStart });
      }
    }
  });

  it('takes zeros after the last entry, as a power loss leaves them, for a torn tail', async () => {
    const { directory, file, bytes } = await smallJournal();
    writeFileSync(file, Buffer.concat([bytes, Buffer.alloc(5_000)]));
    const { writer, cut } = await JournalWriter.reopen(directory, { fsync: 'never' });
    writers.push(writer);
    expect(cut).toEqual({ atByte: bytes.length, cutBytes: 5_000, reason: 'ENTRY_LENGTH' });
    await closeAll();
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  it('does not take a journal entry inside a torn batch for a valid one', async () => {
    const { file, bytes } = await smallJournal();
    const directory = newDirectory();
    const writer = await create(directory);
    writer.append({ kind: 'batch', bytes: Buffer.concat([Buffer.of(0, 0, 0), bytes.subarray(8)]) });
    await closeAll();
    const whole = readFileSync(journalPath(directory));
    writeFileSync(file, whole.subarray(0, whole.length - 1));
    expect((await readAll(file)).tail).toMatchObject({ reason: 'ENTRY_CUT_SHORT' });
  });

  it('reads entries longer than a chunk', async () => {
    const directory = newDirectory();
    const writer = await create(directory);
    const large = batch(0, 1, 700_000);
    writer.append(large);
    writer.append(batch(1));
    const streamed: Uint8Array[] = [];
    await writer.flush();
    for await (const bytes of writer.readBatchesFrom(0)) streamed.push(bytes);
    expect(streamed).toEqual([large.bytes, batch(1).bytes]);
    await closeAll();
    expect((await readAll(journalPath(directory))).entries).toEqual([large, batch(1)]);
  });

  it('gives back any entries, however they are appended and flushed', async () => {
    const step = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => {
        // Begins with a first turn, as every batch.
        return { kind: 'batch', bytes: Uint8Array.of(0, ...bytes) } as const;
      }),
      fc.record({ kind: fc.string(), value: fc.jsonValue() }).map((note) => {
        return { kind: 'note', note: JSON.parse(JSON.stringify(note)) as JournalNote } as const;
      }),
      fc.constant('flush' as const),
      fc.constant('reopen' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const directory = newDirectory();
        let writer = await JournalWriter.create(directory, header, { fsync: 'never' });
        for (const each of steps) {
          if (each === 'flush') await writer.flush();
          else if (each === 'reopen') {
            await writer.close();
            writer = (await JournalWriter.reopen(directory, { fsync: 'never' })).writer;
          } else writer.append(each);
        }
        await writer.close();
        const { entries, tail } = await readAll(journalPath(directory));
        expect(tail).toBe('clean');
        expect(entries).toEqual(steps.filter((each) => typeof each !== 'string'));
      }),
      { numRuns: 40 },
    );
  });
});

describe('readBatchesFrom', () => {
  it('begins with the batch that holds the turn and ends with the last append', async () => {
    const directory = newDirectory();
    const writer = await create(directory);
    for (let turn = 0; turn < 400; turn += 4) {
      writer.append(batch(turn, 4, 1_500));
      if (turn % 40 === 0) writer.append(termNote(turn));
      if (turn % 100 === 0) await writer.flush();
    }
    for (const [turn, first] of [
      [0, 0],
      [3, 0],
      [4, 4],
      [201, 200],
      [399, 396],
      [5_000, 396],
    ] as const) {
      const firsts: number[] = [];
      for await (const bytes of writer.readBatchesFrom(turn)) firsts.push(decodeBatch(bytes).firstTurn);
      expect(firsts).toEqual(Array.from({ length: (400 - first) / 4 }, (_, index) => first + index * 4));
    }
  });

  it('catches up with a writer that goes on', async () => {
    const writer = await create(newDirectory(), { fsync: 'interval', fsyncIntervalMs: 1 });
    let turn = 0;
    for (; turn < 50; turn++) writer.append(batch(turn, 1, 2_000));
    const firsts: number[] = [];
    for await (const bytes of writer.readBatchesFrom(0)) {
      firsts.push(decodeBatch(bytes).firstTurn);
      if (turn < 200) writer.append(batch(turn++, 1, 2_000));
    }
    expect(firsts).toEqual(Array.from({ length: 200 }, (_, index) => index));
  });

  it('is empty for a journal without batches, and works after reopening', async () => {
    const directory = newDirectory();
    const writer = await create(directory);
    expect((await writer.readBatchesFrom(0).next()).done).toBe(true);
    writer.append(batch(0));
    await closeAll();
    const reopened = await JournalWriter.reopen(directory, { fsync: 'never' });
    writers.push(reopened.writer);
    reopened.writer.append(batch(1));
    const streamed: Uint8Array[] = [];
    for await (const bytes of reopened.writer.readBatchesFrom(0)) streamed.push(bytes);
    expect(streamed).toEqual([batchAt(0), batchAt(1)]);
  });
});
