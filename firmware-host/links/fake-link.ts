/**
 * Two links joined in memory: the fake of DatagramLink, held to the same contract (link-contract.ts).
 *
 * The ends come up in a later turn of the event loop, and a datagram arrives in a later microtask, never within
 * `send`: nothing real is at once either.
 */
import {
  checkDatagram,
  type DatagramLink,
  type LinkDiscardReason,
  type LinkFault,
  LinkListeners,
  type LinkName,
  type LinkState,
} from './link.ts';

export interface FakeLinkOptions {
  name?: LinkName;
  bitsPerSecond?: number;
  datagramBytesMax?: number;
}

export class FakeLink implements DatagramLink {
  readonly name: LinkName;
  readonly bitsPerSecond: number;
  readonly datagramBytesMax: number;
  readonly #listeners = new LinkListeners();
  /** What `send` was given, also while the link was down. */
  readonly sent: Uint8Array[] = [];
  #other: FakeLink | null = null;
  #cut = false;
  #closed = false;

  constructor(options: FakeLinkOptions = {}) {
    this.name = options.name ?? 'ethernet';
    this.bitsPerSecond = options.bitsPerSecond ?? 100_000_000;
    this.datagramBytesMax = options.datagramBytesMax ?? 1_200;
    setImmediate(() => this.#listeners.up());
  }

  get state(): LinkState {
    return this.#listeners.state;
  }

  queuedMs(): number {
    return 0;
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

  send(datagram: Uint8Array): void {
    checkDatagram(this, datagram);
    const bytes = datagram.slice();
    this.sent.push(bytes);
    if (this.state === 'down') {
      this.#listeners.discarded('LINK_DOWN');
      return;
    }
    queueMicrotask(() => this.#deliver(bytes));
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#listeners.silence();
    return Promise.resolve();
  }

  /** Joins this end to another, taking the place of whatever was there (a peer's next process). */
  join(other: FakeLink): void {
    this.#other = other;
    other.#other = this;
  }

  /** Datagrams vanish from now on, in both directions, as on a cut cable. */
  cut(): void {
    this.#cut = true;
    if (this.#other !== null) this.#other.#cut = true;
  }

  restore(): void {
    this.#cut = false;
    if (this.#other !== null) this.#other.#cut = false;
  }

  /** The port or socket of this end fails; `recover` brings it back. */
  fail(fault: LinkFault): void {
    this.#listeners.down(fault);
  }

  recover(): void {
    this.#listeners.up();
  }

  /** A datagram out of nowhere, as from the other end. */
  inject(datagram: Uint8Array): void {
    this.#listeners.datagram(datagram.slice());
  }

  /** The kernel's word that the peer's process is gone. */
  refuse(): void {
    this.#listeners.refused();
  }

  #deliver(bytes: Uint8Array): void {
    const other = this.#other;
    if (this.#cut || other === null) return;
    if (other.#closed) this.#listeners.refused();
    else if (other.state === 'up') other.#listeners.datagram(bytes);
  }
}

export function openFakeLinks(options: FakeLinkOptions = {}): { a: FakeLink; b: FakeLink } {
  const a = new FakeLink(options);
  const b = new FakeLink(options);
  a.join(b);
  return { a, b };
}
