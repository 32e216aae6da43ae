import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { encodeBatch } from '../../protocol/record.ts';
import type { JournalHeader } from './entry.ts';
import { journalPath } from './journal-file.ts';
import { keepBundle, keptBundleName, pastDirectory, pastJournals } from './past-journals.ts';
import { type JournalOptions, JournalWriter } from './writer.ts';

const programs = { old: 'ab'.repeat(32), new: 'cd'.repeat(32) };
const beganMs = Date.UTC(2026, 4, 1, 12);

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ring-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

function headerOf(history: number, bundleHash: string = programs.old): JournalHeader {
  const historyId = history.toString(16).padStart(32, '0');
  return { historyId, bundleHash, program: 'tank.js', startedAtMs: beganMs + history * 1000, runtime: {} };
}

/** One history after the other, each with one batch of `bytes`. */
async function record(
  directory: string,
  header: JournalHeader,
  bytes: number,
  options: Partial<JournalOptions> = {},
) {
  const writer = await JournalWriter.create(directory, header, { fsync: 'never', ...options });
  const event = { kind: 'stdin' as const, bytes: new Uint8Array(bytes) };
  const turn = {
    kind: 'turn' as const,
    timeUs: 1,
    event,
    values: new Uint8Array(0),
    digest: 0,
    hasOutputs: false,
  };
  writer.append({ kind: 'batch', bytes: encodeBatch({ firstTurn: 0, records: [turn] }) });
  await writer.close();
}

const namesIn = (directory: string): string[] => readdirSync(pastDirectory(directory)).toSorted();
const historyOf = (name: string): number => Number.parseInt(/-([0-9a-f]+)\.usj$/.exec(name)![1]!, 16);

test('past histories are kept whole, oldest first by name', async () => {
  const directory = newDirectory();
  for (const history of [1, 2, 3]) await record(directory, headerOf(history), 1000 * history);
  expect(namesIn(directory)).toEqual([
    `20260501T120001Z-${'1'.padStart(32, '0')}.usj`,
    `20260501T120002Z-${'2'.padStart(32, '0')}.usj`,
  ]);
  expect((await pastJournals(directory)).map(({ bytes }) => Math.floor(bytes / 1000))).toEqual([1, 2]);
});

test('the oldest go when the ring is full, and never the running one', async () => {
  const directory = newDirectory();
  const deleted: string[] = [];
  const onPastDropped: JournalOptions['onPastDropped'] = (result) => {
    if ('deleted' in result) deleted.push(...result.deleted);
  };
  for (let history = 1; history <= 6; history++) {
    await record(directory, headerOf(history), 10_000, { keepBytes: 32_000, onPastDropped });
  }
  expect(namesIn(directory).map(historyOf)).toEqual([3, 4, 5]);
  expect(deleted.map(historyOf)).toEqual([1, 2]);
  await record(directory, headerOf(7), 10_000, { keepBytes: 0 });
  expect(namesIn(directory)).toEqual([]);
  expect(statSync(journalPath(directory)).size).toBeGreaterThan(10_000);
});

test('of one history that was joined again and again the longest is kept', async () => {
  const directory = newDirectory();
  for (const bytes of [3000, 7000, 5000, 1]) await record(directory, headerOf(1), bytes);
  const [past, ...others] = await pastJournals(directory);
  expect(others).toEqual([]);
  expect(past!.bytes).toBeGreaterThan(7000);
});

test('a program is kept as long as one of its histories is', async () => {
  const directory = newDirectory();
  const bundle = (hash: string) => ({ hash, code: `program ${hash}`, sourceMap: '{}' });
  await keepBundle(directory, bundle(programs.old));
  await record(directory, headerOf(1), 100, { keepBytes: 100_000 });
  await keepBundle(directory, bundle(programs.new));
  await record(directory, headerOf(2, programs.new), 100, { keepBytes: 100_000 });
  expect(namesIn(directory)).toContain(keptBundleName(programs.old));
  expect(readFileSync(join(pastDirectory(directory), keptBundleName(programs.new)), 'utf8')).toContain(
    programs.new,
  );
  const sizeOf = (file: string): number => statSync(file).size;
  const present = namesIn(directory).map((name) => sizeOf(join(pastDirectory(directory), name)));
  const whole = present.reduce((sum, bytes) => sum + bytes, sizeOf(journalPath(directory)));
  await record(directory, headerOf(3, programs.new), 100, { keepBytes: whole - 1 });
  expect(
    namesIn(directory)
      .filter((name) => name.endsWith('.usj'))
      .map(historyOf),
  ).toEqual([2]);
  expect(namesIn(directory).filter((name) => name.includes('bundle'))).toEqual([
    keptBundleName(programs.new),
    `${keptBundleName(programs.new)}.map`,
  ]);
});

test('a journal without a header is set aside, a damaged one takes its turn', async () => {
  const directory = newDirectory();
  await record(directory, headerOf(1), 100);
  writeFileSync(journalPath(directory), 'not a journal');
  await record(directory, headerOf(2), 100);
  expect(existsSync(join(directory, 'journal-headless.usj'))).toBe(true);
  await record(directory, headerOf(3), 100);
  writeFileSync((await pastJournals(directory))[0]!.file, 'damaged');
  const keepBytes = 2 * statSync(journalPath(directory)).size;
  await record(directory, headerOf(4), 100, { keepBytes });
  expect(namesIn(directory).map(historyOf)).toEqual([2, 3]);
  await record(directory, headerOf(5), 100, { keepBytes });
  expect(namesIn(directory).map(historyOf)).toEqual([3, 4]);
});
