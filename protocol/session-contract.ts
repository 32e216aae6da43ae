/**
 * What the host and the session say to each other (protocol/README.md §7): inputs, effects and options.
 */
import type { ChannelItem } from './channel.ts';
import { heartbeatIntervalMsOn, type SessionLink } from './link-state.ts';

export type SessionInput =
  | { kind: 'datagram'; link: number; bytes: Uint8Array }
  | { kind: 'tick' }
  /** At most 1 MiB; must not be changed afterwards. Goes out with the next `flush` or tick. */
  | { kind: 'send'; message: Uint8Array }
  | { kind: 'flush' }
  /**
   * The host has stored every delivery up to this one. With `stream` (from the delivery) a store that ends after the
   * peer restarted is recognised and ignored; without it the host must see to that.
   */
  | { kind: 'stored'; sequence: number; stream?: number }
  /** State for the heartbeats, at most 200 bytes. */
  | { kind: 'heartbeat-payload'; bytes: Uint8Array }
  | { kind: 'heartbeat-now' }
  /** The kernel refused a datagram in the peer's name. Evidence for the failure detector; here it changes nothing. */
  | { kind: 'peer-gone' };

/** To be carried out in the order given. A delivery is reported as `stored` only when the host has really stored it. */
export type SessionEffect =
  | { kind: 'transmit'; link: number; bytes: Uint8Array }
  | { kind: 'deliver'; sequence: number; message: Uint8Array; stream: number }
  /** The peer has stored every message up to this one. */
  | { kind: 'acknowledged'; sequence: number }
  /** Newer than every heartbeat before it on this link; `payload` is the newest state known of the peer. */
  | { kind: 'heartbeat'; link: number; payload: Uint8Array }
  /**
   * New keys. `restarted`: the peer is another process than before (or the first): sequences start again from 1 in both
   * directions, and what was not acknowledged is dropped.
   */
  | { kind: 'peer-connected'; restarted: boolean }
  /** Responder: a message 1 opened and was answered. Whoever wrote it, perhaps long ago, had the pair key. */
  | { kind: 'handshake-answered' }
  | { kind: 'discarded'; link: number; reason: string }
  /** When to call with a tick; the latest one counts. */
  | { kind: 'wake'; at: number };

/** What the session needs of `Channel`. */
export interface SessionChannel {
  readonly established: boolean;
  readonly needsHandshake: boolean;
  beginHandshake(): Uint8Array;
  receive(datagram: Uint8Array): ChannelItem;
  seal(plaintext: Uint8Array): Uint8Array | null;
}

export interface SessionOptions {
  /** Board a is the initiator. */
  board: 'a' | 'b';
  /** 8 bytes, random per start: also the channel's handshake payload. */
  bootId: Uint8Array;
  channel: SessionChannel;
  /** 1 to 8. The index of a link is its name in inputs and effects. */
  links: readonly SessionLink[];
  /** 1..1000. A slow link's own interval is longer: `heartbeatIntervalMsOn`. */
  heartbeatIntervalMs: number;
  /** Unacknowledged bytes at which `writable` becomes false. At least 1 KiB. */
  sendBufferBytesMax: number;
  /** Bytes kept of what arrives beyond a gap. At least 1 KiB; more is dropped and sent again. */
  receiveBufferBytesMax: number;
}

export const messageBytesMax = 1024 * 1024;
export const heartbeatPayloadBytesMax = 200;

function check(condition: boolean, rule: string): void {
  if (!condition) throw new RangeError(rule);
}

/** Throws a RangeError that states the broken rule. */
export function checkSessionOptions(options: SessionOptions): void {
  const { bootId, links, heartbeatIntervalMs, sendBufferBytesMax, receiveBufferBytesMax } = options;
  check(bootId.length === 8, `bootId must be 8 bytes (got ${bootId.length})`);
  check(links.length >= 1 && links.length <= 8, `links must be 1..8 (got ${links.length})`);
  check(
    heartbeatIntervalMs >= 1 && heartbeatIntervalMs <= 1000,
    `heartbeatIntervalMs must be 1..1000 (got ${heartbeatIntervalMs})`,
  );
  check(sendBufferBytesMax >= 1024, `sendBufferBytesMax must be at least 1024 (got ${sendBufferBytesMax})`);
  check(
    receiveBufferBytesMax >= 1024,
    `receiveBufferBytesMax must be at least 1024 (got ${receiveBufferBytesMax})`,
  );
  for (const { bitsPerSecond, datagramBytesMax } of links) {
    check(bitsPerSecond >= 9600, `bitsPerSecond must be at least 9600 (got ${bitsPerSecond})`);
    check(datagramBytesMax >= 96, `datagramBytesMax must be at least 96 (got ${datagramBytesMax})`);
  }
}

/** Each link's own heartbeat interval, for the failure detector (§8). */
export function heartbeatIntervalsMs(
  options: Pick<SessionOptions, 'links' | 'heartbeatIntervalMs'>,
): number[] {
  return options.links.map((link) => heartbeatIntervalMsOn(link, options.heartbeatIntervalMs));
}
