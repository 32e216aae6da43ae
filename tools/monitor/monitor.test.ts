/**
 * The monitor as a user has it: a real pair on this computer, consoles on pseudo-terminals (a cable each, at
 * 115,200 baud) and on sockets, a real terminal. One pair for all of it, in the order of the tests.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { hashPassword } from '../../firmware-host/console/password.ts';
import { LocalRig } from '../../hil-tests/rigs/local/local-rig.ts';
import { TmuxScreen, tmuxMissing } from '../terminal/tmux.test-rig.ts';
import { ConsoleCable } from './console-cable.test-rig.ts';

const entry = fileURLToPath(new URL('../understudy.ts', import.meta.url));
const program = fileURLToPath(new URL('../../examples/tank.js', import.meta.url));
const missing = tmuxMissing();
const detectionTimeoutMs = 800;
const password = 'a long one';

let rig: LocalRig;
let cables: ConsoleCable[] = [];
/** Over both cables, 80x24. */
let cabled: TmuxScreen;
/** Over both sockets, 200x60. */
let wide: TmuxScreen;

const monitor = (...words: string[]): string[] => [process.execPath, entry, 'monitor', ...words];
const restart = (board: 'a' | 'b'): void => rig.restart(board, { configFile: rig.configFile });
const isProtected = /^ PROTECTED: if board/m;

/** Consoles on cables besides the sockets, for both boards; that of b with a password. */
async function addConsolePorts(): Promise<void> {
  const hash = await hashPassword(password);
  const config = parse(readFileSync(rig.configFile, 'utf8'));
  for (const [index, name] of (['a', 'b'] as const).entries()) {
    const socket = config.boards[name].console as string;
    const port = { path: cables[index]!.boardPath, ...(name === 'b' ? { password: hash } : {}) };
    config.boards[name].console = { socket, ports: [port] };
  }
  writeFileSync(rig.configFile, stringify(config));
}

beforeAll(async () => {
  if (missing !== null) return;
  // The machine that runs tests is busier than a board: a pair that takes over by itself meanwhile is not what is tested.
  const timing = { heartbeatIntervalMs: 20, detectionTimeoutMs, suspectTimeoutMs: 100 };
  rig = new LocalRig({ program, plant: 'tank', start: false, timing, holdTimeMs: 4 * detectionTimeoutMs });
  await rig.open();
  cables = [new ConsoleCable(rig.directory, 'a'), new ConsoleCable(rig.directory, 'b')];
  await addConsolePorts();
  const passwordFile = join(rig.directory, 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  restart('a');
  restart('b');
  cabled = new TmuxScreen(
    monitor(...cables.map(({ monitorPath }) => monitorPath), '--password-file', passwordFile),
    {
      columns: 80,
      rows: 24,
    },
  );
  wide = new TmuxScreen(monitor('a', 'b', '--directory', rig.directory), { columns: 200, rows: 60 });
  await rig.until(() => rig.isProtected(), 20_000, 'the pair is protected');
}, 40_000);

afterAll(async () => {
  cabled?.close();
  wide?.close();
  await rig?.stop();
  for (const cable of cables) cable.pullOut();
});

describe('understudy monitor', () => {
  beforeEach((context) => {
    if (missing !== null) context.skip(missing);
  });

  /** One test's fault is not the next one's. */
  afterEach(() => {
    if (missing !== null) return;
    for (const cable of ['serial', 'ethernet'] as const) rig.restore(cable);
    for (const board of ['a', 'b'] as const) rig.thaw(board);
    for (const cable of cables) cable.plugIn();
  });

  it('shows both boards at once, over two cables, on 80 x 24', async () => {
    await cabled.until(isProtected, 'PROTECTED on 80 x 24');
    const roles = /A +primary, in control.*BOARD B +backup, ready|A +backup, ready.*BOARD B +primary/;
    await cabled.until(roles, 'both boards');
    await cabled.until(
      /TWO failures away\. If [AB] died now, [AB] would take over in \d+/,
      'the takeover’s length',
    );
    await cabled.until(/clocks ±[\d.]+ ms/, 'the clocks’ bound');
    expect(cabled.text().trimEnd().split('\n')).toHaveLength(24);
  });

  it('shows the same turn of both boards on the same row, on 200 x 60', async () => {
    await wide.until(isProtected, 'PROTECTED on 200 x 60');
    await wide.until(/TURNS: the same turn on the same row/, 'the turns');
    await wide.until(/[\d,]+ {2}(device bytes|time).* the same/, 'a turn that both have');
    const text = await wide.until(/silence 800 ms \+ replay [\d.]+ ms \+ claim [\d.]+ ms/, 'the sum');
    expect(text.trimEnd().split('\n')).toHaveLength(60);
  });

  it('draws anew when the terminal gets another size', async () => {
    wide.resize(100, 30);
    await wide.until(
      (text) => isProtected.test(text) && !text.includes('TURNS: the same'),
      'the picture of 100 x 30',
    );
    wide.resize(60, 10);
    await wide.until(/80 x 24 characters show the whole picture/, 'the small picture');
    wide.resize(200, 60);
    await wide.until(/TURNS: the same turn/, 'the large picture again');
  });

  it.each([
    'serial',
    'ethernet',
  ] as const)('tells of a %s cable that is cut, and of its return', async (cable) => {
    rig.cut(cable);
    await wide.until(new RegExp(`PROTECTED, but ${cable} is silent:`), 'the silent cable');
    await cabled.until(new RegExp(`${cable} +SILENT.*${cable} +SILENT`), 'SILENT at both boards');
    rig.restore(cable);
    await cabled.until((text) => isProtected.test(text) && !text.includes('SILENT'), 'the cable is back');
  });

  it('does nothing on a switchover that is not confirmed', async () => {
    const leader = rig.primary()!;
    cabled.keys('w');
    await cabled.until(/reason for the switchover/, 'the prompt');
    cabled.type('not really');
    cabled.keys('Enter');
    await cabled.until(/Switch over from board . to board . now\? {2}\(y\/n\)/, 'the question');
    cabled.keys('n');
    await cabled.until(/Nothing was done/, 'the answer');
    expect(rig.primary()).toBe(leader);
  });

  it('switches over by key, with a reason', async () => {
    const leader = rig.primary()!;
    const next = leader === 'a' ? 'b' : 'a';
    cabled.keys('w');
    await cabled.until(/reason for the switchover/, 'the prompt');
    cabled.type('service of the pump');
    cabled.keys('Enter');
    await cabled.until(/\(y\/n\)/, 'the question');
    cabled.keys('y');
    await rig.until(() => rig.primary() === next && rig.isProtected(), 20_000, 'the other board leads');
    const leads = new RegExp(`PROTECTED: if board ${next.toUpperCase()} fails`);
    await cabled.until(leads, 'the new leader on 80 x 24');
    await wide.until(leads, 'the new leader on 200 x 60');
    await wide.until(/service of the pump/, 'the reason among the events');
    expect(rig.device.attachedBoard).toBe(next);
  });

  it('shows a frozen primary, the takeover with its length, and the return', async () => {
    const leader = rig.primary()!;
    const [first, second] = [leader.toUpperCase(), leader === 'a' ? 'B' : 'A'];
    rig.freeze(leader);
    await wide.until(new RegExp(`NOT PROTECTED: .*board ${second} works alone`), 'the takeover');
    const text = await wide.until(/Last one: \d+/, 'its length');
    expect(text).toMatch(/ONE failure away/);
    await wide.until(new RegExp(`BOARD ${first} +was primary`), 'the frozen board is not taken for a leader');
    rig.thaw(leader);
    await rig.until(() => rig.isProtected(), 20_000, 'the frozen board has joined');
    await wide.until(isProtected, 'PROTECTED again');
    await wide.until(/WHY: the last incident/, 'the page');
  });

  it('shows that both cables are cut, and that one board works alone', async () => {
    rig.cut('serial');
    rig.cut('ethernet');
    const text = await wide.until(/NOT PROTECTED: .*board [AB] works alone/, 'the lonely board');
    expect(text).toMatch(/ONE failure away\. If [AB] died now, control would be lost/);
    await cabled.until(/SILENT.*SILENT.*\n.*SILENT.*SILENT/, 'both cables on both boards');
    rig.restore('serial');
    rig.restore('ethernet');
    await rig.until(() => rig.isProtected(), 20_000, 'both boards have met again');
    await cabled.until(isProtected, 'PROTECTED again');
  });

  it('shows that the program of the primary has died, and who leads after it', async () => {
    const leader = rig.primary()!;
    const next = leader === 'a' ? 'b' : 'a';
    rig.killReplica(leader);
    await rig.until(() => rig.primary() === next && rig.isProtected(), 20_000, 'the other board leads');
    await wide.until(new RegExp(`PROTECTED: if board ${next.toUpperCase()} fails`), 'the new leader');
    await wide.until(/REPLICA_(ENDED|THREW)/, 'the cause, on the page of why');
  });

  it('finds the console of a board again that was killed and started', async () => {
    const leader = rig.primary()!;
    rig.kill(leader);
    await wide.until(/console LOST/, 'the lost socket');
    await wide.until(/NOT PROTECTED: .*works alone/, 'the takeover');
    restart(leader);
    await rig.until(() => rig.isProtected(), 20_000, 'the board has joined');
    await wide.until((text) => isProtected.test(text) && !text.includes('LOST'), 'attached again');
    await cabled.until(
      (text) => isProtected.test(text) && !text.includes('SILENT'),
      'attached again over its cable',
    );
  });

  it('goes on when a port vanishes, and finds it again', async () => {
    cables[0]!.pullOut();
    const text = await cabled.until(/console LOST/, 'the lost cable');
    expect(text).toMatch(/BOARD A +was/);
    expect(text).toMatch(isProtected);
    cables[0]!.plugIn();
    await cabled.until(
      (each) => /BOARD A +(primary|backup)/.test(each) && !each.includes('LOST'),
      'attached again',
    );
  });

  it('has a help, a menu behind Ctrl-T, and pages', async () => {
    cabled.keys('?');
    await cabled.until(/Ctrl-T, then:/, 'the help');
    cabled.keys('Escape');
    cabled.keys('C-t');
    await cabled.until(/Ctrl-T: \? help {2}q quit/, 'the menu');
    cabled.keys('t');
    // Whatever the newest events are about: of a small screen the boards' own may have moved out.
    await cabled.until(/-\d+\.\d s {2}\S|-\d+ min {2}\S/, 'how long ago');
    cabled.keys('e');
    await cabled.until(/WHY: the last incident/, 'the page of why');
    await cabled.until(/protocol\/README\.md §/, 'the rule that was applied');
    cabled.keys(':');
    cabled.type('a version');
    cabled.keys('Enter');
    await cabled.until(/board A: understudy \d+\.\d+\.\d+, Node v24/, 'the answer to a command');
  });

  it('gives the terminal back on q', async () => {
    expect(cabled.modes().alternateScreen).toBe(true);
    cabled.keys('q');
    await cabled.until(/ended with 0/, 'the end');
    expect(cabled.modes()).toEqual({ alternateScreen: false, cursorShown: true });
  });

  it('gives the terminal back on SIGTERM', async () => {
    const shell = wide.shellPid();
    const child = Number(readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim());
    process.kill(child, 'SIGTERM');
    await wide.until(/ended with 143/, 'the end');
    expect(wide.modes()).toEqual({ alternateScreen: false, cursorShown: true });
  });

  it('draws in ASCII without colours where the locale and NO_COLOR say so', async () => {
    const screen = new TmuxScreen(monitor('--directory', rig.directory), {
      columns: 80,
      rows: 24,
      environment: { LANG: 'C', LC_ALL: 'C', NO_COLOR: '1' },
    });
    try {
      await screen.until(isProtected, 'PROTECTED in ASCII');
      expect(screen.capture()).toMatch(/^[\n -~]*$/);
    } finally {
      screen.close();
    }
  });

  it('writes lines into a dumb terminal', async () => {
    const screen = new TmuxScreen(monitor('--directory', rig.directory), {
      columns: 80,
      rows: 24,
      environment: { TERM: 'dumb' },
    });
    try {
      await screen.until(/= PROTECTED/, 'the state as a line');
      expect(screen.modes().alternateScreen).toBe(false);
    } finally {
      screen.close();
    }
  });

  it('passes bytes through in raw mode, with times, and leaves on Ctrl-T q', async () => {
    const screen = new TmuxScreen(monitor(cables[0]!.monitorPath, '--raw', '--timestamps'), {
      columns: 100,
      rows: 24,
    });
    try {
      await screen.until(/is open; Ctrl-T q ends/, 'the port is open');
      screen.keys('Enter');
      screen.type('version');
      screen.keys('Enter');
      await screen.until(/\[\d\d:\d\d:\d\d\.\d{3}\].*understudy/i, 'the console’s answer, with a time');
      screen.keys('C-t', 'q');
      await screen.until(/ended with 0/, 'the end');
    } finally {
      screen.close();
    }
  });
});
