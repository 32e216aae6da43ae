import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DeviceClock } from './device-clock.ts';
import { PacedLine } from './paced-line.ts';

let now = 0;
const clock = () => now;

/** Virtual time: timers and clock move together. */
function pass(ms: number): void {
  for (let passed = 0; passed < ms; passed++) {
    now += 1;
    vi.advanceTimersByTime(1);
  }
}

beforeEach(() => {
  now = 0;
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('bytes arrive at the speed of the line and in order', () => {
  const arrived: number[] = [];
  const line = new PacedLine({ baudRate: 10_000, clock, deliver: (bytes) => arrived.push(...bytes) });
  line.push(Uint8Array.of(1, 2, 3));
  line.push(Uint8Array.of(4, 5));
  pass(2);
  expect(arrived).toEqual([1, 2]);
  expect(line.queuedBytes).toBe(3);
  pass(3);
  expect(arrived).toEqual([1, 2, 3, 4, 5]);
});

test('a late timer does not slow the line, an idle line saves nothing up', () => {
  const arrived: number[] = [];
  const line = new PacedLine({ baudRate: 10_000, clock, deliver: (bytes) => arrived.push(...bytes) });
  pass(50);
  line.push(new Uint8Array(20));
  pass(1);
  expect(arrived).toHaveLength(1);
  now += 9;
  vi.advanceTimersByTime(1);
  expect(arrived).toHaveLength(10);
});

test('what is cleared never arrives', () => {
  const arrived: number[] = [];
  const line = new PacedLine({ baudRate: 10_000, clock, deliver: (bytes) => arrived.push(...bytes) });
  line.push(new Uint8Array(5));
  pass(2);
  line.clear();
  line.push(Uint8Array.of(9));
  pass(10);
  expect(arrived).toEqual([0, 0, 9]);
});

test('a standstill of the process is not time of the device', () => {
  const device = new DeviceClock(clock);
  pass(1000);
  expect(device.now()).toBe(1000);
  now += 3000;
  vi.advanceTimersByTime(1);
  expect(device.now()).toBe(1100);
  pass(500);
  expect(device.now()).toBe(1600);
  device.stop();
});
