/**
 * The session between the two boards: one conversation over all links (protocol/README.md §7).
 *
 * ```
 *   send -> send queue -> datagram -> seal -> best usable link  ~~~>  open -> receive queue -> deliver
 *                ^                                                                  |            |
 *   acknowledged +--- cumulative: stored, selective: received <~~~ any link <-------+--- stored <+
 *   heartbeats: on every link, each at its own interval, before everything else
 * ```
 * A link may lose, delay, repeat and reorder; the session is what makes a reliable stream and a sign of life of it. It
 * owns no clock and no socket: `step(now, input)` returns what the host must do, in order. The alternative, one
 * reliable connection per link (TCP and a serial protocol) with a switch above them, must rebuild at each
 * failure what the other connection had already delivered; here a link's failure only moves fragments.
 *
 * Connection states: no keys (the initiator begins handshakes, the responder waits) -> connected -> connected under newer
 * keys (same boot ids: the streams go on) or to a restarted peer (a new boot id: both streams start from 1).
 */
import { AcknowledgementSchedule } from './acknowledgement-schedule.ts';
import { assert } from './assert.ts';
import { ByteWriter, sameBytes } from './bytes.ts';
import { channelOverheadBytes } from './channel.ts';
import { HandshakeSchedule } from './handshake-schedule.ts';
import { HeartbeatState } from './heartbeat-state.ts';
import { LinkSet } from './link-set.ts';
import type { LinkState, LinkStatistics } from './link-state.ts';
import { fragmentOverheadBytes, ReceiveQueue } from './receive-queue.ts';
import { SendQueue } from './send-queue.ts';
import {
  checkSessionOptions,
  heartbeatPayloadBytesMax,
  messageBytesMax,
  type SessionChannel,
  type SessionEffect,
  type SessionInput,
  type SessionOptions,
} from './session-contract.ts';
import {
  dataFrameHeaderBytesMax,
  type Fragment,
  fragmentHeaderBytesMax,
  type HeartbeatFrame,
  readFrames,
  writeAcknowledgement,
  writeFragments,
  writeHeartbeat,
} from './session-frames.ts';

/** Room for what does not depend on the fragment: so that every fragment fits every link. */
const fragmentBytesMin = 32;
/** On its way on one link: below the receive buffer of a UDP socket, above bandwidth times delay. */
const inFlightBytesMax = 64 * 1024;
/** How long the peer may keep an acknowledgement back (§7.4). */
const acknowledgementDelayMs = 2;
/** Messages that nobody flushed go out after this. */
const lingerMs = 1;
const pokeIntervalMs = 20;
/** Of a sealed acknowledgement without ranges beyond the first. */
const acknowledgementBytesMax = channelOverheadBytes + 24;
/** Of a sealed heartbeat datagram, without the payload. */
const heartbeatOverheadBytesMax = channelOverheadBytes + 24 + 28;
const never = Number.POSITIVE_INFINITY;

export class Session {
  readonly #options: SessionOptions;
  readonly #channel: SessionChannel;
  readonly #links: LinkSet;
  readonly #fragmentBytesMax: number;
  readonly #handshake = new HandshakeSchedule();
  readonly #state = new HeartbeatState();
  #acknowledgement = new AcknowledgementSchedule();
  #sendQueue: SendQueue;
  #receiveQueue: ReceiveQueue;
  #peerBootId: Uint8Array | null = null;
  /** Counts the restarts of the peer: names the pair of streams. */
  #stream = 0;
  /** Effects of the step that is running. */
  #effects: SessionEffect[] = [];
  #now = Number.NEGATIVE_INFINITY;
  #lingerUntil = never;
  #wakeAt = never;

  constructor(options: SessionOptions) {
    checkSessionOptions(options);
    const { heartbeatIntervalMs } = options;
    this.#options = options;
    this.#channel = options.channel;
    this.#links = new LinkSet(options.links, heartbeatIntervalMs);
    const smallest = Math.min(...this.#links.all.map((link) => link.dataDatagramBytesMax));
    this.#fragmentBytesMax =
      smallest - channelOverheadBytes - dataFrameHeaderBytesMax - fragmentHeaderBytesMax;
    assert(this.#fragmentBytesMax >= fragmentBytesMin, 'the smallest link carries a fragment');
    this.#sendQueue = this.#newSendQueue();
    this.#receiveQueue = this.#newReceiveQueue();
  }

  /** Number that the next message sent will have. */
  get nextSequence(): number {
    return this.#sendQueue.nextSequence;
  }

  get unacknowledgedBytes(): number {
    return this.#sendQueue.unacknowledgedBytes;
  }

  /** Back-pressure: false while the peer owes too many acknowledgements. A host that sends all the same is stopped. */
  get writable(): boolean {
    return this.#sendQueue.unacknowledgedBytes < this.#options.sendBufferBytesMax;
  }

  /** Names the present pair of streams; changes when the peer restarts. */
  get stream(): number {
    return this.#stream;
  }

  /** `now`: of the look, not before the last step. */
  linkStatistics(link: number, now: number = this.#now): LinkStatistics {
    return this.#links.at(link).statistics(now);
  }

  /** When the peer was last heard on that link, or null: cheap, for a look at every step. */
  lastHeardAt(link: number): number | null {
    return this.#links.at(link).lastHeardAt;
  }

  step(now: number, input: SessionInput): SessionEffect[] {
    assert(now >= this.#now, `time does not run backwards (${now} after ${this.#now})`);
    this.#now = now;
    const effects: SessionEffect[] = [];
    this.#effects = effects;
    switch (input.kind) {
      case 'send':
        this.#queue(input.message);
        return effects;
      case 'heartbeat-payload':
        assert(input.bytes.length <= heartbeatPayloadBytesMax, 'the heartbeat payload is at most 200 bytes');
        this.#state.change(input.bytes);
        return effects;
      case 'peer-gone':
        return effects;
      case 'datagram':
        this.#receive(this.#links.at(input.link), input.bytes);
        break;
      case 'stored':
        if ((input.stream ?? this.#stream) !== this.#stream) return effects;
        this.#receiveQueue.stored(input.sequence);
        this.#acknowledgement.stored(now);
        break;
      case 'heartbeat-now':
        for (const link of this.#links.all) {
          link.heartbeatAt = now;
          link.payloadAt = now;
        }
        break;
      case 'tick':
        this.#wakeAt = never;
        break;
      case 'flush':
        break;
    }
    this.#run();
    return effects;
  }

  #newSendQueue(): SendQueue {
    const fragmentBytesMax = this.#fragmentBytesMax;
    // Both boards run with the same configuration, so our own buffer tells what the peer can keep.
    const windowFragments = Math.floor(
      this.#options.receiveBufferBytesMax / (fragmentBytesMax + fragmentOverheadBytes),
    );
    return new SendQueue({ fragmentBytesMax, windowFragments, linkCount: this.#links.all.length });
  }

  #newReceiveQueue(): ReceiveQueue {
    return new ReceiveQueue({ bufferBytesMax: this.#options.receiveBufferBytesMax, messageBytesMax });
  }

  #queue(message: Uint8Array): void {
    assert(
      message.length <= messageBytesMax,
      `a message is at most ${messageBytesMax} bytes (got ${message.length})`,
    );
    assert(
      this.unacknowledgedBytes + message.length <= 2 * (this.#options.sendBufferBytesMax + messageBytesMax),
      'a host stops sending while the session is not writable',
    );
    this.#sendQueue.push(message);
    if (this.#lingerUntil !== never) return;
    this.#lingerUntil = this.#now + lingerMs;
    this.#wake(Math.min(this.#wakeAt, this.#lingerUntil));
  }

  // Arrivals

  #receive(link: LinkState, datagram: Uint8Array): void {
    link.arrived(datagram.length);
    const item = this.#channel.receive(datagram);
    switch (item.kind) {
      case 'plaintext':
        this.#open(link, item.bytes);
        return;
      case 'reply':
        this.#transmit(link, item.bytes);
        this.#effects.push({ kind: 'handshake-answered' });
        return;
      case 'established':
        this.#connect(link, item.peerPayload);
        if (item.bytes !== undefined) this.#open(link, item.bytes);
        return;
      case 'handshake-wanted':
        this.#handshake.want();
        return;
      case 'discarded':
        this.#discard(link, item.reason);
        if (item.poke === undefined || this.#now < link.pokeAt) return;
        link.pokeAt = this.#now + pokeIntervalMs;
        this.#transmit(link, item.poke);
    }
  }

  #connect(link: LinkState, peerBootId: Uint8Array): void {
    const restarted = this.#peerBootId === null || !sameBytes(this.#peerBootId, peerBootId);
    this.#handshake.done();
    if (restarted) {
      this.#peerBootId = peerBootId.slice();
      this.#stream += 1;
      this.#sendQueue = this.#newSendQueue();
      this.#receiveQueue = this.#newReceiveQueue();
      this.#state.restart();
      for (const each of this.#links.all) each.restart();
      this.#acknowledgement = new AcknowledgementSchedule();
      this.#lingerUntil = never;
    }
    link.answered(this.#now);
    // The responder uses the new keys only from our first datagram on (§7.1): heartbeats on every link are that.
    for (const each of this.#links.all) each.heartbeatAt = this.#now;
    this.#effects.push({ kind: 'peer-connected', restarted });
  }

  #open(link: LinkState, plaintext: Uint8Array): void {
    const frames = readFrames(plaintext);
    if (frames === null) {
      this.#discard(link, 'SESSION_FRAMES');
      return;
    }
    link.heard(this.#now);
    for (const frame of frames) {
      switch (frame.kind) {
        case 'acknowledgement': {
          const before = this.#sendQueue.acknowledgedMessage;
          const progress = this.#sendQueue.acknowledge(frame, this.#reorderMs);
          for (const each of this.#links.all) if ((progress >> each.index) & 1) each.roundTrip.progress();
          const sequence = this.#sendQueue.acknowledgedMessage;
          if (sequence > before) this.#effects.push({ kind: 'acknowledged', sequence });
          break;
        }
        case 'heartbeat':
          this.#heartbeatArrived(link, frame);
          break;
        case 'data':
          this.#accept(link, frame.fragments);
      }
    }
  }

  #heartbeatArrived(link: LinkState, frame: HeartbeatFrame): void {
    if (!link.heartbeatArrived(frame, this.#now)) return;
    this.#state.arrived(frame);
    this.#effects.push({ kind: 'heartbeat', link: link.index, payload: this.#state.peer });
  }

  #accept(link: LinkState, fragments: Fragment[]): void {
    let urgent = false;
    for (const fragment of fragments) {
      const acceptance = this.#receiveQueue.accept(fragment, this.#deliver);
      if (acceptance === 'duplicate') {
        link.counts.duplicates += 1;
        urgent = true;
      } else if (acceptance !== 'received') {
        this.#discard(
          link,
          acceptance === 'stream-invalid' ? 'SESSION_STREAM' : 'SESSION_RECEIVE_BUFFER_FULL',
        );
      }
    }
    this.#acknowledgement.received(this.#now, urgent || this.#receiveQueue.hasGap);
  }

  readonly #deliver = (sequence: number, message: Uint8Array): void => {
    this.#effects.push({ kind: 'deliver', sequence, message, stream: this.#stream });
  };

  readonly #recordsRoomAt = (link: LinkState): number =>
    this.#sendQueue.bytesInFlight(link.index) >= inFlightBytesMax
      ? never
      : link.roomAt(link.dataDatagramBytesMax);

  readonly #reorderMs = (link: number): number =>
    Math.max(2, (this.#links.at(link).roundTrip.smoothedMs ?? 0) / 4);

  #discard(link: LinkState, reason: string): void {
    link.discard(reason);
    this.#effects.push({ kind: 'discarded', link: link.index, reason });
  }

  // Departures

  #run(): void {
    this.#runHandshake();
    if (this.#channel.established) {
      this.#runLosses();
      this.#runHeartbeats();
      this.#runRecords();
      this.#runAcknowledgement();
    }
    this.#wake(this.#nextAt());
  }

  #runHandshake(): void {
    if (this.#options.board !== 'a') return;
    const dueAt = this.#handshake.dueAt(this.#channel.needsHandshake);
    if (dueAt === null || dueAt > this.#now) return;
    this.#handshake.began(this.#now);
    const message = this.#channel.beginHandshake();
    for (const link of this.#links.all) this.#transmit(link, message);
  }

  #runLosses(): void {
    for (const link of this.#links.all) {
      const usable = link.isUsable(this.#now);
      if (link.wasUsable && !usable) this.#sendQueue.loseLink(link.index);
      link.wasUsable = usable;
    }
    const expired = this.#sendQueue.expire(this.#now);
    if (expired === 0) return;
    for (const link of this.#links.all) if ((expired >> link.index) & 1) link.roundTrip.backOff();
  }

  #runHeartbeats(): void {
    for (const link of this.#links.all) {
      if (link.heartbeatAt > this.#now || link.heartbeatRoomAt > this.#now) continue;
      const onTime = link.heartbeatAt + link.heartbeatIntervalMs;
      // On the beat as long as we are scheduled on time; after a pause, a new beat instead of a burst.
      link.heartbeatAt = onTime > this.#now ? onTime : this.#now + link.heartbeatIntervalMs;
      this.#sendHeartbeat(link);
    }
  }

  #sendHeartbeat(link: LinkState): void {
    const withPayload =
      this.#state.isUnconfirmed &&
      link.payloadAt <= this.#now &&
      this.#state.own.length + heartbeatOverheadBytesMax <= link.datagramBytesMax;
    const writer = new ByteWriter(96);
    writeAcknowledgement(writer, this.#receiveQueue.acknowledgement(2));
    writeHeartbeat(writer, this.#state.frame(link.nextHeartbeat(this.#now), withPayload));
    const bytes = this.#sealAndTransmit(link, writer);
    // Three times its own time on the line: state that changes all the time takes a third of a slow link.
    if (withPayload) link.payloadAt = this.#now + 3 * link.wireMs(bytes);
    // With a gap only the full acknowledgement says everything.
    if (!this.#receiveQueue.hasGap && link === this.#links.best(this.#now)) this.#acknowledgement.sent();
  }

  #runRecords(): void {
    this.#lingerUntil = never;
    for (let next = this.#sendQueue.peek(); next !== undefined; next = this.#sendQueue.peek()) {
      const link = this.#links.forRecords(next.lostOn, this.#now, this.#recordsRoomAt);
      if (link === null) return;
      this.#sendRecords(link);
    }
  }

  #sendRecords(link: LinkState): void {
    const capacity = link.dataDatagramBytesMax - channelOverheadBytes;
    const writer = new ByteWriter(capacity);
    // The acknowledgement rides along where it fits beside a whole fragment.
    const withAcknowledgement =
      this.#acknowledgement.isOwed &&
      capacity >= this.#fragmentBytesMax + 40 &&
      link === this.#links.best(this.#now);
    if (withAcknowledgement) writeAcknowledgement(writer, this.#receiveQueue.acknowledgement(2));
    const room = capacity - writer.length - dataFrameHeaderBytesMax;
    const fragments = this.#sendQueue.take(room, fragmentHeaderBytesMax, dataFrameHeaderBytesMax);
    assert(fragments.length > 0, 'a fragment fits into every datagram');
    writeFragments(writer, fragments);
    this.#sealAndTransmit(link, writer);
    // The deadline counts from when the datagram has left; also true when the keys were used up and nothing was sent.
    const timeoutMs = link.queuedMs(this.#now) + acknowledgementDelayMs + link.roundTrip.timeoutMs;
    link.counts.retransmitted += this.#sendQueue.sent(link.index, fragments, this.#now, timeoutMs);
    if (withAcknowledgement && !this.#receiveQueue.hasGap) this.#acknowledgement.sent();
  }

  #runAcknowledgement(): void {
    if (this.#acknowledgement.at > this.#now) return;
    const link = this.#links.best(this.#now);
    if (link === null || link.roomAt(acknowledgementBytesMax) > this.#now) return;
    const writer = new ByteWriter(32);
    const rangesMax = Math.min(64, Math.floor((link.dataDatagramBytesMax - acknowledgementBytesMax) / 8));
    writeAcknowledgement(writer, this.#receiveQueue.acknowledgement(rangesMax));
    this.#sealAndTransmit(link, writer);
    this.#acknowledgement.sent();
  }

  /** Returns the bytes that went out. */
  #sealAndTransmit(link: LinkState, writer: ByteWriter): number {
    const sealed = this.#channel.seal(writer.finish());
    if (sealed === null) return 0;
    this.#transmit(link, sealed);
    return sealed.length;
  }

  #transmit(link: LinkState, bytes: Uint8Array): void {
    link.transmitted(bytes.length, this.#now);
    this.#effects.push({ kind: 'transmit', link: link.index, bytes });
  }

  // Time

  /** When something happens next if nothing arrives. */
  #nextAt(): number {
    let at = never;
    if (this.#options.board === 'a') at = this.#handshake.dueAt(this.#channel.needsHandshake) ?? never;
    if (!this.#channel.established) return at;
    for (const link of this.#links.all) at = Math.min(at, Math.max(link.heartbeatAt, link.heartbeatRoomAt));
    at = Math.min(at, this.#sendQueue.expiresAt ?? never);
    const best = this.#links.best(this.#now);
    if (best === null) return at;
    if (this.#sendQueue.peek() !== undefined) at = Math.min(at, this.#recordsRoomAt(best));
    if (this.#acknowledgement.isOwed) {
      at = Math.min(at, Math.max(this.#acknowledgement.at, best.roomAt(acknowledgementBytesMax)));
    }
    return at;
  }

  #wake(at: number): void {
    if (at === this.#wakeAt || at === never) return;
    this.#wakeAt = at;
    this.#effects.push({ kind: 'wake', at });
  }
}
