import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../config/config.ts';
import { bundleOf, writeBundle } from './bundle-file.ts';
import { FakeConsoleBoard } from './console-board.fake.ts';

const password = `scrypt:32768:${'1'.repeat(32)}:${'2'.repeat(64)}`;
const config = parseConfig(
  `
program: ./tank.js
pairKey: '${'cd'.repeat(32)}'
environment: { API_TOKEN: 'very secret' }
boards:
  a:
    serial: { path: /dev/ttyAMA0 }
    state: ./a
    console: { socket: ./a.sock, ports: [{ path: /dev/ttyS1, password: '${password}' }] }
  b:
    serial: { path: /dev/ttyAMA0 }
    state: ./b
    console: ./b.sock
devices:
  - { name: /dev/ttyACM0, kind: fenced, ports: { a: /dev/ttyAMA1, b: /dev/ttyAMA1 } }
`,
  '/etc/understudy/pair.yaml',
);

test('a bundle tells the config, the status and the events, and no secret', () => {
  const text = JSON.stringify(bundleOf(new FakeConsoleBoard(), config));
  for (const secret of ['cdcd', 'very secret', '2222']) expect(text).not.toContain(secret);
  expect(JSON.parse(text)).toMatchObject({
    schema: 1,
    board: 'a',
    config: {
      pairKey: { kind: 'hex' },
      environment: ['API_TOKEN'],
      boards: { a: { consolePorts: [{ path: '/dev/ttyS1', baudRate: 115_200, hasPassword: true }] } },
    },
    status: { role: 'primary' },
  });
});

test('one file a board, private, whole', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-bundle-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const board = new FakeConsoleBoard();
  for (let time = 0; time < 3; time++) {
    const { path, bytes } = await writeBundle(directory, bundleOf(board, config));
    expect(statSync(path)).toMatchObject({ size: bytes });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ kind: 'bundle' });
  }
  expect(readdirSync(directory)).toEqual(['bundle-a.json']);
  await expect(writeBundle(join(directory, 'absent'), bundleOf(board, config))).rejects.toThrow('ENOENT');
});
