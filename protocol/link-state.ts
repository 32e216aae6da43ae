/**
 * What the session knows of one link (protocol/README.md §7.3, §7.6): how full its line is, whether the peer is heard on
 * it and hears us, when its next heartbeat is due, and the counts.
 *
 * The line is modelled, not asked: `busyUntil` is when the last byte handed over will have left at the link's bit rate.
 * The operating system's buffer is far larger than what may wait there, so by the time it pushed back, heartbeats
 * would already be late behind records.
 */
import { RoundTrip } from './round-trip.ts';
import type { HeartbeatFrame } from './session-frames.ts';

export interface SessionLink {
  name: 'serial' | 'ethernet';
  /** 9,600..10,000,000,000. */
  bitsPerSecond: number;
  /** Largest datagram the link carries, sealed, without its framing. 96..65,507. */
  datagramBytesMax: number;
}

export interface LinkStatistics {
  /** Datagrams, as all counts without a unit but the two of fragments below. */
  sent: number;
  received: number;
  bytesSent: number;
  bytesReceived: number;
  discarded: Record<string, number>;
  /** Fragments sent again on this link. */
  retransmitted: number;
  /** Fragments that arrived here and were known already. */
  duplicates: number;
  roundTripMs: number | null;
  lastHeardAt: number | null;
  /** Heard from within three heartbeat intervals. */
  up: boolean;
}

/** CRC, COBS and delimiter of a serial frame (§4). */
const serialFramingBytes = 7;
/** Preamble, Ethernet, IP and UDP headers, checksum and gap. */
const ethernetFramingBytes = 66;
/** A real line may be a little slower than its name, and no one would notice the queue grow. */
const lineShare = 0.97;
/** What may wait on a line before something more is queued, including that. */
const queueMsMax = 16;
/** Of which a single datagram of records may take this much, so that the line does not run dry between two. */
const datagramMsMax = 11;
/** A line too slow for that still gets datagrams of this size. */
const datagramBytesMin = 112;
/** Heartbeats of this size on the line (state of about 24 bytes, acknowledgement) take at most `heartbeatShare` of it. */
const nominalHeartbeatBytes = 80;
const heartbeatShare = 0.35;
const silentIntervals = 3;
const rememberedHeartbeats = 64;

function wireMsOf(link: SessionLink, bytes: number): number {
  return link.name === 'serial'
    ? ((bytes + serialFramingBytes) * 10_000) / (link.bitsPerSecond * lineShare)
    : ((bytes + ethernetFramingBytes) * 8_000) / (link.bitsPerSecond * lineShare);
}

/**
 * The interval at which heartbeats go out on a link: the configured one, or the smallest multiple of it that leaves
 * 65 % of the line to everything else (§7.6). At 115200 baud and 10 ms: 20 ms. The failure detector needs it.
 */
export function heartbeatIntervalMsOn(link: SessionLink, heartbeatIntervalMs: number): number {
  const bitsPerByte = link.name === 'serial' ? 10 : 8;
  const nominalMs = (nominalHeartbeatBytes * bitsPerByte * 1000) / link.bitsPerSecond;
  return heartbeatIntervalMs * Math.max(1, Math.ceil(nominalMs / heartbeatShare / heartbeatIntervalMs));
}

export class LinkState {
  readonly index: number;
  readonly bitsPerSecond: number;
  readonly heartbeatIntervalMs: number;
  /** Largest sealed datagram with records. */
  readonly dataDatagramBytesMax: number;
  readonly datagramBytesMax: number;
  readonly roundTrip = new RoundTrip();
  readonly counts = { sent: 0, received: 0, bytesSent: 0, bytesReceived: 0, retransmitted: 0, duplicates: 0 };
  readonly discarded: Record<string, number> = {};
  /** When the next heartbeat is due. */
  heartbeatAt = Number.NEGATIVE_INFINITY;
  /** When the heartbeat may carry the payload again that the peer has not confirmed (§7.6). */
  payloadAt = Number.NEGATIVE_INFINITY;
  /** When a poke may be sent again. */
  pokeAt = Number.NEGATIVE_INFINITY;
  /** As of the last look; see `Session`. */
  wasUsable = false;
  readonly #link: SessionLink;
  readonly #queueMsMax: number;
  #busyUntil = Number.NEGATIVE_INFINITY;
  #lastHeardAt: number | null = null;
  /** The latest moment at which the peer is known to have heard us on this link. */
  #peerHeardAt = Number.NEGATIVE_INFINITY;
  #counter = 0;
  readonly #sentAt = new Float64Array(rememberedHeartbeats);
  #peerCounter = 0;
  #peerCounterAt = 0;
  #echoed = 0;

  constructor(index: number, link: SessionLink, heartbeatIntervalMs: number) {
    this.index = index;
    this.#link = link;
    this.bitsPerSecond = link.bitsPerSecond;
    this.datagramBytesMax = link.datagramBytesMax;
    this.heartbeatIntervalMs = heartbeatIntervalMsOn(link, heartbeatIntervalMs);
    const bytesInTime = Math.floor((datagramMsMax - this.wireMs(0)) / (this.wireMs(1) - this.wireMs(0)));
    this.dataDatagramBytesMax = Math.min(link.datagramBytesMax, Math.max(datagramBytesMin, bytesInTime));
    this.#queueMsMax = Math.max(queueMsMax, 1.5 * this.wireMs(this.dataDatagramBytesMax));
  }

  /** Time that a datagram of this many bytes takes on the line. */
  wireMs(bytes: number): number {
    return wireMsOf(this.#link, bytes);
  }

  /** Time until everything handed over so far will have left. */
  queuedMs(now: number): number {
    return Math.max(0, this.#busyUntil - now);
  }

  /** The earliest moment at which a datagram of this many bytes fits into the queue. */
  roomAt(bytes: number): number {
    return this.#busyUntil + this.wireMs(bytes) - this.#queueMsMax;
  }

  /** The earliest moment for a heartbeat: it may stand behind a full queue, but not behind another late heartbeat. */
  get heartbeatRoomAt(): number {
    return this.#busyUntil - this.#queueMsMax;
  }

  transmitted(bytes: number, now: number): void {
    this.#busyUntil = Math.max(this.#busyUntil, now) + this.wireMs(bytes);
    this.counts.sent += 1;
    this.counts.bytesSent += bytes;
  }

  arrived(bytes: number): void {
    this.counts.received += 1;
    this.counts.bytesReceived += bytes;
  }

  discard(reason: string): void {
    this.discarded[reason] = (this.discarded[reason] ?? 0) + 1;
  }

  /** Something authentic of the peer arrived here. */
  heard(now: number): void {
    this.#lastHeardAt = now;
  }

  /** The handshake went both ways on this link. */
  answered(now: number): void {
    this.#lastHeardAt = now;
    this.#peerHeardAt = Math.max(this.#peerHeardAt, now);
  }

  get lastHeardAt(): number | null {
    return this.#lastHeardAt;
  }

  isUp(now: number): boolean {
    return this.#lastHeardAt !== null && now - this.#lastHeardAt <= this.#silenceMs;
  }

  /** Fit for records: the peer is heard here and says that it hears us here (a cable may be cut one way only). */
  isUsable(now: number): boolean {
    return this.isUp(now) && now - this.#peerHeardAt <= this.#silenceMs;
  }

  get #silenceMs(): number {
    return silentIntervals * this.heartbeatIntervalMs + (this.roundTrip.smoothedMs ?? 0);
  }

  /** The link's own fields of the heartbeat that is sent at `now`. */
  nextHeartbeat(now: number): Pick<HeartbeatFrame, 'counter' | 'echo' | 'heldEighthsMs'> {
    this.#counter += 1;
    this.#sentAt[this.#counter % rememberedHeartbeats] = now;
    const heldEighthsMs = this.#peerCounter === 0 ? 0 : Math.round((now - this.#peerCounterAt) * 8);
    return { counter: this.#counter, echo: this.#peerCounter, heldEighthsMs };
  }

  /** True when the heartbeat is newer than every other one on this link. */
  heartbeatArrived(frame: HeartbeatFrame, now: number): boolean {
    if (frame.counter <= this.#peerCounter) return false;
    this.#peerCounter = frame.counter;
    this.#peerCounterAt = now;
    const { echo } = frame;
    const heldMs = frame.heldEighthsMs / 8;
    if (echo === 0 || echo > this.#counter || echo + rememberedHeartbeats <= this.#counter) return true;
    const sentAt = this.#sentAt[echo % rememberedHeartbeats]!;
    this.#peerHeardAt = Math.max(this.#peerHeardAt, Math.min(now - heldMs, now));
    if (echo > this.#echoed) {
      this.#echoed = echo;
      this.roundTrip.sample(now - sentAt - heldMs);
    }
    return true;
  }

  /** The peer is another process than before: its counters start anew, and so do ours for it. */
  restart(): void {
    this.#counter = 0;
    this.#peerCounter = 0;
    this.#echoed = 0;
    this.heartbeatAt = Number.NEGATIVE_INFINITY;
    this.payloadAt = Number.NEGATIVE_INFINITY;
    // Nobody answered because nobody was there: that says nothing of how long the line takes.
    this.roundTrip.progress();
  }

  /** A snapshot. */
  statistics(now: number): LinkStatistics {
    return {
      ...this.counts,
      discarded: { ...this.discarded },
      roundTripMs: this.roundTrip.smoothedMs,
      lastHeardAt: this.#lastHeardAt,
      up: this.isUp(now),
    };
  }
}
