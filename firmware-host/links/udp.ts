/**
 * The Ethernet link: datagrams over UDP, between one address here and one there.
 *
 * The socket is connected to its peer, for two reasons. The kernel then delivers what comes from the peer only. And it
 * reports the peer's ICMP "port unreachable" as ECONNREFUSED: when a supervisor dies, its kernel refuses the very next
 * datagram, which tells of the death a whole detection timeout before silence does. (Silence remains what decides when
 * the machine or the cable died.)
 *
 * ECONNREFUSED leaves the socket usable; the peer's next process is reached without anything being done. Every other
 * error of the socket itself closes it, and it is bound again with growing pauses.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import {
  Backoff,
  checkDatagram,
  type DatagramLink,
  type LinkDiscardReason,
  type LinkFault,
  LinkListeners,
  type LinkState,
} from './link.ts';

export interface UdpAddress {
  /** IPv4 or IPv6, the latter with its zone when link-local (fe80::1%eth0). Not a name: names need a server. */
  address: string;
  /** 1..65535; 0 for `listen` takes any free one. */
  port: number;
}

export interface UdpLinkOptions {
  listen: UdpAddress;
  /** Of the same family as `listen`. */
  peer: UdpAddress;
  /** 16..65,507 bytes, default 1,200: passes every network unfragmented. */
  datagramBytesMax?: number;
  /** For the session's choice between links. Default 100,000,000. */
  bitsPerSecond?: number;
  /** First pause before binding again; doubles up to `reopenDelayMsMax`. Defaults 100 and 2,000 ms. */
  reopenDelayMs?: number;
  reopenDelayMsMax?: number;
}

function show(address: UdpAddress): string {
  return isIPv6(address.address.replace(/%.*$/, ''))
    ? `[${address.address}]:${address.port}`
    : `${address.address}:${address.port}`;
}

export class UdpLink implements DatagramLink {
  readonly name = 'ethernet';
  readonly bitsPerSecond: number;
  readonly datagramBytesMax: number;
  readonly #listen: UdpAddress;
  readonly #peer: UdpAddress;
  readonly #listeners = new LinkListeners();
  readonly #backoff: Backoff;
  /** Bound and connected, or on the way there. */
  #socket: Socket | null = null;
  #reopenTimer: NodeJS.Timeout | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: UdpLinkOptions) {
    this.#listen = options.listen;
    this.#peer = options.peer;
    this.bitsPerSecond = options.bitsPerSecond ?? 100_000_000;
    this.datagramBytesMax = options.datagramBytesMax ?? 1_200;
    this.#backoff = new Backoff(options.reopenDelayMs ?? 100, options.reopenDelayMsMax ?? 2_000);
    this.#open();
  }

  get state(): LinkState {
    return this.#listeners.state;
  }

  /** The port that is really bound; null while the link is down. */
  get localPort(): number | null {
    return this.state === 'up' ? this.#socket!.address().port : null;
  }

  onDatagram(callback: (datagram: Uint8Array) => void): void {
    this.#listeners.onDatagram(callback);
  }

  onState(callback: (state: LinkState, fault?: LinkFault) => void): void {
    this.#listeners.onState(callback);
  }

  onRefused(callback: () => void): void {
    this.#listeners.onRefused(callback);
  }

  onDiscarded(callback: (reason: LinkDiscardReason) => void): void {
    this.#listeners.onDiscarded(callback);
  }

  queuedMs(): number {
    return 0;
  }

  send(datagram: Uint8Array): void {
    checkDatagram(this, datagram);
    const socket = this.#socket;
    if (socket === null || this.state === 'down') {
      this.#listeners.discarded('LINK_DOWN');
      return;
    }
    // A copy: dgram may hand the bytes to the kernel after we have returned.
    socket.send(datagram.slice(), (error) => {
      if (error) this.#sendFailed(error);
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    this.#listeners.silence();
    if (this.#reopenTimer !== null) clearTimeout(this.#reopenTimer);
    this.#reopenTimer = null;
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  #open(): void {
    this.#reopenTimer = null;
    const type = isIPv6(this.#listen.address.replace(/%.*$/, '')) ? 'udp6' : 'udp4';
    const socket = createSocket({ type });
    this.#socket = socket;
    socket.on('error', (error: NodeJS.ErrnoException) => this.#failed(socket, error));
    socket.bind({ ...this.#listen, exclusive: true }, () => {
      // The callback of `connect` is given the error; without one it would be an 'error' event as well.
      socket.connect(this.#peer.port, this.#peer.address, (error?: Error) => {
        if (socket !== this.#socket) return;
        if (error) this.#failed(socket, error);
        else this.#connected(socket);
      });
    });
  }

  #connected(socket: Socket): void {
    const peer = socket.remoteAddress();
    socket.on('message', (bytes: Buffer, from: RemoteInfo) => {
      if (socket !== this.#socket) return;
      // What arrived between bind and connect may be from anywhere, and connecting does not remove it.
      if (from.port !== peer.port || from.address !== peer.address) return;
      if (bytes.length > 0) this.#listeners.datagram(new Uint8Array(bytes));
    });
    this.#backoff.reset();
    this.#listeners.up();
  }

  #sendFailed(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNREFUSED') this.#listeners.refused();
    else this.#listeners.discarded('LINK_SEND_FAILED');
  }

  #failed(socket: Socket, error: NodeJS.ErrnoException): void {
    if (socket !== this.#socket) return;
    if (error.code === 'ECONNREFUSED') {
      this.#listeners.refused();
      return;
    }
    this.#socket = null;
    try {
      socket.close();
    } catch {
      // Not yet bound, or closed by the failure itself.
    }
    this.#listeners.down(this.#fault(error));
    this.#reopenTimer = setTimeout(() => this.#open(), this.#backoff.next());
  }

  #fault(error: NodeJS.ErrnoException): LinkFault {
    const listen = show(this.#listen);
    switch (error.code) {
      case 'EADDRINUSE':
        return {
          code: 'LINK_ADDRESS_IN_USE',
          message: `Ethernet link: another process has ${listen}: is this board's supervisor running already?`,
        };
      case 'EADDRNOTAVAIL':
        return {
          code: 'LINK_ADDRESS_UNAVAILABLE',
          message: `Ethernet link: no interface of this machine has the address ${listen}`,
        };
      case 'ENETUNREACH':
      case 'EHOSTUNREACH':
        return {
          code: 'LINK_PEER_UNREACHABLE',
          message: `Ethernet link: there is no route from ${listen} to ${show(this.#peer)}`,
        };
      default:
        return { code: 'LINK_SOCKET_FAILED', message: `Ethernet link ${listen}: ${error.message}` };
    }
  }
}

export function openUdpLink(options: UdpLinkOptions): UdpLink {
  return new UdpLink(options);
}
