import { expect, test } from 'vitest';
import { intervalFor, runHeartbeatTrial } from './heartbeat-trial.ts';
import { adviseTiming, judgeTiming, type Trial } from './timing-advice.ts';

function trial(longestSilenceMs: number, count: number, timeoutMs = 100): Trial {
  const falseTakeovers = [{ timeoutMs, intervalMs: 10, count, longestSilenceMs }];
  return {
    load: 'cpu',
    priority: 'nice',
    result: { durationMs: 5000, falseTakeovers, priorityRefused: null },
  };
}

const timing = { heartbeatIntervalMs: 10, detectionTimeoutMs: 100 };

test('twice the longest silence and one heartbeat, in steps of 5 ms, never below three heartbeats', () => {
  expect(adviseTiming([trial(20, 0), trial(41, 0)], 10)).toMatchObject({
    detectionTimeoutMs: 95,
    longestSilenceMs: 41,
  });
  expect(adviseTiming([trial(3, 0)], 10).detectionTimeoutMs).toBe(30);
  expect(adviseTiming([trial(1_000_000, 9)], 10).detectionTimeoutMs).toBe(60_000);
});

test('a setting with room is safe, one without is warned of', () => {
  expect(judgeTiming([trial(45, 0)], timing).verdict).toBe('ok');
  const tight = judgeTiming([trial(46, 0)], timing);
  expect(tight).toMatchObject({ verdict: 'warning', id: 'heartbeats' });
  expect(tight.remedy).toContain('timing.detectionTimeoutMs to 105');
});

test('a setting at which a living process counted as dead is refused, with the load that did it', () => {
  const check = judgeTiming([trial(20, 0), trial(130, 2)], timing);
  expect(check.verdict).toBe('missing');
  expect(check.found).toContain('false takeovers: 2 under load cpu');
  expect(check.remedy).toContain('timing.detectionTimeoutMs to 270');
});

test('a channel beats as a pair with its timeout would', () => {
  expect(intervalFor(200, 10)).toBe(10);
  expect(intervalFor(20, 10)).toBe(6);
  expect(intervalFor(2, 10)).toBe(1);
});

test('a trial of two real processes counts silence of each timeout on its own', async () => {
  // No process is heard every millisecond with certainty, and none is silent for a minute.
  const result = await runHeartbeatTrial({
    priority: 'nice',
    durationMs: 400,
    heartbeatIntervalMs: 10,
    timeoutsMs: [3, 60_000],
  });
  const [short, long] = result.falseTakeovers;
  expect(long).toMatchObject({ timeoutMs: 60_000, intervalMs: 10, count: 0 });
  expect(long!.longestSilenceMs).toBeGreaterThan(5);
  expect(short!.intervalMs).toBe(1);
});
