import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { SerialPort } from 'serialport';
import { afterEach, describe, expect, it } from 'vitest';
import { openPseudoTerminal, type PseudoTerminal } from './pseudo-terminal.ts';

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

function terminal(queueBytesMax?: number): PseudoTerminal {
  const result = openPseudoTerminal(queueBytesMax === undefined ? {} : { queueBytesMax });
  opened.push(() => result.close());
  return result;
}

async function openPort(path: string, baudRate = 115_200): Promise<SerialPort> {
  const port = new SerialPort({ path, baudRate, autoOpen: false });
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
  opened.unshift(() => {
    if (port.isOpen) port.close();
  });
  return port;
}

const closePort = (port: SerialPort) => new Promise<void>((resolve) => port.close(() => resolve()));

function received(
  subscribe: (callback: (bytes: Uint8Array) => void) => void,
  length: number,
): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let total = 0;
    subscribe((bytes) => {
      chunks.push(bytes);
      total += bytes.length;
      if (total >= length) resolve(new Uint8Array(Buffer.concat(chunks)));
    });
  });
}

const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);

function terminalDescriptors(): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return /^\/dev\/(pts\/\d+|ptmx|pts\/ptmx)/.test(readlinkSync(`/proc/self/fd/${descriptor}`));
    } catch {
      return false;
    }
  }).length;
}

describe('openPseudoTerminal', () => {
  it('carries every byte value unchanged in both directions', async () => {
    const pty = terminal();
    const port = await openPort(pty.path);
    const atPort = received((callback) => port.on('data', callback), 256);
    const atMaster = received((callback) => pty.onData(callback), 256);
    expect(pty.write(everyByte)).toBe(true);
    port.write(Buffer.from(everyByte));
    expect(await atPort).toEqual(everyByte);
    expect(await atMaster).toEqual(everyByte);
  });

  it('shows the speed that the opener set, standard or not, and null before', async () => {
    const pty = terminal();
    expect(pty.baudRate()).toBeNull();
    const port = await openPort(pty.path, 57_600);
    expect(pty.baudRate()).toBe(57_600);
    await new Promise<void>((resolve) => port.update({ baudRate: 1_000_000 }, () => resolve()));
    expect(pty.baudRate()).toBe(1_000_000);
  });

  it('survives openers that come and go', async () => {
    const pty = terminal();
    const chunks: string[] = [];
    let wake = () => {};
    pty.onData((bytes) => {
      chunks.push(Buffer.from(bytes).toString());
      wake();
    });
    for (const word of ['one', 'two', 'three']) {
      const port = await openPort(pty.path);
      const arrived = new Promise<void>((resolve) => {
        wake = resolve;
      });
      port.write(word);
      await arrived;
      await closePort(port);
    }
    expect(chunks.join(' ')).toBe('one two three');
  });

  it('keeps what the kernel will not take, without blocking, and delivers it when the reader reads', async () => {
    const pty = terminal(1 << 20);
    const port = await openPort(pty.path);
    const block = Uint8Array.from({ length: 200_000 }, (_, index) => index * 7);
    const before = performance.now();
    expect(pty.write(block)).toBe(true);
    expect(performance.now() - before).toBeLessThan(500);
    expect(pty.pendingBytes()).toBeGreaterThan(0);
    const all = await received((callback) => port.on('data', callback), block.length);
    expect(Buffer.compare(all, block)).toBe(0);
    expect(pty.pendingBytes()).toBe(0);
  });

  it('refuses a write that does not fit, whole, and counts it', () => {
    const pty = terminal(1_000);
    expect(pty.write(new Uint8Array(1_001))).toBe(false);
    expect(pty.pendingBytes()).toBe(0);
    expect(pty.discardedBytes()).toBe(1_001);
  });

  it('hangs up on close: the opener loses its port', async () => {
    const pty = terminal();
    const port = await openPort(pty.path);
    port.on('data', () => {});
    // 'close' fires twice, and only one of the two says why.
    const lost = new Promise<void>((resolve) =>
      port.on('close', (reason?: { disconnected?: boolean }) => {
        if (reason?.disconnected) resolve();
      }),
    );
    pty.close();
    // A read that begins after the hang-up returns 0 bytes for ever and serialport only asks again; a write fails.
    port.on('error', () => {});
    port.write('x');
    await lost;
    expect(port.isOpen).toBe(false);
    pty.close();
    expect(pty.write(everyByte)).toBe(false);
  });

  it('leaves no descriptor and no device file behind', async () => {
    const before = terminalDescriptors();
    const paths: string[] = [];
    for (let round = 0; round < 20; round++) {
      const pty = openPseudoTerminal();
      pty.onData(() => {});
      paths.push(pty.path);
      pty.close();
    }
    await expect.poll(terminalDescriptors, { interval: 5 }).toBe(before);
    expect(paths.length).toBe(20);
    expect(paths.filter((path) => existsSync(path))).toEqual([]);
  });

  it('states the rule for its option', () => {
    expect(() => openPseudoTerminal({ queueBytesMax: 0 })).toThrow(RangeError);
  });
});
