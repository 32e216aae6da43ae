import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { betweenBoards, ClockOffset, SharedTurns, type TurnsSeen } from './clock-offset.ts';

describe('ClockOffset', () => {
  it('knows nothing before the first round trip', () => {
    const clock = new ClockOffset();
    expect(clock.at(0)).toBeNull();
    clock.heard(5000, 10);
    expect(clock.at(10)).toBeNull();
    expect(clock.ours(5000)).toBe(10);
  });

  it('keeps the truth within its bound, whatever the delays, and the bound narrows', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        fc.array(
          fc.tuple(
            fc.double({ min: 0, max: 300, noNaN: true }),
            fc.double({ min: 0, max: 300, noNaN: true }),
          ),
          {
            minLength: 1,
            maxLength: 20,
          },
        ),
        (truth, trips) => {
          const clock = new ClockOffset();
          let now = 0;
          let quickest = Number.POSITIVE_INFINITY;
          for (const [there, back] of trips) {
            clock.roundTrip(now, now + there + truth, now + there + back);
            quickest = Math.min(quickest, there + back);
            now += there + back;
            const { offsetMs, boundMs } = clock.at(now)!;
            expect(Math.abs(offsetMs - truth)).toBeLessThanOrEqual(boundMs + 1e-5);
            expect(boundMs).toBeLessThanOrEqual(quickest / 2 + now * 200e-6 + 1e-5);
          }
        },
      ),
    );
  });

  it('keeps up with a clock that drifts by 200 ppm', () => {
    const clock = new ClockOffset();
    for (let now = 0; now < 600_000; now += 1000) {
      const board = 777 + (now + 2) * (1 + 190e-6);
      clock.roundTrip(now, board, now + 4);
      const { offsetMs, boundMs } = clock.at(now + 4)!;
      expect(Math.abs(offsetMs - (board - now - 2))).toBeLessThanOrEqual(boundMs + 0.01);
      expect(boundMs).toBeLessThan(4);
    }
  });

  it('begins again when the board was restarted and counts from another zero', () => {
    const clock = new ClockOffset();
    clock.roundTrip(0, 1_000_001, 2);
    clock.roundTrip(1000, 51, 1002);
    expect(clock.at(1002)).toEqual({ offsetMs: -950, boundMs: 1 });
  });
});

describe('SharedTurns', () => {
  const seen = (boardMs: number, turns: number, isPrimary: boolean): TurnsSeen => ({
    ...{ boardMs, historyId: 'h', role: isPrimary ? 'primary' : 'backup', protected: true },
    ...{ turns, releasedTurns: turns },
  });

  it('bounds the clocks from both sides, whichever board leads', () => {
    for (const leader of ['a', 'b'] as const) {
      const follower = leader === 'a' ? 'b' : 'a';
      const zero = { a: 5000, b: 70_000 };
      const shared = new SharedTurns();
      // One turn a millisecond; the leader is asked at 100, the follower at 130, the leader again at 190.
      shared.status(leader, seen(100 + zero[leader], 100, true));
      shared.status(follower, seen(130 + zero[follower], 129, false));
      shared.status(leader, seen(190 + zero[leader], 190, true));
      const { leastMs, mostMs } = shared.bounds;
      expect(leastMs).toBeLessThanOrEqual(-65_000);
      expect(mostMs).toBeGreaterThanOrEqual(-65_000);
      expect(mostMs - leastMs).toBe(90);
    }
  });

  it('says nothing while the boards run different histories', () => {
    const shared = new SharedTurns();
    shared.status('a', seen(100, 100, true));
    shared.status('b', { ...seen(130, 129, false), historyId: 'other' });
    expect(shared.bounds.mostMs - shared.bounds.leastMs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('SharedTurns of an unprotected pair', () => {
  it('does not take a turn that was let go without a backup for one that the backup had', () => {
    const shared = new SharedTurns();
    const turns = { historyId: 'h', turns: 50, releasedTurns: 50 };
    shared.status('b', { ...turns, boardMs: 10, role: 'backup', protected: false, turns: 20 });
    shared.status('a', { ...turns, boardMs: 10, role: 'primary', protected: false });
    expect(shared.bounds).toEqual({ leastMs: Number.NEGATIVE_INFINITY, mostMs: Number.POSITIVE_INFINITY });
  });
});

describe('betweenBoards', () => {
  it('adds the bounds of both boards, and takes the shared turns where they are narrower', () => {
    const shared = new SharedTurns();
    const a = { offsetMs: 100, boundMs: 50 };
    const b = { offsetMs: 30, boundMs: 20 };
    expect(betweenBoards(null, b, shared)).toBeNull();
    expect(betweenBoards(a, b, shared)).toEqual({ offsetMs: 70, boundMs: 70 });
    const base = { historyId: 'h', role: 'primary', protected: true } as const;
    shared.status('a', { ...base, boardMs: 1090, turns: 5, releasedTurns: 5 });
    shared.status('b', { ...base, role: 'backup', boardMs: 1000, turns: 9, releasedTurns: 0 });
    expect(betweenBoards(a, b, shared)).toEqual({ offsetMs: 115, boundMs: 25 });
  });
});
