import { expect, test } from 'vitest';
import { LoginGate } from './login-gate.ts';

test('each failure doubles the pause, up to a quarter of an hour', () => {
  const gate = new LoginGate();
  let now = 5000;
  const pauses: number[] = [];
  for (let failure = 0; failure < 14; failure++) {
    expect(gate.waitMs(now)).toBe(0);
    gate.failed(now);
    const waitMs = gate.waitMs(now);
    pauses.push(waitMs / 1000);
    expect(gate.waitMs(now + waitMs - 1)).toBe(1);
    now += waitMs;
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
});

test('so few passwords can be tried in a day that guessing is hopeless', () => {
  const gate = new LoginGate();
  let tries = 0;
  for (let now = 0; now < 24 * 3_600_000; now += 1000) {
    if (gate.waitMs(now) > 0) continue;
    tries += 1;
    gate.failed(now);
  }
  expect(tries).toBeLessThan(110);
});

test('a success forgets the failures, and so does a day', () => {
  const gate = new LoginGate();
  for (let failure = 0; failure < 5; failure++) gate.failed(0);
  expect(gate.waitMs(0)).toBe(16_000);
  gate.succeeded();
  expect(gate.waitMs(0)).toBe(0);
  gate.failed(1000);
  gate.failed(1000);
  expect(gate.waitMs(1000)).toBe(2000);
  expect(gate.waitMs(1000 + 24 * 3_600_000)).toBe(0);
  expect(gate.failures).toBe(0);
});
