import { describe, expect, test } from 'vitest';
import { Pacer } from './pacer.ts';

class CountingMachine {
  readonly clockHz = 16_000_000;
  cycle = 0;
  /** Real time that a virtual millisecond takes. */
  costShare = 0;
  readonly #host: { nowMs: number };

  constructor(host: { nowMs: number }) {
    this.#host = host;
  }

  runUntil(cycle: number): void {
    this.#host.nowMs += ((cycle - this.cycle) / 16_000) * this.costShare;
    // An instruction is not cut.
    this.cycle = cycle + 3;
  }

  get timeMs(): number {
    return this.cycle / 16_000;
  }
}

function paced(options: { speed?: number; catchUpMsMax?: number } = {}) {
  const host = { nowMs: 5000 };
  const machine = new CountingMachine(host);
  const pacer = new Pacer({ machine, clock: () => host.nowMs, ...options });
  const runAll = (): void => {
    while (pacer.run());
  };
  return { host, machine, pacer, runAll };
}

describe('pacer', () => {
  test('an hour of late and uneven timers: no drift', () => {
    const { host, machine, pacer, runAll } = paced();
    let state = 1;
    while (host.nowMs < 5000 + 3_600_000) {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      host.nowMs += 1 + (state % 900) / 100;
      runAll();
    }
    expect(machine.timeMs).toBeCloseTo(host.nowMs - 5000, 2);
    expect(pacer.figures.forgoneMs).toBe(0);
  });

  test('a standstill of the host is caught up to its bound, the rest never happened', () => {
    const { host, machine, pacer, runAll } = paced({ catchUpMsMax: 100 });
    host.nowMs += 60_000;
    runAll();
    expect(machine.timeMs).toBeCloseTo(100, 2);
    expect(pacer.figures.forgoneMs).toBeCloseTo(59_900, 2);
    host.nowMs += 50;
    runAll();
    expect(machine.timeMs).toBeCloseTo(150, 2);
  });

  test('slices are short, so that the host gets its turns', () => {
    const { host, machine, pacer } = paced();
    host.nowMs += 50;
    expect(pacer.run()).toBe(true);
    expect(machine.timeMs).toBeCloseTo(4, 2);
  });

  test('a host that is too slow gives up time instead of falling behind for ever', () => {
    const { host, machine, pacer } = paced({ catchUpMsMax: 100 });
    machine.costShare = 2;
    for (let turn = 0; turn < 1000; turn++) {
      host.nowMs += 0.1;
      pacer.run();
    }
    expect(pacer.lagMs).toBeLessThan(110);
    expect(pacer.figures.forgoneMs).toBeGreaterThan(1000);
  });

  test('twice as fast, and bad options are refused', () => {
    const { host, machine, runAll } = paced({ speed: 2 });
    host.nowMs += 10;
    runAll();
    expect(machine.timeMs).toBeCloseTo(20, 2);
    expect(() => paced({ speed: 0 })).toThrow(RangeError);
    expect(() => paced({ catchUpMsMax: 0 })).toThrow(RangeError);
  });
});
