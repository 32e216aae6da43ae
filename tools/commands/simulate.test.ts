import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SerialPort } from 'serialport';
import { expect, test } from 'vitest';
import { exitCodes } from '../../firmware-host/exit-codes.ts';
import { runCommand, scratchFolder, startCommand } from '../command-line.test-rig.ts';

test('simulate hosts a device that speaks Firmata, until it is told to end', async () => {
  const folder = scratchFolder();
  const links = [join(folder, 'a'), join(folder, 'b')] as const;
  const words = ['simulate', '--plain', '--link-a', links[0], '--link-b', links[1], '--baud-rate', '57600'];
  const { child, ended, line } = startCommand(words);
  await line(/^plain device ready/);
  const path = (await line(/^ +port of board a: /)).trim().split(' ').at(-1)!;
  expect(path).toBe(links[0]);
  expect(readlinkSync(links[0])).toMatch(/^\/dev\/pts\/\d+$/);
  const port = new SerialPort({ path: links[0], baudRate: 57_600 });
  await once(port, 'open');
  const answered = new Promise<void>((resolve) => {
    let bytes = Buffer.alloc(0);
    port.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      // Firmata's protocol version report.
      if (bytes.includes(0xf9)) resolve();
    });
  });
  port.write(Buffer.of(0xf9));
  await answered;
  port.close();
  await once(port, 'close');
  child.kill('SIGINT');
  const { code, stdout } = await ended;
  expect(code).toBe(exitCodes.ok.code);
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^\d+ bytes of outputs accepted/);
});

test('simulate --json prints the events as they are', async () => {
  const { child, ended, line } = startCommand([
    'simulate',
    '--json',
    '--plant',
    'none',
    '--hold-time',
    '200',
  ]);
  expect(JSON.parse(await line(/"ready"/))).toMatchObject({ event: 'ready', mode: 'fenced' });
  child.kill('SIGTERM');
  const { code, stdout } = await ended;
  expect(code).toBe(exitCodes.ok.code);
  expect(JSON.parse(stdout.trimEnd().split('\n').at(-1)!)).toMatchObject({ event: 'summary' });
});

test('one link without the other is refused', async () => {
  const { code, stderr } = await runCommand('simulate', '--link-a', '/tmp/x');
  expect(code).toBe(exitCodes.usage.code);
  expect(stderr).toContain('--link-b');
});
