import { expect, test } from 'vitest';
import type { BoardStatus } from '../supervisor/status.ts';
import { boardStatus } from './board-status.fake.ts';
import { healthOf } from './health.ts';

const [uno, gps] = boardStatus().devices;
const [ethernet] = boardStatus().links;

function codes(changes: Partial<BoardStatus>) {
  const { healthy, reasons, warnings } = healthOf(boardStatus(changes), []);
  expect(healthy).toBe(reasons.length === 0);
  return { reasons: reasons.map(({ code }) => code), warnings: warnings.map(({ code }) => code) };
}

test.each<[string, Partial<BoardStatus>, string[]]>([
  ['a protected primary', {}, []],
  [
    'a protected backup that its device does not follow',
    { role: 'backup', devices: [{ ...uno!, attached: false }] },
    [],
  ],
  ['a solo primary', { protected: false }, ['SOLO']],
  ['a backup that does not hold everything', { role: 'backup', protected: false }, ['UNPROTECTED']],
  ['a board that joins', { role: 'joining', protected: false }, ['NO_ROLE']],
  ['a board that stepped down', { role: 'stepped-down', protected: false }, ['NO_ROLE']],
  ['a closed port', { devices: [uno!, { ...gps!, open: false }] }, ['DEVICE_CLOSED']],
  [
    'a fenced device that follows nobody here',
    { devices: [{ ...uno!, attached: false }] },
    ['DEVICE_NOT_ATTACHED'],
  ],
])('%s', (_, changes, expected) => {
  expect(codes({ links: [ethernet!], ...changes })).toEqual({ reasons: expected, warnings: [] });
});

test('what does not take protection away is a warning', () => {
  const devices = [{ ...uno!, inputsLost: 7 }];
  expect(codes({ verdict: 'yellow', divergences: 1, devices })).toEqual({
    reasons: [],
    warnings: ['INPUT_LOST', 'LINK_SILENT', 'PEER_SUSPECTED', 'DIVERGED_BEFORE'],
  });
});

test('a standstill is a reason with its own words', () => {
  const standstill = {
    code: 'REPLICA_STANDS_STILL',
    text: 'the program has not answered for 12000 ms',
  } as const;
  const health = healthOf(boardStatus(), [standstill]);
  expect(health).toMatchObject({
    schema: 1,
    healthy: false,
    board: 'a',
    role: 'primary',
    term: 3,
    protected: true,
  });
  expect(health.reasons).toEqual([standstill]);
});
