import { expect, test } from 'vitest';
import type { FromReplica } from '../ipc.ts';
import { Progress } from '../metrics/progress.ts';
import type { SupervisorEffect, SupervisorInput } from '../supervisor/effects.ts';
import type { BoardStatus } from '../supervisor/status.ts';
import type { NotifyResult } from './notify-socket.ts';
import { longestTurnMs, ServiceNotify, watchdogMsOf } from './service-notify.ts';

const watchdogMs = 8_000;
const none = new Uint8Array(0);
const tick: SupervisorInput = { kind: 'tick' };

function done(turn: number, wakeInMs: number | null): SupervisorInput {
  const endUs = 1_000_000;
  const wakeAtUs = wakeInMs === null ? null : endUs + wakeInMs * 1000;
  const message: FromReplica = {
    kind: 'done',
    turn,
    startUs: endUs,
    endUs,
    values: none,
    outputs: none,
    digest: 0,
    wakeAtUs,
    alive: true,
    paced: false,
  };
  return { kind: 'replica', message };
}

function turnSent(turn: number): SupervisorEffect {
  const event = { kind: 'time' as const };
  return {
    kind: 'replica-send',
    message: { kind: 'turn', mode: 'perform', turn, timeUs: 0, event, values: none },
  };
}

/** A board in virtual time, told of steps by hand. */
class Board {
  now = 0;
  status = { role: 'primary', term: 3, protected: true, turns: 7, lagTurns: 0 } as BoardStatus;
  answer: NotifyResult = { ok: true };
  readonly sent: { at: number; text: string }[] = [];
  readonly faults: string[] = [];
  readonly #progress = new Progress();
  readonly #notify: ServiceNotify;

  constructor(watchdog: number | null = watchdogMs) {
    this.#notify = new ServiceNotify({
      sender: {
        send: (text) => {
          this.sent.push({ at: this.now, text });
          return this.answer;
        },
      },
      watchdogMs: watchdog,
      progress: this.#progress,
      status: () => this.status,
      onFault: (code) => this.faults.push(code),
    });
  }

  ready(): this {
    this.#notify.ready(this.now);
    return this;
  }

  step(input: SupervisorInput, ...effects: SupervisorEffect[]): void {
    this.#progress.stepped(this.now, input, effects);
    this.#notify.stepped(this.now);
  }

  /** Wakes every 10 ms, as heartbeats do. */
  tickFor(ms: number, each: () => void = () => {}): void {
    for (const until = this.now + ms; this.now < until; ) {
      this.now += 10;
      each();
      this.step(tick);
    }
  }

  get pings(): number[] {
    return this.sent.filter(({ text }) => text === 'WATCHDOG=1').map(({ at }) => at);
  }
}

test('nothing is said before the board is ready, and READY comes with its status', () => {
  const board = new Board();
  board.tickFor(5_000);
  expect(board.sent).toEqual([]);
  board.ready();
  expect(board.sent).toEqual([
    { at: 5_000, text: 'READY=1\nSTATUS=primary, term 3, protected, turn 7, lag 0 turns' },
  ]);
});

test('an idle board that wakes goes on, at a quarter of the watchdog’s time', () => {
  const board = new Board().ready();
  board.tickFor(60_000);
  expect(board.pings.length).toBe(30);
  expect(board.faults).toEqual([]);
});

test('a board that works goes on', () => {
  const board = new Board().ready();
  let turn = 0;
  board.tickFor(60_000, () => {
    board.step(tick, turnSent(turn));
    board.step(done(turn++, 10));
  });
  expect(board.pings.length).toBe(30);
});

test('a replica that stands still silences the board until it moves', () => {
  const board = new Board().ready();
  board.tickFor(10_000);
  board.step(tick, turnSent(1));
  const begun = board.now;
  board.tickFor(30_000);
  const between = board.pings.filter((at) => at > begun);
  // The ping that finds the turn new is the last one: systemd kills within its time from there.
  expect(between.length).toBeLessThanOrEqual(1);
  expect(board.faults).toEqual(['WATCHDOG_WITHHELD']);
  board.step(done(1, 1_000));
  expect(board.pings.at(-1)).toBe(board.now);
});

test('a replica that does not begin silences the board', () => {
  const board = new Board().ready();
  board.step(tick, { kind: 'replica-start' });
  board.tickFor(20_000);
  expect(board.pings.length).toBeLessThanOrEqual(1);
  board.step({ kind: 'replica', message: { kind: 'ready' } });
  board.tickFor(4_000);
  expect(board.pings.at(-1)).toBeGreaterThan(20_000);
});

test('a program that is stopped to be started again is no standstill', () => {
  const board = new Board().ready();
  board.step(tick, turnSent(1));
  board.step(tick, { kind: 'replica-stop', reason: 'PROGRAM_HUNG' });
  board.tickFor(40_000);
  expect(board.pings.length).toBe(20);
});

test('a core that is no longer woken silences the board, whatever arrives', () => {
  const board = new Board().ready();
  board.tickFor(4_000);
  const pings = board.pings.length;
  for (let count = 0; count < 5_000; count++) {
    board.now += 10;
    board.step({ kind: 'datagram', link: 0, bytes: none });
  }
  expect(board.pings.length - pings).toBeLessThanOrEqual(1);
  expect(board.faults).toEqual(['WATCHDOG_WITHHELD']);
});

test('without steps nothing is sent, however much time goes by', () => {
  const board = new Board().ready();
  board.tickFor(4_000);
  const sent = board.sent.length;
  board.now += 60_000;
  expect(board.sent.length).toBe(sent);
});

test('a primary that does not begin a due turn falls silent, a backup need not begin any', () => {
  for (const [role, silent] of [
    ['primary', true],
    ['backup', false],
  ] as const) {
    const board = new Board().ready();
    board.status = { ...board.status, role };
    board.step(tick, turnSent(1));
    board.step(done(1, 500));
    board.tickFor(40_000);
    expect(board.pings.length, role).toBe(silent ? 1 : 20);
  }
});

test('status goes out when it has changed, at most once a second', () => {
  const board = new Board(null).ready();
  board.tickFor(500, () => {
    board.status = { ...board.status, turns: board.status.turns + 1 };
  });
  board.status = { ...board.status, protected: false, lagTurns: null };
  board.tickFor(10_000);
  const statuses = board.sent.slice(1);
  expect(statuses).toEqual([{ at: 1_000, text: 'STATUS=primary, term 3, SOLO, turn 57' }]);
  expect(board.pings).toEqual([]);
});

test('a socket that refuses is told once, and again when it has worked meanwhile', () => {
  const board = new Board().ready();
  board.answer = { ok: false, code: 'NOTIFY_NOT_SENT', text: 'errno 111' };
  board.tickFor(10_000);
  board.answer = { ok: true };
  board.tickFor(4_000);
  board.answer = { ok: false, code: 'NOTIFY_NOT_SENT', text: 'errno 111' };
  board.tickFor(4_000);
  expect(board.faults).toEqual(['NOTIFY_NOT_SENT', 'NOTIFY_NOT_SENT']);
});

test.each([
  [{}, null],
  [{ WATCHDOG_USEC: '30000000' }, 30_000],
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '42' }, 30_000],
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '43' }, null],
  [{ WATCHDOG_USEC: '0' }, null],
  [{ WATCHDOG_USEC: 'soon' }, null],
])('the watchdog of %j', (environment, expected) => {
  expect(watchdogMsOf(environment, 42)).toBe(expected);
});

test('the longest turn that a watchdog bears is one that begins right after a ping', () => {
  const board = new Board().ready();
  board.tickFor(2_000);
  const ping = board.pings.at(-1)!;
  board.step(tick, turnSent(1));
  board.tickFor(longestTurnMs(watchdogMs) - 10);
  board.step(done(1, null));
  expect(board.pings.at(-1)! - ping).toBeLessThan(watchdogMs);
});
