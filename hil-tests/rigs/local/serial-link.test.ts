/** The serial link against the local rig's cable: real serialport, pseudo-terminals, the pace of 115,200 baud. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerialPort } from 'serialport';
import { afterEach, describe, expect, it } from 'vitest';
import type { DatagramLink, LinkFault, LinkState } from '../../../firmware-host/links/link.ts';
import {
  arrivesWhenRepeated,
  collect,
  describeLinkContract,
  untilUp,
} from '../../../firmware-host/links/link-contract.ts';
import { openSerialLink, type SerialLinkOptions } from '../../../firmware-host/links/serial.ts';
import { encodeFrame } from '../../../protocol/frame.ts';
import { openPseudoTerminal } from './pseudo-terminal.ts';
import { openSerialCable, type SerialCableOptions } from './serial-cable.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function cable(options?: SerialCableOptions) {
  const opened = openSerialCable(options);
  closers.push(() => opened.close());
  return opened;
}

function link(options: SerialLinkOptions): DatagramLink {
  const opened = openSerialLink({ reopenDelayMs: 5, reopenDelayMsMax: 20, ...options });
  closers.push(() => opened.close());
  return opened;
}

function stateWith(of: DatagramLink, wanted: LinkState): Promise<LinkFault | undefined> {
  return new Promise((resolve) =>
    of.onState((state, fault) => {
      if (state === wanted) resolve(fault);
    }),
  );
}

describeLinkContract('serial link', async () => {
  const wire = openSerialCable();
  const openB = () => openSerialLink({ path: wire.pathB });
  return {
    a: openSerialLink({ path: wire.pathA }),
    b: openB(),
    reopenB: openB,
    release: () => wire.close(),
  };
});

describe('serial link', () => {
  it('drops what would wait longer than queueMsMax, and sends the rest at the pace of the line', async () => {
    const wire = cable();
    const a = link({ path: wire.pathA, queueMsMax: 100 });
    const b = link({ path: wire.pathB });
    await Promise.all([untilUp(a), untilUp(b)]);
    const inbox = collect(b);
    let dropped = 0;
    a.onDiscarded((reason) => {
      expect(reason).toBe('LINK_QUEUE_FULL');
      dropped += 1;
    });
    const startMs = performance.now();
    for (let index = 0; index < 50; index++) a.send(new Uint8Array(200).fill(index));
    // 100 ms of 11,520 bytes a second hold 5 frames of some 206 bytes.
    const carried = 50 - dropped;
    expect(carried).toBe(5);
    expect(a.queuedMs()).toBeGreaterThan(60);
    await inbox.until(carried);
    expect(performance.now() - startMs).toBeGreaterThan(80);
    expect(inbox.datagrams.map((datagram) => datagram[0])).toEqual([0, 1, 2, 3, 4]);
  });

  it('reckons with what the kernel has taken already, however slowly it was given', async () => {
    const wire = cable();
    const a = link({ path: wire.pathA, queueMsMax: 50 });
    await untilUp(a);
    let dropped = 0;
    a.onDiscarded(() => {
      dropped += 1;
    });
    const startMs = performance.now();
    // Twice what the line carries, by pauses in which the kernel, whose buffer has room for all, takes everything.
    while (performance.now() - startMs < 200) {
      a.send(new Uint8Array(100).fill(1));
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    expect(dropped).toBeGreaterThan(5);
    const carriedMs = performance.now() - startMs + a.queuedMs();
    await expect.poll(() => a.queuedMs(), { interval: 2 }).toBe(0);
    expect(wire.counters('a-to-b').bytesIn).toBeLessThan(carriedMs * 11.52 + 110);
  });

  it('sends a datagram that alone takes longer than queueMsMax when the line is free', async () => {
    const wire = cable({ baudRate: 9_600 });
    const a = link({ path: wire.pathA, baudRate: 9_600, queueMsMax: 20 });
    const b = link({ path: wire.pathB, baudRate: 9_600 });
    await Promise.all([untilUp(a), untilUp(b)]);
    await expect.poll(() => a.queuedMs(), { interval: 1 }).toBe(0);
    const inbox = collect(b);
    a.send(new Uint8Array(100).fill(7));
    expect((await inbox.until(1))[0]).toEqual(new Uint8Array(100).fill(7));
  });

  it('says what is damaged on the line and delivers nothing of it', async () => {
    const wire = cable({ noise: { bitFlipsPerByte: 0.02, lostPerByte: 0.01, seed: 7 } });
    const a = link({ path: wire.pathA, queueMsMax: 10_000 });
    const b = link({ path: wire.pathB });
    await Promise.all([untilUp(a), untilUp(b)]);
    const inbox = collect(b);
    const reasons = new Set<string>();
    const damaged = new Promise<void>((resolve) => {
      let count = 0;
      b.onDiscarded((reason) => {
        reasons.add(reason);
        count += 1;
        if (count === 10) resolve();
      });
    });
    let sent = 0;
    const timer = setInterval(() => {
      a.send(new Uint8Array(20).fill(sent % 200));
      sent += 1;
    }, 3);
    closers.push(() => clearInterval(timer));
    await damaged;
    clearInterval(timer);
    wire.setNoise({});
    await arrivesWhenRepeated(a, b, new Uint8Array(20).fill(255));
    expect([...reasons].every((reason) => reason.startsWith('FRAME_'))).toBe(true);
    for (const datagram of inbox.datagrams) expect(datagram).toEqual(new Uint8Array(20).fill(datagram[0]!));
    expect(inbox.datagrams.filter((datagram) => datagram[0] !== 255).length).toBeLessThan(sent);
  });

  it('waits for a port that is missing, and says LINK_PORT_MISSING once', async () => {
    const faults: (LinkFault | undefined)[] = [];
    const lost = link({ path: '/dev/no-such-port' });
    lost.onState((_, fault) => faults.push(fault));
    const discarded = new Promise((resolve) => lost.onDiscarded(resolve));
    await expect.poll(() => faults.length, { interval: 2 }).toBe(1);
    lost.send(Uint8Array.of(1));
    expect(await discarded).toBe('LINK_DOWN');
    expect(faults.map((fault) => fault?.code)).toEqual(['LINK_PORT_MISSING']);
    expect(faults[0]?.message).toContain('/dev/no-such-port');
  });

  it('waits for a port that is locked and comes up when it is free', async () => {
    const wire = cable();
    const occupant = new SerialPort({ path: wire.pathA, baudRate: 9_600, autoOpen: false });
    await new Promise<void>((resolve, reject) =>
      occupant.open((error) => (error ? reject(error) : resolve())),
    );
    const a = link({ path: wire.pathA });
    expect((await stateWith(a, 'down'))?.code).toBe('LINK_PORT_LOCKED');
    const up = stateWith(a, 'up');
    await new Promise<void>((resolve) => occupant.close(() => resolve()));
    await up;
  });

  it('says LINK_PORT_LOST once when the port goes away in use, then why it cannot be opened', async () => {
    const terminal = openPseudoTerminal();
    closers.push(() => terminal.close());
    const a = link({ path: terminal.path });
    await untilUp(a);
    const codes: (string | undefined)[] = [];
    a.onState((_, fault) => codes.push(fault?.code));
    const heartbeat = setInterval(() => a.send(Uint8Array.of(1)), 5);
    closers.push(() => clearInterval(heartbeat));
    terminal.close();
    await expect.poll(() => codes.length, { interval: 2 }).toBeGreaterThanOrEqual(2);
    expect(codes[0]).toBe('LINK_PORT_LOST');
    expect(codes.filter((code) => code === 'LINK_PORT_LOST').length).toBe(1);
    expect(a.state).toBe('down');
  });

  it('takes a port that comes back into use again, and forgets the half frame from before', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'port-'));
    closers.push(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'port');
    const plugIn = () => {
      const terminal = openPseudoTerminal();
      closers.push(() => terminal.close());
      symlinkSync(terminal.path, path);
      return terminal;
    };
    const first = plugIn();
    const a = link({ path });
    await untilUp(a);
    const inbox = collect(a);
    const frame = encodeFrame(Uint8Array.of(1, 2, 3, 4));
    first.write(Buffer.concat([frame, frame.subarray(0, 4)]));
    await inbox.until(1);

    const states: string[] = [];
    a.onState((state, fault) => states.push(fault?.code ?? state));
    const heartbeat = setInterval(() => a.send(Uint8Array.of(9)), 2);
    closers.push(() => clearInterval(heartbeat));
    rmSync(path);
    first.close();
    await expect.poll(() => states.at(-1), { interval: 2 }).toBe('LINK_PORT_MISSING');
    const second = plugIn();
    await expect.poll(() => states.at(-1), { interval: 2 }).toBe('up');
    second.write(encodeFrame(Uint8Array.of(5)));
    await inbox.until(2);
    // Long enough for every pause before opening again: a second opener would find the port locked by the first.
    for (let round = 0; round < 30; round++) {
      second.write(encodeFrame(Uint8Array.of(6)));
      await inbox.until(3 + round);
    }
    const beats = new Promise<void>((resolve) => {
      let bytes = 0;
      second.onData((chunk) => {
        bytes += chunk.length;
        if (bytes > 200) resolve();
      });
    });
    await beats;
    expect(inbox.datagrams[1]).toEqual(Uint8Array.of(5));
    expect(states).toEqual(['LINK_PORT_LOST', 'LINK_PORT_MISSING', 'up']);
  });
});
