import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { ConfigError, loadConfig, parseConfig } from './config.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'config-'));
  directories.push(directory);
  return directory;
}

const least = `program: ./tank.js
pairKeyFile: pair.key
boards:
  a:
    serial: {path: /dev/ttyAMA0}
    ethernet: {listen: "10.0.0.1:7411", peer: "10.0.0.2:7411"}
    state: ./state-a
    console: ./a.sock
  b:
    serial: {path: /dev/ttyAMA0}
    ethernet: {listen: "10.0.0.2:7411", peer: "10.0.0.1:7411"}
    state: ./state-b
    console: /run/b.sock
    filesRoot: files
devices:
  - {name: /dev/ttyACM0, kind: fenced, ports: {a: /dev/ttyAMA1, b: /dev/ttyAMA1}}
`;

function failure(source: string): ConfigError {
  try {
    parseConfig(source, 'pair.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

// biome-ignore lint/suspicious/noExplicitAny: the tests break the configuration in ways that no type allows.
type Loose = any;

/** The smallest configuration with one thing changed. */
function changed(change: (value: Loose) => void): string {
  const value = parse(least);
  change(value);
  return stringify(value);
}

const rulesOf = (source: string) =>
  failure(source).problems.map((problem) => problem.text.replace(/^pair\.yaml:\d+:\d+ /, ''));

describe('parseConfig', () => {
  it('fills in the defaults and makes paths absolute', () => {
    const config = parseConfig(least, '/etc/understudy/pair.yaml');
    expect(config).toEqual({
      file: '/etc/understudy/pair.yaml',
      program: '/etc/understudy/tank.js',
      arguments: [],
      environment: {},
      pairKey: { kind: 'file', path: '/etc/understudy/pair.key' },
      boards: {
        a: {
          serial: { path: '/dev/ttyAMA0', baudRate: 115_200 },
          ethernet: {
            listen: { address: '10.0.0.1', port: 7411 },
            peer: { address: '10.0.0.2', port: 7411 },
          },
          state: '/etc/understudy/state-a',
          console: '/etc/understudy/a.sock',
          consolePorts: [],
          filesRoot: '/etc/understudy/state-a/files',
          metrics: null,
        },
        b: {
          serial: { path: '/dev/ttyAMA0', baudRate: 115_200 },
          ethernet: {
            listen: { address: '10.0.0.2', port: 7411 },
            peer: { address: '10.0.0.1', port: 7411 },
          },
          state: '/etc/understudy/state-b',
          console: '/run/b.sock',
          consolePorts: [],
          filesRoot: '/etc/understudy/files',
          metrics: null,
        },
      },
      devices: [
        {
          name: '/dev/ttyACM0',
          kind: 'fenced',
          baudRate: 115_200,
          ports: { a: '/dev/ttyAMA1', b: '/dev/ttyAMA1' },
          arbiter: true,
        },
      ],
      timing: {
        heartbeatIntervalMs: 10,
        detectionTimeoutMs: 200,
        suspectTimeoutMs: 15,
        waitForPeerMs: 10_000,
        turnTimeoutMs: 2_000,
        deviceTimeoutMs: 1_000,
        keepaliveIntervalMs: 50,
        lagTurnsMax: 500,
        lagMsMax: 200,
      },
      policy: {
        alone: 'lead',
        programFailure: 'restart',
        programExit: 'stop',
        restartDelayMs: 1_000,
        restartsMax: 10,
      },
      journal: { fsync: 'interval', fsyncIntervalMs: 50, keepBytes: 2 ** 28, warnBytes: 2 ** 30 },
      log: { level: 'info' },
    });
  });

  it('takes what is given', () => {
    const config = parseConfig(
      changed((value) => {
        value.timing = { heartbeatIntervalMs: 20, detectionTimeoutMs: 60 };
        value.policy = { alone: 'wait' };
        value.journal = { fsync: 'always', keepBytes: 0 };
        value.boards.a.metrics = '[::1]:9464';
        value.arguments = ['--fast'];
        value.environment = { TZ: 'UTC' };
        delete value.pairKeyFile;
        value.pairKey = 'aB'.repeat(32);
        value.devices.push({
          name: '/dev/second',
          kind: 'fenced',
          ports: { a: '/x', b: '/y' },
          arbiter: true,
        });
      }),
      'pair.yaml',
    );
    expect(config.timing).toMatchObject({ heartbeatIntervalMs: 20, detectionTimeoutMs: 60, lagMsMax: 200 });
    expect(config.policy.alone).toBe('wait');
    expect(config.journal).toMatchObject({ fsync: 'always', keepBytes: 0 });
    expect(config.boards.a.metrics).toEqual({ address: '::1', port: 9464 });
    expect(config.arguments).toEqual(['--fast']);
    expect(config.environment).toEqual({ TZ: 'UTC' });
    expect(config.pairKey).toEqual({ kind: 'hex', hex: 'aB'.repeat(32) });
    expect(config.devices.map((device) => device.arbiter)).toEqual([false, true]);
  });

  it('takes ports of the console beside its socket', () => {
    const hash = `scrypt:32768:${'0'.repeat(32)}:${'f'.repeat(64)}`;
    const { boards } = parseConfig(
      changed((value) => {
        const ports = [
          { path: '/dev/ttyS1', password: hash },
          { path: './console', baudRate: 9600 },
        ];
        value.boards.a.console = { socket: './a.sock', ports };
      }),
      '/etc/understudy/pair.yaml',
    );
    expect(boards.a.console).toBe('/etc/understudy/a.sock');
    expect(boards.a.consolePorts).toEqual([
      { path: '/dev/ttyS1', baudRate: 115_200, password: hash },
      { path: '/etc/understudy/console', baudRate: 9600, password: null },
    ]);
  });

  it('refuses console ports that cannot work', () => {
    const rules = (ports: unknown[]): string[] =>
      rulesOf(
        changed((value) => {
          value.boards.a.console = { socket: './a.sock', ports };
        }),
      );
    expect(rules([{ path: '/dev/x', password: 'hunter2' }])[0]).toContain(
      'boards.a.console.ports[0].password must be a hash made by `understudy console password`',
    );
    // A password that was typed where its hash belongs is not repeated into a log.
    expect(rules([{ path: '/dev/x', password: 'hunter2' }]).join()).not.toContain('hunter2');
    expect(rules([{ baudRate: 9600 }])[0]).toContain('boards.a.console.ports[0].path is missing');
    expect(rules([{ path: '/dev/x', baudrate: 9600 }])[0]).toContain('did you mean baudRate?');
    expect(rules([{ path: '/dev/x' }, { path: '/dev/x' }])[0]).toContain(
      'boards.a.console.ports[1].path must not be in use for something else on this board',
    );
    expect(rules([{ path: '/dev/ttyAMA1' }]).join()).toContain('must not be in use');
  });

  it('takes a section without content for one left out', () => {
    expect(parseConfig(`${least}timing:\npolicy:\narguments:\n`, 'x').timing.heartbeatIntervalMs).toBe(10);
  });

  it('waits when alone by default if nothing is fenced', () => {
    const config = parseConfig(
      changed((value) => {
        value.devices = [{ name: '/dev/ttyACM0', kind: 'plain', ports: { a: '/dev/ttyUSB0' } }];
      }),
      'pair.yaml',
    );
    expect(config.policy.alone).toBe('wait');
    expect(config.devices[0]).toMatchObject({ arbiter: false, ports: { a: '/dev/ttyUSB0', b: null } });
  });

  it('lists all mistakes at once, in the order of the file, each with its place, rule and value', () => {
    const source = `${least.replace('state: ./state-a', 'state: 7')}timing:
  heartbeatIntervalMs: 0
  detectionTimeoutMs: soon
  heartbeatIntervallMs: 5
polcy: {alone: lead}
journal: {fsync: sometimes, colour: red}
`;
    const error = failure(source);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message.split('\n')).toEqual([
      'pair.yaml:7:12 boards.a.state must be text (got 7)',
      'pair.yaml:18:24 timing.heartbeatIntervalMs must be a whole number 1..1000 (got 0)',
      'pair.yaml:19:23 timing.detectionTimeoutMs must be a whole number 3..60000 (got "soon")',
      'pair.yaml:20:3 timing.heartbeatIntervallMs is not a key: the keys here are heartbeatIntervalMs, detectionTimeoutMs, suspectTimeoutMs, waitForPeerMs, turnTimeoutMs, deviceTimeoutMs, keepaliveIntervalMs, lagTurnsMax, lagMsMax',
      'pair.yaml:21:1 polcy is not a key: did you mean policy?',
      'pair.yaml:22:18 journal.fsync must be one of: always, interval, never (got "sometimes")',
      'pair.yaml:22:29 journal.colour is not a key: the keys here are fsync, fsyncIntervalMs, keepBytes, warnBytes',
    ]);
    expect(error.problems[1]).toMatchObject({ line: 18, column: 24, key: 'timing.heartbeatIntervalMs' });
  });

  it('suggests the key that was meant, at every depth', () => {
    const suggestion = (change: (value: Loose) => void) => rulesOf(changed(change))[0];
    expect(suggestion((value) => (value.timing = { detectionTimeoutsMs: 90 }))).toBe(
      'timing.detectionTimeoutsMs is not a key: did you mean detectionTimeoutMs?',
    );
    expect(suggestion((value) => (value.boards.a.serial.baudrate = 9_600))).toBe(
      'boards.a.serial.baudrate is not a key: did you mean baudRate?',
    );
    expect(suggestion((value) => (value.devices[0].knd = 'plain'))).toBe(
      'devices[0].knd is not a key: the keys here are name, kind, baudRate, ports, arbiter',
    );
    expect(suggestion((value) => (value.devices[0].arbitre = true))).toBe(
      'devices[0].arbitre is not a key: did you mean arbiter?',
    );
  });

  it.each<[string, (value: Loose) => unknown, string]>([
    ['no program', (v) => delete v.program, 'program is missing: must be text'],
    ['empty program', (v) => (v.program = ''), 'program must not be empty (got "")'],
    ['no board b', (v) => delete v.boards.b, 'boards.b is missing: must be a mapping'],
    ['no devices', (v) => (v.devices = []), 'devices must have at least one device (got a list)'],
    [
      'an argument that is a number',
      (v) => (v.arguments = [8]),
      'arguments[0] must be text: put quotes around it (got 8)',
    ],
    [
      'a variable that is a boolean',
      (v) => (v.environment = { ON: true }),
      'environment.ON must be text: put quotes around it (got true)',
    ],
    [
      'an address without a port',
      (v) => (v.boards.a.ethernet.listen = '10.0.0.1'),
      'boards.a.ethernet.listen must be ADDRESS:PORT, such as 10.0.0.1:7411 or [fe80::1%eth0]:7411 (got "10.0.0.1")',
    ],
    [
      'addresses of two families',
      (v) => (v.boards.a.ethernet.peer = '[::1]:1'),
      'boards.a.ethernet.peer must be of the same family (IPv4 or IPv6) as listen (got "[::1]:1")',
    ],
    [
      'a heartbeat of 1 in 3 of the timeout',
      (v) => (v.timing = { heartbeatIntervalMs: 80 }),
      'timing.detectionTimeoutMs must be at least 3 x heartbeatIntervalMs, 240',
    ],
    [
      'a suspicion longer than detection',
      (v) => (v.timing = { suspectTimeoutMs: 201 }),
      'timing.suspectTimeoutMs must be at most detectionTimeoutMs, 200 (got 201)',
    ],
    [
      'a keepalive too slow',
      (v) => (v.timing = { deviceTimeoutMs: 149 }),
      'timing.deviceTimeoutMs must be at least 3 x keepaliveIntervalMs, 150 (got 149)',
    ],
    [
      'a fraction',
      (v) => (v.timing = { lagTurnsMax: 1.5 }),
      'timing.lagTurnsMax must be a whole number 1..1000000 (got 1.5)',
    ],
    [
      'no key',
      (v) => delete v.pairKeyFile,
      'pairKeyFile is missing: exactly one of pairKeyFile and pairKey must be given',
    ],
    [
      'two keys',
      (v) => (v.pairKey = 'ab'.repeat(32)),
      `pairKey must not be given beside pairKeyFile (got a secret)`,
    ],
    [
      'a short key',
      (v) => {
        delete v.pairKeyFile;
        v.pairKey = 'abcd';
      },
      'pairKey must be 64 hex digits (got a secret)',
    ],
    [
      'a link with one end',
      (v) => delete v.boards.b.serial,
      'boards.b must have serial, as the other board has: a link has two ends (got a mapping)',
    ],
    [
      'two speeds of one line',
      (v) => (v.boards.b.serial.baudRate = 9_600),
      'boards.b.serial.baudRate must be the same as on board a, 115200 (got 9600)',
    ],
    [
      'a fenced device with one port',
      (v) => delete v.devices[0].ports.b,
      'devices[0].ports must have a port for board b: a fenced device has one per board (got a mapping)',
    ],
    [
      'a plain arbiter',
      (v) => {
        v.devices[0].kind = 'plain';
        v.devices[0].arbiter = true;
      },
      'devices[0].arbiter must be false: a plain device cannot decide (got true)',
    ],
    [
      'a port used by the link',
      (v) => (v.devices[0].ports.a = '/dev/ttyAMA0'),
      'devices[0].ports.a must not be in use for something else on this board (got "/dev/ttyAMA0")',
    ],
    [
      'metrics for everyone',
      (v) => (v.boards.a.metrics = '0.0.0.0:9464'),
      'boards.a.metrics must be on a loopback address, such as 127.0.0.1:9464 or [::1]:9464: it is not protected (got "0.0.0.0:9464")',
    ],
    [
      'metrics nowhere',
      (v) => (v.boards.b.metrics = 9464),
      'boards.b.metrics must be ADDRESS:PORT, such as 10.0.0.1:7411 or [fe80::1%eth0]:7411 (got 9464)',
    ],
    [
      'a device twice',
      (v) => v.devices.push({ ...v.devices[0], ports: { a: '/x', b: '/y' } }),
      'devices[1].name must be different for each device (got "/dev/ttyACM0")',
    ],
  ])('refuses %s', (_, change, rule) => {
    expect(rulesOf(changed(change))).toEqual([rule]);
  });

  it('refuses a pair without links', () => {
    const source = changed((value) => {
      for (const board of [value.boards.a, value.boards.b]) {
        delete board.serial;
        delete board.ethernet;
      }
    });
    expect(rulesOf(source)).toEqual([
      'boards.a must have at least one link: serial, ethernet or (better) both (got a mapping)',
    ]);
  });

  it('shows a mapping that lacks something by its key', () => {
    const line = '  - {name: x, kind: fenced, ports: {a: /dev/x}}';
    const source = `${least}${line}\n`;
    expect(failure(source).problems).toMatchObject([
      { line: 17, column: line.indexOf('ports') + 1, key: 'devices[1].ports' },
    ]);
  });

  it('names the place of what is not YAML, of keys given twice and of aliases to nothing', () => {
    const broken = failure('program: "x\nboards: {');
    expect(broken.code).toBe('CONFIG_SYNTAX');
    expect(broken.message).toMatch(/^pair\.yaml:\d+:\d+ /);
    const twice = failure(`${least}program: again\n`);
    expect(twice.code).toBe('CONFIG_SYNTAX');
    expect(twice.problems[0]).toMatchObject({ line: 17, column: 1 });
    expect(failure('program: *nothing').code).toBe('CONFIG_SYNTAX');
    expect(failure('').code).toBe('CONFIG_INVALID');
    expect(failure('just text').problems[0]?.text).toBe('pair.yaml:1:1 must be a mapping (got "just text")');
  });

  it('throws a ConfigError, and nothing else, for any text', () => {
    const anything = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.jsonValue().map((value) => stringify(value)),
      fc.tuple(fc.nat(least.length), fc.string({ maxLength: 4 })).map(([at, inserted]) => {
        return least.slice(0, at) + inserted + least.slice(at + inserted.length);
      }),
    );
    fc.assert(
      fc.property(anything, (source) => {
        try {
          parseConfig(source, 'pair.yaml');
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          expect((error as ConfigError).problems.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('loadConfig', () => {
  it('reads a file, and says when it cannot', () => {
    const directory = newDirectory();
    const file = join(directory, 'pair.yaml');
    expect(() => loadConfig(file)).toThrow(expect.objectContaining({ code: 'CONFIG_MISSING' }));
    writeFileSync(file, least);
    expect(loadConfig(file).program).toBe(join(directory, 'tank.js'));
  });
});
