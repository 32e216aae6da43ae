import { expect, test } from 'vitest';
import { incidentsOf, judge, OutputWatch } from './output-watch.ts';

const low = (value: number): number[] => [0xe9, value & 0x7f, value >> 7];
const high = (value: number): number[] => [0xea, value & 0x7f, value >> 7];

function watchOf(
  ...outputs: { port?: number; term?: number; bytes: number[]; atMs?: number }[]
): OutputWatch {
  const watch = new OutputWatch();
  for (const { port = 0, term = 0, bytes, atMs = 0 } of outputs) {
    watch.take({ port, term, bytes: Uint8Array.from(bytes), atMs });
  }
  return watch;
}

test('numbers of one program on one port are no succession, however their bytes are cut', () => {
  const watch = watchOf(
    { bytes: low(1) },
    { bytes: [0xe9, 2] },
    { bytes: [0, ...low(3), 0xf4, 9, 3, ...low(4)] },
  );
  expect(watch.count).toBe(4);
  expect(watch.successions).toEqual([]);
});

test('another port that goes on counting is a succession without loss', () => {
  const watch = watchOf({ bytes: low(7), atMs: 10 }, { port: 1, bytes: low(8), atMs: 40 });
  expect(watch.successions).toEqual([{ atMs: 40, last: 7, first: 8, lastAtMs: 10 }]);
  expect(judge(watch.successions[0]!)).toEqual({ lost: 0, repeated: 0, isStateLost: false });
});

test('a new term on a fenced device continues the stream of the old one in the middle of a message', () => {
  const watch = watchOf(
    { term: 4, bytes: [...high(1), ...low(5), 0xe9] },
    { port: 1, term: 5, bytes: [6, 0] },
  );
  expect(watch.successions).toMatchObject([{ last: 16_389, first: 16_390 }]);
});

test('the same port that begins anew is a succession with the state lost', () => {
  const watch = watchOf({ bytes: low(100) }, { bytes: [...high(0), ...low(1)] });
  expect(judge(watch.successions[0]!)).toEqual({ lost: 0, repeated: 100, isStateLost: true });
});

test('numbers above 14 bits: the upper part belongs to its port', () => {
  const watch = watchOf({ bytes: [...high(2), ...low(0)] }, { port: 1, bytes: low(1) });
  expect(watch.successions).toMatchObject([{ last: 32_768, first: 1 }]);
});

test('a number that nobody got is lost, one that comes again is repeated', () => {
  expect(judge({ last: 10, first: 13 })).toEqual({ lost: 2, repeated: 0, isStateLost: false });
  expect(judge({ last: 10, first: 9 })).toEqual({ lost: 0, repeated: 2, isStateLost: false });
});

test('waiting for a succession ends with it, or with null when its time is over', async () => {
  const watch = watchOf({ bytes: low(1) });
  expect(await watch.successionAfter(0, 0)).toBeNull();
  const waiting = watch.successionAfter(0, 5000);
  watch.take({ port: 1, term: 0, bytes: Uint8Array.from(low(2)), atMs: 9 });
  expect(await waiting).toMatchObject({ atMs: 9, first: 2 });
});

test('two boards that both lead for a while are one incident; the next one is another', () => {
  expect(incidentsOf([])).toBe(0);
  const alternating = [1000, 1002, 1005, 1007, 1200].map((atMs) => ({ atMs }));
  expect(incidentsOf(alternating)).toBe(1);
  expect(incidentsOf([...alternating, { atMs: 1500 }])).toBe(2);
});
