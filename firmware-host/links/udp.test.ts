import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import type { DatagramLink, LinkFault, LinkState } from './link.ts';
import { arrivesWhenRepeated, collect, describeLinkContract, untilUp } from './link-contract.ts';
import { openUdpLink, type UdpLinkOptions } from './udp.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function bound(address: string, port = 0): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => resolve(socket));
  });
}

const closed = (socket: Socket) => new Promise<void>((resolve) => socket.close(() => resolve()));

async function freePorts(address: string): Promise<[number, number]> {
  const sockets = [await bound(address), await bound(address)] as const;
  const ports: [number, number] = [sockets[0].address().port, sockets[1].address().port];
  await Promise.all(sockets.map(closed));
  return ports;
}

function link(options: UdpLinkOptions) {
  const opened = openUdpLink({ reopenDelayMs: 5, reopenDelayMsMax: 20, ...options });
  closers.push(() => opened.close());
  return opened;
}

function nextState(of: DatagramLink): Promise<[LinkState, LinkFault | undefined]> {
  return new Promise((resolve) => of.onState((state, fault) => resolve([state, fault])));
}

const hasIPv6 = Object.values(networkInterfaces()).some((entries) =>
  entries?.some((entry) => entry.address === '::1'),
);

for (const address of hasIPv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
  describeLinkContract(`UDP link on ${address}`, async () => {
    const [portA, portB] = await freePorts(address);
    const openA = () => openUdpLink({ listen: { address, port: portA }, peer: { address, port: portB } });
    const openB = () => openUdpLink({ listen: { address, port: portB }, peer: { address, port: portA } });
    return { a: openA(), b: openB(), reopenB: openB, release() {} };
  });
}

const loopback = (port: number) => ({ address: '127.0.0.1', port });

describe('UDP link', () => {
  it("says 'refused' when no process has the peer's address, and stays up", async () => {
    const [portA, portB] = await freePorts('127.0.0.1');
    const a = link({ listen: loopback(portA), peer: loopback(portB) });
    await untilUp(a);
    for (let round = 0; round < 3; round++) {
      const refused = new Promise<void>((resolve) => a.onRefused(resolve));
      a.send(Uint8Array.of(1));
      // The refusal of one datagram is told with it or with the next, by the kernel's choice.
      a.send(Uint8Array.of(2));
      await refused;
    }
    expect(a.state).toBe('up');
    const b = link({ listen: loopback(portB), peer: loopback(portA) });
    await arrivesWhenRepeated(a, b, Uint8Array.of(3));
  });

  it('hears its peer only', async () => {
    const [portA, portB] = await freePorts('127.0.0.1');
    const a = link({ listen: loopback(portA), peer: loopback(portB) });
    const b = link({ listen: loopback(portB), peer: loopback(portA) });
    await Promise.all([untilUp(a), untilUp(b)]);
    const inbox = collect(a);
    const stranger = await bound('127.0.0.1');
    closers.push(() => closed(stranger));
    await new Promise((resolve) => stranger.send('intruder', portA, '127.0.0.1', resolve));
    // Loopback keeps the order, so the stranger's would have been first.
    b.send(Uint8Array.of(5));
    expect(await inbox.until(1)).toEqual([Uint8Array.of(5)]);
  });

  it('names an address that is taken, and has it once it is free', async () => {
    const occupant = await bound('127.0.0.1');
    const [, portB] = await freePorts('127.0.0.1');
    const a = link({ listen: loopback(occupant.address().port), peer: loopback(portB) });
    const [state, fault] = await nextState(a);
    expect(state).toBe('down');
    expect(fault?.code).toBe('LINK_ADDRESS_IN_USE');
    expect(fault?.message).toContain(`127.0.0.1:${occupant.address().port}`);
    expect(a.localPort).toBeNull();
    const states: LinkState[] = [];
    a.onState((next) => states.push(next));
    await closed(occupant);
    await untilUp(a);
    expect(states).toEqual(['up']);
  });

  it('names an address that no interface has', async () => {
    // 192.0.2.0/24 is set aside for documentation (RFC 5737): no machine has it.
    const a = link({ listen: { address: '192.0.2.1', port: 7411 }, peer: loopback(7411) });
    expect((await nextState(a))[1]?.code).toBe('LINK_ADDRESS_UNAVAILABLE');
  });

  it('can be closed while it waits to bind again', async () => {
    const a = link({
      listen: { address: '192.0.2.1', port: 7411 },
      peer: loopback(7411),
      reopenDelayMs: 60_000,
      reopenDelayMsMax: 60_000,
    });
    await nextState(a);
    await a.close();
    expect(a.state).toBe('down');
  });
});
