import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ConsoleItem } from '../../firmware-host/console/console-schema.ts';
import { runCommand, scratchFolder, startCommand } from '../command-line.test-rig.ts';
import { event, hello, status, told } from '../monitor/console-items.fake.ts';
import { ConsoleSocket } from '../monitor/console-socket.test-rig.ts';

/** Both boards count from a zero of their own. */
const clock = { a: () => performance.now() + 1000, b: () => performance.now() + 500_000 };

async function consoleOf(board: 'a' | 'b', path: string): Promise<ConsoleSocket> {
  const now = clock[board];
  const greeting = (): ConsoleItem[] => [hello(board, now()), status(board, now())];
  const socket = await ConsoleSocket.listen(path, greeting, ({ command }) =>
    command === 'status' ? [status(board, now())] : [],
  );
  onTestFinished(() => socket.close());
  return socket;
}

test('tells what happens on both boards as lines, in one order', async () => {
  const folder = scratchFolder();
  const [a, b] = [join(folder, 'a.sock'), join(folder, 'b.sock')];
  const [consoleA, consoleB] = [await consoleOf('a', a), await consoleOf('b', b)];
  const monitor = startCommand(['monitor', a, b, '--plain']);
  await monitor.line(/= PROTECTED: if board A fails now, board B goes on/);
  // Said in the wrong order: b's clock is 499 s ahead of a's, and its event is the older one.
  const [atA, atB] = [clock.a(), clock.b() - 100];
  consoleA.say(told('a', event(2, atA, 'LINK_SILENT', 'serial link: silent')));
  consoleB.say(told('b', event(2, atB, 'LINK_SILENT', 'ethernet link: silent')));
  await monitor.line(/board A: serial is silent/);
  monitor.child.kill('SIGTERM');
  const { code, stdout } = await monitor.ended;
  expect(code).toBe(143);
  const order = stdout.split('\n').flatMap((line) => /board ([AB]): \w+ is silent/.exec(line)?.[1] ?? []);
  expect(order).toEqual(['B', 'A']);
  expect(stdout).not.toContain('\u001b');
});

test('gives programs every item, and what follows from them', async () => {
  const folder = scratchFolder();
  const path = join(folder, 'a.sock');
  const fake = await consoleOf('a', path);
  const monitor = startCommand(['monitor', path, '--json']);
  const outlook = JSON.parse(await monitor.line(/"kind":"outlook".*"leader":"a"/)) as Record<string, unknown>;
  expect(outlook).toMatchObject({
    schema: 1,
    budget: 'two',
    isProtected: true,
    boards: { a: { role: 'primary' } },
  });
  const item = JSON.parse(await monitor.line(/"kind":"hello"/)) as { item: unknown; port: string };
  expect(item).toMatchObject({ kind: 'item', port: path, item: { kind: 'hello', board: 'a' } });
  await monitor.line(/"kind":"port".*"phase":"live"/);
  expect(fake.heard.map(({ command }) => command)).toEqual(
    expect.arrayContaining(['events', 'explain', 'status']),
  );
});

test('writes a dated log', async () => {
  const folder = scratchFolder();
  const path = join(folder, 'a.sock');
  const log = join(folder, 'pair.log');
  const fake = await consoleOf('a', path);
  const monitor = startCommand(['monitor', path, '--plain', '--log', log]);
  await monitor.line(/= PROTECTED/);
  fake.say(told('a', event(7, clock.a(), 'PAIR_SOLO', 'no backup', 'warning')));
  await monitor.line(/board A works alone/);
  monitor.child.kill('SIGINT');
  expect((await monitor.ended).code).toBe(130);
  expect(readFileSync(log, 'utf8')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z a warning PAIR_SOLO no backup$/m);
});

test('finds a socket again that its board made anew', async () => {
  const path = join(scratchFolder(), 'a.sock');
  const first = await consoleOf('a', path);
  const monitor = startCommand(['monitor', path, '--json']);
  await monitor.line(/"phase":"live"/);
  await first.close();
  await monitor.line(/"phase":"waiting".*"the board closed it"/);
  await ConsoleSocket.listen(path, () => [hello('b', 1), status('b', 2)]).then((socket) =>
    onTestFinished(() => socket.close()),
  );
  await monitor.line(/"kind":"item".*"board":"b"/);
});

test('ends with the exit code of a lost console when it is not to reconnect', async () => {
  const { code, stdout } = await runCommand(
    'monitor',
    join(scratchFolder(), 'a.sock'),
    '--plain',
    '--no-reconnect',
  );
  expect(code).toBe(13);
  expect(stdout).toContain('is not there');
});

test('takes a password from a file', async () => {
  const folder = scratchFolder();
  const path = join(folder, 'a.sock');
  const file = join(folder, 'password');
  writeFileSync(file, 'sesam\n');
  const socket = await ConsoleSocket.listen(
    path,
    () => [{ ...hello('a', 1), locked: true }],
    ({ command }) => (command === 'login sesam' ? [hello('a', 2), status('a', 3)] : []),
  );
  onTestFinished(() => socket.close());
  const monitor = startCommand(['monitor', path, '--json', '--password-file', file]);
  await monitor.line(/"phase":"locked"/);
  await monitor.line(/"phase":"live"/);
});

test.each([
  [['monitor', 'x', 'y', 'z'], 2, 'at most two ports'],
  [['monitor', 'x', '--plain', '--json'], 2, 'at most one of'],
  [['monitor', 'x', 'y', '--raw'], 2, 'exactly one port'],
  [['monitor', 'x', '--at-baud', '7'], 2, 'must be a whole number, 300..4000000 (got 7)'],
  [['monitor', 'x', '--log', '/none/of/these/file'], 2, 'USAGE_LOG_UNWRITABLE'],
  [['monitor', 'x', '--password-file', '/none/of/these/file'], 2, 'USAGE_PASSWORD_FILE'],
  [['monitor', 'a', '--config', 'none.yaml'], 3, 'CONFIG_MISSING'],
])('%j ends with %i', async (words, exitCode, text) => {
  const { code, stderr } = await runCommand(...words);
  expect(stderr).toContain(text);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(code).toBe(exitCode);
});

test('lists the ports of this computer', async () => {
  const { code, stdout } = await runCommand('monitor', '--list');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^(\/dev\/\w+ +\S|no serial port)/);
});
