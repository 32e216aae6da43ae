import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { VirtualClock } from './clock.ts';
import { TimerHeap } from './timer-heap.ts';
import { TimerQueue } from './timers.ts';

function queueAt(us: number): { clock: VirtualClock; queue: TimerQueue; runAt: (us: number) => void } {
  const clock = new VirtualClock();
  clock.begin(us);
  const queue = new TimerQueue(clock);
  const rethrow = (error: unknown) => {
    throw error;
  };
  return { clock, queue, runAt: (atUs) => queue.runDue(clock.begin(atUs), rethrow, () => {}) };
}

describe('timers', () => {
  test('fall due by due time, then by order of setting', () => {
    const { queue, runAt } = queueAt(0);
    const seen: string[] = [];
    queue.setTimeout(() => seen.push('late'), 5);
    queue.setTimeout(() => seen.push('first'), 3);
    queue.setTimeout(() => seen.push('second'), 3);
    expect(queue.nextDueUs).toBe(3000);
    runAt(2999);
    expect(seen).toEqual([]);
    runAt(5000);
    expect(seen).toEqual(['first', 'second', 'late']);
    expect(queue.nextDueUs).toBeNull();
  });

  test.each([
    [undefined, 1],
    [0, 1],
    ['7', 7],
    [2.9, 2],
    [null, 1],
  ])('a delay of %s is %i ms', (delay, ms) => {
    const { queue } = queueAt(10_000);
    queue.setTimeout(() => {}, delay);
    expect(queue.nextDueUs).toBe(10_000 + ms * 1000);
  });

  test.each([-5, Number.NaN, 2 ** 31])('a delay of %s is 1 ms, with a warning', (delay) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { queue } = queueAt(0);
    queue.setTimeout(() => {}, delay);
    expect(queue.nextDueUs).toBe(1000);
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });

  test('are due at a whole millisecond, so that Date.now() shows at least the delay', () => {
    const { queue } = queueAt(10_999);
    queue.setTimeout(() => {}, 5);
    expect(queue.nextDueUs).toBe(15_000);
  });

  test('an interval is restarted from the time before its callback', () => {
    const { clock, queue, runAt } = queueAt(0);
    queue.setInterval(() => clock.advance(7_000), 10);
    runAt(10_300);
    expect(queue.nextDueUs).toBe(20_000);
  });

  test('unref, ref, refresh, close and clearing by number', () => {
    const { queue, runAt } = queueAt(0);
    const callback = vi.fn();
    const timer = queue.setTimeout(callback, 10);
    expect(queue.keepsAlive).toBe(true);
    expect(timer.unref().hasRef()).toBe(false);
    expect(queue.keepsAlive).toBe(false);
    timer.ref();
    expect(queue.keepsAlive).toBe(true);
    runAt(5000);
    timer.refresh();
    expect(queue.nextDueUs).toBe(15_000);
    queue.clearTimeout(+timer);
    expect(queue.nextDueUs).toBeNull();
    expect(queue.keepsAlive).toBe(false);
    queue.setTimeout(callback, 1).close();
    timer.refresh();
    runAt(100_000);
    expect(callback).not.toHaveBeenCalled();
  });

  test('a timeout may be refreshed from its own callback', () => {
    const { queue, runAt } = queueAt(0);
    let runs = 0;
    const timer = queue.setTimeout(() => {
      if (++runs < 3) timer.refresh();
    }, 4);
    for (let us = 4000; us <= 40_000; us += 4000) runAt(us);
    expect(runs).toBe(3);
    expect(queue.keepsAlive).toBe(false);
  });

  test('immediates set by immediates wait for the next round, cleared ones do not run', () => {
    const { queue } = queueAt(0);
    const seen: string[] = [];
    const round = () =>
      queue.runImmediates(
        () => {},
        () => {},
      );
    queue.setImmediate(() => {
      seen.push('one');
      queue.setImmediate(() => seen.push('three'));
      queue.clearImmediate(doomed);
    });
    const doomed = queue.setImmediate(() => seen.push('doomed'));
    queue.setImmediate(() => seen.push('two')).unref();
    round();
    expect(seen).toEqual(['one', 'two']);
    expect(queue.keepsAlive).toBe(true);
    round();
    expect(seen).toEqual(['one', 'two', 'three']);
    expect(queue.keepsAlive).toBe(false);
    expect(queue.hasImmediates).toBe(false);
  });

  test('what a callback throws goes to the handler and the rest still run', () => {
    const { clock, queue } = queueAt(0);
    const seen: unknown[] = [];
    queue.setInterval(() => {
      throw new Error('stuck');
    }, 1);
    queue.setTimeout(() => seen.push('after'), 1);
    queue.runDue(
      clock.begin(1000),
      (error) => seen.push((error as Error).message),
      () => {},
    );
    expect(seen).toEqual(['stuck', 'after']);
    expect(queue.nextDueUs).toBe(2000);
  });

  test('a callback that is none is refused as Node refuses it', () => {
    const { queue } = queueAt(0);
    expect(() => queue.setTimeout('code')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  });
});

test('the heap gives out entries in order, whatever was removed', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ dueUs: fc.nat(20), removed: fc.boolean() })), (plan) => {
      const heap = new TimerHeap<{ dueUs: number; sequence: number; place: number; removed: boolean }>();
      const entries = plan.map((entry, sequence) => ({ ...entry, sequence, place: -1 }));
      for (const entry of entries) heap.add(entry);
      for (const entry of entries) if (entry.removed) heap.remove(entry);
      const expected = entries
        .filter((entry) => !entry.removed)
        .sort((one, other) => one.dueUs - other.dueUs || one.sequence - other.sequence);
      const given = [];
      for (let first = heap.first; first !== undefined; first = heap.first) {
        given.push(first);
        heap.remove(first);
      }
      expect(given).toEqual(expected);
      expect(heap.size).toBe(0);
    }),
  );
});
