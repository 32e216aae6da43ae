import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import type { JournalEntry, JournalHeader } from '../../firmware-host/journal/entry.ts';
import { JournalWriter } from '../../firmware-host/journal/writer.ts';
import { encodeBatch, type JournalRecord, type ReplicaEvent } from '../../protocol/record.ts';
import { runCommand, scratchFolder } from '../command-line.test-rig.ts';

const header: JournalHeader = {
  historyId: '00112233445566778899aabbccddeeff',
  bundleHash: 'ab'.repeat(32),
  program: 'examples/tank.js',
  startedAtMs: Date.UTC(2026, 4, 1, 12),
  runtime: { node: '24.21.0', arch: 'arm64' },
};
const beginUs = header.startedAtMs * 1000;

const start: ReplicaEvent = {
  kind: 'start',
  seed: '0'.repeat(32),
  argv: [],
  env: {},
  hostname: 'pair',
  ports: ['/dev/ttyUSB0'],
  stdinIsTerminal: false,
};

function turn(timeUs: number, event: ReplicaEvent, digest = 0): JournalRecord {
  return { kind: 'turn', timeUs, event, values: new Uint8Array(0), digest, hasOutputs: digest !== 0 };
}

function batch(firstTurn: number, ...records: JournalRecord[]): Exclude<JournalEntry, { kind: 'header' }> {
  return { kind: 'batch', bytes: encodeBatch({ firstTurn, records }) };
}

const threeEntries = [
  { kind: 'note', note: { kind: 'term', term: 1, turn: 0, board: 'a' } },
  batch(0, turn(beginUs, start), turn(beginUs + 1500, { kind: 'time' }, 0xbeef)),
  batch(
    2,
    { kind: 'idle', timeUs: beginUs + 2000, stepUs: 1000, count: 40 },
    turn(beginUs + 50_000, { kind: 'port-data', port: 0, bytes: Uint8Array.of(0xe0, 1, 2) }),
  ),
] satisfies Exclude<JournalEntry, { kind: 'header' }>[];

async function journalOf(entries: readonly Exclude<JournalEntry, { kind: 'header' }>[]): Promise<string> {
  const folder = scratchFolder();
  const writer = await JournalWriter.create(folder, header, { fsync: 'never' });
  for (const entry of entries) writer.append(entry);
  await writer.close();
  return writer.path;
}

const objects = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('show prints header, notes and turns for people', async () => {
  const { code, stdout } = await runCommand('journal', 'show', await journalOf(threeEntries));
  expect(code).toBe(exitCodes.ok.code);
  expect(stdout).toMatch(
    /^history {2}00112233445566778899aabbccddeeff, begun 2026-05-01 12:00:00\.000000 UTC$/m,
  );
  expect(stdout).toMatch(/^note {2}term: term 1, turn 0, board a$/m);
  expect(stdout).toMatch(/^turn {2}0 {2}2026-05-01 12:00:00\.000000 {2}start +ports \/dev\/ttyUSB0/m);
  expect(stdout).toMatch(/^turn {2}1 {2}.*\.001500 {2}time {2}\[outputs, digest 0000beef\]$/m);
  expect(stdout).toMatch(/^turn {2}2\.\.41 {2}.* idle +40 turns, 1000 us apart$/m);
  expect(stdout).toMatch(/^turn {2}42 {2}.*port 0, 3 bytes: e0 01 02$/m);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('end   the last entry is complete');
});

test('show as NDJSON, from a turn on and limited', async () => {
  const file = await journalOf(threeEntries);
  const { stdout } = await runCommand('journal', 'show', file, '--json', '--turn', '10', '--limit', '2');
  expect(objects(stdout).map(({ kind, turn, turns }) => ({ kind, turn, turns }))).toEqual([
    { kind: 'header', turn: undefined, turns: undefined },
    { kind: 'note', turn: undefined, turns: undefined },
    { kind: 'idle', turn: 2, turns: 40 },
    { kind: 'turn', turn: 42, turns: 1 },
    { kind: 'end', turn: undefined, turns: undefined },
  ]);
  const limited = await runCommand('journal', 'show', file, '--json', '--limit', '1');
  expect(objects(limited.stdout).filter(({ kind }) => kind === 'turn')).toHaveLength(1);
  expect(objects(limited.stdout).at(-1)).toMatchObject({ kind: 'turn', turn: 0 });
});

test('what a program wrote cannot command the terminal', async () => {
  const stdin = turn(beginUs, { kind: 'signal', signal: '\u001b[2J\u009b31m' });
  const { stdout } = await runCommand('journal', 'show', await journalOf([batch(0, stdin)]));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there.
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect(stdout).toContain('\\u001b[2J\\u009b31m');
});

test('verify finds a good journal good', async () => {
  const { code, stdout } = await runCommand('journal', 'verify', await journalOf(threeEntries), '--json');
  expect(code).toBe(exitCodes.ok.code);
  expect(objects(stdout)).toEqual([
    expect.objectContaining({
      good: true,
      faults: [],
      entries: 4,
      notes: 1,
      turns: 43,
      idleTurns: 40,
      tail: 'clean',
    }),
  ]);
});

test('a torn tail is told and is no fault', async () => {
  const file = await journalOf(threeEntries);
  truncateSync(file, readFileSync(file).length - 3);
  const { code, stdout } = await runCommand('journal', 'verify', file);
  expect(code).toBe(exitCodes.ok.code);
  expect(stdout).toContain('torn tail');
});

test('damage in the middle ends with the code for journals, in verify and in show', async () => {
  const file = await journalOf(threeEntries);
  const bytes = readFileSync(file);
  const at = bytes.indexOf('"term":1');
  bytes[at + 1]! ^= 0x20;
  writeFileSync(file, bytes);
  const verified = await runCommand('journal', 'verify', file);
  expect(verified.code).toBe(exitCodes.journal.code);
  expect(verified.stdout).toContain('JOURNAL_DAMAGED');
  const shown = await runCommand('journal', 'show', file);
  expect(shown.code).toBe(exitCodes.journal.code);
  expect(shown.stderr).toContain('JOURNAL_DAMAGED');
});

test.each([
  ['JOURNAL_TURNS_MISSING', [batch(0, turn(beginUs, start)), batch(2, turn(beginUs, { kind: 'time' }))]],
  ['JOURNAL_TURNS_REPEATED', [batch(0, turn(beginUs, start)), batch(0, turn(beginUs, start))]],
  ['JOURNAL_TIME_BACKWARDS', [batch(0, turn(beginUs, start), turn(beginUs - 1, { kind: 'time' }))]],
  ['JOURNAL_START_MISPLACED', [batch(0, turn(beginUs, { kind: 'time' }))]],
  ['JOURNAL_BATCH_UNREADABLE', [{ kind: 'batch' as const, bytes: Uint8Array.of(0, 1, 0, 9) }]],
] as const)('verify finds %s', async (fault, entries) => {
  const { code, stdout } = await runCommand('journal', 'verify', await journalOf(entries));
  expect(code).toBe(exitCodes.journal.code);
  expect(stdout).toContain(fault);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('DAMAGED');
});

test('an unreadable batch ends show with the code for journals', async () => {
  const file = await journalOf([{ kind: 'batch', bytes: Uint8Array.of(0, 1, 0, 9) }]);
  const { code, stderr } = await runCommand('journal', 'show', file);
  expect(code).toBe(exitCodes.journal.code);
  expect(stderr).toContain('JOURNAL_DAMAGED');
});

test('a file that is no journal, and one that is not there', async () => {
  const file = join(scratchFolder(), 'x');
  const absent = await runCommand('journal', 'show', file);
  expect(absent).toMatchObject({ code: exitCodes.journal.code, stdout: '' });
  expect(absent.stderr).toContain('JOURNAL_MISSING');
  writeFileSync(file, 'an ordinary text, longer than eight bytes');
  const foreign = await runCommand('journal', 'verify', file);
  expect(foreign.code).toBe(exitCodes.journal.code);
  expect(foreign.stderr).toContain('JOURNAL_FOREIGN');
});
