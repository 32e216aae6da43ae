import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { FakeTurnContext } from '../turn-context.fake.ts';
import { createCompression } from './compression.ts';

const text = Buffer.from('level 3, level 3, level 3. '.repeat(500));
const kinds = [
  ['deflate', 'inflate'],
  ['gzip', 'gunzip'],
  ['deflateRaw', 'inflateRaw'],
  ['brotliCompress', 'brotliDecompress'],
  ['zstdCompress', 'zstdDecompress'],
  ['gzip', 'unzip'],
] as const;

type Call = (input: Uint8Array, callback: (error: Error | null, result: Buffer) => void) => void;

test.each(
  kinds,
)('%s and %s: callbacks complete in order, with what the synchronous form gives', async (pack, unpack) => {
  const context = new FakeTurnContext();
  const ours = createCompression(context) as unknown as Record<string, Call>;
  const order: string[] = [];
  ours[pack]!(text, (_error, packed) => {
    order.push('packed');
    expect(packed).toEqual((zlib[`${pack}Sync`] as (input: Uint8Array) => Buffer)(text));
    ours[unpack]!(packed, (_error, unpacked) => {
      order.push('unpacked');
      expect(unpacked.equals(text)).toBe(true);
    });
  });
  ours[unpack]!(Buffer.from('no such format'), (error) => order.push(error ? 'failed' : 'accepted'));
  expect(order).toEqual([]);
  await context.drain();
  expect(order).toEqual(['packed', 'failed', 'unpacked']);
});

test.each(kinds)('streams of %s and %s', async (pack, unpack) => {
  const ours = createCompression(new FakeTurnContext()) as unknown as Record<
    string,
    (o?: object) => PassThrough
  >;
  const name = (kind: string): string => `create${kind[0]!.toUpperCase()}${kind.slice(1)}`;
  const result = new PassThrough();
  const chunks = Array.from({ length: 10 }, (_, index) => text.subarray(index * 1350, (index + 1) * 1350));
  const [unpacked] = await Promise.all([
    result.toArray(),
    pipeline(Readable.from(chunks), ours[name(pack)]!({ level: 5 }), ours[name(unpack)]!(), result),
  ]);
  expect(Buffer.concat(unpacked as Buffer[]).equals(text)).toBe(true);
});

test('a stream of garbage fails as Node’s does', async () => {
  const ours = createCompression(new FakeTurnContext());
  const failure = pipeline(Readable.from([Buffer.from('garbage')]), ours.createGunzip(), new PassThrough());
  await expect(failure).rejects.toMatchObject({ code: 'Z_DATA_ERROR' });
  const Gzip = ours.Gzip as unknown as new () => object;
  expect(new Gzip()).toBeInstanceOf(Gzip);
  expect(ours.crc32('x')).toBe(zlib.crc32('x'));
});

test('a call without a callback is thrown back', () => {
  const ours = createCompression(new FakeTurnContext()) as unknown as Record<string, Call>;
  expect(() => ours.gzip!(text, undefined as never)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  );
});
