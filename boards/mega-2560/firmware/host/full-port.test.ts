/**
 * Where the C code may differ from the model, and how: a real port's transmit ring has an end (stream_device.h, stream_port_transmit).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeStreamMessage } from '../../../../protocol/device-stream/frames.ts';
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
const lineOf = (...[message]: Parameters<typeof encodeStreamMessage>): string =>
  hexOf(encodeStreamMessage(message));
const attach = lineOf({ kind: 'attach', term: 1, session: 5, inputs: 0 });
const keepalive = lineOf({ kind: 'keepalive', term: 1 });
const accepted = lineOf({
  kind: 'accepted',
  outputs: 0,
  windowBytes: 256,
  inputsSent: 0,
  inputsLost: 0,
  gap: false,
});

/** Attached on port 0 in session 5, nothing on its way. */
const attached = ['device 5 0 - 0', `bytes 0 ${attach}`, 'time 100', 'send'];

describe('a port whose transmit ring is full', () => {
  test('loses an answer whole, counts it, and gives the next one that fits', async () => {
    await host.run(attached);
    const short = (accepted.length / 2 - 1).toString();
    expect(await host.run([`room 0 ${short}`, `bytes 0 ${keepalive}`, 'state'])).toEqual([
      'state 5 1 0 0 512 1 / 0 0 0 0 0 0 0 0 0 0 1 / 0 0 0 0 0 0 0 0 0 0 0',
    ]);
    expect(await host.run([`room 0 ${accepted.length / 2}`, `bytes 0 ${keepalive}`])).toEqual([
      `transmit 0 ${accepted}`,
    ]);
  });

  test('lets inputs wait, and sends each of them once when there is room', async () => {
    await host.run(attached);
    const bytes = Uint8Array.from({ length: 80 }, (_, index) => index);
    const first = lineOf({ kind: 'input', session: 5, offset: 0, bytes: bytes.subarray(0, 64) });
    const second = lineOf({ kind: 'input', session: 5, offset: 64, bytes: bytes.subarray(64) });
    expect(await host.run(['room 0 76', `produce ${hexOf(bytes)}`, 'send', 'time 101', 'send'])).toEqual([]);
    expect(await host.run(['room 0 77', 'send', 'time 110', 'send'])).toEqual([`transmit 0 ${first}`]);
    expect(await host.run(['room 0 -', 'send', 'state'])).toEqual([
      `transmit 0 ${second}`,
      'state 5 1 0 0 432 1 / 0 0 0 0 0 0 0 0 0 0 0 / 0 0 0 0 0 0 0 0 0 0 0',
    ]);
  });

  test('does not keep the other port from its answers', async () => {
    await host.run(attached);
    const query = lineOf({ kind: 'query' });
    const rows = await host.run(['room 0 0', `bytes 0 ${query}`, `bytes 1 ${query}`]);
    expect(rows.map((row) => row.slice(0, 10))).toEqual(['transmit 1']);
  });

  test('a grant whose ATTACHED is lost is persisted, and the same ATTACH again is answered', async () => {
    await host.run(['device 5 0 - 0', 'room 0 0']);
    expect(await host.run([`bytes 0 ${attach}`])).toEqual(['term 1 0']);
    const answer = lineOf({
      kind: 'attached',
      term: 1,
      session: 5,
      outputs: 0,
      windowBytes: 256,
      inputs: 0,
    });
    expect(await host.run(['room 0 -', `bytes 0 ${attach}`])).toEqual([`transmit 0 ${answer}`]);
  });
});

describe('stream_host', () => {
  test.each([
    'device 0 0 - 0',
    'bytes 2 00',
    'bytes 0 0g',
    'device 1 0',
    'nonsense',
    'consumed 1',
  ])('refuses %s', async (command) => {
    const other = build!.start();
    try {
      await expect(other.run([command])).rejects.toThrow(/stream_host ended/);
    } finally {
      await other.close();
    }
  });
});
