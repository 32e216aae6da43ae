import { expect, test } from 'vitest';
import type { HistoryOfLife, Observation } from '../simulator/observation.ts';
import {
  base,
  bytesOf,
  down,
  end,
  facts,
  history,
  leads,
  status,
  stored,
  turn,
  up,
  violationOf,
} from './hand-made-life.fake.ts';
import { inputsOnce } from './inputs-once.ts';

const judge = (
  observations: (Observation | number)[],
  histories: HistoryOfLife[],
  lifeEnd: Parameters<typeof end>[0] = {},
) => violationOf(inputsOnce(facts()), observations, end({ histories, ...lifeEnd }));
const says = (offset: number, text: string): Observation => ({
  kind: 'device-input',
  device: 0,
  session: 100,
  offset,
  bytes: bytesOf(text),
});
const said = [stored('a', 5), says(0, 'one '), says(4, 'three')];
const heard = (inputs: Record<number, string>, bases = [base()]) => history('h', 5, { inputs, bases });

test('each byte once and in order, in whatever pieces, is as promised', () => {
  expect(judge(said, [heard({ 1: 'one th', 3: 'ree' })])).toBeNull();
  expect(judge(said, [heard({ 1: 'on' })])).toBeNull();
});

test.each<[string, Record<number, string>]>([
  ['another input at offset 4', { 1: 'one ', 3: 'hree' }],
  ['another input at offset 4', { 1: 'one ', 2: 'one ' }],
  ['another input at offset 0', { 1: 'three' }],
  ['up to 10, the device said 9', { 1: 'one ', 3: 'three.' }],
])('what is lost, repeated, reordered or made up is found: %s', (complaint, inputs) => {
  expect(judge(said, [heard(inputs)])).toContain(complaint);
});

test('a base of another history in a journal is found', () => {
  const mixed = heard({ 1: 'one ' }, [base(), base({ turn: 5 }), base({ inputs: 4 })]);
  expect(judge(said, [mixed])).toContain('a base of turn 0 after one of turn 5');
});

test('the device counts on', () => {
  expect(judge([says(0, 'one '), says(5, 'x')], [])).toContain('though 4 is next');
});

test('a new history may be given again what was not acknowledged, but lacks nothing that was', () => {
  const next = (inputs: number, text: string) =>
    history('n', 5, { inputs: { 1: text }, bases: [base({ inputs })] });
  const life = [...said, stored('a', 5, 'n')];
  expect(judge(life, [heard({ 1: 'one ' }), next(4, 'three')])).toBeNull();
  expect(judge(life, [heard({ 1: 'one ' }), next(2, 'e thr')])).toBeNull();
  expect(judge(life, [heard({ 1: 'one ' }), next(5, 'hree')])).toContain('inputs 4..5 of session');
  // Unless records were lost as documented.
  const lost = [
    ...life.slice(0, 3),
    down('a', 'power'),
    up('a', 2, 'h', 5),
    stored('a', 9),
    down('a', 'power'),
    up('a', 3, 'h', 5),
  ];
  expect(judge([...lost, stored('a', 5, 'n')], [heard({ 1: 'one ' }), next(5, 'hree')])).toBeNull();
});

test('a history that goes on after a new base lacks and repeats nothing', () => {
  const boards = { a: status('a', { historyId: 'h' }), b: null };
  const twice = (inputs: number, text: string) =>
    heard({ 1: 'one ', 3: text }, [base(), base({ inputs, turn: 2 })]);
  expect(judge(said, [twice(4, 'three')], { boards })).toBeNull();
  expect(judge(said, [twice(2, 'e t')], { boards })).toContain('goes on with input 2 of session');
});

test('at the end no input waits for long while somebody leads', () => {
  const device = { name: 'machine', attached: true, session: 100 } as never;
  const boards = { a: status('a', { role: 'primary', historyId: 'h', devices: [device] }), b: null };
  const data = turn('a', 1, { event: { kind: 'port-data', port: 0, bytes: bytesOf('one ') } });
  const life = [up('a'), leads('a', 1), ...said.slice(0, 2), data];
  const lifeEnd = { boards };
  expect(judge([...life, 8000, says(4, 'three')], [heard({ 1: 'one ' })], lifeEnd)).toContain('inputs 4..9');
  expect(judge([...life, 9900, says(4, 'three')], [heard({ 1: 'one ' })], lifeEnd)).toBeNull();
  const closed = turn('a', 2, { event: { kind: 'port-lost', port: 0, reason: '' } });
  expect(judge([...life, closed, 8000, says(4, 'three')], [heard({ 1: 'one ' })], lifeEnd)).toBeNull();
});
