import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { event, hello, status, told } from './console-items.fake.ts';
import { readItem } from './items.ts';

describe('readItem', () => {
  it.each([
    ['hello', hello('a')],
    ['status', status('b', 5)],
    ['report', told('a', event(1, 2, 'CODE', 'text'))],
  ])('reads a %s, also one with fields that nobody knows', (_, item) => {
    expect(readItem(JSON.stringify(item))).toEqual({ kind: 'item', item });
    const reading = readItem(JSON.stringify({ ...item, unheardOf: [1] }));
    expect(reading).toMatchObject({ kind: 'item', item });
  });

  it.each([
    ['no object', '{"schema":'],
    ['of a kind that nobody knows', '{"schema":1,"kind":"new","board":"a","monotonicMs":1}'],
    ['without what would be read of it', '{"schema":1,"kind":"status","board":"a","monotonicMs":1}'],
    ['of no board', JSON.stringify({ ...status('a', 1), board: 'c' })],
    ['a number where words belong', JSON.stringify({ ...status('a', 1), role: 5 })],
    ['a prompt', 'understudy:a primary> '],
  ])('takes what is %s as noise', (_, line) => {
    expect(readItem(line).kind).toBe('noise');
  });

  it('knows an item of another schema for what it is', () => {
    expect(readItem('{"schema":9,"kind":"status"}')).toEqual({ kind: 'foreign', schema: 9 });
  });

  it('takes an item with anything in the place of any of its fields as whole or as noise, and never throws', () => {
    const keys = Object.keys(status('a', 1));
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        const { kind } = readItem(JSON.stringify({ ...status('a', 1), [key]: value }));
        expect(['item', 'noise', 'foreign']).toContain(kind);
      }),
    );
  });
});
