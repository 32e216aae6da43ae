/**
 * The socket over which systemd is told of a service's state (sd_notify(3)): an AF_UNIX datagram socket, which Node does not
 * have, reached through libc. A path or, with a leading `@`, a name in Linux's abstract namespace.
 *
 * Sending never waits: news that systemd does not take at once is worth less than the next heartbeat.
 */
import koffi, { type LibraryHandle } from 'koffi';

export type NotifyFaultCode =
  /** Neither an absolute path nor an abstract name, or too long for the kernel. */
  | 'NOTIFY_ADDRESS_UNUSABLE'
  /** libc, or a socket of it, is not to be had. */
  | 'NOTIFY_SOCKET_UNAVAILABLE'
  /** The kernel refused to send: nobody listens there, or the queue is full. */
  | 'NOTIFY_NOT_SENT';

export type NotifyResult = { ok: true } | { ok: false; code: NotifyFaultCode; text: string };

const familyUnix = 1;
const typeDatagram = 2;
const closeOnExec = 0o2000000;
const noWait = 0x40;
const noSignal = 0x4000;
const familyBytes = 2;
/** Of sockaddr_un's `sun_path`. */
const pathBytesMax = 108;

/** A `sockaddr_un`; null when the address is none that sd_notify knows (such as `vsock:`). */
export function unixAddress(address: string): Uint8Array | null {
  const isAbstract = address.startsWith('@');
  if (!isAbstract && !address.startsWith('/')) return null;
  const name = Buffer.from(isAbstract ? `\0${address.slice(1)}` : `${address}\0`);
  if (name.length < 2 || name.length > pathBytesMax) return null;
  const bytes = Buffer.alloc(familyBytes + name.length);
  // In the order of the machine's bytes: all machines that this runs on have the low one first.
  bytes.writeUInt16LE(familyUnix, 0);
  name.copy(bytes, familyBytes);
  return bytes;
}

export class NotifySocket {
  readonly #address: Uint8Array;
  readonly #socket: number;
  readonly #sendto: (...words: unknown[]) => number;
  readonly #close: (socket: number) => number;

  private constructor(address: Uint8Array, libc: LibraryHandle) {
    this.#address = address;
    const socket = libc.func('int socket(int domain, int type, int protocol)') as (
      ...words: number[]
    ) => number;
    this.#sendto = libc.func(
      'intptr_t sendto(int socket, const void *bytes, size_t length, int flags, const void *address, uint32_t addressLength)',
    ) as (...words: unknown[]) => number;
    this.#close = libc.func('int close(int socket)') as (socket: number) => number;
    this.#socket = socket(familyUnix, typeDatagram | closeOnExec, 0);
  }

  static open(address: string): { ok: true; socket: NotifySocket } | Extract<NotifyResult, { ok: false }> {
    const bytes = unixAddress(address);
    if (bytes === null) {
      const text = `NOTIFY_SOCKET must be a path from / on or a name from @ on, of at most 107 bytes (got ${address})`;
      return { ok: false, code: 'NOTIFY_ADDRESS_UNUSABLE', text };
    }
    let socket: NotifySocket;
    try {
      socket = new NotifySocket(bytes, koffi.load(null));
    } catch (error) {
      return { ok: false, code: 'NOTIFY_SOCKET_UNAVAILABLE', text: (error as Error).message };
    }
    if (socket.#socket >= 0) return { ok: true, socket };
    return { ok: false, code: 'NOTIFY_SOCKET_UNAVAILABLE', text: `socket(2): errno ${koffi.errno()}` };
  }

  /** One datagram, such as `READY=1\nSTATUS=primary`. */
  send(text: string): NotifyResult {
    const bytes = Buffer.from(text);
    const sent = this.#sendto(
      this.#socket,
      bytes,
      bytes.length,
      noWait | noSignal,
      this.#address,
      this.#address.length,
    );
    if (sent === bytes.length) return { ok: true };
    return { ok: false, code: 'NOTIFY_NOT_SENT', text: `sendto(2): errno ${koffi.errno()}` };
  }

  close(): void {
    this.#close(this.#socket);
  }
}
