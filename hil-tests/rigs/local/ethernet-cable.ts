/**
 * The Ethernet between two boards of the local rig: a UDP relay on loopback.
 *
 * ```
 *   board a :portA  <->  :relay port (addressForA) [loss, delay, cut] :relay port (addressForB)  <->  :portB board b
 * ```
 *
 * Each board connects its socket to the relay's port instead of the other board's, and cannot tell. The relay's two
 * sockets are connected as well, each to its board.
 *
 * A real network carries one more thing: when a board's process is dead, its kernel answers the next datagram with ICMP
 * "port unreachable", and the sender's socket reports ECONNREFUSED. The relay is told so in place of the sender. It
 * passes that on by closing its socket on the sender's side for `refusalMs`, so that this machine's kernel refuses the
 * sender's next datagrams in turn; then it opens the port again. `refusalMs` must be longer than the sender's
 * interval, or the closed time could fall between two datagrams every time.
 *
 * On a cut cable nothing is forwarded, so nothing is refused either: silence is all that the boards get.
 */
import { createSocket, type Socket } from 'node:dgram';
import { checkProbability, seededRandom } from './seeded-random.ts';

export interface EthernetImpairment {
  /** Probability that a datagram vanishes. 0..1, default 0. */
  lossRatio?: number;
  /** Probability that a datagram arrives twice. 0..1, default 0. */
  duplicateRatio?: number;
  /** Added to every datagram's way, default 0. */
  delayMs?: number;
  /** Up to this much more, evenly spread, default 0: datagrams overtake each other. */
  jitterMs?: number;
  /** Default 1. */
  seed?: number;
}

export interface EthernetCableOptions {
  /** The ports on which the boards listen. */
  portA: number;
  portB: number;
  /** Loopback address for all of it, default 127.0.0.1; ::1 works. */
  host?: string;
  /** 1..1,000 ms, default 30: three heartbeats at the default interval. */
  refusalMs?: number;
  impairment?: EthernetImpairment;
}

export type EthernetDirection = 'a-to-b' | 'b-to-a';

export interface EthernetCounters {
  datagramsIn: number;
  datagramsOut: number;
  datagramsCut: number;
  datagramsLost: number;
  datagramsDuplicated: number;
  /** Times that the receiving board's kernel refused a datagram. */
  refusals: number;
}

export interface EthernetCable {
  /** What board a has as its peer's address. */
  readonly addressForA: { address: string; port: number };
  readonly addressForB: { address: string; port: number };
  /** Datagrams vanish from now on, those under way too; in one direction or, by default, both. */
  cut(direction?: EthernetDirection): void;
  restore(direction?: EthernetDirection): void;
  /** Replaces loss, delay and the rest; `{}` is a perfect cable. */
  setImpairment(impairment: EthernetImpairment): void;
  counters(direction: EthernetDirection): EthernetCounters;
  close(): Promise<void>;
}

interface Address {
  address: string;
  port: number;
}

/** Time between two attempts to have the relay's port back when another process took it meanwhile. */
const rebindIntervalMs = 10;

function openSocket(listen: Address, peer: Address): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(listen.address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', reject);
    socket.bind({ ...listen, exclusive: true }, () => {
      socket.connect(peer.port, peer.address, (error?: Error) => {
        socket.off('error', reject);
        if (error) {
          socket.close();
          reject(error);
        } else resolve(socket);
      });
    });
  });
}

/** The relay's end towards one board. */
class RelayEnd {
  onDatagram: (bytes: Uint8Array) => void = () => {};
  onRefused: () => void = () => {};
  readonly address: Address;
  readonly #board: Address;
  #socket: Socket | null;
  #timer: NodeJS.Timeout | null = null;
  #closing = false;

  constructor(socket: Socket, board: Address) {
    this.#board = board;
    this.address = { address: board.address, port: socket.address().port };
    this.#socket = null;
    this.#use(socket);
  }

  static async open(board: Address): Promise<RelayEnd> {
    return new RelayEnd(await openSocket({ address: board.address, port: 0 }, board), board);
  }

  send(bytes: Uint8Array): void {
    this.#socket?.send(bytes, (error) => {
      if (error) this.#refused(error);
    });
  }

  /** Makes this machine's kernel refuse the board's datagrams for a while. */
  refuse(durationMs: number): void {
    if (this.#socket === null || this.#closing) return;
    this.#socket.close();
    this.#socket = null;
    this.#reopenIn(durationMs);
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  #reopenIn(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      openSocket(this.address, this.#board).then(
        (socket) => {
          if (this.#closing) socket.close();
          else this.#use(socket);
        },
        () => {
          if (!this.#closing) this.#reopenIn(rebindIntervalMs);
        },
      );
    }, delayMs);
  }

  #use(socket: Socket): void {
    this.#socket = socket;
    socket.on('message', (bytes: Buffer) => this.onDatagram(bytes));
    socket.on('error', (error) => this.#refused(error));
  }

  #refused(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNREFUSED') this.onRefused();
  }
}

/** One direction of the cable. */
class Wire {
  readonly counters: EthernetCounters = {
    datagramsIn: 0,
    datagramsOut: 0,
    datagramsCut: 0,
    datagramsLost: 0,
    datagramsDuplicated: 0,
    refusals: 0,
  };
  readonly #to: RelayEnd;
  #impairment: EthernetImpairment = {};
  #random: () => number = seededRandom(1);
  #isCut = false;
  readonly #underWay = new Set<NodeJS.Timeout>();

  constructor(from: RelayEnd, to: RelayEnd, refusalMs: number) {
    this.#to = to;
    from.onDatagram = (bytes) => this.#accept(bytes);
    to.onRefused = () => {
      this.counters.refusals += 1;
      if (!this.#isCut) from.refuse(refusalMs);
    };
  }

  setImpairment(impairment: EthernetImpairment): void {
    this.#impairment = impairment;
    this.#random = seededRandom(impairment.seed ?? 1);
  }

  cut(): void {
    this.#isCut = true;
    this.counters.datagramsCut += this.#underWay.size;
    this.stop();
  }

  restore(): void {
    this.#isCut = false;
  }

  stop(): void {
    for (const timer of this.#underWay) clearTimeout(timer);
    this.#underWay.clear();
  }

  #accept(bytes: Uint8Array): void {
    this.counters.datagramsIn += 1;
    const { lossRatio = 0, duplicateRatio = 0 } = this.#impairment;
    const isLost = this.#random() < lossRatio;
    const isDuplicated = this.#random() < duplicateRatio;
    if (this.#isCut) this.counters.datagramsCut += 1;
    else if (isLost) this.counters.datagramsLost += 1;
    else {
      this.#forward(bytes);
      if (isDuplicated) {
        this.counters.datagramsDuplicated += 1;
        this.#forward(bytes);
      }
    }
  }

  #forward(bytes: Uint8Array): void {
    const { delayMs = 0, jitterMs = 0 } = this.#impairment;
    const wayMs = delayMs + this.#random() * jitterMs;
    if (wayMs === 0) {
      this.#arrive(bytes);
      return;
    }
    const timer = setTimeout(() => {
      this.#underWay.delete(timer);
      this.#arrive(bytes);
    }, wayMs);
    this.#underWay.add(timer);
  }

  #arrive(bytes: Uint8Array): void {
    this.counters.datagramsOut += 1;
    this.#to.send(bytes);
  }
}

function checkImpairment(impairment: EthernetImpairment): void {
  checkProbability('lossRatio', impairment.lossRatio ?? 0);
  checkProbability('duplicateRatio', impairment.duplicateRatio ?? 0);
  for (const name of ['delayMs', 'jitterMs'] as const) {
    const value = impairment[name] ?? 0;
    if (!(value >= 0 && value <= 60_000)) throw new RangeError(`${name} must be 0..60000 (got ${value})`);
  }
}

export async function openEthernetCable(options: EthernetCableOptions): Promise<EthernetCable> {
  const { portA, portB, host = '127.0.0.1', refusalMs = 30, impairment = {} } = options;
  if (!(refusalMs >= 1 && refusalMs <= 1_000)) {
    throw new RangeError(`refusalMs must be 1..1000 (got ${refusalMs})`);
  }
  checkImpairment(impairment);
  const a = await RelayEnd.open({ address: host, port: portA });
  let b: RelayEnd;
  try {
    b = await RelayEnd.open({ address: host, port: portB });
  } catch (error) {
    await a.close();
    throw error;
  }
  const wires: Record<EthernetDirection, Wire> = {
    'a-to-b': new Wire(a, b, refusalMs),
    'b-to-a': new Wire(b, a, refusalMs),
  };
  const chosen = (direction?: EthernetDirection): Wire[] =>
    direction === undefined ? Object.values(wires) : [wires[direction]];
  const setImpairment = (next: EthernetImpairment): void => {
    checkImpairment(next);
    const seed = next.seed ?? 1;
    wires['a-to-b'].setImpairment({ ...next, seed });
    wires['b-to-a'].setImpairment({ ...next, seed: seed + 1 });
  };
  setImpairment(impairment);
  return {
    addressForA: a.address,
    addressForB: b.address,
    cut(direction) {
      for (const wire of chosen(direction)) wire.cut();
    },
    restore(direction) {
      for (const wire of chosen(direction)) wire.restore();
    },
    setImpairment,
    counters: (direction) => ({ ...wires[direction].counters }),
    async close() {
      for (const wire of Object.values(wires)) wire.stop();
      await Promise.all([a.close(), b.close()]);
    },
  };
}

/** UDP ports that nothing uses at the moment, all different. */
export async function freeUdpPorts(count: number, host = '127.0.0.1'): Promise<number[]> {
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index++) {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ port: 0, address: host, exclusive: true }, resolve);
    });
    sockets.push(socket);
  }
  const ports = sockets.map((socket) => socket.address().port);
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  return ports;
}
