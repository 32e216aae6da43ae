/**
 * What can go wrong in a simulated life, as data: a plan is a list, so it can be printed, cut down and played again.
 * Every fault begins at a time and, unless it is a single blow, ends at another; none outlasts the plan's end.
 */

export type BoardName = 'a' | 'b';
export const boardNames: readonly BoardName[] = ['a', 'b'];

export function otherBoard(board: BoardName): BoardName {
  return board === 'a' ? 'b' : 'a';
}

export type LinkName = 'ethernet' | 'serial';
/** In the order of the session's link numbers. */
export const linkNames: readonly LinkName[] = ['ethernet', 'serial'];

/** Times are milliseconds of virtual time since the life began; probabilities are per datagram or per chunk of bytes. */
export type Fault =
  // The bus. `from` is the board whose sending is struck; null strikes both directions.
  | { kind: 'loss'; at: number; until: number; link: LinkName; from: BoardName | null; probability: number }
  | {
      kind: 'delay';
      at: number;
      until: number;
      link: LinkName;
      from: BoardName | null;
      ms: number;
      jitterMs: number;
    }
  | {
      kind: 'duplication';
      at: number;
      until: number;
      link: LinkName;
      from: BoardName | null;
      probability: number;
    }
  /** A datagram is held back until later ones have passed it. */
  | {
      kind: 'reordering';
      at: number;
      until: number;
      link: LinkName;
      from: BoardName | null;
      probability: number;
    }
  /** Bytes are flipped, dropped or inserted; on the serial link before its framing, as noise on the wire is. */
  | {
      kind: 'corruption';
      at: number;
      until: number;
      link: LinkName;
      from: BoardName | null;
      probability: number;
    }
  | { kind: 'cut'; at: number; until: number; link: LinkName; from: BoardName | null }
  /** Nothing comes out for a while, then all of it at once. */
  | { kind: 'stall'; at: number; until: number; link: LinkName; from: BoardName | null }
  | { kind: 'slow-link'; at: number; until: number; link: LinkName; bitsPerSecond: number }
  // The boards.
  /** The processes die; the board's kernel lives and refuses datagrams. Started again at `until`, with its disk. */
  | { kind: 'kill'; at: number; until: number; board: BoardName }
  /** Power is cut: what was not durable is gone. `disk: 'lost'`: it comes back with an empty one. */
  | { kind: 'power'; at: number; until: number; board: BoardName; disk: 'kept' | 'lost' }
  | { kind: 'pause'; at: number; until: number; board: BoardName }
  /** Wakes come so much too late. */
  | { kind: 'late-wakes'; at: number; until: number; board: BoardName; ms: number }
  /** Each turn takes so much longer. */
  | { kind: 'slow-replica'; at: number; until: number; board: BoardName; turnMs: number }
  /** A single blow: the replica's process is killed, stops answering, or computes something else from now on. */
  | { kind: 'replica'; at: number; board: BoardName; how: 'killed' | 'hangs' | 'diverges' }
  | { kind: 'disk-full'; at: number; until: number; board: BoardName }
  | { kind: 'slow-disk'; at: number; until: number; board: BoardName; ms: number }
  | { kind: 'clock-step'; at: number; board: BoardName; ms: number }
  /** The board's monotonic clock runs at 1 + partsPerMillion / 1e6. */
  | { kind: 'clock-drift'; at: number; until: number; board: BoardName; partsPerMillion: number }
  // The devices.
  | { kind: 'device-restart'; at: number; device: number }
  | { kind: 'device-port-lost'; at: number; until: number; device: number; board: BoardName }
  | { kind: 'line-noise'; at: number; until: number; device: number; board: BoardName; probability: number }
  /** The device takes its time over every byte of output. */
  | { kind: 'slow-device'; at: number; until: number; device: number; msPerByte: number }
  // People.
  | { kind: 'switchover'; at: number; board: BoardName }
  | { kind: 'leave'; at: number; until: number; board: BoardName }
  /** Datagrams that no board has sealed reach one: random bytes, old ones again, ones sent back, ones under another key. */
  | {
      kind: 'forgery';
      at: number;
      until: number;
      link: LinkName;
      to: BoardName;
      how: 'random' | 'replayed' | 'reflected' | 'other-key' | 'truncated';
      everyMs: number;
    };

export type FaultKind = Fault['kind'];

export function endOf(fault: Fault): number {
  return 'until' in fault ? fault.until : fault.at;
}
