import { expect, test } from 'vitest';
import { leads } from './journal-order.ts';
import { Pair } from './pair.ts';
import type { JournalSummary, PairEffect, PairInput, Role } from './pair-contract.ts';

const options = { board: 'a', waitForPeerMs: 1000, alone: 'lead', claimRetryMs: 250 } as const;
const empty: JournalSummary = { term: 0, turns: 0 };

function peer(role: Role, term = 0, journal: JournalSummary = empty, mismatches: string[] = []): PairInput {
  return { kind: 'peer-connected', peer: { role, term, journal, mismatches } };
}

/** Effects in short: what matters of them. */
function short(effects: PairEffect[]): string[] {
  return effects.flatMap((effect) => {
    switch (effect.kind) {
      case 'gate':
        return [`gate ${effect.mode}`];
      case 'attach':
      case 'lead':
        return [`${effect.kind} ${effect.term} ${effect.claim}`];
      case 'report':
        return effect.level === 'info' ? [] : [effect.code];
      default:
        return [effect.kind];
    }
  });
}

/** Steps taken at time 0, the last one's effects in short. */
function after(pair: Pair, ...inputs: PairInput[]): string[] {
  let last: string[] = [];
  for (const input of inputs) last = short(pair.step(0, input));
  return last;
}

const begin: PairInput = { kind: 'begin', journal: empty };
const toPrimary: PairInput[] = [begin, peer('starting'), { kind: 'attached', term: 1 }];
const toProtected: PairInput[] = [...toPrimary, { kind: 'protected' }];
const toJoining: PairInput[] = [begin, peer('primary', 1)];
const toBackup: PairInput[] = [...toJoining, { kind: 'protected' }];
const red: PairInput = { kind: 'verdict', verdict: 'red' };
const follow = ['gate closed', 'follow', 'announce'];
const stepDown = ['gate closed', 'step-down', 'PAIR_STEPPED_DOWN', 'announce'];

const table: { name: string; path: PairInput[]; input: PairInput; role: Role; effects: string[] }[] = [
  {
    name: 'both here, equal journals: a claims',
    path: [begin],
    input: peer('starting'),
    role: 'contending',
    effects: ['gate closed', 'attach 1 cold-start'],
  },
  {
    name: 'the other journal is newer: it claims',
    path: [begin],
    input: peer('starting', 0, { term: 3, turns: 1 }),
    role: 'starting',
    effects: [],
  },
  {
    name: 'the claim exceeds every term known',
    path: [{ kind: 'begin', journal: { term: 5, turns: 9 } }],
    input: peer('starting', 7, { term: 4, turns: 1 }),
    role: 'contending',
    effects: ['PAIR_STALE_JOURNAL', 'gate closed', 'attach 8 cold-start'],
  },
  {
    name: 'a primary is there: follow it',
    path: [begin],
    input: peer('primary', 4),
    role: 'joining',
    effects: follow,
  },
  {
    name: 'it differs: a board that starts stops',
    path: [begin],
    input: peer('primary', 4, empty, ['node']),
    role: 'stopped',
    effects: ['PAIR_MISMATCH', 'stop'],
  },
  {
    name: 'it differs: a primary goes on',
    path: toPrimary,
    input: peer('starting', 0, empty, ['node']),
    role: 'primary',
    effects: ['PAIR_MISMATCH'],
  },
  {
    name: 'the claim is granted',
    path: toPrimary.slice(0, 2),
    input: { kind: 'attached', term: 1 },
    role: 'primary',
    effects: ['lead 1 cold-start', 'gate open', 'PAIR_SOLO', 'announce'],
  },
  {
    name: 'an older claim is granted: nothing',
    path: toPrimary.slice(0, 2),
    input: { kind: 'attached', term: 9 },
    role: 'contending',
    effects: [],
  },
  {
    name: 'the device has seen more, nobody leads: claim beyond it',
    path: toPrimary.slice(0, 2),
    input: { kind: 'stale', heldTerm: 6 },
    role: 'contending',
    effects: ['gate closed', 'attach 7 cold-start'],
  },
  {
    name: 'the other board leads at least as much as we ask',
    path: toPrimary.slice(0, 2),
    input: { kind: 'peer-role', role: 'primary', term: 1 },
    role: 'joining',
    effects: [...stepDown, ...follow],
  },
  {
    name: 'primary: the backup holds everything',
    path: toPrimary,
    input: { kind: 'protected' },
    role: 'primary',
    effects: ['gate acknowledged', 'announce'],
  },
  {
    name: 'protected, the backup falls silent: solo by a new term',
    path: toProtected,
    input: red,
    role: 'contending',
    effects: ['gate closed', 'attach 2 solo'],
  },
  {
    name: 'protected, the backup claims: it acknowledges nothing any more, so solo',
    path: toProtected,
    input: { kind: 'peer-role', role: 'contending', term: 1 },
    role: 'contending',
    effects: ['gate closed', 'attach 2 solo'],
  },
  {
    name: 'handing over, the backup claims: as asked',
    path: [...toProtected, { kind: 'replica-failed' }],
    input: { kind: 'peer-role', role: 'contending', term: 1 },
    role: 'primary',
    effects: [],
  },
  {
    name: 'solo already, silence changes nothing',
    path: toPrimary,
    input: red,
    role: 'primary',
    effects: [],
  },
  {
    name: 'protected, the backup restarted: the same claim',
    path: toProtected,
    input: { kind: 'peer-restarted' },
    role: 'contending',
    effects: ['gate closed', 'attach 2 solo'],
  },
  {
    name: 'protected, the backup says it cannot take over: solo at once',
    path: toProtected,
    input: { kind: 'unprotected', reason: '' },
    role: 'primary',
    effects: ['gate open', 'PAIR_SOLO', 'announce'],
  },
  {
    name: 'primary, a greater term at the device: step down',
    path: toProtected,
    input: { kind: 'stale', heldTerm: 2 },
    role: 'stepped-down',
    effects: stepDown,
  },
  {
    name: 'primary, an older term is stale: nothing',
    path: toProtected,
    input: { kind: 'stale', heldTerm: 1 },
    role: 'primary',
    effects: [],
  },
  {
    name: 'primary, the other board leads a greater term: step down and follow',
    path: toPrimary,
    input: { kind: 'peer-role', role: 'primary', term: 2 },
    role: 'joining',
    effects: [...stepDown, ...follow],
  },
  {
    name: 'backup, the primary falls silent: takeover',
    path: toBackup,
    input: red,
    role: 'contending',
    effects: ['gate closed', 'attach 2 takeover'],
  },
  {
    name: 'takeover lost: step down',
    path: [...toBackup, red],
    input: { kind: 'stale', heldTerm: 2 },
    role: 'stepped-down',
    effects: stepDown,
  },
  {
    name: 'takeover, an answer to an older claim: nothing',
    path: [...toBackup, red],
    input: { kind: 'stale', heldTerm: 1 },
    role: 'contending',
    effects: [],
  },
  {
    name: 'the copy fails while it claims: never lead',
    path: [...toBackup, red],
    input: { kind: 'copy-lost', reason: '' },
    role: 'stepped-down',
    effects: stepDown,
  },
  {
    name: 'backup, the copy is lost: join again',
    path: toBackup,
    input: { kind: 'copy-lost', reason: '' },
    role: 'joining',
    effects: ['PAIR_FOLLOWING', 'follow', 'announce'],
  },
  {
    name: 'backup, not eligible: joining, and no new wish',
    path: toBackup,
    input: { kind: 'unprotected', reason: '' },
    role: 'joining',
    effects: ['PAIR_NOT_ELIGIBLE', 'announce'],
  },
  {
    name: 'backup, the primary has led alone: joining until it says so',
    path: toBackup,
    input: { kind: 'peer-role', role: 'primary', term: 2 },
    role: 'joining',
    effects: ['announce'],
  },
  {
    name: 'joining, the primary restarts: not eligible',
    path: toJoining,
    input: { kind: 'peer-restarted' },
    role: 'stepped-down',
    effects: ['step-down', 'PAIR_NOT_ELIGIBLE', 'announce'],
  },
  { name: 'joining, a silence is waited out', path: toJoining, input: red, role: 'joining', effects: [] },
  {
    name: 'handover to a backup',
    path: toBackup,
    input: { kind: 'handover', term: 1, planned: true },
    role: 'contending',
    effects: ['gate closed', 'attach 2 switchover'],
  },
  {
    name: 'handover of another term: nothing',
    path: toBackup,
    input: { kind: 'handover', term: 2, planned: true },
    role: 'backup',
    effects: [],
  },
  {
    name: 'handover to a board that is joining: nothing',
    path: toJoining,
    input: { kind: 'handover', term: 1, planned: true },
    role: 'joining',
    effects: [],
  },
  {
    name: 'a switchover is prepared with the gate as it is',
    path: toProtected,
    input: { kind: 'operator', command: 'switchover' },
    role: 'primary',
    effects: ['prepare-handover'],
  },
  {
    name: 'no switchover without a backup',
    path: toPrimary,
    input: { kind: 'operator', command: 'switchover' },
    role: 'primary',
    effects: ['PAIR_SWITCHOVER_REFUSED'],
  },
  {
    name: 'the own replica failed: prepared with the gate closed',
    path: toProtected,
    input: { kind: 'replica-failed' },
    role: 'primary',
    effects: ['gate closed', 'prepare-handover'],
  },
  {
    name: 'a board that left comes back as it starts',
    path: [...toBackup, { kind: 'leave' }],
    input: { kind: 'return' },
    role: 'starting',
    effects: ['announce'],
  },
  {
    name: 'return of a board that never left: nothing',
    path: toBackup,
    input: { kind: 'return' },
    role: 'backup',
    effects: [],
  },
  {
    name: 'handed over',
    path: [...toProtected, { kind: 'replica-failed' }],
    input: { kind: 'handed-over' },
    role: 'stepped-down',
    effects: stepDown,
  },
  {
    name: 'handed over without having asked: nothing',
    path: toProtected,
    input: { kind: 'handed-over' },
    role: 'primary',
    effects: [],
  },
  {
    name: 'the handover was refused: lead again',
    path: [...toProtected, { kind: 'replica-failed' }, { kind: 'handed-over' }],
    input: { kind: 'handover-refused', term: 1 },
    role: 'contending',
    effects: ['gate closed', 'attach 2 cold-start'],
  },
];

test.each(table)('$name', ({ path, input, role, effects }) => {
  const pair = new Pair(options);
  after(pair, ...path);
  expect(after(pair, input)).toEqual(effects);
  expect(pair.role).toBe(role);
});

test('nobody has the records of the newest reign: the program is started afresh', () => {
  const lead = (journalTerm: number, claimed: number) => {
    const pair = new Pair(options);
    after(pair, { kind: 'begin', journal: { term: journalTerm, turns: 9 } }, peer('starting', 7));
    const effects = pair.step(0, { kind: 'attached', term: claimed });
    return effects.find((effect) => effect.kind === 'lead');
  };
  expect(lead(5, 8)).toMatchObject({ term: 8, claim: 'cold-start', afresh: true });
  expect(lead(7, 8)).toMatchObject({ term: 8, claim: 'cold-start', afresh: false });
});

test('the device follows a reign of which the other board has not told yet: its older words make nobody lead', () => {
  const pair = new Pair(options);
  after(pair, ...toProtected, { kind: 'stale', heldTerm: 2 });
  expect(short(pair.step(500, peer('joining', 1)))).toEqual([]);
  expect(short(pair.step(600, peer('primary', 2)))).toEqual(follow);
});

test('a reign of which nobody tells for long is over', () => {
  const pair = new Pair(options);
  after(pair, ...toProtected, { kind: 'stale', heldTerm: 2 });
  expect(short(pair.step(999, peer('joining', 1)))).toEqual([]);
  expect(short(pair.step(1000, { kind: 'tick' }))).toEqual(['gate closed', 'attach 2 cold-start']);
});

test('a term that only the device knows of makes the records of both boards stale too', () => {
  const pair = new Pair(options);
  after(pair, { kind: 'begin', journal: { term: 5, turns: 9 } }, peer('starting', 5));
  expect(after(pair, { kind: 'stale', heldTerm: 6 })).toEqual([
    'PAIR_STALE_JOURNAL',
    'gate closed',
    'attach 7 cold-start',
  ]);
});

test('the other board leads no more: a backup takes over, one that joins waits as at a start', () => {
  for (const [path, effects, role] of [
    [toBackup, ['gate closed', 'attach 2 takeover'], 'contending'],
    [toJoining, ['step-down', 'PAIR_NOT_ELIGIBLE', 'announce'], 'stepped-down'],
  ] as const) {
    const pair = new Pair(options);
    after(pair, ...path);
    expect(short(pair.step(10, { kind: 'peer-role', role: 'stepped-down', term: 1 }))).toEqual([]);
    expect(pair.nextWakeAt).toBe(1010);
    expect(short(pair.step(1009, { kind: 'tick' }))).toEqual([]);
    expect(short(pair.step(1010, { kind: 'tick' }))).toEqual(effects);
    expect(pair.role).toBe(role);
  }
});

test('a leader that leads again in time is followed on', () => {
  const pair = new Pair(options);
  after(pair, ...toBackup);
  pair.step(10, { kind: 'peer-role', role: 'stepped-down', term: 1 });
  pair.step(500, { kind: 'peer-role', role: 'primary', term: 1 });
  expect(short(pair.step(2000, { kind: 'tick' }))).toEqual([]);
  expect(pair.role).toBe('backup');
});

test('who steps down for a board that was silent for a while follows it', () => {
  const pair = new Pair(options);
  after(pair, ...toPrimary, red, { kind: 'verdict', verdict: 'green' });
  expect(after(pair, { kind: 'peer-role', role: 'primary', term: 2 })).toEqual([...stepDown, ...follow]);
  expect(pair.role).toBe('joining');
});

test('waiting for the other board’s turn asks for no wake in the past', () => {
  const pair = new Pair({ ...options, board: 'b' });
  pair.step(0, begin);
  pair.step(10, peer('contending'));
  pair.step(1010, { kind: 'tick' });
  expect(pair.nextWakeAt).toBeGreaterThan(1010);
});

test('a joining board gives up when the silence lasts', () => {
  const pair = new Pair(options);
  after(pair, ...toJoining, red);
  expect(pair.nextWakeAt).toBe(1000);
  expect(short(pair.step(1000, { kind: 'tick' }))).toContain('PAIR_NOT_ELIGIBLE');
  expect(pair.role).toBe('stepped-down');
});

test('of any two journals exactly one board leads', () => {
  const journals = [empty, { term: 1, turns: 5 }, { term: 1, turns: 6 }, { term: 2, turns: 0 }];
  for (const own of journals) {
    for (const other of journals) expect(leads('a', own, other)).toBe(!leads('b', other, own));
  }
});
