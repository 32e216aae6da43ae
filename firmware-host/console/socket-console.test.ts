import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { FakeConsoleBoard } from './console-board.fake.ts';
import { type ConsoleItem, lineBytesMax } from './console-schema.ts';
import { LineGuard, SocketConsole } from './socket-console.ts';

async function attached(): Promise<{
  board: FakeConsoleBoard;
  socket: Socket;
  next(kind: string): Promise<ConsoleItem>;
}> {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-socket-'));
  const path = join(directory, 'a.sock');
  // Left by a board that was killed.
  writeFileSync(path, '');
  const board = new FakeConsoleBoard();
  const server = new SocketConsole(path, board, (text) => expect.fail(text));
  let socket = createConnection(path);
  for (;;) {
    const outcome = await Promise.race([
      once(socket, 'connect').then(() => 'open'),
      once(socket, 'error').then(() => 'again'),
    ]).catch(() => 'again');
    if (outcome === 'open') break;
    socket = createConnection(path);
  }
  onTestFinished(() => {
    socket.destroy();
    server.close();
    expect(existsSync(path)).toBe(false);
    rmSync(directory, { recursive: true });
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const next = async (kind: string): Promise<ConsoleItem> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`the socket ended before ${kind}`);
      const item = JSON.parse(value) as ConsoleItem;
      if (item.kind === kind) return item;
    }
  };
  return { board, socket, next };
}

test('a program attaches, is told the status again and again, and orders', async () => {
  const { board, socket, next } = await attached();
  expect(await next('hello')).toMatchObject({ line: 'socket', locked: false, statusIntervalMs: 100 });
  await next('status');
  await next('status');
  socket.write('{"command":"switchover","reason":"test","yes":true,"id":1}\r\n');
  expect(await next('done')).toMatchObject({ answers: 1 });
  expect(board.orders).toEqual([{ command: 'switchover', reason: 'test', from: 'socket' }]);
});

test('a line that never ends is answered when it does, and the next one is taken', async () => {
  const { socket, next } = await attached();
  for (let count = 0; count < 64; count++) socket.write('x'.repeat(64 * 1024));
  socket.write('\nversion\n');
  expect(await next('error')).toMatchObject({ code: 'LINE_TOO_LONG' });
  expect(await next('version')).toMatchObject({ version: '1.2.3' });
});

test('the guard lets lines through whole, however they are cut', () => {
  const text = `one\n\n${'y'.repeat(lineBytesMax)}\n${'z'.repeat(lineBytesMax + 1)}\nlast\n`;
  for (const pieceBytes of [1, 3, 1000, 100_000]) {
    let tooLong = 0;
    const guard = new LineGuard(() => {
      tooLong += 1;
    });
    let passed = '';
    for (let from = 0; from < text.length; from += pieceBytes) {
      for (const line of guard.pass(Buffer.from(text.slice(from, from + pieceBytes))))
        passed += line.toString();
    }
    expect(passed).toBe(`one\n\n${'y'.repeat(lineBytesMax)}\nlast\n`);
    expect(tooLong).toBe(1);
  }
});
