import os from 'node:os';
import { expect, test } from 'vitest';
import { RefusedError } from '../refusal.ts';
import { FakeTurnContext } from '../turn-context.fake.ts';
import { createOperatingSystem } from './operating-system.ts';

test('identity is the pair’s', () => {
  const ours = createOperatingSystem(new FakeTurnContext());
  expect(ours.hostname()).toBe('pair');
  expect(`${ours.hostname}`).toBe('pair');
  expect(ours.homedir()).toBe('/home/pi');
  expect(ours.userInfo()).toMatchObject({ username: 'pi', uid: 1000, homedir: '/home/pi' });
  expect(ours.tmpdir()).toBe('/tmp');
  expect(ours.uptime()).toBeLessThan(1);
  expect(() => ours.setPriority(5)).toThrow(RefusedError);
});

test('what belongs to the machine is recorded and replayed', () => {
  const primary = new FakeTurnContext();
  const recorded = [
    'cpus',
    'freemem',
    'totalmem',
    'loadavg',
    'networkInterfaces',
    'release',
    'version',
    'machine',
    'availableParallelism',
    'getPriority',
  ] as const;
  const ask = (context: FakeTurnContext): unknown[] => {
    const ours = createOperatingSystem(context);
    return recorded.map((name) => ours[name]());
  };
  const told = ask(primary);
  expect(primary.records).toHaveLength(recorded.length);
  expect(ask(new FakeTurnContext({ replayOf: primary }))).toEqual(told);
});

test('every function of os is fixed, recorded or the same on both boards', () => {
  const ours = createOperatingSystem(new FakeTurnContext()) as unknown as Record<string, unknown>;
  // Compared when the boards meet (bundle/runtime-identity.ts).
  const pure = new Set(['arch', 'platform', 'type', 'endianness']);
  for (const [name, member] of Object.entries(os)) {
    if (typeof member !== 'function') expect(ours[name], name).toEqual(member);
    else if (pure.has(name)) expect(ours[name], name).toBe(member);
    else expect(ours[name], name).not.toBe(member);
  }
});
