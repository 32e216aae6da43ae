import { expect, test } from 'vitest';
import type { Fault } from '../simulator/fault.ts';
import type { HistoryOfLife, Observation } from '../simulator/observation.ts';
import {
  accepts,
  base,
  down,
  end,
  facts,
  history,
  leads,
  reports,
  status,
  stored,
  turn,
  up,
  violationOf,
} from './hand-made-life.fake.ts';
import { uninterruptedOutput } from './uninterrupted-output.ts';

const judge = (
  observations: (Observation | number)[],
  histories: HistoryOfLife[],
  lifeEnd: Parameters<typeof end>[0] = {},
) => violationOf(uninterruptedOutput(facts()), observations, end({ histories, ...lifeEnd }));
const wrote = history('h', 5, { writes: { 1: 'one ', 3: 'three ', 4: 'four' } });
const led = [stored('a', 2), accepts('a', 1, 0, 'one t'), stored('b', 5)];

test('a prefix of what one run writes, whoever sent it, is as promised', () => {
  expect(judge([...led, accepts('b', 2, 5, 'hree four')], [wrote])).toBeNull();
  expect(judge([...led, accepts('b', 2, 5, 'hr')], [wrote])).toBeNull();
});

test.each<[string, Observation]>([
  ['another byte at offset 7', accepts('b', 2, 5, 'hrxe')],
  ['offset 6 where 5 was next', accepts('b', 2, 6, 'ree four')],
  ['offset 4 where 5 was next', accepts('b', 2, 4, 'three four')],
  ['2 bytes more than history h wrote', accepts('b', 2, 5, 'hree four, ')],
])('what is lost, repeated, reordered or made up is found: %s', (complaint, accepted) => {
  expect(judge([...led, accepted], [wrote])).toContain(complaint);
});

test('several histories and sessions each count from their bases', () => {
  const next = history('n', 3, {
    writes: { 1: 'new', 2: 'er' },
    bases: [base({ outputs: 5 }), base({ session: 101, turn: 2 })],
  });
  const life = [...led, stored('b', 1, 'n'), accepts('b', 2, 5, 'new')];
  expect(judge([...life, accepts('b', 2, 0, 'er', { session: 101 })], [wrote, next])).toBeNull();
  expect(judge([...life, accepts('b', 2, 0, 'new', { session: 101 })], [wrote, next])).toContain(
    'session 101',
  );
  expect(judge([...led, stored('b', 1, 'n'), accepts('b', 2, 5, 'hree')], [wrote, next])).toContain(
    'offset 5',
  );
});

test('a history that is still lived skips nothing when it counts anew in a session', () => {
  const skips = { ...wrote, bases: [base(), base({ outputs: 5, turn: 4 })] };
  const life = [...led, accepts('b', 2, 5, 'four')];
  const boards = { a: status('a', { historyId: 'h' }), b: null };
  expect(judge(life, [skips], { boards })).toContain('without 5 bytes written before');
  expect(judge(life, [skips])).toBeNull();
});

test('records that are lost as documented are counted, not compared', () => {
  const short = history('h', 2, { writes: { 1: 'one ' } });
  const beyond = [stored('a', 4), accepts('a', 1, 0, 'one three ')];
  expect(judge(beyond, [short])).toContain('6 bytes more');
  expect(judge([...beyond, down('a', 'power'), up('a', 2, 'h', 2)], [short])).toBeNull();
  // The other board's copy does not excuse it: it is at its full length.
  expect(judge([...beyond, down('b', 'power')], [short])).toContain('6 bytes more');
  const checker = uninterruptedOutput(facts());
  expect(violationOf(checker, [...beyond, down('a', 'power')], end({ histories: [short] }))).toBeNull();
  expect([checker.comparedBytes, checker.uncomparedBytes]).toEqual([4, 6]);
});

test('a whole history may be missing only if no board need have it', () => {
  expect(judge(led, [])).toContain('should still be on a board');
  expect(judge([...led, down('a', 'power')], [])).toContain('should still be on a board');
  expect(judge([...led, down('a', 'power'), stored('b', 1, 'n')], [])).toBeNull();
});

test('bytes before the first base are found', () => {
  const late = { ...wrote, bases: [base({ outputs: 2 })] };
  expect(judge(led, [late])).toContain('2 bytes from 0 on that no history wrote');
});

test('what a replica wrote after it went wrong unnoticed is not compared, what it wrote before is', () => {
  const fault: Fault = { kind: 'replica', at: 0, board: 'b', how: 'diverges' };
  const wrong: Observation[] = [
    { kind: 'fault', phase: 'begins', fault },
    turn('b', 2, { mode: 'replay' }),
    turn('b', 3, { digest: 1 }),
  ];
  expect(judge([...led.slice(0, 2), ...wrong, accepts('b', 2, 5, 'xxxx')], [wrote])).toBeNull();
  expect(judge([...wrong, stored('b', 5), accepts('b', 2, 0, 'one xxxxxx')], [wrote])).toBeNull();
  expect(judge([...wrong, stored('b', 5), accepts('b', 2, 0, 'onexxx')], [wrote])).toContain('offset 3');
  const ended = [wrong[0]!, reports('b', 'DIVERGED'), ...wrong.slice(1)];
  expect(judge([...ended, stored('b', 5), accepts('b', 2, 0, 'one xxxxxx')], [wrote])).toContain('offset 4');
});

test('nor taken for an earlier history’s, when the reference comes to nothing', () => {
  const earlier = history('h', 5, { writes: { 1: 'one ', 3: 'three' } });
  const next = history('n', 4, { bases: [base({ outputs: 4 })] });
  const fault: Fault = { kind: 'replica', at: 0, board: 'b', how: 'diverges' };
  const wrong: Observation[] = [
    { kind: 'fault', phase: 'begins', fault },
    turn('b', 2, { mode: 'replay', historyId: 'n' }),
    turn('b', 3, { digest: 1, historyId: 'n' }),
  ];
  const life = [...led.slice(0, 1), accepts('a', 1, 0, 'one '), stored('b', 4, 'n')];
  expect(judge([...life, ...wrong, accepts('b', 2, 4, 'else')], [earlier, next])).toBeNull();
  expect(judge([...life, accepts('b', 2, 4, 'else')], [earlier, next])).toContain('offset 4');
});

test('at the end nothing is stuck', () => {
  const device = { name: 'machine', attached: true, session: 100 } as never;
  const boards = { a: status('a', { role: 'primary', historyId: 'h', devices: [device] }), b: null };
  const life = [up('a'), leads('a', 1), stored('a', 2), accepts('a', 1, 0, 'one ')];
  expect(judge([...life, 8000, stored('a', 5)], [wrote], { boards })).toContain('lacks 10 bytes');
  expect(judge([...life, 9900, stored('a', 5)], [wrote], { boards })).toBeNull();
  expect(
    judge([...life, 8000, stored('a', 5), 9900, accepts('a', 1, 4, 't')], [wrote], { boards }),
  ).toBeNull();
});
