import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import type { JournalHeader } from '../../firmware-host/journal/entry.ts';
import { JournalWriter } from '../../firmware-host/journal/writer.ts';
import type { JournalRecord } from '../../protocol/record.ts';
import { type Ended, runCommand, scratchFolder } from '../command-line.test-rig.ts';
import {
  programFile,
  type RecordedJournal,
  recordJournal,
  writeJournal,
} from '../replay/recorded-journal.test-rig.ts';
import { parseVcd } from '../replay/vcd.test-rig.ts';

const tank = fileURLToPath(new URL('../../examples/tank.js', import.meta.url));
const deadlineMs = 60_000;

function lastLine(ended: Ended): string {
  return ended.stdout.trimEnd().split('\n').at(-1)!;
}

function objects({ stdout }: Ended): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The same history with some records changed, all checksums right. */
function tampered(journal: RecordedJournal, change: (records: JournalRecord[]) => void): Promise<string> {
  const records = structuredClone(journal.records);
  change(records);
  return writeJournal(scratchFolder(), journal.bundle.hash, records);
}

test('a journal runs again with equal outputs, and its signals can be exported', {
  timeout: deadlineMs,
}, async () => {
  const journal = await recordJournal(tank, 2500);
  const [csv, vcd] = [join(journal.folder, 'tank.csv'), join(journal.folder, 'tank.vcd')];
  const ended = await runCommand('replay', journal.file, '--program', tank, '--csv', csv, '--vcd', vcd);
  expect(ended).toMatchObject({ code: exitCodes.ok.code, stderr: '' });
  expect(lastLine(ended)).toMatch(
    new RegExp(`^${journal.turns} turns, 2\\.\\d{6} s, \\d+ digests equal: equal$`),
  );

  const rows = readFileSync(csv, 'utf8').trimEnd().split('\n');
  expect(rows.shift()).toBe('time_s,turn,device,direction,signal,value');
  const levels = rows
    .map((row) => row.split(','))
    .filter(([, , , , signal]) => signal === 'D13' || signal === 'A0');
  expect(levels.length).toBeGreaterThan(60);

  const { timescale, signals, endTime } = parseVcd(readFileSync(vcd, 'utf8'));
  expect(timescale).toBe('1 us');
  expect(endTime).toBeGreaterThan(2_400_000);
  for (const [signal, name] of [
    ['D13', 'ttyACM0.D13'],
    ['A0', 'ttyACM0.A0'],
  ] as const) {
    const shown = signals.get(name)!.changes.filter(({ time }) => time >= 0);
    expect(shown.map(({ time, value }) => `${time} ${Number.parseInt(value, 2)}`)).toEqual(
      levels
        .filter(([, , , , each]) => each === signal)
        .map(([time, , , , , value]) => `${Number(time!.replace('.', ''))} ${value}`),
    );
  }
  // The valve's relay was closed, and its pin has no mode of its own: devices begin with outputs.
  expect(signals.get('ttyACM0.D8')!.changes.at(-1)!.value).toBe('1');
});

test('what the program wrote is what its board was told', { timeout: deadlineMs }, async () => {
  const journal = await recordJournal(tank, 600);
  const ended = await runCommand('replay', journal.file, '--program', tank, '--json');
  const items = objects(ended);
  expect(items[0]).toMatchObject({ schema: 1, kind: 'header', programFound: tank, differences: [] });
  expect(items.at(-1)).toMatchObject({
    kind: 'end',
    equal: true,
    turns: journal.turns,
    hasMore: false,
    tail: 'clean',
  });
  const pwm = items.filter(({ signal }) => signal === 'D9.pwm').map(({ value }) => value as number);
  // e9 LL HH is an analog write to pin 9.
  const told: number[] = [];
  for (let at = journal.written.indexOf(0xe9); at >= 0; at = journal.written.indexOf(0xe9, at + 1)) {
    told.push(journal.written[at + 1]! + 128 * journal.written[at + 2]!);
  }
  expect(pwm.length).toBeGreaterThan(5);
  expect(pwm).toEqual(told);
});

const ticker = `
  let count = 0;
  setInterval(() => { count += 1; if (count % 10 === 0) console.log('ten', count); }, 20);
`;

test('a turn within a row of idle ones can be stepped to', { timeout: deadlineMs }, async () => {
  const program = programFile(ticker);
  const journal = await recordJournal(program, 1000);
  const idleAt = journal.records.findIndex((record) => record.kind === 'idle' && record.count >= 5);
  expect(idleAt).toBeGreaterThan(0);
  const whole = await runCommand('replay', journal.file, '--program', program, '--until', '10');
  expect(whole.code).toBe(exitCodes.ok.code);
  expect(whole.stdout).toMatch(
    /^turn 10, 0\.200000 s\n {2}event {5}time reached\n {2}outputs {3}stdout: "ten 10\\n"$/m,
  );
  const within = await runCommand('replay', journal.file, '--program', program, '--until', '4');
  expect(within.stdout).toMatch(/^turn 4, 0\.080000 s\n {2}event {5}time reached\n {2}outputs {3}none$/m);
  expect(lastLine(within)).toContain('5 turns, 0.080000 s');
  const beyond = await runCommand('replay', journal.file, '--program', program, '--until', '4000');
  expect(beyond.code).toBe(exitCodes.usage.code);
  expect(beyond.stderr).toContain('REPLAY_TURN_MISSING');
});

test('an input that was changed gives the first difference, with its bytes as Firmata', {
  timeout: deadlineMs,
}, async () => {
  const journal = await recordJournal(tank, 2000);
  let changedTurn = 0;
  const file = await tampered(journal, (records) => {
    // The level sensor's report, e0 LL HH: another level.
    changedTurn = records.findIndex(
      (record, index) =>
        index > 60 &&
        record.kind === 'turn' &&
        record.event.kind === 'port-data' &&
        record.event.bytes[0] === 0xe0,
    );
    const { event } = records[changedTurn] as Extract<JournalRecord, { kind: 'turn' }>;
    if (event.kind === 'port-data') event.bytes = Uint8Array.of(0xe0, 0x10, 0x02);
  });
  const ended = await runCommand('replay', file, '--program', tank);
  expect(ended.code).toBe(exitCodes.failed.code);
  const report = ended.stdout.slice(ended.stdout.indexOf('DIVERGED at turn'));
  const [, turn] =
    /^DIVERGED at turn (\d+), \d+\.\d{6} s: the program did other things than on the board$/m.exec(report)!;
  expect(Number(turn)).toBeGreaterThanOrEqual(changedTurn);
  expect(Number(turn)).toBeLessThan(changedTurn + 5);
  expect(report).toMatch(/^ {2}expected {2}outputs with digest [0-9a-f]{8} /m);
  expect(report).toMatch(/^ +pwm write pin 9 = \d+$/m);
  const [, from, to] = /turn \d+ was equal: the cause lies in turns? (?:(\d+)\.\.)?(\d+)$/m.exec(report)!;
  expect(Number(from ?? to)).toBeLessThanOrEqual(changedTurn);
  expect(Number(to)).toBe(Number(turn));
  expect(report).toMatch(/^ {2}where {5}at .*\.js:\d+:\d+\)?$/m);
  expect(lastLine(ended)).toContain('DIVERGED');

  const json = objects(await runCommand('replay', file, '--program', tank, '--json'));
  expect(json.at(-2)).toMatchObject({ kind: 'difference', difference: 'outputs', turn: Number(turn) });
  expect(json.at(-2)!.writes).toContainEqual({ port: 0, hex: expect.stringMatching(/^e9[0-9a-f]{4}$/) });
  expect(json.at(-1)).toMatchObject({ kind: 'end', equal: false });
});

const reader = `
  const fs = require('node:fs');
  setInterval(() => { console.log(fs.existsSync('/etc/limit') ? 'limit' : 'none'); }, 20);
`;

test('a value, a digest and the clock that were changed are found in their own turns', {
  timeout: deadlineMs,
}, async () => {
  const program = programFile(reader);
  const journal = await recordJournal(program, 200);
  const turn = 3;
  const record = (records: JournalRecord[]) => records[turn] as Extract<JournalRecord, { kind: 'turn' }>;
  expect(record(journal.records).values.length).toBeGreaterThan(0);

  const call = await tampered(journal, (records) => {
    record(records).values = new Uint8Array(0);
  });
  const withoutValue = await runCommand('replay', call, '--program', program);
  expect(withoutValue.code).toBe(exitCodes.failed.code);
  expect(withoutValue.stdout).toMatch(/^DIVERGED at turn 3, .*asked the system for something else/m);
  expect(withoutValue.stdout).toMatch(/^ {2}actual {4}.*\/etc\/limit/m);
  expect(withoutValue.stdout).toMatch(/^ {2}where {5}at .*program\.js:3:\d+/m);

  const digest = await tampered(journal, (records) => {
    record(records).digest ^= 1;
  });
  const otherDigest = await runCommand('replay', digest, '--program', program);
  expect(otherDigest.stdout).toMatch(/^DIVERGED at turn 3, /m);
  expect(otherDigest.stdout).toContain('stdout: "none\\n"');
  expect(otherDigest.stdout).toContain('turn 2 was equal: the cause lies in turn 3');

  const silent = await tampered(journal, (records) => {
    Object.assign(record(records), { hasOutputs: false, digest: 0 });
  });
  const shouldBeSilent = await runCommand('replay', silent, '--program', program);
  expect(shouldBeSilent.stdout).toMatch(/^ {2}expected {2}no outputs$/m);

  const later = await tampered(journal, (records) => {
    record(records).timeUs += 7;
  });
  expect((await runCommand('replay', later, '--program', program)).code).toBe(exitCodes.failed.code);
});

test('a program that fails or ends where it went on is a difference', { timeout: deadlineMs }, async () => {
  const program = programFile(`
    process.stdin.on('data', (bytes) => {
      if (String(bytes) === 'throw') throw new TypeError('no such order');
      if (String(bytes) === 'exit') process.exit(3);
    });
    setInterval(() => console.log('on'), 20);
  `);
  const journal = await recordJournal(program, 200);
  const withInput = (text: string) =>
    tampered(journal, (records) => {
      const { timeUs } = records[4]!;
      const event = { kind: 'stdin' as const, bytes: new TextEncoder().encode(text) };
      records.splice(4, 0, {
        kind: 'turn',
        timeUs,
        event,
        values: new Uint8Array(0),
        digest: 0,
        hasOutputs: false,
      });
    });
  const threw = await runCommand('replay', await withInput('throw'), '--program', program);
  expect(threw.code).toBe(exitCodes.failed.code);
  expect(threw.stdout).toContain('the program threw TypeError: no such order');
  expect(threw.stdout).toMatch(/^ {2}event {5}standard input: "throw"$/m);
  const ended = await runCommand('replay', await withInput('exit'), '--program', program);
  expect(ended.code).toBe(exitCodes.failed.code);
  expect(ended.stdout).toMatch(/DIVERGED at turn 4/);
});

test('a damaged journal is no difference: it is refused with the place', {
  timeout: deadlineMs,
}, async () => {
  const program = programFile(ticker);
  const journal = await recordJournal(program, 600);
  const bytes = readFileSync(journal.file);
  bytes[bytes.indexOf('"term":1') + 7]! ^= 1;
  writeFileSync(journal.file, bytes);
  const damaged = await runCommand('replay', journal.file, '--program', program);
  expect(damaged.code).toBe(exitCodes.journal.code);
  expect(damaged.stderr).toMatch(/^understudy: JOURNAL_DAMAGED: .*byte \d+/m);
  expect(damaged.stderr).not.toMatch(/^\s+at /m);

  const gap = await tampered(journal, (records) => {
    records.splice(0, 1);
  });
  const missing = await runCommand('replay', gap, '--program', program);
  expect(missing.code).toBe(exitCodes.journal.code);
  expect(missing.stderr).toContain('turn 0 does not start the program');
});

test('a header that no board writes is refused', { timeout: deadlineMs }, async () => {
  const header = {
    historyId: '00',
    bundleHash: 'ab'.repeat(32),
    program: '/programs/program.js',
    startedAtMs: 1,
    runtime: { node: '24' },
  };
  const wrong = [
    { bundleHash: 7 },
    { program: '' },
    { startedAtMs: 'soon' },
    { runtime: null },
    { runtime: { tz: 1 } },
  ];
  for (const change of wrong) {
    const folder = scratchFolder();
    const options = { fsync: 'never' } as const;
    const writer = await JournalWriter.create(folder, { ...header, ...change } as JournalHeader, options);
    await writer.close();
    const refused = await runCommand('replay', writer.path);
    expect(refused.code).toBe(exitCodes.journal.code);
    expect(refused.stderr).toMatch(
      /^understudy: JOURNAL_DAMAGED: the header of .* holds what no board writes$/m,
    );
  }
});

test('a torn tail is told, and what is before it runs', { timeout: deadlineMs }, async () => {
  const program = programFile(ticker);
  const journal = await recordJournal(program, 800);
  writeFileSync(journal.file, readFileSync(journal.file).subarray(0, -3));
  const ended = await runCommand('replay', journal.file, '--program', program);
  expect(ended.code).toBe(exitCodes.ok.code);
  expect(ended.stdout).toContain('torn tail');
});

test('only the program that made the journal is run', { timeout: deadlineMs }, async () => {
  const program = programFile(ticker);
  const journal = await recordJournal(program, 300);
  const other = programFile(ticker.replace('ten', 'zehn'));
  const refused = await runCommand('replay', journal.file, '--program', other);
  expect(refused.code).toBe(exitCodes.mismatch.code);
  expect(refused.stderr).toContain('REPLAY_PROGRAM_DIFFERS');
  expect(refused.stderr).toContain(journal.bundle.hash.slice(0, 12));
  // The path in the header is the board's.
  const nowhere = await runCommand('replay', journal.file);
  expect(nowhere.code).toBe(exitCodes.mismatch.code);
  expect(nowhere.stderr).toMatch(/REPLAY_PROGRAM_MISSING.*\/programs\/program\.js: not on this machine/);
});

test('a journal that was copied to another machine runs with the bundle beside it', {
  timeout: deadlineMs,
}, async () => {
  const program = programFile(ticker);
  const journal = await recordJournal(program, 300);
  const folder = scratchFolder();
  copyFileSync(journal.file, join(folder, 'field.usj'));
  writeFileSync(join(folder, 'program.bundle.js'), 'another one');
  writeFileSync(join(folder, `program-${journal.bundle.hash.slice(0, 16)}.bundle.js`), journal.bundle.code);
  const ended = await runCommand('replay', join(folder, 'field.usj'));
  expect(ended.code).toBe(exitCodes.ok.code);
  expect(ended.stdout).toMatch(/^found {4}.*program-[0-9a-f]{16}\.bundle\.js$/m);
});

test('exports that cannot be written, and options that do not go together', {
  timeout: deadlineMs,
}, async () => {
  const program = programFile(ticker);
  const journal = await recordJournal(program, 300);
  const words = ['replay', journal.file, '--program', program] as const;
  const unwritable = await runCommand(...words, '--csv', join(journal.folder, 'no-such-folder', 'x.csv'));
  expect(unwritable.code).toBe(exitCodes.disk.code);
  expect(unwritable.stderr).toMatch(/^understudy: REPLAY_EXPORT_FAILED: /m);
  const both = await runCommand(...words, '--csv', '-', '--vcd', '-');
  expect(both.code).toBe(exitCodes.usage.code);
  const printed = await runCommand(...words, '--csv', '-');
  expect(printed.stdout.split('\n')[0]).toBe('time_s,turn,device,direction,signal,value');
  expect(printed.stdout).toContain(',program,out,stdout,ten 10\\n');
  expect(printed.stderr).toContain('digests equal: equal');
});
