/** What a rig's run must have been, judged from the device: nothing lost, repeated or reordered, on either way. */
import assert from 'node:assert/strict';
import type { PairRig, RigBoard } from './pair-rig.fake.ts';

interface Line {
  number: number;
  inputs: number;
  gaps: number;
}

/** Complete lines of one program's run, in order. */
function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [number, inputs, gaps] = line.split(' ');
      return { number: Number(number), inputs: Number(inputs), gaps: Number(gaps) };
    });
}

/** Runs of the program that the session saw: each begins with line 1. */
export function runsIn(accepted: string): string[] {
  const runs: string[] = [];
  let from = 0;
  for (const match of accepted.matchAll(/(?<![0-9 x])1 [0-9]+ [0-9]+ [0-9a-f]+ x*\n/g)) {
    if (match.index > from) runs.push(accepted.slice(from, match.index));
    from = match.index;
  }
  if (from < accepted.length) runs.push(accepted.slice(from));
  return runs;
}

export interface Expected {
  /** Runs of the program that the device saw begin; the default is the one. */
  runs?: number;
  /** Codes of reports that must not occur. */
  never?: string[];
}

const neverByDefault = [
  'RECORDS_LOST',
  'DIVERGED',
  'BACKUP_DIVERGED',
  'PROGRAM_THREW',
  'PROGRAM_HANGS',
  'PROGRAM_FAULT',
  'PEER_MESSAGE_UNREADABLE',
  'PEER_HEARTBEAT_UNREADABLE',
  'DEVICE_INPUT_LOST',
];

/** Checks all that was promised up to now. `leader` holds the journal that tells what the program did. */
export function assertUninterrupted(
  rig: PairRig,
  leader: RigBoard,
  expected: Expected = {},
  name = '',
): void {
  try {
    assertRun(rig, leader, expected);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Error(`${name}: ${error.message}\n${rig.lines.join('\n')}`, { cause: error });
  }
}

function assertRun(rig: PairRig, leader: RigBoard, expected: Expected): void {
  const reports = [...rig.boards.a.reports, ...rig.boards.b.reports];
  for (const code of expected.never ?? neverByDefault) {
    const found = reports.find((report) => report.code === code);
    assert.equal(found, undefined, `${code} at ${found?.at}: ${found?.text}`);
  }
  const runs = rig.device.sessions.flatMap((session) => runsIn(session.accepted));
  assert.equal(runs.filter((run) => run.startsWith('1 ')).length, expected.runs ?? 1, 'runs of the program');
  for (const session of rig.device.sessions) {
    assert.equal(session.inputsLost, 0, 'the device had room for its inputs');
    for (const run of runsIn(session.accepted)) assertConsecutive(run);
  }
  assertLastRun(rig, leader);
}

function assertConsecutive(run: string): void {
  let previous: Line | null = null;
  for (const line of linesOf(run)) {
    if (previous !== null)
      assert.equal(line.number, previous.number + 1, 'lines lost, repeated or reordered');
    assert.equal(line.gaps, 0, `inputs lost, repeated or reordered before line ${line.number}`);
    if (previous !== null) assert(line.inputs >= previous.inputs);
    previous = line;
  }
}

/** The device has had exactly what the program wrote over its records, but for what is still under way. */
function assertLastRun(rig: PairRig, leader: RigBoard): void {
  const { session } = rig.device;
  const written = rig.writtenBy(leader);
  const run = runsIn(session.accepted).at(-1) ?? '';
  if (rig.device.sessions.filter((each) => each.inUse).length === 1) {
    assert(written.startsWith(run), differenceOf(written, run));
    assert(
      written.length - run.length < 70_000,
      `${written.length - run.length} bytes are missing at the device`,
    );
    const delivered = linesOf(written).at(-1)?.inputs ?? 0;
    if (runsIn(session.accepted).length === 1) {
      assert(delivered <= session.produced, 'no input that the device never sent');
      assert(session.produced - delivered <= 1200, `${session.produced - delivered} inputs are missing`);
    }
  } else assert(written.includes(run), 'the session continues what the program wrote');
}

function differenceOf(written: string, run: string): string {
  let at = 0;
  while (at < run.length && written[at] === run[at]) at += 1;
  return `byte ${at}: device has ${JSON.stringify(run.slice(at, at + 60))}, written was ${JSON.stringify(written.slice(at, at + 60))}`;
}
