/**
 * Somebody on the bus who has no key: sends bytes of his own, old datagrams again, a board its own words, datagrams under
 * another key, and halves of real ones. What a board makes of them is looked at from outside.
 */
import type { SupervisorEffect } from '../../firmware-host/supervisor/effects.ts';
import { Channel } from '../../protocol/channel.ts';
import type { CryptoProvider } from '../../protocol/crypto.ts';
import type { Role } from '../../protocol/pair-contract.ts';
import type { Board } from './board.ts';
import { contentsOf } from './datagram-contents.ts';
import { type BoardName, type Fault, otherBoard } from './fault.ts';
import type { Random } from './random.ts';

type Trick = Extract<Fault, { kind: 'forgery' }>['how'];

const remembered = 256;
/** Steps that a board may take to do what is due at one moment. */
const ticksMax = 8;

/** What a forged datagram may lead to: it is counted, and a handshake may be answered. */
const harmless: ReadonlySet<SupervisorEffect['kind']> = new Set(['wake', 'transmit']);

class Memory {
  readonly #all: Uint8Array[] = [];
  #next = 0;

  add(bytes: Uint8Array): void {
    if (this.#all.length < remembered) this.#all.push(bytes);
    else {
      this.#all[this.#next] = bytes;
      this.#next = (this.#next + 1) % remembered;
    }
  }

  any(random: Random): Uint8Array | null {
    return this.#all.length === 0 ? null : random.pick(this.#all);
  }
}

export class Forger {
  readonly #random: Random;
  readonly #crypto: CryptoProvider;
  readonly #prologue: Uint8Array;
  readonly #sentBy: Record<BoardName, Memory> = { a: new Memory(), b: new Memory() };
  readonly #deliveredTo: Record<BoardName, Memory> = { a: new Memory(), b: new Memory() };

  constructor(random: Random, crypto: CryptoProvider, prologue: Uint8Array) {
    this.#random = random;
    this.#crypto = crypto;
    this.#prologue = prologue;
  }

  saw(from: BoardName, bytes: Uint8Array): void {
    this.#sentBy[from].add(bytes);
  }

  delivered(to: BoardName, bytes: Uint8Array): void {
    this.#deliveredTo[to].add(bytes);
  }

  /** Bytes for that board, or null when there is nothing yet to make them of. */
  forge(how: Trick, to: BoardName, role: Role): Uint8Array | null {
    switch (how) {
      case 'random':
        return this.#random.bytes(1 + this.#random.below(300));
      case 'replayed':
        return this.#deliveredTo[to].any(this.#random);
      case 'reflected':
        return this.#sentBy[to].any(this.#random);
      case 'truncated': {
        const whole = this.#sentBy[otherBoard(to)].any(this.#random);
        if (whole === null || whole.length < 2) return null;
        const half = whole.slice(0, 1 + this.#random.below(whole.length - 1));
        // To a board that starts half a handshake is one that its key does not open: see `other-key`.
        return role === 'starting' && contentsOf(whole).kind === 'handshake' ? null : half;
      }
      case 'other-key': {
        // A board that starts takes handshakes under another key for those of a board with the wrong key, and ends with
        // PEER_KEY_MISMATCH (docs/exit-codes.md). Whoever can write to the bus can keep it from starting: not promised.
        if (role === 'starting') return null;
        const channel = new Channel({
          role: 'initiator',
          pairKey: this.#random.bytes(32),
          prologue: this.#prologue,
          crypto: this.#crypto,
          handshakePayload: this.#random.bytes(8),
        });
        return channel.beginHandshake();
      }
    }
  }

  /** Hands it to the board, and says what of the board's state is not what it was. */
  tryOn(board: Board, link: number, bytes: Uint8Array): string[] {
    const supervisor = board.supervisor!;
    // What time alone would change is changed before; a step may leave some of it to the next one, which is due at once.
    for (let ticks = 0; ticks === 0 || (board.wakeAt <= board.now && ticks < ticksMax); ticks++) {
      board.input({ kind: 'tick' });
      if (board.supervisor !== supervisor) return [];
    }
    const before = stateOf(board);
    const effects = supervisor.step(board.now, { kind: 'datagram', link, bytes });
    const after = stateOf(board);
    const changed = Object.keys(before).filter((key) => before[key] !== after[key]);
    for (const effect of effects) {
      // That somebody speaks under another key may be said aloud.
      const isWarning = effect.kind === 'report' && effect.report.code === 'PEER_KEY_MISMATCH';
      if (!isWarning && !harmless.has(effect.kind)) changed.push(`effect ${effect.kind}`);
    }
    board.carryOut(effects);
    return changed;
  }
}

/** Of a link's counts, only those that a datagram of the other board may move. */
function stateOf(board: Board): Record<string, string> {
  const { links, ...rest } = board.supervisor!.status(board.now);
  const heard = links.map(({ lastHeardAt, up, roundTripMs, duplicates }) => ({
    lastHeardAt,
    up,
    roundTripMs,
    duplicates,
  }));
  const status = { ...rest, links: heard };
  return Object.fromEntries(Object.entries(status).map(([key, value]) => [key, JSON.stringify(value)]));
}
