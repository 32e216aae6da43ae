/**
 * Two sessions over two bad links in virtual time, for the tests: a serial line that really takes as long as its bits
 * take, and an Ethernet; each may lose, delay, repeat, reorder, carry garbage, or be cut in one direction or both.
 * Everything random comes from one seed.
 */

import { assert } from './assert.ts';
import { sameBytes } from './bytes.ts';
import { Channel } from './channel.ts';
import { createFakeCrypto } from './crypto.fake.ts';
import { Session } from './session.ts';
import type { SessionEffect, SessionInput, SessionOptions } from './session-contract.ts';

export type Board = 'a' | 'b';
export const serialLink = 0;
export const ethernetLink = 1;

/** mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface LinkFaults {
  loss: number;
  duplication: number;
  /** Added to the link's delay, uniformly 0..this: above the spacing of datagrams it reorders. */
  jitterMs: number;
  garbage: number;
  /** Nothing passes from this board. */
  cutFrom: Record<Board, boolean>;
}

export interface HostOptions {
  /** Between a delivery and its `stored`. */
  storeMs?: number;
  session?: Partial<SessionOptions>;
  rekeyAfterFrames?: number;
}

interface Event {
  at: number;
  order: number;
  run: () => void;
}

export const bitsPerSecondOf = { [serialLink]: 115_200, [ethernetLink]: 100_000_000 } as const;
const serialFramingBytes = 7;

export class Host {
  readonly board: Board;
  readonly network: Network;
  session: Session;
  /** Number of the present process. */
  boots = 0;
  /** Whether the host process runs. */
  up = true;
  storeMs: number;
  stored = 0;
  acknowledged = 0;
  /** Messages of the present stream, in order. */
  delivered: Uint8Array[] = [];
  /** Messages that this process sent in the present stream. */
  sent: Uint8Array[] = [];
  connections: boolean[] = [];
  heartbeats: { at: number; link: number; payload: Uint8Array }[] = [];
  transmissions: { at: number; link: number; bytes: number }[] = [];
  #wakes = 0;
  #peerBoot = 0;
  readonly #options: HostOptions;

  constructor(network: Network, board: Board, options: HostOptions) {
    this.network = network;
    this.board = board;
    this.#options = options;
    this.storeMs = options.storeMs ?? 0;
    this.session = this.#boot();
  }

  get peer(): Host {
    return this.network.hosts[this.board === 'a' ? 'b' : 'a'];
  }

  #boot(): Session {
    this.boots += 1;
    const bootId = Uint8Array.from({ length: 8 }, () => Math.floor(this.network.random() * 256));
    const channel = new Channel({
      role: this.board === 'a' ? 'initiator' : 'responder',
      pairKey: new Uint8Array(32).fill(7),
      prologue: Uint8Array.of(1),
      crypto: createFakeCrypto(this.network.seed * 1000 + this.boots * 2 + (this.board === 'a' ? 0 : 1)),
      handshakePayload: bootId,
      ...(this.#options.rekeyAfterFrames === undefined
        ? {}
        : { rekeyAfterFrames: this.#options.rekeyAfterFrames }),
    });
    return new Session({
      board: this.board,
      bootId,
      channel,
      links: [
        { name: 'serial', bitsPerSecond: bitsPerSecondOf[serialLink], datagramBytesMax: 512 },
        { name: 'ethernet', bitsPerSecond: bitsPerSecondOf[ethernetLink], datagramBytesMax: 1400 },
      ],
      heartbeatIntervalMs: 10,
      sendBufferBytesMax: 256 * 1024,
      receiveBufferBytesMax: 256 * 1024,
      ...this.#options.session,
    });
  }

  /** The process dies; nothing of it is left. */
  kill(): void {
    this.up = false;
    this.#wakes += 1;
  }

  restart(): void {
    this.kill();
    this.up = true;
    this.stored = 0;
    this.acknowledged = 0;
    this.delivered = [];
    this.sent = [];
    this.connections = [];
    this.session = this.#boot();
    this.step({ kind: 'tick' });
  }

  step(input: SessionInput): SessionEffect[] {
    if (!this.up) return [];
    if (input.kind === 'send') this.sent.push(input.message);
    const effects = this.session.step(this.network.now, input);
    for (const effect of effects) this.#carryOut(effect);
    return effects;
  }

  send(...messages: Uint8Array[]): void {
    for (const message of messages) this.step({ kind: 'send', message });
    this.step({ kind: 'flush' });
  }

  #carryOut(effect: SessionEffect): void {
    const { network } = this;
    switch (effect.kind) {
      case 'transmit':
        this.transmissions.push({ at: network.now, link: effect.link, bytes: effect.bytes.length });
        network.carry(this, effect.link, effect.bytes);
        return;
      case 'deliver': {
        const { sequence, stream } = effect;
        assert(sequence === this.delivered.length + 1, `message ${sequence} after ${this.delivered.length}`);
        if (this.peer.boots === this.#peerBoot) {
          const sent = this.peer.sent[sequence - 1];
          assert(
            sent !== undefined && sameBytes(sent, effect.message),
            `message ${sequence} is not what was sent`,
          );
        }
        this.delivered.push(effect.message);
        if (this.storeMs === Number.POSITIVE_INFINITY) return;
        const session = this.session;
        network.after(this.storeMs, () => {
          if (!this.up || session !== this.session || stream !== session.stream) return;
          this.stored = sequence;
          this.step({ kind: 'stored', sequence, stream });
        });
        return;
      }
      case 'acknowledged':
        assert(effect.sequence > this.acknowledged, 'acknowledgements go forward');
        assert(
          this.peer.boots !== this.#peerBoot || effect.sequence <= this.peer.stored,
          'acknowledged before it was stored',
        );
        this.acknowledged = effect.sequence;
        return;
      case 'peer-connected':
        this.connections.push(effect.restarted);
        this.#peerBoot = this.peer.boots;
        if (!effect.restarted) return;
        this.delivered = [];
        this.sent = [];
        this.stored = 0;
        this.acknowledged = 0;
        return;
      case 'heartbeat':
        this.heartbeats.push({ at: network.now, link: effect.link, payload: effect.payload });
        return;
      case 'wake': {
        this.#wakes += 1;
        const wake = this.#wakes;
        network.after(Math.max(0, effect.at - network.now), () => {
          if (wake === this.#wakes) this.step({ kind: 'tick' });
        });
        return;
      }
      case 'discarded':
        return;
    }
  }
}

export class Network {
  readonly seed: number;
  readonly random: () => number;
  readonly hosts: Record<Board, Host>;
  readonly faults: [LinkFaults, LinkFaults];
  now = 1000;
  /** Longest time that a datagram waited before its first bit went on the serial line. */
  serialWaitMsMax = 0;
  #order = 0;
  readonly #heap: Event[] = [];
  readonly #lineFreeAt = { a: 0, b: 0 };

  constructor(seed: number, options: { a?: HostOptions; b?: HostOptions } = {}) {
    this.seed = seed;
    this.random = randomFrom(seed);
    const perfect = (): LinkFaults => ({
      loss: 0,
      duplication: 0,
      jitterMs: 0,
      garbage: 0,
      cutFrom: { a: false, b: false },
    });
    this.faults = [perfect(), perfect()];
    const a = new Host(this, 'a', options.a ?? {});
    const b = new Host(this, 'b', options.b ?? {});
    this.hosts = { a, b };
  }

  start(): void {
    this.hosts.b.step({ kind: 'tick' });
    this.hosts.a.step({ kind: 'tick' });
  }

  cut(link: number, isCut = true): void {
    this.faults[link]!.cutFrom = { a: isCut, b: isCut };
  }

  carry(from: Host, link: number, bytes: Uint8Array): void {
    const faults = this.faults[link]!;
    let delayMs = 0.1;
    if (link === serialLink) {
      const lineMs = ((bytes.length + serialFramingBytes) * 10_000) / bitsPerSecondOf[serialLink];
      const startAt = Math.max(this.now, this.#lineFreeAt[from.board]);
      this.serialWaitMsMax = Math.max(this.serialWaitMsMax, startAt - this.now);
      this.#lineFreeAt[from.board] = startAt + lineMs;
      delayMs = startAt + lineMs - this.now;
    }
    if (faults.cutFrom[from.board]) return;
    if (this.random() < faults.garbage) this.#arrive(from, link, this.#garbageLike(bytes), delayMs);
    if (this.random() < faults.loss) return;
    this.#arrive(from, link, bytes, delayMs);
    if (this.random() < faults.duplication) this.#arrive(from, link, bytes, delayMs + 5);
  }

  after(delayMs: number, run: () => void): void {
    const event = { at: this.now + delayMs, order: this.#order++, run };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isEarlier(event, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  /** Runs until the time, or until `done` says so. Returns whether it did. */
  run(durationMs: number, done: () => boolean = () => false): boolean {
    const until = this.now + durationMs;
    while (this.#heap.length > 0 && this.#heap[0]!.at <= until) {
      if (done()) return true;
      const event = this.#pop();
      this.now = Math.max(this.now, event.at);
      event.run();
    }
    if (done()) return true;
    this.now = until;
    return false;
  }

  #garbageLike(bytes: Uint8Array): Uint8Array {
    const garbage = bytes.slice();
    const index = Math.floor(this.random() * garbage.length);
    garbage[index] = garbage[index]! ^ (1 + Math.floor(this.random() * 255));
    return garbage;
  }

  #arrive(from: Host, link: number, bytes: Uint8Array, delayMs: number): void {
    const jitterMs = this.random() * this.faults[link]!.jitterMs;
    this.after(delayMs + jitterMs, () => from.peer.step({ kind: 'datagram', link, bytes }));
  }

  #pop(): Event {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isEarlier(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isEarlier(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isEarlier(left: Event, right: Event): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}
