import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CheckerFactory, Violation } from '../observation.ts';
import { liveCase } from './case-life.ts';
import { type Crash, type CrashCase, caseFromId, caseIdOf, crashPointNames } from './crash-case.ts';
import { rowOf, tableOf } from './exploration-table.ts';
import { exploreAll } from './exploration-workers.ts';
import { crashesLedBy, type Exploration, explore, type LossWindow } from './explore.ts';

/** From a macrotask, as every life wants. */
function fromMacrotask<T>(run: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(run());
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** A promise that every life breaks. */
const alwaysBroken: CheckerFactory = () => ({
  name: 'always-broken',
  promise: 'none',
  observe() {},
  end() {
    throw new Violation('always-broken', 'this life ended');
  },
});

const crash: Crash = { leader: 'a', victim: 'leader', how: 'power', point: 'ack-sent', occurrence: 2 };
const narrow: LossWindow = { before: 1, after: 1, doubles: false, heartbeats: false };

describe('names of cases', () => {
  it('come back as they were', () => {
    const struck: CrashCase = { ...crash, losses: [3, 17] };
    expect(caseIdOf(struck)).toBe('a.leader.power.ack-sent.2.3.17');
    expect(caseFromId(caseIdOf(struck))).toEqual(struck);
  });

  it.each([
    'a',
    'a.leader.power.stored',
    'c.leader.power.stored.0',
    'a.both.power.stored.0',
    'a.leader.fire.stored.0',
    'a.leader.kill.nowhere.0',
    'a.leader.kill.stored.-1',
    'a.leader.kill.stored.01',
    'a.leader.kill.stored.1.',
  ])('%j is none', (id) => {
    expect(caseFromId(id)).toBeNull();
  });
});

describe('crashes of a short run', () => {
  let crashes: Record<'a' | 'b', Crash[]>;

  beforeAll(async () => {
    crashes = await fromMacrotask(() => ({
      a: crashesLedBy('a', ['power']),
      b: crashesLedBy('b', ['power']),
    }));
  });

  it('there is more than one at every point, whichever board leads', () => {
    for (const leader of ['a', 'b'] as const) {
      for (const point of crashPointNames) {
        for (const victim of ['leader', 'backup']) {
          const found = crashes[leader].filter((each) => each.point === point && each.victim === victim);
          expect(found.length, `${leader} ${point} ${victim}`).toBeGreaterThan(1);
        }
      }
    }
  });

  it.each([
    'a',
    'b',
  ] as const)('led by board %s, keep every promise, with nothing and with one datagram lost', async (leader) => {
    const explorations: Exploration[] = [];
    for (const each of crashes[leader]) {
      explorations.push(await fromMacrotask(() => explore(each, narrow)));
    }
    expect(explorations.flatMap(({ failures }) => failures)).toEqual([]);
    const { noLoss, singleLoss, unstruck } = rowOf(explorations);
    expect(noLoss).toBe(crashes[leader].length);
    expect(singleLoss).toBeGreaterThan(noLoss);
    expect(unstruck).toBeLessThan(noLoss / 10);
  });
});

describe('one case', () => {
  it('strikes the board at that point and no other', async () => {
    const { observed, struckAtDatagram } = await fromMacrotask(() =>
      liveCase({ ...crash, losses: [] }, { record: true }),
    );
    expect(struckAtDatagram).not.toBeNull();
    expect(observed.filter(({ kind }) => kind === 'board-down')).toMatchObject([
      { board: 'a', cause: 'power' },
    ]);
    const attached = observed.flatMap((each) => (each.kind === 'device-attached' ? [each.board] : []));
    expect(attached).toContain('b');
  });

  it('loses the datagrams that it names, and the board sends what was in them again', async () => {
    const losses = await fromMacrotask(() => {
      const { datagrams, struckAtDatagram } = liveCase({ ...crash, losses: [] });
      const last = datagrams.findLastIndex(({ carries }, index) => carries && index < struckAtDatagram!);
      return liveCase({ ...crash, losses: [last] }).datagrams.flatMap((each, index) =>
        each.isLost ? [{ index, last }] : [],
      );
    });
    expect(losses).toHaveLength(1);
    expect(losses[0]!.index).toBe(losses[0]!.last);
  });

  it('is lived the same way twice', async () => {
    const [first, second] = await fromMacrotask(() => [
      liveCase({ ...crash, losses: [4] }, { record: true }),
      liveCase({ ...crash, losses: [4] }, { record: true }),
    ]);
    expect(second).toEqual(first);
  });
});

describe('exploring', () => {
  const window: LossWindow = { before: 1, after: 1, doubles: true, heartbeats: true };

  it('names every life that breaks a promise', async () => {
    const { lives, failures } = await fromMacrotask(() =>
      explore(crash, window, { checkers: [alwaysBroken] }),
    );
    const count = lives.noLoss + lives.singleLoss + lives.heartbeatLoss + lives.doubleLoss;
    expect(failures).toHaveLength(count);
    expect(new Set(failures.map(({ id }) => id)).size).toBe(count);
    expect(failures[0]).toEqual({
      id: caseIdOf({ ...crash, losses: [] }),
      checker: 'always-broken',
      message: 'this life ended',
    });
    expect(lives.noLoss).toBe(1);
    expect(lives.singleLoss).toBe(2);
    expect(lives.doubleLoss).toBeGreaterThan(0);
  });

  it('is summed up by crash point', async () => {
    const exploration = await fromMacrotask(() => explore(crash, window, { checkers: [] }));
    const lines = tableOf([exploration, { ...exploration, crash: { ...crash, point: 'stored' } }]);
    const { noLoss, singleLoss, heartbeatLoss, doubleLoss } = exploration.lives;
    const lives = noLoss + singleLoss + heartbeatLoss + doubleLoss;
    const row = (name: string): string[] =>
      lines
        .find((line) => line.startsWith(`${name} `))!
        .trim()
        .split(/\s+/);
    expect(row('stored')).toEqual(row('ack-sent').with(0, 'stored'));
    expect(row('all').slice(1, 2)).toEqual(['2']);
    expect(row('all').at(6)).toBe(String(2 * lives));
    expect(row('after-send').at(6)).toBe('0');
  });
});

describe('exploring in processes', () => {
  it('explores every crash once, and ends its processes', async () => {
    const kills = [0, 1, 2].map((occurrence): Crash => ({ ...crash, how: 'kill', occurrence }));
    const explored: Exploration[] = [];
    await exploreAll(kills, 2, (exploration) => explored.push(exploration));
    expect(explored.map((each) => each.crash.occurrence).toSorted()).toEqual([0, 1, 2]);
    expect(explored.flatMap(({ failures }) => failures)).toEqual([]);
    for (const { lives } of explored) expect(lives).toMatchObject({ noLoss: 1, doubleLoss: 0 });
  });

  it('fails when a process dies', async () => {
    const none = null as unknown as Crash;
    await expect(exploreAll([none], 1, () => {})).rejects.toThrow('a worker ended');
  });
});

describe('npm run sim:exhaustive', () => {
  const run = promisify(execFile);
  const main = fileURLToPath(new URL('main.ts', import.meta.url));

  it('lives one case and tells its story', async () => {
    const id = caseIdOf({ ...crash, losses: [] });
    const { stdout } = await run(process.execPath, [main, '--case', id]);
    expect(stdout).toContain(id);
    expect(stdout).toContain('board a has no power');
    expect(stdout).toContain('all passed');
  });

  it('refuses what is no case', async () => {
    await expect(run(process.execPath, [main, '--case', 'x'])).rejects.toMatchObject({ code: 2 });
  });
});
