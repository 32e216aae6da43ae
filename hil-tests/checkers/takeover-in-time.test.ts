import { expect, test } from 'vitest';
import type { Fault } from '../simulator/fault.ts';
import type { Observation } from '../simulator/observation.ts';
import {
  attached,
  backs,
  down,
  end,
  facts,
  leads,
  reports,
  role,
  tells,
  turn,
  up,
  violationOf,
} from './hand-made-life.fake.ts';
import { takeoverInTime } from './takeover-in-time.ts';

const power: Fault = { kind: 'power', at: 4000, until: 6000, board: 'a', disk: 'kept' };
const kill: Fault = { kind: 'kill', at: 4000, until: 6000, board: 'a' };
const pause: Fault = { kind: 'pause', at: 4000, until: 6000, board: 'a' };
const pair = [up('a'), up('b'), leads('a', 1), backs('b', 1), 4000];
const begins = (fault: Fault): Observation => ({ kind: 'fault', phase: 'begins', fault });
const ends = (fault: Fault): Observation => ({ kind: 'fault', phase: 'ends', fault });
const heard: Observation = { kind: 'heard', board: 'b', link: 1 };
const later = tells('b', { role: 'backup', term: 1, protected: true, historyId: 'h' });

function judge(fault: Fault, rest: (Observation | number)[], others: Fault[] = []) {
  const checker = takeoverInTime(facts({ faults: [fault, ...others] }));
  const gone = fault.kind === 'pause' ? [] : [down('a', fault.kind === 'kill' ? 'killed' : 'power')];
  const violation = violationOf(checker, [...pair, begins(fault), ...gone, ...rest], end());
  return violation ?? `${checker.judged} judged, ${checker.skipped} skipped`;
}

test.each([
  power,
  pause,
])('a takeover within the bound is as promised, one after it is found: $kind', (fault) => {
  expect(judge(fault, [4170, attached('b', 2)])).toBe('1 judged, 0 skipped');
  expect(judge(fault, [4190, attached('b', 2)])).toContain('did not hold the device 180.0 ms after');
  expect(judge(fault, [4190, later])).toContain('did not hold the device');
});

test('a killed process is missed sooner', () => {
  expect(judge(kill, [4120, attached('b', 2)])).toBe('1 judged, 0 skipped');
  expect(judge(kill, [4140, attached('b', 2)])).toContain('after the kill of board a');
});

test('what was on its way is waited for, and what was received is run first, within bounds', () => {
  expect(judge(power, [4050, heard, 4220, attached('b', 2)])).toBe('1 judged, 0 skipped');
  const runs = (number: number) => turn('b', number, { mode: 'replay' });
  expect(judge(power, [4120, runs(1), 4200, runs(2), 4270, attached('b', 2)])).toBe('1 judged, 0 skipped');
  const endless = Array.from({ length: 30 }, (_, index) => [4010 + 20 * index, runs(index)]).flat();
  expect(judge(power, endless)).toContain('did not hold');
});

test('a new process of the primary is no excuse, nor is the primary that takes the device back', () => {
  expect(judge(power, [4020, up('a', 2), 4100, heard, 4190, later])).toContain('did not hold');
  expect(judge(power, [4100, attached('a', 2), 4190, later])).toContain('did not hold');
});

test('a pause that ends before counts for nothing', () => {
  expect(judge(pause, [4100, ends(pause), 4300, later])).toBe('0 judged, 0 skipped');
});

test.each<[string, Fault, number, number]>([
  ['a link', { kind: 'loss', at: 3000, until: 3500, link: 'serial', from: null, probability: 0.1 }, 0, 1],
  ['the backup', { kind: 'late-wakes', at: 3000, until: 5000, board: 'b', ms: 50 }, 0, 1],
  ['the line', { kind: 'line-noise', at: 3000, until: 5000, board: 'b', device: 0, probability: 0.1 }, 0, 1],
  ['long ago', { kind: 'loss', at: 500, until: 1000, link: 'serial', from: null, probability: 0.1 }, 1, 0],
  ['the disk of the dead', { kind: 'slow-disk', at: 3000, until: 5000, board: 'a', ms: 9 }, 1, 0],
])('something else is wrong: %s', (_, other, judged, skipped) => {
  expect(judge(power, [4170, attached('b', 2)], [other])).toBe(`${judged} judged, ${skipped} skipped`);
  const late = judge(power, [4190, later], [other]);
  if (judged === 1) expect(late).toContain('did not hold');
  else expect(late).toBe('0 judged, 1 skipped');
});

test('a program that has just failed, or a backup that ends too, is not judged', () => {
  expect(judge(power, [reports('b', 'PROGRAM_THREW'), 4190, later])).toBe('0 judged, 1 skipped');
  expect(judge(power, [down('b', 'exit'), 4190, later])).toBe('0 judged, 1 skipped');
});

test('what is not protected is not taken over', () => {
  const checker = takeoverInTime(facts({ faults: [power] }));
  const joining = role('b', { role: 'joining', term: 1, historyId: 'h' });
  expect(violationOf(checker, [...pair, joining, begins(power), down('a', 'power'), 4400, later])).toBeNull();
});
