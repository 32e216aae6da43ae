import { describe, expect, test } from 'vitest';
import { confirmMsMax } from './confirmation.ts';
import { event, Line } from './console-line.fake.ts';
import type { SessionOptions } from './console-session.ts';

const jsonLine = (options: Partial<SessionOptions> = {}): Line => new Line({ mode: 'json', ...options });

describe('a person at a bare terminal', () => {
  test('is greeted, and the prompt shows board and role', () => {
    const line = new Line();
    expect(line.take()).toBe('Understudy 1.2.3, board a. help lists the commands.\nunderstudy a primary> ');
  });

  test('gets an answer below the command, and a new prompt', () => {
    const line = new Line();
    const answer = line.type('status\r');
    expect(answer.split('\n')[0]).toBe('status');
    expect(answer).toContain('board a: primary, term 3, protected');
    expect(answer).toMatch(/understudy a primary> $/);
  });

  test('everything fits into 80 columns', () => {
    const line = new Line();
    line.board.list = [event(1, 'alarm', `${'a long story '.repeat(30)}\u001b[31m and a colour`)];
    for (const command of [
      'status',
      'links',
      'devices',
      'events',
      'help',
      'explain',
      'version',
      'journal tail',
      'watch',
    ]) {
      for (const each of line.type(`${command}\r`).split('\n')) {
        expect(each.length, each).toBeLessThan(80);
        expect(each).not.toContain('\u001b');
      }
    }
  });

  test('reports appear above what is being typed, by level', () => {
    const line = new Line();
    line.type('stat');
    line.session.event(line.now, event(1, 'info', 'nothing much'));
    expect(line.take()).toBe('');
    line.session.event(line.now, event(2, 'alarm', 'silent on every link'));
    expect(line.take()).toMatch(/ALARM PEER_RED silent on every link\nunderstudy a primary> stat$/);
    expect(line.type('us\r')).toContain('board a: primary');
    line.type('log info\r');
    line.session.event(line.now, event(3, 'info', 'nothing much'));
    expect(line.take()).toContain('nothing much');
    line.type('log off\r');
    line.session.event(line.now, event(4, 'alarm', 'silent'));
    expect(line.take()).toBe('');
  });

  test('a change of role changes the prompt under the line that is typed', () => {
    const line = new Line();
    line.type('expl');
    line.board.role = 'stepped-down';
    line.session.event(line.now, event(1, 'info', 'x'));
    expect(line.take()).toBe('understudy a stepped-down> expl');
  });

  test('tab knows commands, options and values', () => {
    const line = new Line();
    expect(line.type('swi\t')).toContain('switchover ');
    expect(line.type('--r\t')).toContain('--reason ');
    expect(line.type('\u0003watch /dev/ttyACM0.D\t')).toContain('/dev/ttyACM0.D13 ');
    expect(line.type('\u0003\t')).toContain('status  links  devices');
  });

  test('a watched value is told at once and when it changes', () => {
    const line = new Line();
    expect(line.type('watch turns\r')).toContain('turns = 1000');
    line.wait(5000);
    expect(line.take()).toBe('');
    line.board.turns = 1001;
    line.wait(100);
    expect(line.take()).toContain('turns = 1001');
    line.type('watch off\r');
    line.board.turns = 1002;
    line.wait(1000);
    expect(line.take()).toBe('');
  });

  test('explain without an incident says so; a wrong number is told the rule', () => {
    const line = new Line();
    expect(line.type('explain\r')).toContain('nothing of the kind');
    expect(line.type('explain 0\r')).toContain('N must be 1..1000');
    expect(line.type('events 1e9\r')).toContain('Usage: events [N]');
    expect(line.type('watch nothing\r')).toContain('there is no value');
    expect(line.type('status --fast\r')).toContain('--fast is not an option');
  });
});

describe('what changes something', () => {
  test('is done after yes, with the reason and the line it came from', () => {
    const line = new Line();
    expect(line.type('switchover --reason pump service\r')).toContain('Type yes to go on:');
    expect(line.board.orders).toEqual([]);
    expect(line.type('yes\r')).toContain('switchover is ordered');
    expect(line.board.orders).toEqual([
      { command: 'switchover', reason: 'pump service', from: '/dev/ttyS1' },
    ]);
  });

  test('is done at once after --yes', () => {
    const line = new Line();
    line.type('isolate --yes --reason "new fan"\r');
    expect(line.board.orders).toEqual([{ command: 'isolate', reason: 'new fan', from: '/dev/ttyS1' }]);
  });

  test.each([
    'no',
    'YES',
    'yes please not',
    'y',
    '',
    'status',
    '\u0003',
    'x'.repeat(5000),
  ])('is not done after %j, nor by a later yes', (answer) => {
    const line = new Line();
    line.type('safe --reason smoke\r');
    line.type(`${answer}\r`);
    line.type('yes\r');
    expect(line.board.orders.length).toBe(answer === 'yes please not' ? 1 : 0);
  });

  test('is forgotten after half a minute', () => {
    const line = new Line();
    line.type('safe --reason smoke\r');
    line.wait(confirmMsMax);
    expect(line.take()).toContain('safe is not done: nobody said yes');
    expect(line.type('yes\r')).toContain('nothing waits to be confirmed');
    expect(line.board.orders).toEqual([]);
  });

  test.each([
    'safe',
    'safe --yes',
    'safe --reason --yes',
    'safe --reason "" --yes',
    'safe now --reason x --yes',
  ])('%j lacks a reason or has a word too many', (command) => {
    const line = new Line();
    expect(line.type(`${command}\r`)).toContain('Usage: safe --reason TEXT');
    expect(line.board.orders).toEqual([]);
  });

  test('a refusal of the board is told', () => {
    const line = new Line();
    line.board.answer = [
      { level: 'warning', code: 'OPERATOR_REFUSED', text: 'join needs a board that was isolated' },
    ];
    expect(line.type('join --reason test --yes\r')).toContain('error: join needs a board that was isolated');
  });

  test('the board’s log level is one of them, this line’s is not', () => {
    const line = new Line();
    line.type('log error\r');
    line.type('log error --board --reason test\r');
    expect(line.board.levels).toEqual([]);
    line.type('yes\r');
    expect(line.board.levels).toEqual(['error test /dev/ttyS1']);
    expect(line.type('log off --board --reason test --yes\r')).toContain('cannot be off');
  });
});

describe('a program', () => {
  test('is told hello and the status, each with its schema', () => {
    const line = jsonLine();
    const items = line.items();
    expect(items.map(({ kind }) => kind)).toEqual(['hello', 'status']);
    for (const item of items) expect(item).toMatchObject({ schema: 1, board: 'a', monotonicMs: 1000 });
  });

  test('switches a text line to JSON and back', () => {
    const line = new Line();
    line.session.bytes(line.now, Buffer.from('json on --status 0\r\n'));
    expect(line.items().map(({ kind }) => kind)).toEqual(['hello', 'status']);
    line.session.bytes(line.now, Buffer.from('{"command":"version","id":"v"}\r\n'));
    expect(line.items()).toMatchObject([{ kind: 'version', answers: 'v', version: '1.2.3' }]);
    expect(line.type('json off\r')).toContain('understudy a primary> ');
  });

  test('gets its id back in answers, and not in what nobody asked for', () => {
    const line = jsonLine({ statusIntervalMs: 100 });
    expect(line.ask({ command: 'links', id: 7 })).toMatchObject([{ kind: 'links', answers: 7 }]);
    line.session.event(line.now, event(1, 'info', 'x'));
    line.wait(100);
    const items = line.items();
    expect(items.map(({ kind }) => kind)).toEqual(['report', 'status']);
    for (const item of items) expect(item).not.toHaveProperty('answers');
  });

  test('gets a status as often as it asked for', () => {
    const line = jsonLine({ statusIntervalMs: 100 });
    line.items();
    line.wait(1000);
    expect(line.items().length).toBe(10);
    line.ask('json on --status 0');
    line.wait(10_000);
    expect(line.items()).toEqual([]);
    expect(line.ask('json on --status 5')).toMatchObject([{ kind: 'error', code: 'COMMAND_USAGE' }]);
  });

  test('orders with yes, or is asked', () => {
    const line = jsonLine();
    expect(line.ask({ command: 'switchover', reason: 'test', yes: true, id: 1 })).toMatchObject([
      { kind: 'done', command: 'switchover', answers: 1 },
    ]);
    expect(line.ask({ command: 'safe', reason: 'test' })).toMatchObject([
      { kind: 'confirm', command: 'safe', expiresInMs: confirmMsMax },
    ]);
    expect(line.board.orders.length).toBe(1);
    expect(line.ask({ command: 'yes' })).toMatchObject([{ kind: 'done', command: 'safe' }]);
    expect(line.board.orders.map(({ command }) => command)).toEqual(['switchover', 'safe']);
  });

  test.each([
    ['{"command":5}', 'command must be text'],
    ['{"command":"safe\\nyes"}', 'command must be one line'],
    ['{"command":"status","yes":"true"}', 'yes must be true or false'],
    ['{"command":"status","reason":1}', 'reason must be text'],
    ['{"command":"status","id":{}}', 'id must be a number'],
    ['{"command"', 'not a JSON object'],
  ])('%s is told what is wrong', (request, rule) => {
    const [item] = jsonLine().ask(request);
    expect(item).toMatchObject({ kind: 'error', code: 'LINE_UNREADABLE' });
    expect(JSON.stringify(item)).toContain(rule);
  });

  test('what it cannot take is left out, counted, and told when it can again', () => {
    const line = jsonLine();
    line.items();
    line.full = true;
    for (let index = 0; index < 10; index++) line.session.event(line.now, event(index, 'info', 'x'));
    line.full = false;
    expect(line.ask('version').map(({ kind }) => kind)).toEqual(['dropped', 'version']);
  });

  test('gets its answers while reports are left out', () => {
    const line = jsonLine({ statusIntervalMs: 100 });
    line.halfFull = true;
    line.items();
    for (let index = 0; index < 10; index++) line.session.event(line.now, event(index, 'info', 'x'));
    line.wait(1000);
    expect(line.items()).toEqual([]);
    expect(line.ask('version')).toMatchObject([{ kind: 'dropped', items: 20 }, { kind: 'version' }]);
  });

  test('lines that come while a bundle is written wait, and not without end', () => {
    const line = jsonLine();
    line.ask({ command: 'bundle', id: 1 });
    for (let index = 0; index < 1000; index++) line.session.line(line.now, 'version');
    expect(line.items()).toEqual([]);
    line.board.writing[0]!({ path: '/x', bytes: 5 });
    const kinds = line.items().map(({ kind }) => kind);
    expect(kinds.slice(0, 2)).toEqual(['dropped', 'bundle']);
    expect(kinds.filter((kind) => kind === 'version').length).toBe(16);
  });
});

describe('not a person', () => {
  test('another computer’s login prompt is not argued with', () => {
    const line = new Line();
    let answers = 0;
    for (let round = 0; round < 1000; round++) {
      line.now += 100;
      if (line.type('Login incorrect\r').includes('error')) answers += 1;
    }
    expect(answers).toBeLessThanOrEqual(8);
    expect(line.type('status\r')).toContain('board a: primary');
  });

  test('kernel messages on the line end in no command', () => {
    const line = new Line();
    line.type('[ 123.456789] usb 1-1: USB disconnect, device number 4\r\n');
    line.type('\u0000\u0000[ 124.0] watchdog: BUG: soft lockup - safe\r\n');
    expect(line.board.orders).toEqual([]);
    expect(line.type('status\r')).toContain('board a: primary');
  });
});
