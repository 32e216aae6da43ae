import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Channel, type ChannelItem, type ChannelOptions, channelOverheadBytes } from './channel.ts';
import { createFakeCrypto } from './crypto.fake.ts';
import type { NoiseRole } from './noise.ts';
import { replayWindowCounters } from './replay-window.ts';

const pairKey = new Uint8Array(32).fill(0x42);
const prologue = new TextEncoder().encode('pair 7');
const bootIds = { initiator: Uint8Array.of(0xa1, 1), responder: Uint8Array.of(0xb1, 1) };
let seed = 0;

/** Every channel is another boot: its keys are its own. */
function boot(role: NoiseRole, change: Partial<ChannelOptions> = {}): Channel {
  const crypto = createFakeCrypto(++seed);
  return new Channel({ role, pairKey, prologue, crypto, handshakePayload: bootIds[role], ...change });
}

function bytesIn(item: ChannelItem): Uint8Array {
  if (item.kind !== 'reply' && item.kind !== 'plaintext')
    throw new Error(`no bytes in ${JSON.stringify(item)}`);
  return item.bytes;
}

const frame = (number: number): Uint8Array => Uint8Array.of(number, number >>> 8, number >>> 16);
const discarded = (reason: string) => ({ kind: 'discarded', reason });
const plaintext = (bytes: Uint8Array) => ({ kind: 'plaintext', bytes });

/** Runs a handshake to its end, and returns what passed on the way. */
function connect(initiator: Channel, responder: Channel) {
  const message1 = initiator.beginHandshake();
  const message2 = bytesIn(responder.receive(message1));
  const initiatorItem = initiator.receive(message2);
  const first = initiator.seal(frame(0xffff))!;
  const responderItem = responder.receive(first);
  return { message1, message2, initiatorItem, first, responderItem };
}

function pair(change: Partial<ChannelOptions> = {}) {
  const [initiator, responder] = [boot('initiator', change), boot('responder', change)];
  return { initiator, responder, passed: connect(initiator, responder) };
}

/** Sends one frame each way, which must arrive. */
function expectLive(initiator: Channel, responder: Channel): void {
  expect(responder.receive(initiator.seal(frame(7))!)).toEqual(plaintext(frame(7)));
  expect(initiator.receive(responder.seal(frame(8))!)).toEqual(plaintext(frame(8)));
}

describe('handshake', () => {
  test('gives both sides keys and the other’s payload', () => {
    const [initiator, responder] = [boot('initiator'), boot('responder')];
    expect([initiator.established, initiator.needsHandshake, initiator.seal(frame(1))]).toEqual([
      false,
      true,
      null,
    ]);
    const { initiatorItem, responderItem } = connect(initiator, responder);
    const keysId = (initiatorItem as { keysId: number }).keysId;
    expect(initiatorItem).toEqual({ kind: 'established', peerPayload: bootIds.responder, keysId });
    expect(responderItem).toEqual({
      kind: 'established',
      peerPayload: bootIds.initiator,
      keysId,
      bytes: frame(0xffff),
    });
    expect([initiator.needsHandshake, responder.needsHandshake]).toEqual([false, false]);
    expectLive(initiator, responder);
  });

  test('the responder has no keys before the first frame under them', () => {
    const [initiator, responder] = [boot('initiator'), boot('responder')];
    initiator.receive(bytesIn(responder.receive(initiator.beginHandshake())));
    expect([initiator.established, responder.established, responder.seal(frame(1))]).toEqual([
      true,
      false,
      null,
    ]);
  });

  test.each([
    ['another pair key', { pairKey: new Uint8Array(32) }],
    ['another prologue', { prologue: new Uint8Array(0) }],
  ])('does not come about with %s', (_name, change) => {
    const responder = boot('responder', change);
    expect(responder.receive(boot('initiator').beginHandshake())).toEqual(discarded('CHANNEL_HANDSHAKE'));
    expect(responder.established).toBe(false);
  });

  test('message 1 over both links gets the same answer twice, and the second changes nothing', () => {
    const [initiator, responder] = [boot('initiator'), boot('responder')];
    const message1 = initiator.beginHandshake();
    const answers = [responder.receive(message1), responder.receive(message1)];
    expect(answers[1]).toEqual(answers[0]);
    expect(initiator.receive(bytesIn(answers[0]!)).kind).toBe('established');
    expect(initiator.receive(bytesIn(answers[1]!))).toEqual(discarded('CHANNEL_HANDSHAKE'));
    expect(responder.receive(initiator.seal(frame(1))!).kind).toBe('established');
    expect(responder.receive(message1)).toEqual(discarded('CHANNEL_REPLAYED'));
    expectLive(initiator, responder);
  });

  test('the two newest message 1 can be answered, an older one not', () => {
    const [initiator, responder] = [boot('initiator'), boot('responder')];
    const [oldest, middle, newest] = [1, 2, 3].map(() => initiator.beginHandshake());
    expect(initiator.receive(bytesIn(responder.receive(oldest!)))).toEqual(discarded('CHANNEL_HANDSHAKE'));
    const answer = bytesIn(responder.receive(middle!));
    responder.receive(newest!);
    expect(initiator.receive(answer).kind).toBe('established');
    expect(responder.receive(initiator.seal(frame(1))!).kind).toBe('established');
    expectLive(initiator, responder);
  });

  test('a message lost on the way is made up for by the next try', () => {
    const [initiator, responder] = [boot('initiator'), boot('responder')];
    initiator.beginHandshake();
    responder.receive(initiator.beginHandshake());
    connect(initiator, responder);
    expectLive(initiator, responder);
  });

  test('replayed message 1, however many, leave the live channel as it is', () => {
    const old = pair();
    const { initiator, responder, passed } = pair();
    for (let count = 0; count < 20; count++) {
      const fresh = boot('initiator').beginHandshake();
      expect(responder.receive(fresh).kind).toBe('reply');
      expect(responder.receive(old.passed.message1).kind).toBe('reply');
    }
    expect(responder.receive(passed.message1)).toEqual(discarded('CHANNEL_REPLAYED'));
    expectLive(initiator, responder);
  });

  test('a replayed message 2 is refused', () => {
    const { initiator, responder, passed } = pair();
    expect(initiator.receive(passed.message2)).toEqual(discarded('CHANNEL_HANDSHAKE'));
    initiator.beginHandshake();
    expect(initiator.receive(passed.message2)).toEqual(discarded('CHANNEL_HANDSHAKE'));
    expectLive(initiator, responder);
  });

  test('any damage to a handshake message is refused, and the undamaged one still works', () => {
    const [initiator, responder] = [boot('initiator'), boot('responder')];
    const message1 = initiator.beginHandshake();
    for (const changed of everyDamage(message1)) expect(responder.receive(changed).kind).toBe('discarded');
    const message2 = bytesIn(responder.receive(message1));
    for (const changed of everyDamage(message2)) expect(initiator.receive(changed).kind).toBe('discarded');
    expect(initiator.receive(message2).kind).toBe('established');
  });
});

/** Every truncation, and one flipped bit in every byte. */
function* everyDamage(datagram: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < datagram.length; length++) yield datagram.slice(0, length);
  for (let index = 0; index < datagram.length; index++) {
    const changed = datagram.slice();
    changed[index]! ^= 1 << (index % 8);
    yield changed;
  }
}

describe('a frame', () => {
  test('costs the stated bytes, and says nothing of its text', () => {
    const { initiator } = pair();
    const text = new Uint8Array(50).fill(0x77);
    const sealed = initiator.seal(text)!;
    expect(sealed.length).toBe(50 + channelOverheadBytes);
    expect(Buffer.from(sealed).includes(Buffer.from(text.subarray(0, 4)))).toBe(false);
  });

  test('truncated at any length, or with any byte changed, changes nothing and is counted', () => {
    const { initiator, responder } = pair();
    const sealed = initiator.seal(frame(1))!;
    for (let length = 0; length < sealed.length; length++) {
      const reason = length < channelOverheadBytes ? 'CHANNEL_TRUNCATED' : 'CHANNEL_UNSEALED';
      expect(responder.receive(sealed.slice(0, length))).toEqual(discarded(reason));
    }
    for (let index = 0; index < sealed.length; index++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = sealed.slice();
        changed[index]! ^= 1 << bit;
        expect(responder.receive(changed).kind).toBe('discarded');
      }
    }
    expect(responder.receive(sealed)).toEqual(plaintext(frame(1)));
  });

  test('is accepted once, from whichever link it comes first', () => {
    const { initiator, responder, passed } = pair();
    const sealed = initiator.seal(frame(1))!;
    expect(responder.receive(sealed)).toEqual(plaintext(frame(1)));
    expect(responder.receive(sealed)).toEqual(discarded('CHANNEL_REPLAYED'));
    expect(responder.receive(passed.first)).toEqual(discarded('CHANNEL_REPLAYED'));
  });

  test('a forged counter does not move the replay window', () => {
    const { initiator, responder } = pair();
    const sealed = initiator.seal(frame(1))!;
    const forged = sealed.slice();
    forged[5] = 0xff;
    expect(responder.receive(forged)).toEqual(discarded('CHANNEL_UNSEALED'));
    expect(responder.receive(sealed)).toEqual(plaintext(frame(1)));
  });

  test('returned to its sender is known as such, with and without keys', () => {
    const { initiator, responder, passed } = pair();
    const reflected = discarded('CHANNEL_REFLECTED');
    for (const sender of [initiator, responder])
      expect(sender.receive(sender.seal(frame(1))!)).toEqual(reflected);
    expect(initiator.receive(passed.message1)).toEqual(reflected);
    expect(responder.receive(passed.message2)).toEqual(reflected);
    expect(boot('initiator').receive(passed.first)).toEqual(reflected);
  });

  test('returned under the other direction’s type does not open: the directions have different keys', () => {
    const { initiator } = pair();
    const turned = initiator.seal(frame(1))!;
    turned[0] = 0x05;
    expect(initiator.receive(turned)).toEqual(discarded('CHANNEL_UNSEALED'));
  });

  test('arrives in any order within the window; one that is older is refused', () => {
    const order = fc.shuffledSubarray(
      Array.from({ length: 200 }, (_, index) => index),
      { minLength: 200, maxLength: 200 },
    );
    fc.assert(
      fc.property(order, (arrival) => {
        const { initiator, responder } = pair();
        const sealed = arrival.map((_, number) => initiator.seal(frame(number))!);
        for (const number of arrival)
          expect(responder.receive(sealed[number]!)).toEqual(plaintext(frame(number)));
      }),
      { numRuns: 10 },
    );
    const { initiator, responder } = pair();
    const late = [initiator.seal(frame(1))!, initiator.seal(frame(2))!];
    for (let count = 1; count < replayWindowCounters - 1; count++) initiator.seal(frame(3));
    responder.receive(initiator.seal(frame(4))!);
    expect(responder.receive(late[0]!)).toEqual(discarded('CHANNEL_REPLAYED'));
    expect(responder.receive(late[1]!)).toEqual(plaintext(frame(2)));
  });
});

describe('new keys', () => {
  test('are wanted when either direction has used its share, and none is sealed beyond four times that', () => {
    const rekeyAfterFrames = 10;
    const sending = pair({ rekeyAfterFrames });
    while (!sending.initiator.needsHandshake) sending.initiator.seal(frame(1));
    const sealed: (Uint8Array | null)[] = [];
    for (let count = 0; count < 40; count++) sealed.push(sending.initiator.seal(frame(1)));
    expect(sealed.filter((datagram) => datagram !== null)).toHaveLength(30);
    expect(sending.initiator.established).toBe(true);

    const receiving = pair({ rekeyAfterFrames });
    for (let count = 0; count < 10; count++) receiving.initiator.receive(receiving.responder.seal(frame(1))!);
    expect(receiving.initiator.needsHandshake).toBe(true);
    connect(receiving.initiator, receiving.responder);
    expect(receiving.initiator.needsHandshake).toBe(false);
    expectLive(receiving.initiator, receiving.responder);
  });

  test('no frame is lost while traffic crosses the handshake', () => {
    const { initiator, responder } = pair();
    const toResponder = [initiator.seal(frame(1))!];
    const toInitiator = [responder.seal(frame(1))!];
    const message1 = initiator.beginHandshake();
    toResponder.push(initiator.seal(frame(2))!);
    const message2 = bytesIn(responder.receive(message1));
    toInitiator.push(responder.seal(frame(2))!);
    const item = initiator.receive(message2);
    const keysId = (item as { keysId: number }).keysId;
    toResponder.push(initiator.seal(frame(3))!);
    toInitiator.push(responder.seal(frame(3))!);
    // The newest first: the responder switches, and opens what was sealed before the switch all the same.
    const newest = responder.receive(toResponder.pop()!);
    expect(newest).toMatchObject({ kind: 'established', keysId, bytes: frame(3) });
    toInitiator.push(responder.seal(frame(4))!);
    expect(toResponder.map((datagram) => responder.receive(datagram))).toEqual(
      [1, 2].map((n) => plaintext(frame(n))),
    );
    expect(toInitiator.map((datagram) => initiator.receive(datagram))).toEqual(
      [1, 2, 3, 4].map((n) => plaintext(frame(n))),
    );
  });

  test('exactly one previous set is kept', () => {
    const { initiator, responder } = pair();
    const [early, late] = [initiator.seal(frame(1))!, initiator.seal(frame(2))!];
    connect(initiator, responder);
    expect(responder.receive(late)).toEqual(plaintext(frame(2)));
    expect(responder.receive(late)).toEqual(discarded('CHANNEL_REPLAYED'));
    connect(initiator, responder);
    expect(responder.receive(early)).toMatchObject(discarded('CHANNEL_UNKNOWN_KEYS'));
  });

  test('an id never names two sets at once, though ids must repeat over a thousand handshakes', () => {
    const { initiator, responder } = pair();
    const ids: number[] = [];
    for (let count = 0; count < 1000; count++) {
      const { initiatorItem } = connect(initiator, responder);
      const { keysId } = initiatorItem as { keysId: number };
      expect(ids.slice(-2)).not.toContain(keysId);
      ids.push(keysId);
    }
    expectLive(initiator, responder);
    expect(new Set(ids).size).toBeGreaterThan(200);
  });
});

describe('a restart', () => {
  test('of the responder: a poke leads to a new handshake', () => {
    const { initiator } = pair();
    const restarted = boot('responder');
    const item = restarted.receive(initiator.seal(frame(1))!);
    expect(item).toMatchObject(discarded('CHANNEL_UNKNOWN_KEYS'));
    const poke = (item as { poke: Uint8Array }).poke;
    expect(initiator.receive(poke)).toEqual({ kind: 'handshake-wanted' });
    connect(initiator, restarted);
    expectLive(initiator, restarted);
    expect(initiator.receive(poke)).toEqual(discarded('CHANNEL_UNKNOWN_KEYS'));
  });

  test('of the responder is noticed even if its next keys happen to have the same id', () => {
    const { initiator, passed } = pair();
    const { keysId } = passed.initiatorItem as { keysId: number };
    const restarted = boot('responder');
    const pendingId = (): number => {
      const other = boot('initiator');
      const item = other.receive(bytesIn(restarted.receive(other.beginHandshake())));
      return (item as { keysId: number }).keysId;
    };
    let tries = 0;
    while (pendingId() !== keysId) expect(++tries).toBeLessThan(10_000);
    const { poke } = restarted.receive(initiator.seal(frame(1))!) as { poke: Uint8Array };
    expect(initiator.receive(poke)).toEqual({ kind: 'handshake-wanted' });
  });

  test('of the initiator: the responder’s frames are of unknown keys until the handshake', () => {
    const { responder } = pair();
    const restarted = boot('initiator');
    expect(restarted.receive(responder.seal(frame(1))!)).toEqual(discarded('CHANNEL_UNKNOWN_KEYS'));
    connect(restarted, responder);
    expectLive(restarted, responder);
  });

  test('a poke about a frame that was never sent, of another length, or to the responder means nothing', () => {
    const { initiator, responder } = pair();
    const { poke } = boot('responder').receive(initiator.seal(frame(1))!) as { poke: Uint8Array };
    const future = poke.slice();
    future[3] = 1;
    expect(initiator.receive(future)).toEqual(discarded('CHANNEL_UNKNOWN_KEYS'));
    expect(initiator.receive(poke.subarray(0, 5))).toEqual(discarded('CHANNEL_TRUNCATED'));
    expect(responder.receive(poke)).toEqual(discarded('CHANNEL_REFLECTED'));
    expectLive(initiator, responder);
  });

  test('frames of an earlier boot are refused after it', () => {
    const { initiator, responder } = pair();
    const recorded = [1, 2, 3].map((number) => initiator.seal(frame(number))!);
    const restarted = boot('responder');
    connect(initiator, restarted);
    for (const datagram of recorded) expect(restarted.receive(datagram).kind).toBe('discarded');
    expect(responder.established).toBe(true);
  });
});

test('any bytes, in any state, give an item, and the channel lives on', () => {
  const { initiator, responder } = pair();
  const typed = fc
    .tuple(fc.integer({ min: 0, max: 6 }), fc.uint8Array({ maxLength: 80 }))
    .map(([type, rest]) => Uint8Array.of(type, ...rest));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), typed), (bytes) => {
      for (const channel of [initiator, responder, boot('initiator'), boot('responder')]) {
        expect(channel.receive(bytes).kind).toBe('discarded');
      }
    }),
    { numRuns: 200 },
  );
  expectLive(initiator, responder);
});

test('a datagram may be a view, and is copied where it is kept', () => {
  const { initiator, responder } = pair();
  const shared = new Uint8Array(200);
  const shifted = (datagram: Uint8Array): Uint8Array => {
    shared.set(datagram, 13);
    return shared.subarray(13, 13 + datagram.length);
  };
  const message1 = initiator.beginHandshake();
  const answer = responder.receive(shifted(message1));
  shared.fill(0);
  expect(responder.receive(message1)).toEqual(answer);
  expect(initiator.receive(shifted(bytesIn(answer))).kind).toBe('established');
  shared.fill(0);
  const item = responder.receive(shifted(initiator.seal(frame(5))!));
  shared.fill(0);
  expect(item).toMatchObject({ kind: 'established', peerPayload: bootIds.initiator, bytes: frame(5) });
});

test('options are checked at the door', () => {
  expect(() => boot('initiator', { pairKey: new Uint8Array(31) })).toThrow(RangeError);
  expect(() => boot('initiator', { handshakePayload: new Uint8Array(1025) })).toThrow(RangeError);
  for (const rekeyAfterFrames of [0, 1.5, 2 ** 30 + 1]) {
    expect(() => boot('initiator', { rekeyAfterFrames })).toThrow(RangeError);
  }
  expect(() => boot('responder').beginHandshake()).toThrow(/initiator/);
});
