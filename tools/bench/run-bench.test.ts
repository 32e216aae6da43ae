import { expect, test } from 'vitest';
import { type BenchOptions, catalog } from './catalog.ts';
import { type Figure, isWithinBound, type Part } from './measurement.ts';
import { pageOf } from './result-page.ts';
import { tableOf } from './result-table.ts';
import { wantedOf } from './run-bench.ts';
import { unknownName } from './takeover/takeover-measurement.ts';

const parameters: BenchOptions = { quick: true, runs: 3, minutes: null, contestants: [], faults: [] };

const part: Part = {
  id: 'x',
  title: 'A <title>',
  figures: [
    {
      id: 'x.a',
      text: 'short',
      value: 3.25,
      unit: 'ms',
      bound: { kind: 'at most', value: 3 },
      floor: 0.5,
    },
    { id: 'x.b', text: 'a longer text', value: 12_345, unit: '' },
    { id: 'x.c', text: 'none', value: null, unit: 'ms', note: 'skipped: not here' },
  ],
  plots: [
    {
      title: 'growth',
      xLabel: 'h',
      yLabel: 's',
      xScale: 'log',
      yScale: 'linear',
      curves: [
        {
          name: 'join & replay',
          points: [
            [1, 2],
            [10, 20],
          ],
        },
      ],
    },
  ],
  remarks: ['one thing to know'],
  samples: [{ name: 'gaps', unit: 'ms', values: [1, 1, 2, 9] }],
};

test('a bound is met, missed, or has no value to be judged by', () => {
  const figure: Figure = { id: 'f', text: '', value: 5, unit: '', bound: { kind: 'at least', value: 5 } };
  expect(isWithinBound(figure)).toBe(true);
  expect(isWithinBound({ ...figure, value: 4 })).toBe(false);
  expect(isWithinBound({ ...figure, value: null })).toBeNull();
});

test('the table has its columns one below the other, with the verdict on each bound', () => {
  expect(tableOf(part)).toEqual([
    '',
    'A <title>',
    '---------',
    'short          3.25 ms  at most 3 ms: MISSED  floor 0.50 ms',
    'a longer text   12,345',
    'none                 -                                       skipped: not here',
    '  * one thing to know',
  ]);
});

test('the page holds every part in one file, escaped, and loads nothing', () => {
  const machine = {
    processor: 'p',
    cores: 2,
    memoryMebibytes: 1,
    kernel: 'k',
    system: 's',
    loadBefore: 0,
    isRoot: false,
    versions: { node: '24' },
    commit: 'c',
    date: 'd',
  };
  const failed = [{ id: 'cost', reason: 'no <device>' }];
  const page = pageOf({
    machine,
    loadAfter: 1,
    parameters: { ...parameters, only: [] },
    parts: [part],
    failed,
  });
  expect(page).toContain('A &lt;title&gt;');
  expect(page).toContain('no &lt;device&gt;');
  expect(page).toContain('join &amp; replay');
  expect(page.match(/<svg /g)).toHaveLength(2);
  expect(page).not.toMatch(/NaN|undefined|<script|src=|https?:/);
});

test('unknown names of measurements, contestants and faults are refused with those that exist', () => {
  expect(wantedOf([])).toEqual(catalog);
  expect(wantedOf(['takeover'])).toHaveLength(1);
  expect(wantedOf(['nothing'])).toContain('takeover');
  expect(unknownName(parameters)).toBeNull();
  expect(unknownName({ ...parameters, contestants: ['keepalive'] })).toContain('keepalived-1s');
  expect(unknownName({ ...parameters, faults: ['fire'] })).toContain('power-cut');
});
