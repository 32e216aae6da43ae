import { SerialPort } from 'serialport';
import { afterEach, describe, expect, it } from 'vitest';
import { openSerialCable, type SerialCable, type SerialCableOptions } from './serial-cable.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

function cable(options?: SerialCableOptions): SerialCable {
  const opened = openSerialCable(options);
  closers.push(() => opened.close());
  return opened;
}

interface Inbox {
  port: SerialPort;
  bytes(): Buffer;
  until(length: number): Promise<Buffer>;
}

async function openPort(path: string, baudRate = 115_200): Promise<Inbox> {
  const port = new SerialPort({ path, baudRate, autoOpen: false });
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
  closers.push(() => {
    if (port.isOpen) port.close();
  });
  let received = Buffer.alloc(0);
  let check = () => {};
  port.on('error', () => {});
  port.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    check();
  });
  return {
    port,
    bytes: () => received,
    until: (length) =>
      new Promise((resolve) => {
        check = () => {
          if (received.length >= length) resolve(received);
        };
        check();
      }),
  };
}

const ramp = (length: number) => Buffer.from(Uint8Array.from({ length }, (_, index) => index * 13 + 5));

describe('openSerialCable', () => {
  it('carries both directions at once, each at the whole speed', async () => {
    const wire = cable({ baudRate: 115_200 });
    const a = await openPort(wire.pathA);
    const b = await openPort(wire.pathB);
    const sent = ramp(2_304);
    const startMs = performance.now();
    a.port.write(sent);
    b.port.write(sent);
    const [atA, atB] = await Promise.all([a.until(sent.length), b.until(sent.length)]);
    const tookMs = performance.now() - startMs;
    expect(atA.equals(sent)).toBe(true);
    expect(atB.equals(sent)).toBe(true);
    // 2,304 bytes at 11,520 a second: 200 ms. Never faster; slower only by what the machine is late.
    expect(tookMs).toBeGreaterThan(195);
    expect(tookMs).toBeLessThan(800);
    expect(wire.counters('a-to-b')).toMatchObject({ bytesIn: 2_304, bytesOut: 2_304, bytesOverrun: 0 });
  });

  it('holds a sender up that is faster than the line, and loses nothing', async () => {
    const wire = cable({ baudRate: 1_000_000, transmitBytesMax: 512 });
    const a = await openPort(wire.pathA);
    const b = await openPort(wire.pathB);
    let underWayMax = 0;
    b.port.on('data', () => {
      const { bytesIn, bytesOut } = wire.counters('a-to-b');
      underWayMax = Math.max(underWayMax, bytesIn - bytesOut);
    });
    const sent = ramp(100_000);
    a.port.write(sent);
    expect((await b.until(sent.length)).equals(sent)).toBe(true);
    expect(wire.counters('a-to-b').bytesOverrun).toBe(0);
    // 512 and what the kernel hands over in one read.
    expect(underWayMax).toBeLessThan(20_000);
  });

  it('loses everything while cut, one way or both, and nothing after', async () => {
    const wire = cable();
    const a = await openPort(wire.pathA);
    const b = await openPort(wire.pathB);
    wire.cut('a-to-b');
    a.port.write('lost');
    b.port.write('still here');
    expect((await a.until(10)).toString()).toBe('still here');
    await expect.poll(() => wire.counters('a-to-b').bytesCut, { interval: 2 }).toBe(4);
    wire.restore();
    a.port.write('found');
    expect((await b.until(5)).toString()).toBe('found');
    wire.cut();
    b.port.write('gone');
    await expect.poll(() => wire.counters('b-to-a').bytesCut, { interval: 2 }).toBe(4);
    wire.restore('b-to-a');
    b.port.write('back');
    expect((await a.until(14)).toString()).toBe('still hereback');
  });

  it('drops what is under way when it is cut', async () => {
    const wire = cable({ baudRate: 9_600 });
    const a = await openPort(wire.pathA);
    const b = await openPort(wire.pathB);
    a.port.write(ramp(2_000));
    await b.until(10);
    wire.cut();
    const { bytesOut } = wire.counters('a-to-b');
    await expect.poll(() => wire.counters('a-to-b').bytesCut, { interval: 5 }).toBe(2_000 - bytesOut);
    expect(bytesOut).toBeLessThan(2_000);
  });

  it('damages the same bytes for the same seed, and others for another', async () => {
    const results: string[] = [];
    for (const seed of [3, 3, 4]) {
      const wire = cable({
        baudRate: 1_000_000,
        noise: { bitFlipsPerByte: 0.05, lostPerByte: 0.05, seed },
      });
      const a = await openPort(wire.pathA);
      const b = await openPort(wire.pathB);
      a.port.write(ramp(2_000));
      const done = () => {
        const { bytesOut, bytesLost } = wire.counters('a-to-b');
        return bytesOut + bytesLost;
      };
      await expect.poll(done, { interval: 5 }).toBe(2_000);
      const { bytesOut, bytesLost, bitsFlipped } = wire.counters('a-to-b');
      expect(bytesLost).toBeGreaterThan(50);
      expect(bitsFlipped).toBeGreaterThan(50);
      results.push((await b.until(bytesOut)).toString('hex'));
    }
    expect(results[1]).toBe(results[0]);
    expect(results[2]).not.toBe(results[0]);
  });

  it('garbles every byte when the ends have set different speeds', async () => {
    const wire = cable();
    const a = await openPort(wire.pathA, 115_200);
    const b = await openPort(wire.pathB, 57_600);
    const sent = ramp(100);
    a.port.write(sent);
    const received = await b.until(100);
    expect(received.every((byte, index) => byte !== sent[index])).toBe(true);
    expect(wire.counters('a-to-b').bytesGarbled).toBe(100);
  });

  it('overruns a receiver that does not read, and says how much', async () => {
    const wire = cable({ baudRate: 4_000_000 });
    const a = await openPort(wire.pathA);
    a.port.write(ramp(200_000));
    await expect.poll(() => wire.counters('a-to-b').bytesIn, { interval: 10, timeout: 5_000 }).toBe(200_000);
    await expect
      .poll(
        () => {
          const { bytesOut, bytesOverrun } = wire.counters('a-to-b');
          return bytesOut + bytesOverrun;
        },
        { interval: 10, timeout: 5_000 },
      )
      .toBe(200_000);
    expect(wire.counters('a-to-b').bytesOverrun).toBeGreaterThan(0);
  });

  it('states the rules for its options', () => {
    expect(() => openSerialCable({ baudRate: 0 })).toThrow(RangeError);
    expect(() => openSerialCable({ noise: { lostPerByte: 1.5 } })).toThrow(RangeError);
    expect(() => cable().setNoise({ bitFlipsPerByte: -1 })).toThrow(RangeError);
  });
});
