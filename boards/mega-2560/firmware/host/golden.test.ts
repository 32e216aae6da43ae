/** The C code against the same golden vectors as the TypeScript side: one vector set, two languages. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { goldenFrameCases, goldenStreamCases } from '../../../../protocol/golden/golden-cases.test-rig.ts';
import { findCompiler, type StreamHost, StreamHostBuild } from './stream-host.test-rig.ts';

const found = findCompiler();
let build: StreamHostBuild | undefined;
let host: StreamHost;

beforeAll(() => {
  if ('missing' in found) return;
  build = new StreamHostBuild(found.compiler);
  host = build.start();
});

beforeEach((context) => {
  if ('missing' in found) context.skip(found.missing);
});

afterAll(async () => {
  if (build === undefined) return;
  await host.close();
  build.remove();
});

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The device stream has CRC-16 only: a case of CRC-32 is for others. */
const frameCases = goldenFrameCases().filter(({ crc }) => crc === 'crc16');
const streamCases = goldenStreamCases();

describe('golden frames in C', () => {
  test('there are good and damaged ones under CRC-16', () => {
    const items = frameCases.flatMap((golden) => golden.items);
    expect(new Set(items.map((item) => (item.kind === 'frame' ? 'frame' : item.reason)))).toEqual(
      new Set(['frame', 'FRAME_TOO_LONG', 'FRAME_CRC', 'FRAME_TOO_SHORT']),
    );
  });

  test.each(frameCases)('$name', async ({ frameBytesMax, line, items }) => {
    const rows = items.map((item) =>
      item.kind === 'frame' ? `frame ${hexOf(item.payload)}` : `discarded ${item.reason} ${item.bytes}`,
    );
    expect(await host.run([`frames ${frameBytesMax} ${hexOf(line)}`])).toEqual(rows);
  });

  test.each(
    frameCases.filter(({ items }) => items.length === 1 && items[0]!.kind === 'frame'),
  )('encoding: $name', async ({ line, items }) => {
    const [item] = items;
    const expected = line[0] === 0 ? line.subarray(1) : line;
    expect(await host.run([`frame ${hexOf((item as { payload: Uint8Array }).payload)}`])).toEqual([
      `line ${hexOf(expected)}`,
    ]);
  });
});

/** What the C side ever writes: a device's messages, of its own version. */
const written = streamCases.filter(
  ({ items, decodeOnly }) =>
    !decodeOnly &&
    items[0]!.kind === 'message' &&
    ['hello', 'attached', 'accepted', 'stale', 'input'].includes(items[0]!.message.kind) &&
    (items[0]!.message.kind !== 'hello' || items[0]!.message.version === 1),
);

describe('golden messages of the device stream in C', () => {
  test.each(streamCases)('$name', async ({ line, rows }) => {
    expect(await host.run([`messages ${hexOf(line)}`])).toEqual(rows);
  });

  test('every message of a device is written', () => {
    expect(new Set(written.map(({ rows }) => rows[0]!.split(' ')[1])).size).toBe(5);
  });

  test.each(written)('encoding: $name', async ({ line, rows }) => {
    expect(await host.run([rows[0]!.replace('message', 'write')])).toEqual([`line ${hexOf(line)}`]);
  });
});
