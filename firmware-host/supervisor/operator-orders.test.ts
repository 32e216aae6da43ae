import { describe, expect, test } from 'vitest';
import { ethernet, PairRig, serial } from './pair-rig.fake.ts';
import { assertUninterrupted } from './pair-rig-verdict.fake.ts';

const holdTimeMs = 1000;
const from = '/dev/ttyS1';

function protectedRig(seed: number): {
  rig: PairRig;
  primary: PairRig['boards']['a'];
  backup: PairRig['boards']['a'];
} {
  const rig = new PairRig({ seed, holdTimeMs });
  rig.start();
  const primary = rig.runUntilProtected();
  rig.run(200);
  return { rig, primary, backup: primary.peer };
}

function notesOf(board: PairRig['boards']['a']): unknown[] {
  return (board.disk?.entries ?? []).flatMap((entry) =>
    entry.kind === 'note' && entry.note.kind === 'operator' ? [entry.note] : [],
  );
}

describe('isolate', () => {
  test('a backup leaves the pair, never takes over, and is the backup again after join', () => {
    const { rig, primary, backup } = protectedRig(11);
    backup.input({ kind: 'operator', command: 'isolate', reason: 'new fan', from });
    rig.run(500);
    expect(backup.status.role).toBe('stopped');
    expect(backup.replica).toBeNull();
    expect(primary.status).toMatchObject({ role: 'primary', protected: false, term: 1 });
    expect(backup.has('OPERATOR_ISOLATED')).toBe(true);
    backup.input({ kind: 'operator', command: 'join', reason: 'fan is in', from });
    expect(rig.runUntilProtected().name).toBe(primary.name);
    expect(primary.status.term).toBe(1);
    assertUninterrupted(rig, primary);
    expect(notesOf(backup)).toEqual([]);
  });

  test('an isolated board stays out when the primary dies, starts again, or is cut off', () => {
    const { rig, primary, backup } = protectedRig(12);
    backup.input({ kind: 'operator', command: 'isolate', reason: 'test', from });
    rig.run(100);
    rig.cutLinks([ethernet, serial]);
    rig.run(1000);
    rig.cutLinks([ethernet, serial], false);
    rig.run(500);
    primary.crash();
    rig.run(3000);
    expect(backup.status.role).toBe('stopped');
    primary.start();
    rig.run(2000);
    // To a board that starts, one that is stopped may know more: only the operator can tell that it shall not be asked.
    expect(primary.status.role).toBe('starting');
    primary.input({ kind: 'operator', command: 'lead', reason: 'test', from });
    expect(rig.run(1000, () => primary.status.role === 'primary')).toBe(true);
    rig.run(1000);
    expect(backup.status.role).toBe('stopped');
    backup.input({ kind: 'operator', command: 'join', reason: 'test', from });
    expect(rig.runUntilProtected().name).toBe(primary.name);
  });

  test('a primary is not isolated, a board that takes part is not joined: the rule is told', () => {
    const { rig, primary, backup } = protectedRig(13);
    primary.input({ kind: 'operator', command: 'isolate', reason: 'test', from });
    backup.input({ kind: 'operator', command: 'join', reason: 'test', from });
    rig.run(200);
    expect(rig.protectedPrimary?.name).toBe(primary.name);
    expect(primary.reports.at(-1)?.text).toContain('order a switchover first');
    expect(backup.has('OPERATOR_REFUSED')).toBe(true);
  });
});

describe('safe', () => {
  test.each([
    'primary',
    'backup',
  ] as const)('ordered at the %s ends both boards and nobody takes over', (at) => {
    const { rig, primary, backup } = protectedRig(21);
    const { session } = rig.device.session;
    const board = at === 'primary' ? primary : backup;
    board.input({ kind: 'operator', command: 'safe', reason: 'smoke', from });
    expect(rig.run(1200, () => !primary.up && !backup.up)).toBe(true);
    expect(primary.exit).toBe('OPERATOR_SAFE');
    expect(backup.exit).toBe('PROGRAM_EXITED');
    expect(backup.has('PAIR_CLAIM')).toBe(false);
    expect(primary.status.term).toBe(1);
    rig.run(holdTimeMs + 100);
    expect(rig.device.device.safe).toBe(true);
    expect(rig.device.session.session).not.toBe(session);
    expect(rig.device.device.heldTerm).toBe(1);
  });

  test('a primary without a backup ends at once', () => {
    const { rig, primary, backup } = protectedRig(22);
    backup.crash();
    rig.run(1000);
    primary.input({ kind: 'operator', command: 'safe', reason: 'smoke', from });
    expect(rig.run(100, () => !primary.up)).toBe(true);
    rig.run(holdTimeMs + 100);
    expect(rig.device.device.safe).toBe(true);
  });

  test('a board that neither leads nor follows refuses', () => {
    const { rig, primary, backup } = protectedRig(23);
    backup.input({ kind: 'operator', command: 'isolate', reason: 'test', from });
    rig.run(100);
    backup.input({ kind: 'operator', command: 'safe', reason: 'test', from });
    rig.run(300);
    expect(backup.has('OPERATOR_REFUSED')).toBe(true);
    expect(primary.status.role).toBe('primary');
  });
});

describe('an order from a console', () => {
  test('is reported and noted in the journal, with the line and the reason', () => {
    const { rig, primary, backup } = protectedRig(31);
    primary.input({ kind: 'operator', command: 'switchover', reason: 'pump service', from });
    rig.run(100);
    expect(rig.runUntilProtected().name).toBe(backup.name);
    const note = {
      kind: 'operator',
      board: primary.name,
      from,
      command: 'switchover',
      reason: 'pump service',
    };
    // The old primary's journal was made anew by its join: the note came with the history.
    for (const board of [primary, backup]) expect(notesOf(board)).toMatchObject([note]);
    const order = primary.reports.find((report) => report.code === 'OPERATOR_ORDER');
    expect(order?.details).toEqual({ command: 'switchover', reason: 'pump service', from });
    assertUninterrupted(rig, rig.runUntilProtected());
  });

  test('one that no console gave leaves no note', () => {
    const { rig, primary, backup } = protectedRig(32);
    primary.input({ kind: 'operator', command: 'switchover', reason: 'test' });
    rig.run(100);
    expect(rig.runUntilProtected().name).toBe(backup.name);
    expect(notesOf(backup)).toEqual([]);
  });
});
