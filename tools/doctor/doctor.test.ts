import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../firmware-host/config/config.ts';
import { openPseudoTerminal } from '../../hil-tests/rigs/local/pseudo-terminal.ts';
import { scratchFolder } from '../command-line.test-rig.ts';
import { pinnedNode } from '../pinned-node.ts';
import { judgeLateness, measureLateness, summarise } from './jitter.ts';
import { checkArchitecture, checkClock, checkDialout, checkNode } from './machine.ts';
import { checkListen, isLocal } from './network.ts';
import { boardsHere, checkDisk, checkPair } from './pair-files.ts';
import { checkPort, lockHolder, portSurroundings } from './ports.ts';

const nothing = { locks: '', consoles: '' };

function terminalPath(): string {
  const terminal = openPseudoTerminal();
  onTestFinished(() => terminal.close());
  return terminal.path;
}

describe('serial ports', () => {
  test('one that is there', () => {
    expect(checkPort('serial link', terminalPath(), nothing).verdict).toBe('ok');
  });

  test('one that is not there: the remedy for a UART is another than for USB', () => {
    const uart = checkPort('serial link', '/dev/ttyAMA99', nothing);
    expect(uart).toMatchObject({ verdict: 'missing', found: 'serial link: does not exist' });
    expect(uart.remedy).toContain('enable_uart');
    expect(checkPort('device', '/dev/ttyUSB99', nothing).remedy).toContain('plugged');
  });

  test('a file is no port', () => {
    const file = join(scratchFolder(), 'port');
    writeFileSync(file, '');
    expect(checkPort('serial link', file, nothing).found).toBe('serial link: is no device');
    expect(checkPort('serial link', join(file, 'below'), nothing).verdict).toBe('missing');
  });

  test("the kernel's console on it", () => {
    const path = terminalPath();
    const consoles = `${path.replace('/dev/', '').split('/').at(-1)}  -W- (EC p a)  204:64\n`;
    const check = checkPort('serial link', path, { locks: '', consoles });
    expect(check).toMatchObject({ verdict: 'missing' });
    expect(check.remedy).toContain('cmdline.txt');
  });

  test('a lock is seen without opening the port, with the process that holds it', () => {
    const path = terminalPath();
    const flock = koffi.load(null).func('int flock(int fd, int operation)') as (
      fd: number,
      op: number,
    ) => number;
    const descriptor = openSync(path, 'r+');
    onTestFinished(() => closeSync(descriptor));
    const exclusive = 2;
    expect(flock(descriptor, exclusive)).toBe(0);
    const check = checkPort('serial link', path, portSurroundings());
    expect(check).toMatchObject({
      verdict: 'warning',
      found: `serial link: locked by process ${process.pid}`,
    });
  });

  test('locks of other files, and others than flock, do not count', () => {
    const stats = { dev: 0x05, ino: 812 };
    expect(lockHolder(stats, '1: FLOCK  ADVISORY  WRITE 4711 00:05:812 0 EOF\n')).toBe(4711);
    expect(lockHolder(stats, '1: FLOCK  ADVISORY  WRITE 4711 00:05:813 0 EOF\n')).toBeNull();
    expect(lockHolder(stats, '1: POSIX  ADVISORY  WRITE 4711 00:05:812 0 EOF\n')).toBeNull();
    expect(lockHolder({ dev: 0x10302, ino: 7 }, '4: FLOCK  ADVISORY  WRITE 9 103:02:7 0 EOF')).toBe(9);
  });
});

describe('network', () => {
  test('an address of this machine can be bound, and is not in use', async () => {
    const port = await freePort();
    expect((await checkListen('a', { address: '127.0.0.1', port })).verdict).toBe('ok');
  });

  test('one in use, and one of another machine', async () => {
    const { createSocket } = await import('node:dgram');
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    onTestFinished(() => void socket.close());
    const used = await checkListen('a', { address: '127.0.0.1', port: socket.address().port });
    expect(used).toMatchObject({ verdict: 'warning', found: 'Ethernet link of board a: in use' });
    // TEST-NET-3 (RFC 5737): no interface has it.
    const foreign = await checkListen('b', { address: '203.0.113.7', port: 7411 });
    expect(foreign).toMatchObject({ verdict: 'missing' });
    expect(isLocal('203.0.113.7')).toBe(false);
    expect(isLocal('127.0.0.1')).toBe(true);
  });
});

async function freePort(): Promise<number> {
  const { createSocket } = await import('node:dgram');
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

describe('scheduling', () => {
  const timing = { heartbeatIntervalMs: 10, detectionTimeoutMs: 100 };

  test('quantiles', () => {
    const lateness = summarise(Array.from({ length: 1000 }, (_, index) => 999 - index));
    expect(lateness).toEqual({ samples: 1000, p50Ms: 500, p99Ms: 990, p999Ms: 999, maxMs: 999 });
    expect(summarise([])).toMatchObject({ samples: 0, maxMs: 0 });
  });

  test('the default timing is safe while four times the lateness fits beside one heartbeat', () => {
    const lateBy = (p999Ms: number) =>
      judgeLateness({ samples: 2000, p50Ms: 0, p99Ms: 1, p999Ms, maxMs: 50 }, timing);
    expect(lateBy(22).verdict).toBe('ok');
    expect(lateBy(23)).toMatchObject({ verdict: 'warning' });
    expect(lateBy(40).remedy).toContain('at least 170');
  });

  test('a blocked event loop is measured as late', async () => {
    const measuring = measureLateness(60);
    setTimeout(() => {
      const until = performance.now() + 30;
      while (performance.now() < until);
    }, 5);
    expect((await measuring).maxMs).toBeGreaterThan(25);
  });
});

describe('machine', () => {
  test('architecture and Node', () => {
    expect(checkArchitecture('x64', 'linux', pinnedNode()).verdict).toBe('ok');
    const foreign = pinnedNode('riscv64', 'linux');
    expect(checkArchitecture('riscv64', 'linux', foreign)).toMatchObject({ verdict: 'missing' });
    expect(checkNode(process.versions.node, pinnedNode()).verdict).toBe('ok');
    expect(checkNode('20.0.0', pinnedNode())).toMatchObject({ verdict: 'missing' });
    expect(checkNode('20.0.0', foreign).found).toContain('not installed');
    const broken = { ...pinnedNode(), binary: '/dev/null' };
    expect(checkNode(process.versions.node, broken).found).toContain('does not run');
  });

  test('the group of serial ports', () => {
    const groups = 'root:x:0:\ndialout:x:20:pi\n';
    expect(checkDialout(0, [0], groups).verdict).toBe('ok');
    expect(checkDialout(1000, [1000, 20], groups).verdict).toBe('ok');
    expect(checkDialout(1000, [1000], groups)).toMatchObject({ verdict: 'warning' });
    expect(checkDialout(1000, [1000], null).verdict).toBe('skipped');
  });

  test('a clock that was never set', () => {
    expect(checkClock(Date.UTC(1970, 0, 1), false)).toMatchObject({ verdict: 'warning' });
    expect(checkClock(Date.UTC(2026, 5, 1), true).found).toContain('synchronised');
  });
});

describe('a pair', () => {
  function yaml(ports: string[], listen: string[], more = ''): string {
    const board = (name: 'a' | 'b', index: number) =>
      `  ${name}: { serial: { path: ${ports[index]} }, state: state-${name}, console: ${name}.sock,\n` +
      `       ethernet: { listen: "${listen[index]}", peer: "${listen[1 - index]}" } }`;
    return [
      'program: program.js',
      'pairKeyFile: pair.key',
      'boards:',
      board('a', 0),
      board('b', 1),
      'devices:',
      `  - { name: /dev/ttyACM0, kind: fenced, ports: { a: ${ports[2]}, b: ${ports[3]} } }`,
      more,
    ].join('\n');
  }

  test('the board of this machine is told by its address', () => {
    const ports = ['/dev/a', '/dev/b', '/dev/c', '/dev/d'];
    const config = parseConfig(yaml(ports, ['127.0.0.1:7411', '203.0.113.7:7411']), 'pair.yaml');
    expect(boardsHere(config, undefined)).toEqual(['a']);
    expect(boardsHere(config, 'b')).toEqual(['b']);
    const both = parseConfig(yaml(ports, ['203.0.113.6:7411', '203.0.113.7:7411']), 'pair.yaml');
    expect(boardsHere(both, undefined)).toEqual(['a', 'b']);
  });

  test('all that it names is looked at, and the remedy named', async () => {
    const folder = scratchFolder();
    const ports = [terminalPath(), terminalPath(), terminalPath(), '/dev/ttyUSB98'];
    const listen = [`127.0.0.1:${await freePort()}`, '203.0.113.7:7411'];
    const config = parseConfig(yaml(ports, listen), join(folder, 'pair.yaml'));
    writeFileSync(join(folder, 'program.js'), 'console.log("run");');
    const verdicts = async () =>
      Object.fromEntries((await checkPair(config, ['a', 'b'])).map(({ id, verdict }) => [id, verdict]));
    const key = join(folder, 'pair.key');
    expect(await verdicts()).toEqual({
      'pair-key': 'missing',
      program: 'ok',
      [`port:${ports[0]}`]: 'ok',
      [`port:${ports[1]}`]: 'ok',
      [`port:${ports[2]}`]: 'ok',
      'port:/dev/ttyUSB98': 'missing',
      [`udp:${listen[0]}`]: 'ok',
      [`udp:${listen[1]}`]: 'missing',
      'disk:a': 'ok',
      'disk:b': 'ok',
    });
    writeFileSync(key, 'ab'.repeat(32), { mode: 0o644 });
    writeFileSync(join(folder, 'program.js'), 'console.log(');
    const checks = await checkPair(config, ['a']);
    expect(checks.find(({ id }) => id === 'pair-key')).toMatchObject({
      verdict: 'missing',
      remedy: `chmod 600 ${key}`,
    });
    expect(checks.find(({ id }) => id === 'program')).toMatchObject({ verdict: 'missing' });
  });

  test('looking at a disk makes no directory', () => {
    const folder = scratchFolder();
    mkdirSync(join(folder, 'kept'));
    expect(checkDisk('a', join(folder, 'kept', 'state', 'a')).found).toContain('MiB free');
    expect(existsSync(join(folder, 'kept', 'state'))).toBe(false);
  });
});
