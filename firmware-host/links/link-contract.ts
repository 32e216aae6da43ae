/**
 * What every DatagramLink must do, as tests: run against each kind of link and the fake (STYLE habit 11). The serial
 * link is run from hil-tests/rigs/local/serial-link.test.ts, where the pseudo-terminals are.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { DatagramLink } from './link.ts';

export interface LinkPair {
  a: DatagramLink;
  b: DatagramLink;
  /** A new link in place of b, which was closed: the peer's next process. */
  reopenB(): DatagramLink;
  /** Ends what is beneath the links; the contract has closed the links. */
  release(): Promise<void> | void;
}

export function untilUp(link: DatagramLink): Promise<void> {
  return new Promise((resolve) => {
    if (link.state === 'up') resolve();
    else link.onState((state) => state === 'up' && resolve());
  });
}

/** Keeps what arrives; `until` resolves once so many datagrams have arrived. */
export function collect(link: DatagramLink): {
  datagrams: Uint8Array[];
  until(count: number): Promise<Uint8Array[]>;
} {
  const datagrams: Uint8Array[] = [];
  let check = () => {};
  link.onDatagram((datagram) => {
    datagrams.push(datagram);
    check();
  });
  return {
    datagrams,
    until: (count) =>
      new Promise((resolve) => {
        check = () => {
          if (datagrams.length >= count) resolve(datagrams);
        };
        check();
      }),
  };
}

/**
 * Sends until it arrives: a link may lose datagrams, above all while its ends are coming up, and may deliver others
 * that were under way before.
 */
export async function arrivesWhenRepeated(from: DatagramLink, to: DatagramLink, datagram: Uint8Array) {
  const arrived = new Promise<void>((resolve) =>
    to.onDatagram((bytes) => {
      if (Buffer.compare(bytes, datagram) === 0) resolve();
    }),
  );
  const timer = setInterval(() => from.send(datagram), 5);
  try {
    await arrived;
  } finally {
    clearInterval(timer);
  }
}

export function describeLinkContract(name: string, openPair: () => Promise<LinkPair>): void {
  describe(`${name}: contract of a datagram link`, () => {
    const pairs: LinkPair[] = [];
    const links: DatagramLink[] = [];
    afterEach(async () => {
      await Promise.all(links.splice(0).map((link) => link.close()));
      for (const pair of pairs.splice(0)) await pair.release();
    });

    async function openUp(): Promise<LinkPair> {
      const pair = await openPair();
      pairs.push(pair);
      links.push(pair.a, pair.b);
      await Promise.all([untilUp(pair.a), untilUp(pair.b)]);
      return pair;
    }

    it('says that it comes up, once', async () => {
      const pair = await openPair();
      pairs.push(pair);
      links.push(pair.a, pair.b);
      expect(pair.a.state).toBe('down');
      const states: string[] = [];
      pair.a.onState((state) => states.push(state));
      await untilUp(pair.a);
      await untilUp(pair.b);
      await arrivesWhenRepeated(pair.a, pair.b, Uint8Array.of(1));
      expect(states).toEqual(['up']);
      expect(pair.a.state).toBe('up');
    });

    it('carries datagrams of every kind of length whole and unchanged, both ways', async () => {
      const { a, b } = await openUp();
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        const inbox = collect(to);
        const sent = [1, 2, 3, 253, 254, 255, from.datagramBytesMax].map((length, round) =>
          Uint8Array.from({ length }, (_, index) => (index * 31 + round * 7) & 0xff),
        );
        sent.push(new Uint8Array(64), new Uint8Array(64).fill(0xff));
        for (const [index, datagram] of sent.entries()) {
          from.send(datagram);
          await inbox.until(index + 1);
        }
        expect(inbox.datagrams).toEqual(sent);
      }
    });

    it('takes its copy of the bytes before send returns', async () => {
      const { a, b } = await openUp();
      const inbox = collect(b);
      const datagram = Uint8Array.of(1, 2, 3);
      a.send(datagram);
      datagram.fill(9);
      expect((await inbox.until(1))[0]).toEqual(Uint8Array.of(1, 2, 3));
    });

    it('refuses datagrams that are empty or too long as the mistake they are', async () => {
      const { a } = await openUp();
      expect(() => a.send(new Uint8Array(0))).toThrow(RangeError);
      expect(() => a.send(new Uint8Array(a.datagramBytesMax + 1))).toThrow(RangeError);
    });

    it('drops, and says so, what is sent while it is not up', async () => {
      const pair = await openPair();
      pairs.push(pair);
      links.push(pair.a, pair.b);
      const reasons: string[] = [];
      pair.a.onDiscarded((reason) => reasons.push(reason));
      pair.a.send(Uint8Array.of(1));
      expect(reasons).toEqual(['LINK_DOWN']);
    });

    it('is silent after close, and close may be called twice', async () => {
      const { a, b } = await openUp();
      const heard: string[] = [];
      b.onDatagram(() => heard.push('datagram'));
      b.onState(() => heard.push('state'));
      b.onRefused(() => heard.push('refused'));
      b.onDiscarded(() => heard.push('discarded'));
      const closing = b.close();
      a.send(Uint8Array.of(1));
      b.send(Uint8Array.of(2));
      await Promise.all([closing, b.close()]);
      expect(b.state).toBe('down');
      expect(heard).toEqual([]);
    });

    it('reaches the next process of the peer without being told', async () => {
      const pair = await openUp();
      await arrivesWhenRepeated(pair.a, pair.b, Uint8Array.of(1));
      await pair.b.close();
      pair.a.send(Uint8Array.of(2));
      const next = pair.reopenB();
      links.push(next);
      await arrivesWhenRepeated(pair.a, next, Uint8Array.of(3));
      await arrivesWhenRepeated(next, pair.a, Uint8Array.of(4));
    });

    it('lets a datagram leave at once when nothing was sent', async () => {
      const { a } = await openUp();
      await expect.poll(() => a.queuedMs(), { interval: 1 }).toBe(0);
      expect(a.bitsPerSecond).toBeGreaterThan(0);
    });
  });
}
