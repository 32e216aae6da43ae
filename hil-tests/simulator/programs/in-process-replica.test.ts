import { expect, test } from 'vitest';
import type { FromReplica } from '../../../firmware-host/ipc.ts';
import type { StartEvent } from '../../../protocol/record.ts';
import { ProgramWorld, startInProcess } from './in-process-replica.ts';
import { inMacrotask, soloStartUs } from './solo-run.fake.ts';

const boot = { kind: 'boot', options: { bundleFile: '', programFile: '', filesRoot: '' } } as const;
const start: StartEvent = {
  kind: 'start',
  seed: '000102030405060708090a0b0c0d0e0f',
  argv: [],
  env: {},
  hostname: 'pair',
  ports: [],
  stdinIsTerminal: false,
};
const values: Uint8Array = new Uint8Array(0);

/** Answers to the turn of the start event and to the one after it. */
function answersOf(begin: (world: ProgramWorld) => void, given = values): Promise<(FromReplica | null)[]> {
  return inMacrotask(() => {
    const world = new ProgramWorld(() => 0.5);
    const replica = startInProcess(world, () => begin(world));
    replica.answer(boot);
    const mode = given.length > 0 ? 'replay' : 'perform';
    const turn = { kind: 'turn', mode, turn: 0, timeUs: soloStartUs, event: start, values: given } as const;
    const next = { ...turn, turn: 1, timeUs: soloStartUs + 1000, event: { kind: 'time' } as const };
    return [replica.answer(turn), replica.answer({ ...next, mode: 'perform', values })];
  });
}

test('a turn ends after next ticks, promises, completions and immediates, in the order that Node has', async () => {
  const order: string[] = [];
  await answersOf(({ runner, timers }) => {
    timers.setImmediate(() => order.push('immediate'));
    runner.completeSoon(() => order.push('completion'));
    Promise.resolve().then(() => order.push('promise'));
    process.nextTick(() => order.push('tick'));
    timers.setTimeout(() => order.push('timeout'), 1);
    order.push('program');
  });
  expect(order).toEqual(['program', 'tick', 'promise', 'completion', 'immediate', 'timeout']);
});

test.each<[string, (world: ProgramWorld, fail: () => never) => void]>([
  ['in the program itself', (_, fail) => fail()],
  ['in a promise', (world, fail) => void Promise.resolve().then(world.guarded(fail))],
  ['in a next tick', (world, fail) => process.nextTick(world.guarded(fail))],
  ['in an immediate', (world, fail) => void world.timers.setImmediate(fail)],
  ['in a completion', (world, fail) => world.runner.completeSoon(fail)],
])('an error that nothing caught ends the replica: %s', async (_, begin) => {
  const fail = (): never => {
    throw new RangeError('out of reach');
  };
  const [failed, after] = await answersOf((world) => begin(world, fail));
  expect(failed).toEqual({
    kind: 'failed',
    turn: 0,
    name: 'RangeError',
    message: 'out of reach',
    stack: 'RangeError: out of reach',
  });
  expect(after).toBeNull();
});

test('a call that the record does not have ends the replica, even where the program catches everything', async () => {
  const [recorded] = await answersOf((world) => {
    world.read('os.loadavg()', (random) => random());
    world.timers.setInterval(() => {}, 5);
  });
  if (recorded?.kind !== 'done') throw new Error('a program that reads goes on');
  const [diverged] = await answersOf((world) => {
    try {
      world.read('os.uptime()', (random) => random());
    } catch {
      world.runner.output({ kind: 'console', stream: 'stdout', bytes: values });
    }
  }, recorded.values);
  expect(diverged).toMatchObject({ kind: 'diverged', expected: 'os.loadavg()', actual: 'os.uptime()' });
});

test('another digest than the record has is answered as the runner itself answers it, but for the stacks', async () => {
  const begin = (world: ProgramWorld) => {
    world.timers.setInterval(() => {}, 5);
    world.runner.output({ kind: 'console', stream: 'stdout', bytes: Buffer.from('here') });
  };
  const turn = { kind: 'turn', mode: 'replay', turn: 0, timeUs: soloStartUs, event: start, values } as const;
  await inMacrotask(() => {
    const answerTo = (expectedDigest: number | null) => {
      const world = new ProgramWorld(() => 0);
      const replica = startInProcess(world, () => begin(world));
      const answer = replica.answer({ ...turn, expectedDigest });
      return { answer, after: replica.answer({ ...turn, turn: 1, event: { kind: 'time' } }) };
    };
    const runnersOwn = (expectedDigest: number | null) => {
      const world = new ProgramWorld(() => 0);
      world.runner.on('start', () => begin(world));
      expect(() => world.runner.run({ ...turn, expectedDigest })).toThrow();
      return world.last;
    };
    for (const wrong of [null, 12345]) {
      const { answer, after } = answerTo(wrong);
      expect(answer).toEqual({ ...runnersOwn(wrong), stacks: [] });
      expect(after).toBeNull();
    }
    const world = new ProgramWorld(() => 0);
    const unchecked = startInProcess(world, () => begin(world)).answer(turn);
    if (unchecked?.kind !== 'done') throw new Error('nothing was compared');
    expect(answerTo(unchecked.digest).answer).toEqual(unchecked);
  });
});

test('a replica that is driven from a microtask says so instead of running wrong turns', async () => {
  await Promise.resolve();
  const replica = startInProcess(new ProgramWorld(() => 0), () => {});
  expect(() => replica.answer(boot)).toThrow(/macrotask/);
});

test('a replica that was killed answers nothing', async () => {
  const answer = await inMacrotask(() => {
    const replica = startInProcess(new ProgramWorld(() => 0), () => {});
    replica.end();
    return replica.answer(boot);
  });
  expect(answer).toBeNull();
});
