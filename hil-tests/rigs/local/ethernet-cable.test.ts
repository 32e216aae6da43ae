import { afterEach, describe, expect, it } from 'vitest';
import { arrivesWhenRepeated, collect, untilUp } from '../../../firmware-host/links/link-contract.ts';
import { openUdpLink, type UdpLink } from '../../../firmware-host/links/udp.ts';
import {
  type EthernetCable,
  type EthernetCableOptions,
  freeUdpPorts,
  openEthernetCable,
} from './ethernet-cable.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Rig {
  cable: EthernetCable;
  a: UdpLink;
  b: UdpLink;
  openB(): UdpLink;
}

async function rig(options: Partial<EthernetCableOptions> = {}): Promise<Rig> {
  const [portA, portB] = (await freeUdpPorts(2)) as [number, number];
  const cable = await openEthernetCable({ portA, portB, ...options });
  closers.push(() => cable.close());
  const open = (port: number, peer: { address: string; port: number }) => {
    const link = openUdpLink({ listen: { address: '127.0.0.1', port }, peer });
    closers.push(() => link.close());
    return link;
  };
  const a = open(portA, cable.addressForA);
  const openB = () => open(portB, cable.addressForB);
  const b = openB();
  await Promise.all([untilUp(a), untilUp(b)]);
  return { cable, a, b, openB };
}

describe('openEthernetCable', () => {
  it('carries datagrams both ways, in order', async () => {
    const { cable, a, b } = await rig();
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const inbox = collect(to);
      for (let value = 0; value < 50; value++) {
        from.send(new Uint8Array(value + 1).fill(value));
        await inbox.until(value + 1);
      }
      expect(inbox.datagrams.map((datagram) => datagram.length)).toEqual(
        Array.from({ length: 50 }, (_, index) => index + 1),
      );
    }
    expect(cable.counters('a-to-b')).toMatchObject({ datagramsIn: 50, datagramsOut: 50, refusals: 0 });
  });

  it('loses everything while cut, one way or both, without a refusal', async () => {
    const { cable, a, b } = await rig();
    await arrivesWhenRepeated(a, b, Uint8Array.of(1));
    let refusals = 0;
    a.onRefused(() => {
      refusals += 1;
    });
    const inbox = collect(b);
    cable.cut('a-to-b');
    await b.close();
    a.send(Uint8Array.of(2));
    await expect.poll(() => cable.counters('a-to-b').datagramsCut, { interval: 2 }).toBe(1);
    expect(inbox.datagrams).toEqual([]);
    expect(refusals).toBe(0);
  });

  it('carries again after restore', async () => {
    const { cable, a, b } = await rig();
    cable.cut();
    a.send(Uint8Array.of(1));
    b.send(Uint8Array.of(1));
    await expect.poll(() => cable.counters('a-to-b').datagramsCut, { interval: 2 }).toBe(1);
    await expect.poll(() => cable.counters('b-to-a').datagramsCut, { interval: 2 }).toBe(1);
    cable.restore();
    await arrivesWhenRepeated(a, b, Uint8Array.of(2));
    await arrivesWhenRepeated(b, a, Uint8Array.of(3));
  });

  it("passes on that the other board's process is gone, and carries again when it is back", async () => {
    const { cable, a, b, openB } = await rig();
    await arrivesWhenRepeated(a, b, Uint8Array.of(1));
    await b.close();
    const refused = new Promise<void>((resolve) => a.onRefused(resolve));
    const heartbeat = setInterval(() => a.send(Uint8Array.of(2)), 10);
    closers.push(() => clearInterval(heartbeat));
    await refused;
    expect(cable.counters('a-to-b').refusals).toBeGreaterThan(0);
    const next = openB();
    await untilUp(next);
    await arrivesWhenRepeated(a, next, Uint8Array.of(3));
    await arrivesWhenRepeated(next, a, Uint8Array.of(4));
  });

  it('loses and repeats in the measure that was asked for, the same for the same seed', async () => {
    const counted: string[] = [];
    for (let round = 0; round < 2; round++) {
      const { cable, a, b } = await rig({ impairment: { lossRatio: 0.3, duplicateRatio: 0.2, seed: 11 } });
      const inbox = collect(b);
      for (let sent = 1; sent <= 200; sent++) {
        a.send(Uint8Array.of(sent));
        await expect.poll(() => cable.counters('a-to-b').datagramsIn, { interval: 1 }).toBe(sent);
      }
      const { datagramsLost, datagramsDuplicated, datagramsOut } = cable.counters('a-to-b');
      await inbox.until(datagramsOut);
      expect(datagramsLost).toBeGreaterThan(30);
      expect(datagramsLost).toBeLessThan(90);
      expect(datagramsDuplicated).toBeGreaterThan(10);
      expect(datagramsOut).toBe(200 - datagramsLost + datagramsDuplicated);
      counted.push(Buffer.from(inbox.datagrams.map((datagram) => datagram[0]!)).toString('hex'));
    }
    expect(counted[1]).toBe(counted[0]);
  });

  it('delays', async () => {
    const { a, b } = await rig({ impairment: { delayMs: 50 } });
    const inbox = collect(b);
    const startMs = performance.now();
    a.send(Uint8Array.of(1));
    await inbox.until(1);
    expect(performance.now() - startMs).toBeGreaterThan(48);
  });

  it('states the rules for its options', async () => {
    await expect(openEthernetCable({ portA: 1, portB: 2, refusalMs: 0 })).rejects.toThrow(RangeError);
    await expect(openEthernetCable({ portA: 1, portB: 2, impairment: { lossRatio: 2 } })).rejects.toThrow(
      RangeError,
    );
  });
});
