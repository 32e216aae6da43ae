import { describe, expect, test } from 'vitest';
import { PairRig, type RigBoard } from './pair-rig.fake.ts';
import { VirtualTime } from './pair-rig-time.fake.ts';
import { assertUninterrupted, runsIn } from './pair-rig-verdict.fake.ts';

/** Long enough that no session of the device ends by itself. */
const holdTimeMs = 20_000;

interface Fault {
  name: string;
  seeds: number;
  strike(rig: PairRig, random: () => number): void;
  /** When: with both boards protected, at any moment of the start, or without waiting between strikes. */
  when?: 'protected' | 'starting';
}

function restartLater(rig: PairRig, board: RigBoard, afterMs: number): void {
  rig.time.after(afterMs, () => {
    if (!board.up) board.start();
  });
}

const faults: Fault[] = [
  {
    name: 'the primary dies and comes back',
    seeds: 12,
    strike(rig, random) {
      const board = rig.primary ?? rig.boards.a;
      board.crash();
      restartLater(rig, board, 50 + random() * 1000);
    },
  },
  {
    name: 'the primary dies at any moment of the start',
    seeds: 20,
    when: 'starting',
    strike(rig, random) {
      const board = rig.primary ?? rig.boards.a;
      board.crash();
      restartLater(rig, board, 50 + random() * 1000);
    },
  },
  {
    name: 'the backup dies and comes back',
    seeds: 5,
    strike(rig, random) {
      const board = (rig.primary ?? rig.boards.a).peer;
      board.crash();
      restartLater(rig, board, 50 + random() * 1000);
    },
  },
  {
    name: 'both boards die and start from their journals',
    seeds: 10,
    strike(rig, random) {
      for (const board of [rig.boards.a, rig.boards.b]) {
        rig.time.after(random() < 0.5 ? 0 : random() * 300, () => {
          board.crash();
          restartLater(rig, board, 50 + random() * 800);
        });
      }
    },
  },
  {
    name: 'the primary freezes and wakes late',
    seeds: 10,
    strike(rig, random) {
      const board = rig.primary ?? rig.boards.a;
      board.freeze();
      rig.time.after(20 + random() * random() * 2000, () => board.thaw());
    },
  },
  {
    name: 'the backup freezes and wakes late',
    seeds: 5,
    strike(rig, random) {
      const board = (rig.primary ?? rig.boards.a).peer;
      board.freeze();
      rig.time.after(20 + random() * random() * 2000, () => board.thaw());
    },
  },
  {
    name: 'both links are cut with both boards alive',
    seeds: 7,
    strike(rig, random) {
      rig.cutLinks([0, 1]);
      rig.time.after(20 + random() * 2000, () => rig.cutLinks([0, 1], false));
    },
  },
  {
    name: 'a silence of 60 to 310 ms',
    seeds: 12,
    strike(rig, random) {
      rig.cutLinks([0, 1]);
      rig.time.after(60 + random() * 250, () => rig.cutLinks([0, 1], false));
    },
  },
  {
    name: 'a silence while joining',
    seeds: 12,
    when: 'starting',
    strike(rig, random) {
      rig.cutLinks([0, 1]);
      rig.time.after(60 + random() * 250, () => rig.cutLinks([0, 1], false));
    },
  },
  {
    name: 'one direction is silent',
    seeds: 7,
    strike(rig, random) {
      const from = random() < 0.5 ? 'a' : 'b';
      for (const link of rig.links) link.cutFrom[from] = true;
      rig.time.after(60 + random() * 400, () => rig.cutLinks([0, 1], false));
    },
  },
  {
    name: 'a switchover under way, asked on either board',
    seeds: 7,
    strike(rig, random) {
      const board = random() < 0.5 ? rig.primary : rig.primary?.peer;
      board?.input({ kind: 'operator', command: 'switchover', reason: 'test' });
    },
  },
  {
    name: 'the line to the device is cut for the primary',
    seeds: 5,
    strike(rig, random) {
      const board = rig.primary ?? rig.boards.a;
      rig.device.cut[board.port] = true;
      rig.time.after(100 + random() * 1500, () => {
        rig.device.cut[board.port] = false;
      });
    },
  },
];

function rigFor(seed: number, random: () => number): PairRig {
  return new PairRig({
    seed,
    holdTimeMs,
    script: {
      tickMs: 1 + Math.floor(random() * 6),
      writeEvery: 1 + Math.floor(random() * 4),
      paddingBytes: random() < 0.3 ? 40 : 0,
    },
  });
}

function rest(rig: PairRig): void {
  rig.run(1700);
  rig.runUntilProtected(8000);
  rig.run(500);
}

describe('the device sees one program that never failed when', () => {
  test.each(faults)('$name', { timeout: 120_000 }, ({ seeds, strike, when }) => {
    for (let seed = 1; seed <= seeds; seed++) {
      const random = new VirtualTime(seed ^ 0x5555).random;
      const rig = rigFor(seed, random);
      rig.start();
      if (when === 'starting') rig.run(random() * 60);
      else {
        rig.runUntilProtected();
        rig.run(random() * 300);
      }
      strike(rig, random);
      rest(rig);
      assertUninterrupted(rig, rig.runUntilProtected(), {}, `seed ${seed}`);
    }
  });

  test('several faults fall together', { timeout: 120_000 }, () => {
    for (let seed = 1000; seed < 1030; seed++) {
      const random = new VirtualTime(seed ^ 0x5555).random;
      const rig = rigFor(seed, random);
      rig.start();
      if (random() < 0.5) rig.run(random() * 60);
      else rig.runUntilProtected();
      for (let count = 0; count < 4; count++) {
        faults[Math.floor(random() * faults.length)]!.strike(rig, random);
        rig.run(random() * 600);
      }
      rest(rig);
      assertUninterrupted(rig, rig.runUntilProtected(), {}, `seed ${seed}`);
    }
  });

  test('a wish to join that comes late, after the board has given up and wished again', () => {
    const rig = new PairRig({ seed: 7009, holdTimeMs });
    rig.start();
    expect(rig.run(100, () => rig.boards.a.status.role === 'primary')).toBe(true);
    // The wish does not get through, the reason for it does.
    for (const link of rig.links) link.cutFrom.b = true;
    expect(rig.run(100, () => rig.boards.b.status.role === 'joining')).toBe(true);
    rig.cutLinks([0, 1]);
    expect(rig.run(1000, () => rig.boards.b.has('PAIR_NOT_ELIGIBLE'))).toBe(true);
    rig.run(50);
    rig.cutLinks([0, 1], false);
    rest(rig);
    assertUninterrupted(rig, rig.runUntilProtected());
  });

  test('one link is cut: no takeover, protected all the time', () => {
    for (const link of [0, 1]) {
      const rig = rigFor(link + 1, new VirtualTime(7).random);
      rig.start();
      const primary = rig.runUntilProtected();
      rig.run(200);
      rig.cutLinks([link]);
      for (let step = 0; step < 50; step++) {
        rig.run(20);
        expect(rig.protectedPrimary).toBe(primary);
      }
      rig.cutLinks([link], false);
      rig.run(500);
      expect(primary.status.term).toBe(1);
      assertUninterrupted(rig, rig.runUntilProtected());
    }
  });

  test('datagrams are lost, one in five', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const rig = rigFor(seed, new VirtualTime(seed).random);
      for (const link of rig.links) link.loss = 0.2;
      rig.start();
      rig.run(2000);
      for (const link of rig.links) link.loss = 0;
      rest(rig);
      assertUninterrupted(rig, rig.runUntilProtected());
    }
  });

  test('the device is slow: the program is held back, nothing is lost', () => {
    const rig = new PairRig({ seed: 3, holdTimeMs, script: { tickMs: 1, writeEvery: 1, paddingBytes: 400 } });
    rig.device.consumeMsPerByte = 0.05;
    rig.start();
    const primary = rig.runUntilProtected();
    rig.run(8000);
    const device = primary.status.devices[0]!;
    expect(device.produced - device.confirmed).toBeLessThanOrEqual(64 * 1024);
    // More than the credit of a port as it is opened: some was given back.
    expect(device.confirmed).toBeGreaterThan(80 * 1024);
    primary.crash();
    rig.run(4000);
    expect(rig.primary).toBe(primary.peer);
    assertUninterrupted(rig, primary.peer);
  });
});

describe('a stale journal never leads', () => {
  function soloAfterLoss(): { rig: PairRig; stale: RigBoard } {
    const rig = new PairRig({ seed: 5, holdTimeMs });
    rig.start();
    const primary = rig.runUntilProtected();
    rig.run(300);
    const stale = primary.peer;
    stale.crash();
    rig.run(700);
    primary.crash();
    return { rig, stale };
  }

  test('the board that was away waits for the other one, and then joins it', () => {
    const { rig, stale } = soloAfterLoss();
    stale.start();
    rig.run(3000);
    expect(stale.status.role).not.toBe('primary');
    expect(stale.has('PAIR_STALE_JOURNAL')).toBe(true);
    stale.peer.start();
    expect(rig.runUntilProtected()).toBe(stale.peer);
    assertUninterrupted(rig, stale.peer);
  });

  test('a board that had only begun to join does not count its primary’s term as its own', () => {
    const { rig, stale } = soloAfterLoss();
    stale.peer.start();
    rig.run(1500);
    expect(stale.peer.status.role).toBe('primary');
    // The first records are there, "protected" is not.
    stale.turnMs = 20;
    stale.start();
    expect(rig.run(3000, () => stale.status.role === 'joining' && stale.status.turns > 100)).toBe(true);
    stale.crash();
    rig.run(500);
    stale.peer.crash();
    stale.turnMs = 0.05;
    stale.start();
    rig.run(3000);
    expect(stale.status.role).not.toBe('primary');
    expect(stale.has('PAIR_STALE_JOURNAL')).toBe(true);
  });

  test('the operator may order it to lead: the program begins again, and the device keeps no old promise', () => {
    const { rig, stale } = soloAfterLoss();
    stale.start();
    rig.run(2000);
    stale.input({ kind: 'operator', command: 'lead', reason: 'test' });
    expect(rig.run(2000, () => stale.status.role === 'primary')).toBe(true);
    rig.run(500);
    expect(runsIn(rig.device.session.accepted).length).toBe(2);
  });
});
