import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from './fifo.ts';

test('gives back in the order of coming what an array would, whatever is done', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat())), (steps) => {
      const fifo = new Fifo<number>();
      const array: number[] = [];
      for (const step of steps) {
        if (step === null) expect(fifo.shift()).toBe(array.shift());
        else {
          fifo.push(step);
          array.push(step);
        }
        expect(fifo.length).toBe(array.length);
        expect(fifo.first).toBe(array[0]);
        expect([...fifo]).toEqual(array);
      }
      fifo.clear();
      expect([fifo.length, fifo.first, fifo.shift(), [...fifo]]).toEqual([0, undefined, undefined, []]);
    }),
  );
});
