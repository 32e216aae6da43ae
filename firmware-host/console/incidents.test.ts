import { describe, expect, test } from 'vitest';
import { ethernet, PairRig, type RigBoard, serial } from '../supervisor/pair-rig.fake.ts';
import type { Incident } from './console-schema.ts';
import { IncidentLog, incidentsMax } from './incidents.ts';

/** As pair-rig.fake.ts sets them. */
const timing = { detectionTimeoutMs: 100, suspectTimeoutMs: 15 };

interface Pair {
  rig: PairRig;
  primary: RigBoard;
  backup: RigBoard;
}

function protectedPair(seed: number, holdTimeMs = 20_000): Pair {
  const rig = new PairRig({ seed, holdTimeMs });
  rig.start();
  const primary = rig.runUntilProtected();
  rig.run(200);
  return { rig, primary, backup: primary.peer };
}

function incidentsOf(board: RigBoard): readonly Incident[] {
  const log = new IncidentLog({ board: board.name, ...timing });
  board.reports.forEach((report, index) => {
    const { level, code, text, details } = report;
    const told = details === undefined ? { level, code, text } : { level, code, text, details };
    log.observe({ index: index + 1, monotonicMs: report.at, wallTimeMs: 0, report: told });
  });
  return log.list;
}

function newest(board: RigBoard): Incident {
  return incidentsOf(board)[0]!;
}

const told = (incident: Incident): string => incident.sentences.join('\n');

/** As on a board: each datagram to a process that is gone is refused, so heartbeats still on a line refute only the first notice. */
function kill(rig: PairRig, board: RigBoard): void {
  board.crash();
  rig.run(20);
  board.peer.input({ kind: 'link-refused', link: ethernet });
  rig.run(500);
}

describe('explain', () => {
  test('the primary’s supervisor is killed: the kernel tells, the backup takes over', () => {
    const { rig, primary, backup } = protectedPair(1);
    kill(rig, primary);
    const incident = newest(backup);
    expect(incident).toMatchObject({
      outcome: 'takeover',
      cause: 'PEER_PROCESS_GONE',
      rule: 'KERNEL_NOTICE_SHORTENS_THE_TIMEOUT',
      term: 2,
      evidence: { device: { name: 'machine', verdict: 'granted', term: 2 } },
    });
    const { kernelNoticeMsBefore, linkSilentForMs } = incident.evidence;
    expect(kernelNoticeMsBefore).not.toBeNull();
    // The last heartbeat may have come up to one interval before the kernel's notice.
    expect(Math.min(...Object.values(linkSilentForMs))).toBeLessThan(timing.detectionTimeoutMs);
    expect(Object.keys(linkSilentForMs)).toEqual(['ethernet', 'serial']);
    expect(told(incident)).toContain('is primary of term 2');
    expect(incident.decidedAtMs! - incident.beganAtMs).toBeLessThan(100);
  });

  test('the primary loses its power: silence alone', () => {
    const { rig, primary, backup } = protectedPair(2);
    primary.crash({ power: true });
    rig.run(500);
    const incident = newest(backup);
    expect(incident).toMatchObject({
      outcome: 'takeover',
      cause: 'PEER_SILENT',
      rule: 'RED_NEEDS_SILENCE_ON_EVERY_LINK',
      evidence: { kernelNoticeMsBefore: null },
    });
    for (const ms of Object.values(incident.evidence.linkSilentForMs)) {
      expect(ms).toBeGreaterThanOrEqual(timing.detectionTimeoutMs);
    }
  });

  test('the backup is killed: the primary goes on alone, with a new term', () => {
    const { rig, primary, backup } = protectedPair(3);
    kill(rig, backup);
    expect(newest(primary)).toMatchObject({
      outcome: 'solo',
      cause: 'PEER_PROCESS_GONE',
      rule: 'SOLO_NEEDS_A_TERM',
      term: 2,
    });
  });

  test('the primary’s replica is killed: it hands over', () => {
    const { rig, primary, backup } = protectedPair(4);
    primary.replica = null;
    primary.input({ kind: 'replica-exited', reason: 'killed (SIGKILL)' });
    rig.run(100);
    const taken = incidentsOf(backup).find((each) => each.outcome === 'takeover')!;
    expect(taken).toMatchObject({ cause: 'REPLICA_ENDED', rule: 'FAILED_REPLICA_HANDS_OVER', term: 2 });
    expect(told(taken)).toContain('killed (SIGKILL)');
    const given = incidentsOf(primary).find((each) => each.cause === 'REPLICA_ENDED')!;
    expect(given).toMatchObject({ outcome: 'stepped-down', rule: 'FAILED_REPLICA_HANDS_OVER' });
  });

  test('the backup’s replica is killed: no takeover', () => {
    const { rig, backup } = protectedPair(5);
    backup.replica = null;
    backup.input({ kind: 'replica-exited', reason: 'killed (SIGKILL)' });
    rig.run(100);
    expect(newest(backup)).toMatchObject({ outcome: 'no-takeover', cause: 'REPLICA_ENDED' });
  });

  test('the primary freezes: the backup takes over; waking up, it learns of the greater term', () => {
    const { rig, primary, backup } = protectedPair(6);
    primary.freeze();
    rig.run(800);
    expect(newest(backup)).toMatchObject({
      outcome: 'takeover',
      cause: 'PEER_SILENT',
      rule: 'RED_NEEDS_SILENCE_ON_EVERY_LINK',
      evidence: { kernelNoticeMsBefore: null },
    });
    primary.thaw();
    rig.run(1000);
    const woken = incidentsOf(primary).find((each) => each.outcome === 'stepped-down')!;
    expect(woken.rule).toBe('GREATER_TERM_WINS');
    expect(['TERM_LOST', 'PEER_SILENT']).toContain(woken.cause);
  });

  test('both links are cut: the device decides, the loser says so', () => {
    const { rig, primary, backup } = protectedPair(7);
    rig.cutLinks([ethernet, serial]);
    rig.run(600);
    const winner = rig.device.device.heldTerm === 2 && primary.status.role === 'primary' ? primary : backup;
    const won = newest(winner);
    expect(won).toMatchObject({
      outcome: winner === primary ? 'solo' : 'takeover',
      cause: 'PEER_SILENT',
      term: 2,
      evidence: { device: { verdict: 'granted', term: 2 }, kernelNoticeMsBefore: null },
    });
    const lost = incidentsOf(winner.peer).find((each) => each.outcome === 'stepped-down')!;
    expect(lost).toMatchObject({
      cause: 'PEER_SILENT',
      rule: 'GREATER_TERM_WINS',
      evidence: { device: { verdict: 'stale', term: 2 } },
    });
  });

  test.each([
    ['ethernet', ethernet],
    ['serial', serial],
  ] as const)('the %s link alone is cut: no takeover', (name, link) => {
    const { rig, primary, backup } = protectedPair(8 + link);
    rig.cutLinks([link]);
    rig.run(1000);
    for (const board of [primary, backup]) {
      const incident = newest(board);
      expect(incident).toMatchObject({
        outcome: 'no-takeover',
        cause: 'LINK_SILENT',
        rule: 'ONE_LINK_NEVER_DECIDES',
        term: null,
      });
      expect(incident.evidence.linkSilentForMs[name]).toBeGreaterThan(400);
      const other = name === 'ethernet' ? 'serial' : 'ethernet';
      expect(incident.evidence.linkSilentForMs[other]).toBeLessThan(timing.detectionTimeoutMs);
    }
    expect(rig.protectedPrimary?.name).toBe(primary.name);
  });

  test.each(['primary', 'backup'] as const)('a switchover ordered at the %s', (at) => {
    const { rig, primary, backup } = protectedPair(10);
    const board = at === 'primary' ? primary : backup;
    board.input({ kind: 'operator', command: 'switchover', reason: 'pump service', from: 'socket' });
    rig.run(100);
    const taken = incidentsOf(backup).find((each) => each.outcome === 'switchover')!;
    expect(taken).toMatchObject({ cause: 'OPERATOR', rule: 'HANDOVER_BY_OPERATOR', term: 2 });
    expect(told(taken)).toContain(at === 'primary' ? 'pump service' : 'asked at the other board');
    expect(incidentsOf(primary).find((each) => each.outcome === 'stepped-down')).toMatchObject({
      cause: 'OPERATOR',
      rule: 'HANDOVER_BY_OPERATOR',
    });
  });

  test('the device restarts: nobody takes over, the session is not resumed', () => {
    const { rig, primary, backup } = protectedPair(11);
    rig.device.restart();
    rig.run(2000);
    const incident = incidentsOf(primary).find((each) => each.cause === 'DEVICE_RESTARTED')!;
    expect(incident).toMatchObject({
      outcome: 'no-takeover',
      rule: 'LOST_SESSION_IS_NEVER_RESUMED',
      evidence: { device: { name: 'machine', verdict: 'session-lost' } },
    });
    const outcomes = [primary, backup].flatMap((board) => incidentsOf(board).map((each) => each.outcome));
    expect(outcomes).not.toContain('takeover');
  });

  test('the line to the device is cut for the primary: the backup leads', () => {
    const { rig, primary, backup } = protectedPair(12);
    rig.device.cut[primary.port] = true;
    rig.run(1200);
    const taken = incidentsOf(backup).find((each) => each.outcome === 'takeover')!;
    expect(taken).toMatchObject({ cause: 'DEVICE_UNREACHABLE', rule: 'UNREACHABLE_DEVICE_HANDS_OVER' });
    expect(incidentsOf(primary).find((each) => each.outcome === 'stepped-down')).toMatchObject({
      cause: 'DEVICE_UNREACHABLE',
      rule: 'UNREACHABLE_DEVICE_HANDS_OVER',
    });
  });

  test('the backup diverges: it is stopped, and both boards say in which turn', () => {
    const { rig, primary, backup } = protectedPair(13);
    backup.fault = 'diverges';
    rig.run(300);
    for (const board of [primary, backup]) {
      const incident = incidentsOf(board).find((each) => each.cause === 'DIVERGED')!;
      expect(incident).toMatchObject({ outcome: 'no-takeover', rule: 'DIVERGED_NEVER_LEADS', term: null });
      expect(told(incident)).toMatch(/In turn \d+/);
    }
  });

  test('the program throws on one board only: the other one leads', () => {
    const { rig, primary, backup } = protectedPair(14);
    primary.fault = 'throws';
    rig.run(200);
    const taken = incidentsOf(backup).find((each) => each.outcome === 'takeover')!;
    expect(taken).toMatchObject({ cause: 'REPLICA_THREW', rule: 'FAILED_REPLICA_HANDS_OVER', term: 2 });
  });

  test('the program hangs on one board only: the other one leads', () => {
    const { rig, primary, backup } = protectedPair(15);
    primary.fault = 'hangs';
    rig.run(800);
    const taken = incidentsOf(backup).find((each) => each.outcome === 'takeover')!;
    expect(taken).toMatchObject({ cause: 'REPLICA_HUNG', rule: 'FAILED_REPLICA_HANDS_OVER', term: 2 });
  });

  test('the program throws on both boards: the fault is the program’s', () => {
    const { rig, primary, backup } = protectedPair(16);
    primary.fault = 'throws';
    backup.fault = 'throws';
    rig.run(200);
    const incident = [...incidentsOf(backup), ...incidentsOf(primary)].find(
      (each) => each.cause === 'PROGRAM_FAULT',
    )!;
    expect(incident).toMatchObject({ outcome: 'no-takeover', rule: 'FAILS_ON_BOTH_IS_THE_PROGRAMS' });
  });

  test('the start: a cold start under a term that the device granted', () => {
    const { primary } = protectedPair(17);
    expect(incidentsOf(primary).at(-1)).toMatchObject({
      outcome: 'cold-start',
      cause: 'NOBODY_LED',
      rule: 'COLD_START_NEEDS_A_TERM',
      term: 1,
    });
  });

  test('many incidents: the oldest are forgotten', () => {
    const log = new IncidentLog({ board: 'a', ...timing });
    for (let index = 1; index <= 1000; index++) {
      const report = {
        level: 'warning' as const,
        code: 'LINK_SILENT',
        text: 'silent',
        details: { link: 'serial' },
      };
      log.observe({ index, monotonicMs: index, wallTimeMs: 0, report });
    }
    expect(log.list.length).toBe(incidentsMax);
    expect(log.list[0]!.beganAtMs).toBe(1000);
  });
});
