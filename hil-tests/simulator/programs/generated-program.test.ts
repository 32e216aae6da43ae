import { describe, expect, test } from 'vitest';
import type { ReplicaEvent } from '../../../protocol/record.ts';
import { Random } from '../random.ts';
import { generateProgram, programOf } from './generated-program.ts';
import { createNumberedFirmware } from './numbered-firmware.ts';
import { drawProgramPlan, type ProgramPlan, type Routine } from './program-plan.ts';
import { referenceRun } from './reference-run.ts';
import { bytesOf, inMacrotask, runSolo, type SoloRunOptions, type SoloRunResult } from './solo-run.fake.ts';

const devices = [{ name: '/dev/ttyACM0' }, { name: '/dev/ttyUSB1' }];
const device = '/dev/ttyACM0';

function solo(seed: number, options: Partial<SoloRunOptions> = {}): SoloRunResult {
  const firmwareRandom = new Random(`firmware/${seed}`);
  return runSolo({
    program: generateProgram(new Random(seed).unit, devices),
    forMs: 4000,
    random: new Random(`world/${seed}`).unit,
    firmwareOf: () => createNumberedFirmware(firmwareRandom.unit),
    ...options,
  });
}

function planOf(routines: Routine[], parts: Partial<ProgramPlan> = {}): ProgramPlan {
  return {
    ports: [{ device, openAfterMs: 0, readBytesMax: 64, queueBytesMax: 16_384, reopenAfterMs: 50 }],
    routines,
    exit: null,
    throwAfterMs: null,
    ...parts,
  };
}

function everyMs(ms: number, ...actions: Routine['steps'][number]['action'][]): Routine {
  const steps = actions.map((action) => ({ action, every: 1, share: 1 }));
  return { kind: 'interval', ms, referenced: true, steps };
}

const line = { kind: 'write', port: 0, lines: 1, paddingBytes: 0 } as const;
const quiet = { outputs: () => {}, nextWakeAt: () => null, advance: () => [], reset: () => {} };

/** A program that reports every 20 ms, on a device that says only what the test says. */
function scripted(
  plan: ProgramPlan,
  events: { atMs: number; event: ReplicaEvent }[],
  random = new Random('world').unit,
) {
  return runSolo({
    program: programOf('planned', plan),
    forMs: 500,
    random,
    firmwareOf: () => quiet,
    events,
  });
}

function data(text: string): ReplicaEvent {
  return { kind: 'port-data', port: 0, bytes: Buffer.from(text) };
}

function linesOf(result: SoloRunResult): string[] {
  return bytesOf(result.writes, device).toString().trim().split('\n');
}

describe('a generated program', () => {
  test('does the same again with the same seeds, and something else with another', async () => {
    const [one, again, other] = await inMacrotask(() => [solo(1), solo(1), solo(2)]);
    expect(again).toEqual(one);
    expect(one!.writes.length).toBeGreaterThan(10);
    expect(other!.digest).not.toBe(one!.digest);
  });

  test('does in replay what it did when it was performed, whatever the seed', async () => {
    await inMacrotask(() => {
      for (let seed = 0; seed < 30; seed++) {
        const program = generateProgram(new Random(seed).unit, devices);
        const performed = solo(seed, { program, forMs: 2000 });
        expect(referenceRun(program, performed.records), `seed ${seed}: ${program.summary}`).toEqual({
          turns: performed.turns,
          writes: performed.writes,
          inputs: performed.inputs,
          divergedAtTurn: null,
          ending: null,
        });
      }
    });
  });

  test('opens every device, writes to it and hears from it', async () => {
    const result = await inMacrotask(() => solo(5));
    for (const { name } of devices) {
      expect(result.writes.some((write) => write.device === name)).toBe(true);
      expect(result.inputs.some((input) => input.device === name)).toBe(true);
    }
  });

  test('is drawn with every kind of routine and of step, over some seeds', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      for (const routine of drawProgramPlan(new Random(seed), devices).routines) {
        seen.add(routine.kind);
        for (const { action } of routine.steps) seen.add(action.kind);
      }
    }
    expect([...seen].sort()).toEqual([
      'cancelled',
      'chain',
      'clock',
      'completion',
      'configure',
      'console',
      'data',
      'drain',
      'immediates',
      'interval',
      'later',
      'next-tick',
      'promises',
      'random',
      'random-bytes',
      'read',
      'spin',
      'watchdog',
      'write',
    ]);
  });

  test('neither ends itself nor throws unless it is allowed to', () => {
    const plans = (options: object) =>
      Array.from({ length: 50 }, (_, seed) => drawProgramPlan(new Random(seed), devices, options));
    expect(plans({}).every((plan) => plan.exit === null && plan.throwAfterMs === null)).toBe(true);
    expect(plans({ exits: true }).some((plan) => plan.exit !== null)).toBe(true);
    expect(plans({ throws: true }).some((plan) => plan.throwAfterMs !== null)).toBe(true);
  });
});

describe('the lines of a generated program', () => {
  test('show that an input byte was changed, lost, repeated or came in another order', async () => {
    const plan = planOf([everyMs(20, line)]);
    const hearing = (...texts: string[]) =>
      linesOf(
        scripted(
          plan,
          texts.map((text, index) => ({ atMs: 100 + index, event: data(text) })),
        ),
      );
    const [told, changed, lost, repeated, swapped] = await inMacrotask(() => [
      hearing('one', 'two'),
      hearing('one', 'twp'),
      hearing('one'),
      hearing('one', 'two', 'two'),
      hearing('two', 'one'),
    ]);
    for (const lines of [changed, lost, repeated, swapped]) {
      // Before the input they are the same, from then on none is.
      expect(lines!.slice(0, 4)).toEqual(told!.slice(0, 4));
      for (const [index, text] of lines!.entries()) if (index >= 5) expect(told).not.toContain(text);
    }
  });

  test('show what the outside world returned', async () => {
    for (const returns of ['number', 'text', 'bytes', 'error'] as const) {
      const plan = planOf([everyMs(20, { kind: 'read', returns }, line)]);
      const [one, again, other] = await inMacrotask(() => [
        scripted(plan, [], new Random(1).unit),
        scripted(plan, [], new Random(1).unit),
        scripted(plan, [], new Random(2).unit),
      ]);
      expect(linesOf(again!)).toEqual(linesOf(one!));
      expect(linesOf(other!).at(-1), returns).not.toBe(linesOf(one!).at(-1));
    }
  });

  test('are numbered without a gap while the port lives, and the numbering of inputs is checked', async () => {
    const events = [...'abcxyz'].map((letter, index) => ({ atMs: 50 + 10 * index, event: data(letter) }));
    const lines = linesOf(await inMacrotask(() => scripted(planOf([everyMs(20, line)]), events)));
    expect(lines.map((text) => Number(text.split(' ')[0]))).toEqual(lines.map((_, index) => index + 1));
    // a b c | x y z
    expect(lines.at(-1)!.split(' ').slice(1, 4)).toEqual(['6', '1', '0']);
  });
});

describe('a generated program whose port is lost', () => {
  const events = [{ atMs: 100, event: { kind: 'port-lost', port: 0, reason: 'gone' } as const }];

  test('opens it again after a while', async () => {
    const result = await inMacrotask(() => scripted(planOf([everyMs(20, line)]), events));
    const opened = result.records.filter(
      (record) => record.kind === 'turn' && record.event.kind === 'completed',
    );
    expect(opened).toHaveLength(2);
    expect(linesOf(result).at(-1)!.split(' ')[3]).not.toBe('0');
  });

  test('gives it up, and ends when nothing else keeps it', async () => {
    const ports = [{ ...planOf([]).ports[0]!, reopenAfterMs: null }];
    const result = await inMacrotask(() => scripted(planOf([], { ports }), events));
    expect(result.endedAtMs).toBe(100);
    expect(result.ending?.kind).toBe('done');
  });
});

describe('a generated program that ends', () => {
  test('by itself: its last turn has the exit in its outputs, and nothing is answered any more', async () => {
    const program = programOf('planned', planOf([everyMs(20, line)], { exit: { afterMs: 200, code: 3 } }));
    const run = { program, forMs: 500, random: Math.random, firmwareOf: () => quiet };
    await inMacrotask(() => {
      const result = runSolo(run);
      expect(result).toMatchObject({ endedAtMs: 200, ending: { kind: 'done' } });
      const { divergedAtTurn, turns } = referenceRun(program, result.records);
      expect({ divergedAtTurn, turns }).toEqual({ divergedAtTurn: null, turns: result.turns });
      const goneOn = [...result.records, result.records.at(-1)!];
      expect(referenceRun(program, goneOn).divergedAtTurn).toBe(result.turns);
    });
  });

  test('by a throw: every board fails at the same turn', async () => {
    const program = programOf('planned', planOf([everyMs(20, line)], { throwAfterMs: 200 }));
    const run = { program, forMs: 500, random: Math.random, firmwareOf: () => quiet };
    const [one, other] = await inMacrotask(() => [runSolo(run), runSolo(run)]);
    expect(one!.ending).toMatchObject({ kind: 'failed', name: 'TypeError', turn: one!.turns });
    expect(other!.ending).toEqual(one!.ending);
  });
});

test('a reference run finds the turn at which a record was tampered with', async () => {
  await inMacrotask(() => {
    const program = programOf('planned', planOf([everyMs(20, { kind: 'read', returns: 'number' }, line)]));
    const run = { program, forMs: 500, random: new Random(1).unit, firmwareOf: () => quiet };
    const { records } = runSolo(run);
    const turn = records.findIndex(
      (record, index) => index > 5 && record.kind === 'turn' && record.hasOutputs,
    );
    const tampered = records.map((record, index) => {
      if (index !== turn || record.kind !== 'turn') return record;
      const values = record.values.slice();
      values[values.length - 1]! ^= 1;
      return { ...record, values };
    });
    expect(referenceRun(program, tampered)).toMatchObject({ divergedAtTurn: turn, turns: turn + 1 });
    const wrongDigest = records.map((record, index) =>
      index === turn && record.kind === 'turn' ? { ...record, digest: (record.digest ^ 1) >>> 0 } : record,
    );
    const reference = referenceRun(program, wrongDigest);
    expect(reference).toMatchObject({ divergedAtTurn: turn, ending: { kind: 'output-diverged' } });
  });
});
