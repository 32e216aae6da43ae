import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashPassword } from '../../firmware-host/console/password.ts';
import { type LocalRig, startLocalRig } from '../rigs/local/local-rig.ts';
import { openSerialCable, type SerialCable } from '../rigs/local/serial-cable.ts';
import { patientTiming } from './bad-input.ts';
import { missing, TerminalScreen } from './terminal-screen.ts';

const absent = missing('tmux', 'picocom');
const prompt = (role: string): RegExp => new RegExp(`understudy a ${role}> ?$`, 'm');

let directory = '';
let rig: LocalRig | null = null;
const cables: SerialCable[] = [];
const screens: TerminalScreen[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'understudy-console-'));
});

afterEach(async () => {
  for (const screen of screens.splice(0)) screen.close();
  await rig?.stop();
  rig = null;
  for (const cable of cables.splice(0)) cable.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A cable whose end at the board lies where the config says, as udev names a port. */
function plug(path: string): SerialCable {
  const cable = openSerialCable({ baudRate: 115_200 });
  cables.push(cable);
  rmSync(path, { force: true });
  symlinkSync(cable.pathA, path);
  return cable;
}

async function picocom(cable: SerialCable): Promise<TerminalScreen> {
  const words = ['picocom', '--baud', '115200', '--noreset', '--nolock', cable.pathB];
  const screen = new TerminalScreen(words, { columns: 80, rows: 50 });
  screens.push(screen);
  await screen.shows('Terminal ready');
  return screen;
}

async function startWith(ports: { path: string; password?: string }[]): Promise<LocalRig> {
  rig = await startLocalRig({
    program: 'examples/tank.js',
    plant: 'tank',
    timing: patientTiming,
    consolePorts: { a: ports },
  });
  await rig.until(
    (each) => each.isProtected() && each.device.acceptedBytes > 100,
    60_000,
    'protected, at work',
  );
  return rig;
}

const reported = (from: LocalRig, code: string): boolean => from.events.some((each) => each.code === code);

describe('picocom on a serial line', { timeout: 120_000 }, () => {
  test('sees all and orders all that there is', async (context) => {
    if (absent !== null) context.skip(absent);
    const path = join(directory, 'console');
    const cable = plug(path);
    const pair = await startWith([{ path }]);
    const primary = pair.primary()!;
    const screen = await picocom(cable);
    await screen.keys('Enter');
    await screen.shows(prompt(primary === 'a' ? 'primary' : 'backup'));

    // What there is to see.
    await screen.line('help switchover');
    await screen.shows('switchover --reason TEXT [--yes]');
    await screen.keys('sta', 'Tab', 'Enter');
    await screen.shows(/board a: (primary|backup), term 1/);
    await screen.line('links');
    await screen.shows(/ethernet {3}up {4}heard/);
    await screen.line('devices');
    await screen.shows('/dev/ttyACM0  fenced, arbiter');
    // The tank's level and its pump, by their pins.
    await screen.line('watch /dev/ttyACM0.A0');
    await screen.shows(/A0 = \d+/);
    await screen.line('watch off');
    await screen.line('events 5');
    await screen.shows(/info {2}PAIR_/);
    await screen.line('journal tail 5');
    await screen.shows(/\d+ (record|idle|note) /);
    await screen.line('explain');
    await screen.shows(/rule {3}[A-Z_]+/);
    await screen.line('version');
    await screen.shows('console schema 1');
    await screen.line('watch term');
    await screen.shows('term = 1');
    await screen.line('bundle');
    await screen.shows(/\d+ bytes written/);
    const bundle = readFileSync(join(pair.stateDirectory('a'), 'bundle-a.json'), 'utf8');
    expect(JSON.parse(bundle)).toMatchObject({ schema: 1, kind: 'bundle', board: 'a' });

    // Editing: what was mistyped is mended, what was typed comes back.
    await screen.clear();
    await screen.keys('verison', 'BSpace', 'BSpace', 'BSpace', 'BSpace', 'sion', 'Enter');
    await screen.shows('console schema 1');
    await screen.clear();
    await screen.keys('Up', 'Enter');
    await screen.shows('console schema 1');

    // Orders: switchover twice, so that a leads and follows; nothing without yes.
    await screen.line('switchover --reason pump service');
    await screen.shows('Type yes to go on:');
    await screen.line('no');
    await screen.shows('switchover is not done');
    expect(pair.device.term).toBe(1);
    for (const term of [2, 3]) {
      await screen.line('switchover --reason pump service --yes');
      await pair.until((each) => each.device.term === term && each.isProtected(), 30_000, `term ${term}`);
      await screen.shows(`term = ${term}`);
    }
    if (pair.primary() === 'a') {
      await screen.line('switchover --reason make way --yes');
      await pair.until((each) => each.primary() === 'b' && each.isProtected(), 30_000, 'b leads');
    }
    await screen.clear();
    await screen.shows(prompt('backup'));
    await screen.line('explain');
    await screen.shows(/cause {2}OPERATOR/);
    await screen.line('isolate --reason new fan');
    await screen.shows('Type yes to go on:');
    await screen.line('yes');
    await screen.shows(prompt('stopped'));
    await pair.until((each) => each.boards.b.status?.protected === false, 10_000, 'b knows that it is alone');
    await screen.line('join --reason the fan is in --yes');
    await pair.until((each) => each.isProtected(), 30_000, 'protected again');
    await screen.shows(prompt('backup'));
    await screen.line('safe --reason smoke');
    await screen.line('yes');
    await pair.until((each) => !each.boards.a.running && !each.boards.b.running, 20_000, 'both boards end');
    expect([pair.boards.a.exitCode, pair.boards.b.exitCode]).toEqual([0, 0]);
    await pair.until((each) => each.device.safe, 10_000, 'the device is safe');
    expect(reported(pair, 'OPERATOR_SAFE')).toBe(true);
    const order = pair.events.find((each) => each.code === 'OPERATOR_ORDER');
    expect(order?.details).toMatchObject({ command: 'switchover', reason: 'pump service', from: path });
  });

  test('is told by the survivor why it took over', async (context) => {
    if (absent !== null) context.skip(absent);
    const path = join(directory, 'console');
    const cable = plug(path);
    const pair = await startWith([{ path }]);
    if (pair.primary() === 'a') {
      pair.switchover();
      await pair.until((each) => each.primary() === 'b' && each.isProtected(), 30_000, 'b leads');
    }
    const screen = await picocom(cable);
    pair.kill('b');
    await pair.until((each) => each.primary() === 'a', 30_000, 'a takes over');
    await screen.keys('Enter');
    await screen.shows(prompt('primary'));
    await screen.line('explain takeover');
    const told = await screen.shows(/seen in events \d+/);
    expect(told).toMatch(/incident \d+ of \d+, newest first: takeover/);
    expect(told).toMatch(/cause {2}PEER_(PROCESS_GONE|SILENT)/);
    expect(told).toMatch(/Last heard: ethernet \d+ ms, serial \d+ ms before/);
    expect(told).toContain('The device /dev/ttyACM0 granted term');
  });

  test('comes back when the port does, and has to give the password again', async (context) => {
    if (absent !== null) context.skip(absent);
    const path = join(directory, 'console');
    const first = plug(path);
    const pair = await startWith([{ path, password: await hashPassword('open sesame') }]);
    const one = await picocom(first);
    await one.keys('Enter');
    await one.shows('understudy a (locked)>');
    await one.line('status');
    await one.shows('a password is needed: login');
    await one.line('login');
    await one.shows('password:');
    await one.line('wrong');
    await one.shows('that is not the password');
    let screen = '';
    // A second has to pass after the wrong one; until then the right one is refused too.
    while (!screen.includes('logged in')) {
      await one.clear();
      await one.line('login');
      await one.shows('password:');
      await one.line('open sesame');
      screen = await one.shows(/logged in|the next try in \d+ s/);
      expect(screen).not.toContain('sesame');
    }
    await one.line('status');
    await one.shows(/board a: (primary|backup)/);

    // The adapter is unplugged; the pair does not care. Then it is there again, under the same name.
    one.close();
    first.close();
    await pair.until((each) => reported(each, 'CONSOLE_PORT_LOST'), 10_000, 'the port is missed');
    expect(pair.isProtected()).toBe(true);
    const two = await picocom(plug(path));
    await two.shows('A password is needed', 10_000);
    await two.line('status');
    await two.shows('a password is needed: login');
  });
});
