import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from './assert.ts';
import { sameBytes } from './bytes.ts';
import { Channel } from './channel.ts';
import { createFakeCrypto } from './crypto.fake.ts';
import { Session } from './session.ts';
import { messageBytesMax, type SessionChannel, type SessionOptions } from './session-contract.ts';
import {
  bitsPerSecondOf,
  ethernetLink,
  type Host,
  Network,
  randomFrom,
  serialLink,
} from './session-network.fake.ts';

function messageOf(number: number, length: number): Uint8Array {
  const message = new Uint8Array(Math.max(4, length));
  for (let index = 0; index < message.length; index++) message[index] = (number * 31 + index * 7) & 0xff;
  new DataView(message.buffer).setUint32(0, number);
  return message;
}

function connected(network: Network): Network {
  network.start();
  const { a, b } = network.hosts;
  // Both links measured and known to work in both directions.
  network.run(200);
  expect(a.connections).toEqual([true]);
  expect(b.connections).toEqual([true]);
  return network;
}

function expectMessages(host: Host, sent: Uint8Array[]): void {
  expect(host.delivered.length).toBe(sent.length);
  for (const [index, message] of sent.entries()) {
    if (!sameBytes(message, host.delivered[index]!)) expect.fail(`message ${index + 1} differs`);
  }
}

describe('on good links', () => {
  test('messages of both sides arrive once, in order and are acknowledged', () => {
    const network = connected(new Network(1));
    const { a, b } = network.hosts;
    const fromA = [0, 1, 60, 90, 5000, 3].map((length, index) => messageOf(index, length));
    const fromB = [7, 300].map((length, index) => messageOf(index, length));
    a.send(...fromA, new Uint8Array(0));
    b.send(...fromB);
    network.run(3);
    expectMessages(b, [...fromA, new Uint8Array(0)]);
    expectMessages(a, fromB);
    expect(a.acknowledged).toBe(7);
    expect(b.acknowledged).toBe(2);
    expect(a.session.unacknowledgedBytes).toBe(0);
    expect(a.session.linkStatistics(ethernetLink).retransmitted).toBe(0);
  });

  test('small messages of one burst share a datagram; nothing goes out before the flush', () => {
    const network = connected(new Network(1));
    const { a, b } = network.hosts;
    a.transmissions = [];
    for (let number = 0; number < 20; number++) a.step({ kind: 'send', message: messageOf(number, 20) });
    expect(a.transmissions).toEqual([]);
    a.step({ kind: 'flush' });
    expect(a.transmissions.filter(({ link }) => link === ethernetLink)).toHaveLength(1);
    network.run(1);
    expect(b.delivered).toHaveLength(20);
  });

  test('what nobody flushes goes out a millisecond later', () => {
    const network = connected(new Network(1));
    network.hosts.a.step({ kind: 'send', message: messageOf(1, 10) });
    network.run(1.5);
    expect(network.hosts.b.delivered).toHaveLength(1);
  });

  test('a stored message is acknowledged at once, without waiting for a heartbeat', () => {
    const network = connected(new Network(1));
    const { a } = network.hosts;
    const sentAt = network.now;
    a.send(messageOf(1, 40));
    expect(network.run(20, () => a.acknowledged === 1)).toBe(true);
    expect(network.now - sentAt).toBeLessThan(0.5);
  });

  test('the largest message arrives; a larger one is a mistake of the host', () => {
    const network = connected(new Network(1));
    const { a, b } = network.hosts;
    const message = messageOf(1, messageBytesMax);
    a.send(message);
    expect(network.run(2000, () => a.acknowledged === 1)).toBe(true);
    expectMessages(b, [message]);
    expect(() => a.send(new Uint8Array(messageBytesMax + 1))).toThrow(AssertionError);
  });

  test('received is not acknowledged: the peer may forget only what the host has stored', () => {
    const network = connected(new Network(1, { b: { storeMs: Number.POSITIVE_INFINITY } }));
    const { a, b } = network.hosts;
    a.send(...[1, 2, 3].map((number) => messageOf(number, 500)));
    network.run(1000);
    expect(b.delivered).toHaveLength(3);
    expect(a.acknowledged).toBe(0);
    expect(a.session.unacknowledgedBytes).toBe(1500);
    // And yet nothing is sent again: the selective acknowledgement covers it.
    expect(a.session.linkStatistics(ethernetLink).retransmitted).toBe(0);
    b.stored = 2;
    b.step({ kind: 'stored', sequence: 2 });
    network.run(1);
    expect(a.acknowledged).toBe(2);
    expect(a.session.unacknowledgedBytes).toBe(500);
  });

  test('a store that ends after the peer restarted acknowledges nothing', () => {
    const network = connected(new Network(1, { b: { storeMs: Number.POSITIVE_INFINITY } }));
    const { a, b } = network.hosts;
    a.send(messageOf(1, 10));
    network.run(5);
    const { stream } = b.session;
    a.restart();
    network.run(100);
    a.send(messageOf(2, 10));
    network.run(5);
    expect(b.delivered).toHaveLength(1);
    b.step({ kind: 'stored', sequence: 1, stream });
    network.run(100);
    expect(a.session.unacknowledgedBytes).toBe(10);
  });

  test('storing what was never delivered is a mistake of the host', () => {
    const network = connected(new Network(1));
    expect(() => network.hosts.a.step({ kind: 'stored', sequence: 1 })).toThrow(AssertionError);
  });

  test('back-pressure: not writable while the peer does not acknowledge, writable again afterwards', () => {
    const network = connected(new Network(1, { b: { storeMs: 50 } }));
    const { a, b } = network.hosts;
    let number = 0;
    while (a.session.writable) a.send(messageOf(++number, 1000));
    expect(a.session.unacknowledgedBytes).toBeGreaterThanOrEqual(256 * 1024);
    expect(a.session.nextSequence).toBe(number + 1);
    expect(network.run(1000, () => a.session.writable)).toBe(true);
    expect(network.run(1000, () => a.acknowledged === number)).toBe(true);
    expect(b.delivered).toHaveLength(number);
    expect(() => {
      for (;;) a.send(messageOf(1, messageBytesMax));
    }).toThrow(AssertionError);
  });

  test('state rides on heartbeats, and a slow link leaves it out once it is known', () => {
    const network = connected(new Network(1));
    const { a, b } = network.hosts;
    a.step({ kind: 'heartbeat-payload', bytes: new Uint8Array(200).fill(9) });
    a.transmissions = [];
    a.step({ kind: 'heartbeat-now' });
    expect(a.transmissions.map(({ link }) => link).sort()).toEqual([serialLink, ethernetLink]);
    network.run(1);
    expect(b.heartbeats.at(-1)).toMatchObject({ link: ethernetLink, payload: new Uint8Array(200).fill(9) });
    network.run(100);
    b.heartbeats = [];
    a.transmissions = [];
    network.run(100);
    expect(Math.max(...a.transmissions.map(({ bytes }) => bytes))).toBeLessThan(60);
    expect(b.heartbeats.every(({ payload }) => payload.length === 200)).toBe(true);
    expect(new Set(b.heartbeats.map(({ link }) => link))).toEqual(new Set([serialLink, ethernetLink]));
  });

  test('heartbeats and acknowledgements at rest take less than 35 % of the serial line', () => {
    const network = connected(new Network(1));
    const { a, b } = network.hosts;
    let state = 0;
    // State that changes all the time, and records that are acknowledged all the time.
    for (const host of [a, b]) host.transmissions = [];
    for (let ms = 0; ms < 1000; ms += 5) {
      a.step({ kind: 'heartbeat-payload', bytes: messageOf(++state, 24) });
      if (ms % 20 === 0) b.send(messageOf(ms, 20));
      network.run(5);
    }
    const bytes = a.transmissions
      .filter(({ link }) => link === serialLink)
      .reduce((sum, each) => sum + each.bytes + 7, 0);
    expect(bytes).toBeLessThan(0.35 * 11_520);
    expect(bytes).toBeGreaterThan(1000);
  });
});

describe('on bad links', () => {
  test.each(
    Array.from({ length: 40 }, (_, index) => index + 1),
  )('everything arrives once and in order (seed %i)', (seed) => {
    const random = randomFrom(seed * 77);
    const network = new Network(seed, {
      a: { storeMs: random() * 5, ...(seed % 4 === 0 ? { rekeyAfterFrames: 50 } : {}) },
      b: { storeMs: random() * 5, ...(seed % 4 === 0 ? { rekeyAfterFrames: 50 } : {}) },
    });
    const { a, b } = network.hosts;
    network.start();
    expect(network.run(500, () => a.connections.length > 0 && b.connections.length > 0)).toBe(true);
    for (const faults of network.faults) {
      faults.loss = random() * 0.3;
      faults.duplication = random() * 0.2;
      faults.jitterMs = random() * 10;
      faults.garbage = random() * 0.1;
    }
    const fromA: Uint8Array[] = [];
    const fromB: Uint8Array[] = [];
    for (let burst = 0; burst < 40; burst++) {
      const cutLink = Math.floor(random() * 4);
      for (const link of [serialLink, ethernetLink]) {
        network.faults[link]!.cutFrom = {
          a: cutLink === link && random() < 0.7,
          b: cutLink === link && random() < 0.7,
        };
      }
      for (const [host, sent] of [
        [a, fromA],
        [b, fromB],
      ] as const) {
        const count = Math.floor(random() * 5);
        const messages = Array.from({ length: count }, (_, index) =>
          messageOf(sent.length + index, Math.floor(random() ** 3 * 400)),
        );
        sent.push(...messages);
        host.send(...messages);
      }
      network.run(random() * 30);
    }
    for (const link of [serialLink, ethernetLink]) network.cut(link, false);
    const finished = network.run(
      30_000,
      () => a.acknowledged === fromA.length && b.acknowledged === fromB.length,
    );
    expect({ finished, a: a.acknowledged, b: b.acknowledged }).toEqual({
      finished: true,
      a: fromA.length,
      b: fromB.length,
    });
    expectMessages(b, fromA);
    expectMessages(a, fromB);
    // Keys may have changed on the way, the streams not.
    expect(a.connections.filter(Boolean)).toHaveLength(1);
    expect(b.connections.filter(Boolean)).toHaveLength(1);
    if (seed % 4 === 0) expect(a.connections.length).toBeGreaterThan(1);
  });

  test('Ethernet cut: the serial link carries on within a few heartbeats, and Ethernet again when it is back', () => {
    const network = connected(new Network(3));
    const { a, b } = network.hosts;
    network.cut(ethernetLink);
    const sentAt = network.now;
    a.send(messageOf(1, 40));
    expect(network.run(1000, () => a.acknowledged === 1)).toBe(true);
    expect(network.now - sentAt).toBeLessThan(80);
    const sent = [messageOf(1, 40)];
    for (let number = 2; number < 100; number++) {
      sent.push(messageOf(number, 40));
      a.send(sent.at(-1)!);
      network.run(20);
    }
    expect(network.run(100, () => a.acknowledged === sent.length)).toBe(true);
    expect(a.session.linkStatistics(ethernetLink).up).toBe(false);
    network.cut(ethernetLink, false);
    network.run(50);
    a.transmissions = [];
    const againAt = network.now;
    a.send(messageOf(100, 40));
    expect(network.run(100, () => a.acknowledged === sent.length + 1)).toBe(true);
    expect(network.now - againAt).toBeLessThan(1);
    expectMessages(b, [...sent, messageOf(100, 40)]);
  });

  test.each([
    'a',
    'b',
  ] as const)('Ethernet cut in the direction from %s only: records take the serial link', (board) => {
    const network = connected(new Network(4));
    const { a, b } = network.hosts;
    network.faults[ethernetLink].cutFrom[board] = true;
    network.run(100);
    for (const host of [a, b]) {
      const sentAt = network.now;
      host.send(messageOf(1, 40));
      expect(network.run(1000, () => host.acknowledged === 1)).toBe(true);
      expect(network.now - sentAt).toBeLessThan(60);
      for (const link of [serialLink, ethernetLink]) {
        expect(host.session.linkStatistics(link).retransmitted).toBe(0);
      }
    }
  });

  test('both links cut and restored: nothing is lost, and it goes on at once', () => {
    const network = connected(new Network(5));
    const { a, b } = network.hosts;
    network.cut(serialLink);
    network.cut(ethernetLink);
    const sent = Array.from({ length: 200 }, (_, number) => messageOf(number, 100));
    for (const message of sent) {
      a.send(message);
      network.run(20);
    }
    a.transmissions = [];
    network.run(1000);
    // Without a live link there are heartbeats only.
    expect(Math.max(...a.transmissions.map(({ bytes }) => bytes))).toBeLessThan(80);
    network.cut(serialLink, false);
    network.cut(ethernetLink, false);
    const restoredAt = network.now;
    expect(network.run(5000, () => a.acknowledged === sent.length)).toBe(true);
    expect(network.now - restoredAt).toBeLessThan(60);
    expectMessages(b, sent);
    expect(a.connections).toEqual([true]);
  });

  test('the serial line is never given more than its bit rate, and heartbeats keep time under bulk load', () => {
    const network = connected(new Network(6));
    const { a, b } = network.hosts;
    network.cut(ethernetLink);
    network.run(100);
    network.serialWaitMsMax = 0;
    b.heartbeats = [];
    a.transmissions = [];
    const sent = Array.from({ length: 100 }, (_, number) => messageOf(number, 500));
    a.send(...sent);
    const startedAt = network.now;
    expect(network.run(30_000, () => a.acknowledged === sent.length)).toBe(true);
    const durationMs = network.now - startedAt;
    expectMessages(b, sent);
    // The line is used: at least half of it for the messages themselves.
    expect(50_000 / (durationMs / 1000)).toBeGreaterThan(5_000);
    expect(network.serialWaitMsMax).toBeLessThanOrEqual(18);
    const window = a.transmissions.filter(({ link }) => link === serialLink);
    for (let from = 0; from < window.length; from += 10) {
      let bytes = 0;
      for (let to = from; to < window.length; to++) {
        bytes += window[to]!.bytes + 7;
        const lineMs = (bytes * 10_000) / bitsPerSecondOf[serialLink];
        expect(lineMs).toBeLessThan(window[to]!.at - window[from]!.at + 28);
      }
    }
    const times = b.heartbeats.filter(({ link }) => link === serialLink).map(({ at }) => at);
    const gaps = times.slice(1).map((at, index) => at - times[index]!);
    expect(gaps.length).toBeGreaterThan(100);
    expect(Math.max(...gaps)).toBeLessThan(45);
    expect(a.session.linkStatistics(serialLink).retransmitted).toBe(0);
  });

  test('one lost datagram is repeated on the evidence of later ones, before any timeout', () => {
    const network = connected(new Network(7));
    const { a, b } = network.hosts;
    const faults = network.faults[ethernetLink];
    faults.cutFrom.a = true;
    a.send(messageOf(1, 50));
    network.run(0.2);
    faults.cutFrom.a = false;
    const sentAt = network.now;
    for (let number = 2; number < 8; number++) {
      a.send(messageOf(number, 50));
      network.run(0.3);
    }
    expect(network.run(100, () => b.delivered.length === 7)).toBe(true);
    expect(network.now - sentAt).toBeLessThan(10);
  });

  test('what exceeds the receive buffer is dropped, counted and sent again', () => {
    const network = connected(new Network(8, { b: { session: { receiveBufferBytesMax: 2048 } } }));
    const { a, b } = network.hosts;
    network.faults[ethernetLink].loss = 0.2;
    const sent = Array.from({ length: 300 }, (_, number) => messageOf(number, 200));
    a.send(...sent);
    expect(network.run(60_000, () => a.acknowledged === sent.length)).toBe(true);
    expectMessages(b, sent);
    expect(b.session.linkStatistics(ethernetLink).discarded.SESSION_RECEIVE_BUFFER_FULL).toBeGreaterThan(0);
  });
});

describe('restarts', () => {
  test.each([
    ['a', 0],
    ['a', 500],
    ['b', 0],
    ['b', 500],
    ['b', 5000],
  ] as const)('board %s restarts after %i ms: connected again within 50 ms, both streams from 1', (board, downMs) => {
    const network = connected(new Network(9));
    const host = network.hosts[board];
    const other = host.peer;
    other.send(...[1, 2, 3].map((number) => messageOf(number, 3000)));
    host.send(messageOf(1, 10));
    network.run(0.15);
    host.kill();
    network.run(downMs);
    other.connections = [];
    host.restart();
    const upAt = network.now;
    expect(network.run(1000, () => host.connections.length > 0 && other.connections.length > 0)).toBe(true);
    expect(network.now - upAt).toBeLessThan(50);
    expect(host.connections).toEqual([true]);
    expect(other.connections).toEqual([true]);
    expect(other.session.nextSequence).toBe(1);
    expect(other.session.unacknowledgedBytes).toBe(0);
    const fromOther = [messageOf(10, 100)];
    const fromHost = [messageOf(20, 100), messageOf(21, 2000)];
    other.send(...fromOther);
    host.send(...fromHost);
    expect(network.run(500, () => host.acknowledged === 2 && other.acknowledged === 1)).toBe(true);
    expectMessages(other, fromHost);
    expectMessages(host, fromOther);
  });

  test.each(
    Array.from({ length: 15 }, (_, index) => index + 1),
  )('restarts on bad links (seed %i)', (seed) => {
    const network = new Network(seed);
    const random = randomFrom(seed * 31);
    for (const faults of network.faults) {
      faults.loss = random() * 0.2;
      faults.duplication = random() * 0.3;
      faults.jitterMs = random() * 40;
    }
    network.start();
    const { a, b } = network.hosts;
    for (let round = 0; round < 12; round++) {
      const host = random() < 0.5 ? a : b;
      for (const each of [a, b])
        each.send(...Array.from({ length: 5 }, () => messageOf(Math.floor(random() * 2 ** 32), 150)));
      network.run(random() * 60);
      host.kill();
      network.run(random() * 30);
      host.restart();
    }
    network.run(3000);
    for (const host of [a, b]) host.delivered = host.delivered.slice();
    const base = { a: a.delivered.length, b: b.delivered.length };
    for (const host of [a, b]) host.send(messageOf(7, 10), messageOf(8, 700));
    expect(
      network.run(5000, () => a.delivered.length === base.a + 2 && b.delivered.length === base.b + 2),
    ).toBe(true);
    for (const host of [a, b]) {
      expect(sameBytes(host.delivered.at(-1)!, messageOf(8, 700))).toBe(true);
      expect(sameBytes(host.delivered.at(-2)!, messageOf(7, 10))).toBe(true);
    }
  });

  test.each([
    'a',
    'b',
  ] as const)('what a dead process of board %s still had on its way is not delivered', (board) => {
    const network = connected(new Network(12));
    const host = network.hosts[board];
    const { session } = host.peer;
    host.session.step(network.now, { kind: 'send', message: messageOf(1, 50) });
    const late = host.session
      .step(network.now, { kind: 'flush' })
      .filter((effect) => effect.kind === 'transmit')
      .map(({ bytes }) => bytes);
    expect(late.length).toBeGreaterThan(0);
    host.restart();
    network.run(100);
    for (const bytes of late) {
      const effects = session.step(network.now, { kind: 'datagram', link: ethernetLink, bytes });
      expect(effects.map(({ kind }) => kind)).not.toContain('deliver');
    }
  });

  test('without an answer the initiator asks more and more seldom, at least once a second', () => {
    const network = new Network(10);
    const { a, b } = network.hosts;
    b.kill();
    network.start();
    network.run(20_000);
    const times = a.transmissions.filter(({ link }) => link === serialLink).map(({ at }) => at);
    const gaps = times.slice(1).map((at, index) => at - times[index]!);
    expect(gaps[0]).toBeCloseTo(100);
    expect(Math.max(...gaps)).toBeCloseTo(1000);
    expect(times.length).toBeLessThan(30);
  });
});

describe('strangers', () => {
  test('arbitrary datagrams change nothing and are counted', () => {
    const network = connected(new Network(11));
    const { a, b } = network.hosts;
    const known = b.session.linkStatistics(ethernetLink);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom(serialLink, ethernetLink),
        (bytes, link) => {
          const before = b.session.linkStatistics(link);
          const effects = b.session.step(network.now, { kind: 'datagram', link, bytes });
          const after = b.session.linkStatistics(link);
          const sum = (counts: Record<string, number>) =>
            Object.values(counts).reduce((total, count) => total + count, 0);
          expect(sum(after.discarded)).toBe(sum(before.discarded) + 1);
          expect(after.lastHeardAt).toBe(before.lastHeardAt);
          expect(effects.some(({ kind }) => kind === 'discarded')).toBe(true);
          // A poke at most.
          for (const effect of effects) expect(['discarded', 'transmit']).toContain(effect.kind);
        },
      ),
      { numRuns: 300 },
    );
    expect(b.session.linkStatistics(ethernetLink).lastHeardAt).toBe(known.lastHeardAt);
    a.send(messageOf(1, 100));
    expect(network.run(100, () => a.acknowledged === 1)).toBe(true);
  });

  test('any contents under the right keys neither throw nor acknowledge what was not sent', () => {
    const none: SessionChannel = {
      established: true,
      needsHandshake: false,
      beginHandshake: () => new Uint8Array(1),
      receive: (bytes) =>
        bytes[0] === 255
          ? { kind: 'established', peerPayload: bytes.slice(1), keysId: 1 }
          : { kind: 'plaintext', bytes },
      seal: (bytes) => bytes,
    };
    // Mostly well-formed tags, so that the frames behind them are reached.
    const frame = fc
      .tuple(fc.constantFrom(1, 2, 3, 4, 255), fc.array(fc.oneof(fc.nat(5), fc.nat(255)), { maxLength: 24 }))
      .map(([tag, rest]) => [tag, ...rest]);
    fc.assert(
      fc.property(fc.array(fc.array(frame, { maxLength: 3 }), { maxLength: 30 }), (datagrams) => {
        const session = new Session({ ...options(), channel: none });
        session.step(0, { kind: 'send', message: messageOf(1, 300) });
        let sent = 1;
        let now = 0;
        for (const frames of datagrams) {
          now += 3;
          for (const effect of session.step(now, {
            kind: 'datagram',
            link: 0,
            bytes: Uint8Array.from(frames.flat()),
          })) {
            if (effect.kind === 'peer-connected' && effect.restarted) sent = 0;
            if (effect.kind === 'acknowledged') expect(effect.sequence).toBeLessThanOrEqual(sent);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('options', () => {
  test.each([
    [{ bootId: new Uint8Array(7) }, 'bootId must be 8 bytes (got 7)'],
    [{ links: [] }, 'links must be 1..8 (got 0)'],
    [{ heartbeatIntervalMs: 0 }, 'heartbeatIntervalMs must be 1..1000 (got 0)'],
    [{ sendBufferBytesMax: 5 }, 'sendBufferBytesMax must be at least 1024 (got 5)'],
    [{ receiveBufferBytesMax: 5 }, 'receiveBufferBytesMax must be at least 1024 (got 5)'],
    [
      { links: [{ name: 'serial', bitsPerSecond: 300, datagramBytesMax: 256 }] },
      'bitsPerSecond must be at least 9600 (got 300)',
    ],
    [
      { links: [{ name: 'serial', bitsPerSecond: 9600, datagramBytesMax: 95 }] },
      'datagramBytesMax must be at least 96 (got 95)',
    ],
  ] satisfies [Partial<SessionOptions>, string][])('%o is refused', (wrong, message) => {
    expect(() => new Session({ ...options(), ...wrong })).toThrow(message);
  });
});

function options(): SessionOptions {
  const bootId = new Uint8Array(8);
  return {
    board: 'b',
    bootId,
    channel: new Channel({
      role: 'responder',
      pairKey: new Uint8Array(32),
      prologue: new Uint8Array(0),
      crypto: createFakeCrypto(1),
      handshakePayload: bootId,
    }),
    links: [{ name: 'ethernet', bitsPerSecond: 100_000_000, datagramBytesMax: 1400 }],
    heartbeatIntervalMs: 10,
    sendBufferBytesMax: 65536,
    receiveBufferBytesMax: 65536,
  };
}
