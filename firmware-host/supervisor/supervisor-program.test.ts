import { describe, expect, test } from 'vitest';
import { PairRig, type RigOptions } from './pair-rig.fake.ts';
import { assertUninterrupted, runsIn } from './pair-rig-verdict.fake.ts';

const holdTimeMs = 20_000;

function protectedRig(options: RigOptions): { rig: PairRig; primary: PairRig['boards']['a'] } {
  const rig = new PairRig({ holdTimeMs, ...options });
  rig.start();
  const primary = rig.runUntilProtected();
  rig.run(200);
  return { rig, primary };
}

describe('a replica that fails', () => {
  test.each([
    'throws',
    'hangs',
  ] as const)('%s on the primary: the backup goes on, the board joins again', (fault) => {
    for (let seed = 1; seed <= 8; seed++) {
      const { rig, primary } = protectedRig({ seed });
      primary.fault = fault;
      expect(rig.run(2000, () => rig.primary === primary.peer)).toBe(true);
      rig.run(700);
      primary.fault = null;
      rig.run(1500);
      expect(rig.runUntilProtected()).toBe(primary.peer);
      assertUninterrupted(rig, primary.peer, { never: ['RECORDS_LOST', 'PROGRAM_FAULT', 'DIVERGED'] });
    }
  });

  test('on the backup: the primary goes on solo, the copy is not tried without end', () => {
    const { rig, primary } = protectedRig({ seed: 3 });
    primary.peer.fault = 'throws';
    rig.run(3000);
    expect(primary.status.role).toBe('primary');
    const tries = primary.peer.reports.filter((report) => report.code === 'PROGRAM_THREW').length;
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(20);
    primary.peer.fault = null;
    expect(rig.runUntilProtected()).toBe(primary);
    rig.run(300);
    assertUninterrupted(rig, primary, { never: ['RECORDS_LOST', 'PROGRAM_FAULT'] });
  });

  test('on both boards: the program begins again, the device is driven by one run after the other', () => {
    const { rig } = protectedRig({ seed: 4, script: { throwAtTick: 100 } });
    rig.run(4000);
    const faults = [rig.boards.a, rig.boards.b].flatMap((board) =>
      board.reports.filter((report) => report.code === 'PROGRAM_FAULT'),
    );
    expect(faults.length).toBeGreaterThan(1);
    const runs = rig.device.sessions.flatMap((session) => runsIn(session.accepted));
    expect(runs.length).toBeGreaterThanOrEqual(faults.length);
    for (const run of runs) expect(run).toMatch(/^1 /);
    // What each run wrote before it failed has reached the device: 33 lines of ticks and more for inputs.
    for (const run of runs.slice(0, faults.length)) expect(run.split('\n').length).toBeGreaterThan(33);
  });

  test('restarts that do not help end both boards', () => {
    const { rig } = protectedRig({ seed: 5, script: { throwAtTick: 100 }, supervisor: { restartsMax: 2 } });
    rig.run(9000);
    expect([rig.boards.a.exit, rig.boards.b.exit]).toEqual(['PROGRAM_FAILED', 'PROGRAM_FAILED']);
  });

  test('a copy with other outputs never takes over, and says what differed', () => {
    const { rig, primary } = protectedRig({ seed: 6 });
    primary.peer.fault = 'diverges';
    expect(rig.run(1000, () => primary.peer.has('DIVERGED'))).toBe(true);
    expect(rig.run(100, () => primary.has('BACKUP_DIVERGED'))).toBe(true);
    primary.crash();
    rig.run(1500);
    expect(primary.peer.status.role).not.toBe('primary');
  });

  test('the primary dies before it could say what differed: no takeover either', () => {
    const { rig, primary } = protectedRig({ seed: 7 });
    primary.peer.fault = 'diverges';
    expect(rig.run(1000, () => primary.peer.status.role === 'joining')).toBe(true);
    primary.crash();
    rig.run(2000);
    expect(primary.peer.has('PAIR_NOT_ELIGIBLE')).toBe(true);
    expect(primary.peer.status.role).not.toBe('primary');
  });
});

describe('the program ends', () => {
  test('its last outputs reach the device before the boards end', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { rig, primary } = protectedRig({
        seed,
        script: { exitAtTick: 200, paddingBytes: 60, writeEvery: 1 },
      });
      rig.device.consumeMsPerByte = 0.02;
      expect(rig.run(5000, () => !rig.boards.a.up && !rig.boards.b.up)).toBe(true);
      expect([rig.boards.a.exit, rig.boards.b.exit]).toEqual(['PROGRAM_EXITED', 'PROGRAM_EXITED']);
      expect(rig.device.session.accepted).toBe(rig.writtenBy(primary));
    }
  });

  test('by policy it begins again, on the same session of the device', () => {
    const { rig } = protectedRig({
      seed: 9,
      script: { exitAtTick: 150 },
      supervisor: { programExit: 'restart' },
    });
    expect(rig.run(5000, () => runsIn(rig.device.session.accepted).length === 3)).toBe(true);
    for (const run of runsIn(rig.device.session.accepted)) expect(run).toMatch(/^1 /);
    expect(rig.device.sessions).toHaveLength(1);
  });
});

test('a copy that is slower than the program holds it back: the lag stays within its bound', () => {
  const { rig, primary } = protectedRig({ seed: 10, script: { tickMs: 1, writeEvery: 2 } });
  rig.device.input.everyMs = 0;
  primary.peer.turnMs = 3;
  let lagMsWorst = 0;
  for (let step = 0; step < 40; step++) {
    rig.run(100);
    const behindUs = primary.status.virtualTimeUs - primary.peer.status.virtualTimeUs;
    expect(behindUs).toBeLessThan(500_000);
    lagMsWorst = Math.max(lagMsWorst, (primary.status.turns - primary.peer.status.executedTurns) * 3);
  }
  // lagMsMax, and what is on its way when it is reached.
  expect(lagMsWorst).toBeGreaterThan(100);
  expect(lagMsWorst).toBeLessThan(750);
  primary.crash();
  rig.run(2500);
  expect(rig.primary).toBe(primary.peer);
  assertUninterrupted(rig, primary.peer);
});

describe('a board leaves', () => {
  test('the primary hands over first, and nothing is lost', () => {
    const { rig, primary } = protectedRig({ seed: 11 });
    primary.input({ kind: 'leave' });
    expect(rig.run(2000, () => !primary.up)).toBe(true);
    expect(primary.exit).toBe('LEFT');
    rig.run(1000);
    expect(rig.primary).toBe(primary.peer);
    assertUninterrupted(rig, primary.peer);
  });

  test('the backup dies over the handover: the primary ends all the same', () => {
    const { rig, primary } = protectedRig({ seed: 5 });
    rig.cutLinks([0, 1]);
    primary.input({ kind: 'leave' });
    rig.run(1000);
    expect(primary.exit).toBe('LEFT');
    rig.cutLinks([0, 1], false);
    rig.run(3000);
    expect(rig.primary).toBe(primary.peer);
  });

  test('the backup leaves: the primary goes on solo without a gap in its outputs', () => {
    const { rig, primary } = protectedRig({ seed: 12 });
    primary.peer.input({ kind: 'leave' });
    rig.run(1000);
    expect(primary.peer.exit).toBe('LEFT');
    expect(primary.status).toMatchObject({ role: 'primary', protected: false });
    assertUninterrupted(rig, primary);
  });
});

describe('the device', () => {
  test('restarts: the program is told, and begins anew on it with nothing of the old session', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const { rig, primary } = protectedRig({ seed });
      rig.device.restart();
      const written = rig.device.session;
      expect(rig.run(3000, () => written.accepted.length > 500)).toBe(true);
      expect(primary.has('DEVICE_SESSION_LOST')).toBe(true);
      rig.run(1000);
      const leader = rig.runUntilProtected();
      expect(rig.writtenBy(leader)).toContain(written.accepted);
      // The copy counts in the new session too: it takes over there without a loss.
      leader.crash();
      rig.run(1500);
      expect(rig.primary).toBe(leader.peer);
      expect(leader.peer.has('RECORDS_LOST')).toBe(false);
      expect(rig.writtenBy(leader.peer)).toContain(rig.device.session.accepted);
    }
  });

  test('restarts while the program is being told that its port is open: it is told of that loss too', () => {
    for (let afterMs = 70; afterMs < 90; afterMs += 0.5) {
      const { rig, primary } = protectedRig({ seed: 14 });
      primary.turnMs = 10;
      rig.device.restart();
      rig.run(afterMs);
      rig.device.restart();
      rig.run(300);
      const { accepted } = rig.device.session;
      expect(accepted.length).toBeGreaterThan(100);
      expect(rig.writtenBy(primary, { sinceLoss: true }).slice(0, accepted.length)).toBe(accepted);
    }
  });

  test('restarts under a program that does not open its port again: begun afresh by policy', () => {
    const { rig } = protectedRig({ seed: 2, script: { onPortLost: 'nothing' } });
    rig.device.restart();
    const { session } = rig.device;
    expect(rig.run(3000, () => session.accepted.length > 500)).toBe(true);
    expect(session.accepted).toMatch(/^1 /);
  });

  test('the program is begun afresh on it while a claim is under way: the claim comes first', () => {
    // The other board's silence of 100 ms ends just before the 200 ms for the program do, in every phase of the heartbeats.
    for (let phaseMs = 0; phaseMs < 6; phaseMs += 0.25) {
      const { rig, primary } = protectedRig({ seed: 10, script: { onPortLost: 'nothing' } });
      rig.run(phaseMs);
      rig.device.restart();
      expect(rig.run(50, () => primary.has('DEVICE_SESSION_LOST'))).toBe(true);
      rig.run(100);
      primary.peer.freeze();
      rig.run(3000);
      primary.peer.thaw();
      expect(primary.has('PAIR_STEPPED_DOWN')).toBe(false);
      expect(rig.runUntilProtected()).toBe(primary);
    }
  });

  test('the program is begun afresh on it before a switchover was told: there is nothing left to hand over', () => {
    const { rig, primary } = protectedRig({ seed: 11, script: { onPortLost: 'nothing' } });
    rig.device.restart();
    expect(rig.run(100, () => primary.has('DEVICE_SESSION_LOST'))).toBe(true);
    rig.run(190);
    primary.turnMs = 40;
    rig.run(8);
    primary.input({ kind: 'operator', command: 'switchover', reason: 'test' });
    expect(rig.run(100, () => primary.has('PROGRAM_STARTED'))).toBe(true);
    primary.turnMs = 0.05;
    expect(rig.runUntilProtected()).toBe(primary);
    rig.run(500);
    expect(primary.status.turns).toBeGreaterThan(20);
  });

  test('restarts while the backup claims it: never a silent resume', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const { rig, primary } = protectedRig({ seed });
      primary.crash({ power: true });
      rig.run(rig.random() * 110);
      rig.device.restart();
      rig.run(3000);
      expect(rig.primary).toBe(primary.peer);
      const { session } = rig.device;
      const told = rig.primary!.has('DEVICE_SESSION_LOST') || rig.primary!.has('DEVICE_RESTART');
      expect(told).toBe(true);
      expect(rig.writtenBy(primary.peer)).toContain(session.accepted);
    }
  });

  test('holds its outputs safe when nobody is left, and is driven again by who comes back', () => {
    const { rig } = protectedRig({ seed: 13, holdTimeMs: 300 });
    rig.boards.a.crash();
    rig.boards.b.crash();
    rig.run(1000);
    expect(rig.device.device.safe).toBe(true);
    rig.boards.a.start();
    rig.boards.b.start();
    rig.runUntilProtected(6000);
    rig.run(500);
    expect(rig.device.device.safe).toBe(false);
    expect(rig.device.session.accepted).toMatch(/^1 /);
  });
});

test('under fsync always a power loss of both boards loses nothing that the device has seen', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const { rig } = protectedRig({ seed, supervisor: { fsync: 'always' } });
    rig.boards.a.crash({ power: true });
    rig.boards.b.crash({ power: true });
    rig.run(100);
    rig.boards.a.start();
    rig.boards.b.start();
    const leader = rig.runUntilProtected(6000);
    rig.run(500);
    assertUninterrupted(rig, leader);
  }
});
