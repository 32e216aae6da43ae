import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { NotifyReceiver } from './notify-receiver.test-rig.ts';
import { NotifySocket, unixAddress } from './notify-socket.ts';

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'notify-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function opened(address: string): NotifySocket {
  const result = NotifySocket.open(address);
  if (!result.ok) throw new Error(result.text);
  onTestFinished(() => result.socket.close());
  return result.socket;
}

test.each([
  ['a path', () => join(scratch(), 'notify')],
  ['an abstract name', () => `@understudy/test/${process.pid}`],
])('sends datagrams to %s', async (_, addressOf) => {
  const address = addressOf();
  const receiver = new NotifyReceiver(address);
  const socket = opened(address);
  expect(socket.send('READY=1\nSTATUS=primary, größer')).toEqual({ ok: true });
  expect(socket.send('WATCHDOG=1')).toEqual({ ok: true });
  expect(await receiver.next(/READY/)).toBe('READY=1\nSTATUS=primary, größer');
  expect(await receiver.next(/./)).toBe('WATCHDOG=1');
});

test('says when nobody listens, and works again when somebody does', async () => {
  const address = join(scratch(), 'notify');
  const socket = opened(address);
  expect(socket.send('WATCHDOG=1')).toMatchObject({ ok: false, code: 'NOTIFY_NOT_SENT' });
  const receiver = new NotifyReceiver(address);
  expect(socket.send('WATCHDOG=1')).toEqual({ ok: true });
  expect(receiver.take()).toEqual(['WATCHDOG=1']);
});

test('never waits for a receiver that does not read', () => {
  const address = join(scratch(), 'notify');
  new NotifyReceiver(address);
  const socket = opened(address);
  const results = Array.from({ length: 2000 }, () => socket.send('WATCHDOG=1'));
  expect(results[0]).toEqual({ ok: true });
  expect(results.at(-1)).toMatchObject({ ok: false, code: 'NOTIFY_NOT_SENT' });
});

test.each([
  'vsock:2:1234',
  'notify',
  '',
  '@',
  `/${'x'.repeat(107)}`,
])('refuses the address "%s"', (address) => {
  expect(unixAddress(address)).toBeNull();
  expect(NotifySocket.open(address)).toMatchObject({ ok: false, code: 'NOTIFY_ADDRESS_UNUSABLE' });
});

test('the longest path that the kernel takes fits', () => {
  expect(unixAddress(`/${'x'.repeat(106)}`)).toHaveLength(110);
  expect(unixAddress(`@${'x'.repeat(107)}`)).toHaveLength(110);
});
