/**
 * A link: one of the two ways between the boards (protocol/README.md §4). It carries datagrams and may lose,
 * delay, repeat or reorder them; the session above copes, and knows nothing of a link but its bit rate.
 *
 * A link looks after itself: it opens its port or socket when created, opens it again with growing pauses for as
 * long as it takes, and says by `onState` how that stands. It never throws for anything that the world does, and
 * it never keeps old datagrams back: a datagram that cannot leave soon is worth nothing, since the session would
 * send it again over the other link. It is dropped, and said to be.
 */
import type { FrameDiscardReason } from '../../protocol/frame.ts';

export type LinkName = 'serial' | 'ethernet';

export type LinkFaultCode =
  /** The serial port's device file does not exist (adapter not plugged in, UART not enabled). */
  | 'LINK_PORT_MISSING'
  /** Another process has the serial port open (often a login console or ModemManager). */
  | 'LINK_PORT_LOCKED'
  /** The user may not open the serial port (group dialout). */
  | 'LINK_PORT_DENIED'
  /** The serial port was open and went away. */
  | 'LINK_PORT_LOST'
  /** The serial port cannot be opened for another reason: see the message. */
  | 'LINK_PORT_FAILED'
  /** Another process has the UDP address. */
  | 'LINK_ADDRESS_IN_USE'
  /** No network interface has the UDP address (not up yet, or a mistake in the config). */
  | 'LINK_ADDRESS_UNAVAILABLE'
  /** There is no route to the peer's address. */
  | 'LINK_PEER_UNREACHABLE'
  /** The socket failed for another reason: see the message. */
  | 'LINK_SOCKET_FAILED';

export interface LinkFault {
  code: LinkFaultCode;
  /** For people: names the port or address and what to do. */
  message: string;
}

export type LinkState = 'up' | 'down';

/** Why bytes were thrown away. The LINK_ ones concern datagrams to send, the FRAME_ ones received bytes. */
export type LinkDiscardReason =
  /** The link was down. */
  | 'LINK_DOWN'
  /** The line had more to send than it could in `queueMsMax`. */
  | 'LINK_QUEUE_FULL'
  /** The kernel would not take the datagram (cable out, no route, buffers full). */
  | 'LINK_SEND_FAILED'
  | FrameDiscardReason;

export interface DatagramLink {
  readonly name: LinkName;
  readonly bitsPerSecond: number;
  /** Longest datagram that `send` takes, in bytes. */
  readonly datagramBytesMax: number;
  /** `down` until the port or socket is first open. Says nothing about the other board. */
  readonly state: LinkState;
  /** Time that the line needs for what was sent already, in ms; 0 when a datagram would leave at once. */
  queuedMs(): number;
  /**
   * Sends 1..datagramBytesMax bytes or drops them; never blocks, never throws for a link that is down. The bytes
   * are the caller's again when it returns.
   */
  send(datagram: Uint8Array): void;
  /** The bytes are the callback's to keep. */
  onDatagram(callback: (datagram: Uint8Array) => void): void;
  /** On every change of the state, and when a link that is down is so for a new reason. */
  onState(callback: (state: LinkState, fault?: LinkFault) => void): void;
  /** The kernel says that no process listens at the peer's address: its supervisor is gone or not there yet. */
  onRefused(callback: () => void): void;
  onDiscarded(callback: (reason: LinkDiscardReason) => void): void;
  /** Gives the port or socket back. No callback is called after `close`; it may be called twice. */
  close(): Promise<void>;
}

/** The callbacks of a link and its state: what every kind of link keeps. */
export class LinkListeners {
  readonly #datagram: ((datagram: Uint8Array) => void)[] = [];
  readonly #state: ((state: LinkState, fault?: LinkFault) => void)[] = [];
  readonly #refused: (() => void)[] = [];
  readonly #discarded: ((reason: LinkDiscardReason) => void)[] = [];
  #current: LinkState = 'down';
  #faultCode: LinkFaultCode | null = null;
  #silenced = false;

  get state(): LinkState {
    return this.#current;
  }

  onDatagram(callback: (datagram: Uint8Array) => void): void {
    this.#datagram.push(callback);
  }

  onState(callback: (state: LinkState, fault?: LinkFault) => void): void {
    this.#state.push(callback);
  }

  onRefused(callback: () => void): void {
    this.#refused.push(callback);
  }

  onDiscarded(callback: (reason: LinkDiscardReason) => void): void {
    this.#discarded.push(callback);
  }

  datagram(bytes: Uint8Array): void {
    if (this.#silenced) return;
    for (const callback of this.#datagram) callback(bytes);
  }

  refused(): void {
    if (this.#silenced) return;
    for (const callback of this.#refused) callback();
  }

  discarded(reason: LinkDiscardReason): void {
    if (this.#silenced) return;
    for (const callback of this.#discarded) callback(reason);
  }

  up(): void {
    if (this.#silenced || this.#current === 'up') return;
    this.#current = 'up';
    this.#faultCode = null;
    for (const callback of this.#state) callback('up');
  }

  down(fault: LinkFault): void {
    if (this.#silenced || (this.#current === 'down' && this.#faultCode === fault.code)) return;
    this.#current = 'down';
    this.#faultCode = fault.code;
    for (const callback of this.#state) callback('down', fault);
  }

  /** For `close`: nothing more is said. */
  silence(): void {
    this.#silenced = true;
    this.#current = 'down';
  }
}

/** Pauses between attempts to open: doubling from `firstMs` to `lastMs`. */
export class Backoff {
  readonly #firstMs: number;
  readonly #lastMs: number;
  #nextMs: number;

  constructor(firstMs: number, lastMs: number) {
    this.#firstMs = firstMs;
    this.#lastMs = lastMs;
    this.#nextMs = firstMs;
  }

  next(): number {
    const delayMs = this.#nextMs;
    this.#nextMs = Math.min(this.#nextMs * 2, this.#lastMs);
    return delayMs;
  }

  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}

export function checkDatagram(link: DatagramLink, datagram: Uint8Array): void {
  if (datagram.length === 0 || datagram.length > link.datagramBytesMax) {
    throw new RangeError(
      `a datagram on the ${link.name} link must have 1..${link.datagramBytesMax} bytes (got ${datagram.length})`,
    );
  }
}
