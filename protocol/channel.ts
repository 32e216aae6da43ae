/**
 * The sealed channel between the two boards of a pair, over any number of links (protocol/README.md §5, §6).
 *
 * Every boot of a board makes new keys by a handshake under the pair key, and makes them anew before a counter
 * could wrap. One counter and one replay window serve all links. The board called initiator starts handshakes; both
 * boards' keys follow one path:
 *
 *     initiator   outstanding message 1 (2 newest) --message 2--> current --next handshake--> previous
 *     responder   pending (2 newest) --first frame under them--> current --next handshake--> previous
 *
 * The responder waits for that first frame because anyone can replay an old message 1: it makes a pending key set
 * that no frame ever opens, and the live keys stay. The initiator waits for nothing: only the holder of the
 * pair key, now, can have written message 2.
 *
 * Rejected: a channel per link (a frame repeated on the other link needs a second seal and a second window), and
 * Noise's own REKEY (both ends would have to step at the same frame, and frames are lost and overtake each other).
 */
import { sameBytes } from './bytes.ts';
import { type CryptoProvider, keyBytes, sealTagBytes } from './crypto.ts';
import {
  type CipherState,
  concatBytes,
  HandshakeState,
  handshakeOverheadBytes,
  type NoiseRole,
} from './noise.ts';
import { ReplayWindow } from './replay-window.ts';

export type ChannelDiscardReason =
  /** Not sealed under our keys, or damaged, or of no type we know. */
  | 'CHANNEL_UNSEALED'
  /** Opened, but its counter was seen before or is older than the replay window; or the message 1 of the keys in use. */
  | 'CHANNEL_REPLAYED'
  /** Of a type that only we send: the link returns our own datagrams. */
  | 'CHANNEL_REFLECTED'
  /** Too short for its type. */
  | 'CHANNEL_TRUNCATED'
  /** Sealed under keys that we do not have: one of the boards has restarted. */
  | 'CHANNEL_UNKNOWN_KEYS'
  /** A handshake message that nobody waits for, or that does not authenticate under the pair key and prologue. */
  | 'CHANNEL_HANDSHAKE';

export type ChannelItem =
  | { kind: 'plaintext'; bytes: Uint8Array }
  /** Responder: message 2, for the link on which message 1 came. */
  | { kind: 'reply'; bytes: Uint8Array }
  /**
   * New keys are in use. `bytes`, on the responder: the plaintext of the frame that confirmed them, to be treated
   * like any plaintext. The initiator should send something at once, so that the responder can switch too.
   */
  | { kind: 'established'; peerPayload: Uint8Array; keysId: number; bytes?: Uint8Array }
  /** Initiator: the peer says that it has no keys for our frames. Anyone can forge this: limit the rate of answers. */
  | { kind: 'handshake-wanted' }
  /** `poke`, on the responder: what to send back, at a limited rate, so that the initiator learns of it. */
  | { kind: 'discarded'; reason: ChannelDiscardReason; poke?: Uint8Array };

export interface ChannelOptions {
  /** By a fixed rule of the pair: the boards have different roles. */
  role: NoiseRole;
  /** 32 secret bytes that both boards were given. */
  pairKey: Uint8Array;
  /** What both boards must agree on for any key to come about, as their names and the version. */
  prologue: Uint8Array;
  crypto: CryptoProvider;
  /** What the peer shall know of us, authenticated and encrypted, as our boot id. At most 1024 bytes. */
  handshakePayload: Uint8Array;
  /** Frames after which new keys are wanted, 1..2^30, default 2^30; four times as many are never sealed. */
  rekeyAfterFrames?: number;
}

/** Bytes that `seal` adds: type, keys id, counter (32 bits), tag. */
export const channelOverheadBytes = 6 + sealTagBytes;

const headerBytes = 6;
const handshakePayloadBytesMax = 1024;
const outstandingMax = 2;
const freshKeysTries = 16;
const rekeyAfterFramesMax = 2 ** 30;

/** The sealed types differ by direction, so that a returned datagram is recognised even without keys. */
const datagramType = {
  message1: 0x01,
  message2: 0x02,
  poke: 0x03,
  sealedByInitiator: 0x04,
  sealedByResponder: 0x05,
} as const;

/** Part of every prologue: boards whose datagrams have another form never come to common keys. */
const channelLabel = new TextEncoder().encode('understudy channel 1\0');

interface KeySet {
  id: number;
  send: CipherState;
  receive: CipherState;
  /** Counter of the next frame we seal. */
  sendCounter: number;
  window: ReplayWindow;
  peerPayload: Uint8Array;
  /** Responder: what these keys came from, and what was answered. */
  message1: Uint8Array;
  message2: Uint8Array;
}

const none = new Uint8Array(0);

export class Channel {
  readonly #role: NoiseRole;
  readonly #pairKey: Uint8Array;
  readonly #prologue: Uint8Array;
  readonly #crypto: CryptoProvider;
  readonly #handshakePayload: Uint8Array;
  readonly #rekeyAfterFrames: number;
  /** Initiator: handshakes that wait for message 2, oldest first. */
  #outstanding: HandshakeState[] = [];
  /** Responder: keys that wait for their first frame, oldest first. */
  #pending: KeySet[] = [];
  /** Of the datagram that is sealed or opened just now. */
  readonly #header = new Uint8Array(headerBytes);
  #current: KeySet | null = null;
  #previous: KeySet | null = null;
  /** All sets that can open a frame, the likeliest first. */
  #keySets: KeySet[] = [];

  constructor(options: ChannelOptions) {
    const { rekeyAfterFrames = rekeyAfterFramesMax, pairKey, handshakePayload } = options;
    if (pairKey.length !== keyBytes) {
      throw new RangeError(`pairKey must be ${keyBytes} bytes (got ${pairKey.length})`);
    }
    if (handshakePayload.length > handshakePayloadBytesMax) {
      throw new RangeError(
        `handshakePayload must be 0..${handshakePayloadBytesMax} bytes (got ${handshakePayload.length})`,
      );
    }
    if (
      !Number.isInteger(rekeyAfterFrames) ||
      rekeyAfterFrames < 1 ||
      rekeyAfterFrames > rekeyAfterFramesMax
    ) {
      throw new RangeError(`rekeyAfterFrames must be 1..${rekeyAfterFramesMax} (got ${rekeyAfterFrames})`);
    }
    this.#role = options.role;
    this.#pairKey = pairKey.slice();
    this.#prologue = concatBytes(channelLabel, options.prologue);
    this.#crypto = options.crypto;
    this.#handshakePayload = handshakePayload.slice();
    this.#rekeyAfterFrames = rekeyAfterFrames;
  }

  get established(): boolean {
    return this.#current !== null;
  }

  /** True without keys, and when either direction has used its share of them. The initiator then acts. */
  get needsHandshake(): boolean {
    const keys = this.#current;
    if (keys === null) return true;
    return keys.sendCounter >= this.#rekeyAfterFrames || keys.window.highest + 1 >= this.#rekeyAfterFrames;
  }

  /**
   * Initiator only: a fresh message 1, to be sent on any link or on all. Repeat it until `established` comes; the
   * two newest can be answered. Live keys stay in use meanwhile.
   */
  beginHandshake(): Uint8Array {
    if (this.#role !== 'initiator') throw new Error('only the initiator begins a handshake');
    const handshake = this.#newHandshake();
    const message = handshake.writeMessage(this.#handshakePayload);
    if (message === null) throw new Error('message 1 has no shared secret that could be weak');
    this.#outstanding = [...this.#outstanding, handshake].slice(-outstandingMax);
    return concatBytes(Uint8Array.of(datagramType.message1), message);
  }

  /** The datagram, for any link or for several; null when there are no keys or they are used up. */
  seal(plaintext: Uint8Array): Uint8Array | null {
    const keys = this.#current;
    if (keys === null) return null;
    const counter = keys.sendCounter;
    if (counter >= Math.min(this.#rekeyAfterFrames * 4, 2 ** 32 - 1)) return null;
    keys.sendCounter += 1;
    const type = this.#role === 'initiator' ? datagramType.sealedByInitiator : datagramType.sealedByResponder;
    const header = this.#header;
    header[0] = type;
    header[1] = keys.id;
    for (let index = 0; index < 4; index++) header[2 + index] = counter >>> (8 * index);
    keys.send.setNonce(counter);
    const sealed = keys.send.encryptWithAd(header, plaintext);
    const datagram = new Uint8Array(headerBytes + sealed.length);
    datagram.set(header);
    datagram.set(sealed, headerBytes);
    return datagram;
  }

  /** Never throws for what a datagram contains. Copies what it keeps. */
  receive(datagram: Uint8Array): ChannelItem {
    const initiator = this.#role === 'initiator';
    switch (datagram[0]) {
      case undefined:
        return discarded('CHANNEL_TRUNCATED');
      case datagramType.message1:
        return initiator ? discarded('CHANNEL_REFLECTED') : this.#answer(datagram);
      case datagramType.message2:
        return initiator ? this.#conclude(datagram) : discarded('CHANNEL_REFLECTED');
      case datagramType.poke:
        return initiator ? this.#poked(datagram) : discarded('CHANNEL_REFLECTED');
      case datagramType.sealedByInitiator:
        return initiator ? discarded('CHANNEL_REFLECTED') : this.#open(datagram);
      case datagramType.sealedByResponder:
        return initiator ? this.#open(datagram) : discarded('CHANNEL_REFLECTED');
      default:
        return discarded('CHANNEL_UNSEALED');
    }
  }

  #newHandshake(): HandshakeState {
    return new HandshakeState({
      role: this.#role,
      pairKey: this.#pairKey,
      prologue: this.#prologue,
      crypto: this.#crypto,
    });
  }

  /** Responder: message 1. The same one again, from the other link, gets the same answer. */
  #answer(datagram: Uint8Array): ChannelItem {
    if (datagram.length < 1 + handshakeOverheadBytes) return discarded('CHANNEL_TRUNCATED');
    for (const keys of this.#pending) {
      if (sameBytes(keys.message1, datagram)) return { kind: 'reply', bytes: keys.message2.slice() };
    }
    if (this.#current !== null && sameBytes(this.#current.message1, datagram)) {
      return discarded('CHANNEL_REPLAYED');
    }
    const keys = this.#keysFor(datagram.slice());
    if (keys === null) return discarded('CHANNEL_HANDSHAKE');
    this.#pending = [...this.#pending, keys].slice(-outstandingMax);
    this.#listKeySets();
    return { kind: 'reply', bytes: keys.message2.slice() };
  }

  /** Keys whose id no other set of ours has, by another ephemeral key if need be: then an id names one set. */
  #keysFor(message1: Uint8Array): KeySet | null {
    const taken = new Set(this.#keySets.map((keys) => keys.id));
    let keys: KeySet | null = null;
    for (let count = 0; count < freshKeysTries; count++) {
      const handshake = this.#newHandshake();
      const result = handshake.readMessage(message1.subarray(1));
      if (!result.ok) return null;
      const message = handshake.writeMessage(this.#handshakePayload);
      if (message === null) return null;
      const message2 = concatBytes(Uint8Array.of(datagramType.message2), message);
      const [receive, send] = handshake.split();
      keys = keySet({ handshake, send, receive, peerPayload: result.payload, message1, message2 });
      if (!taken.has(keys.id)) return keys;
    }
    return keys;
  }

  /** Initiator: message 2. Authenticated and fresh, so the new keys are used at once. */
  #conclude(datagram: Uint8Array): ChannelItem {
    if (datagram.length < 1 + handshakeOverheadBytes) return discarded('CHANNEL_TRUNCATED');
    for (const handshake of this.#outstanding.toReversed()) {
      const result = handshake.readMessage(datagram.subarray(1));
      if (!result.ok) continue;
      const [send, receive] = handshake.split();
      const peerPayload = result.payload;
      this.#outstanding = [];
      return this.#adopt(keySet({ handshake, send, receive, peerPayload, message1: none, message2: none }));
    }
    return discarded('CHANNEL_HANDSHAKE');
  }

  /** Initiator: only a poke about a frame that we sent under our current keys means anything. */
  #poked(datagram: Uint8Array): ChannelItem {
    if (datagram.length !== headerBytes) return discarded('CHANNEL_TRUNCATED');
    const { id, counter } = headerOf(datagram);
    const keys = this.#current;
    if (keys === null || keys.id !== id || counter >= keys.sendCounter) {
      return discarded('CHANNEL_UNKNOWN_KEYS');
    }
    return { kind: 'handshake-wanted' };
  }

  #open(datagram: Uint8Array): ChannelItem {
    if (datagram.length < headerBytes + sealTagBytes) return discarded('CHANNEL_TRUNCATED');
    const { id, counter } = headerOf(datagram);
    const header = this.#header;
    for (let index = 0; index < headerBytes; index++) header[index] = datagram[index]!;
    let known = false;
    for (const keys of this.#keySets) {
      if (keys.id !== id) continue;
      const isPending = this.#pending.includes(keys);
      known ||= !isPending;
      keys.receive.setNonce(counter);
      const bytes = keys.receive.decryptWithAd(header, datagram.subarray(headerBytes));
      if (bytes === null) continue;
      if (!keys.window.accept(counter)) return discarded('CHANNEL_REPLAYED');
      return isPending ? this.#adopt(keys, bytes) : { kind: 'plaintext', bytes };
    }
    if (known) return discarded('CHANNEL_UNSEALED');
    const reason = 'CHANNEL_UNKNOWN_KEYS';
    if (this.#role === 'initiator') return discarded(reason);
    return { kind: 'discarded', reason, poke: pokeAbout(header) };
  }

  /** To be called when a key set has come or gone. */
  #listKeySets(): void {
    this.#keySets = [this.#current, ...this.#pending, this.#previous].filter((keys) => keys !== null);
  }

  #adopt(keys: KeySet, bytes?: Uint8Array): ChannelItem {
    // What a dead process sent must not reach its successor's streams: only a rekey keeps the older keys.
    const samePeer = this.#current !== null && sameBytes(this.#current.peerPayload, keys.peerPayload);
    this.#previous = samePeer ? this.#current : null;
    this.#current = keys;
    this.#pending = [];
    this.#listKeySets();
    const item = { kind: 'established' as const, peerPayload: keys.peerPayload, keysId: keys.id };
    return bytes === undefined ? item : { ...item, bytes };
  }
}

function discarded(reason: ChannelDiscardReason): ChannelItem {
  return { kind: 'discarded', reason };
}

/** The refused frame's header under our type: the initiator can tell that it did send such a frame. */
function pokeAbout(header: Uint8Array): Uint8Array {
  const poke = header.slice();
  poke[0] = datagramType.poke;
  return poke;
}

function headerOf(datagram: Uint8Array): { id: number; counter: number } {
  const counter = datagram[2]! | (datagram[3]! << 8) | (datagram[4]! << 16) | (datagram[5]! << 24);
  return { id: datagram[1]!, counter: counter >>> 0 };
}

function keySet(
  parts: Pick<KeySet, 'send' | 'receive' | 'peerPayload' | 'message1' | 'message2'> & {
    handshake: HandshakeState;
  },
): KeySet {
  const { handshake, ...rest } = parts;
  return { ...rest, id: handshake.handshakeHash[0]!, sendCounter: 0, window: new ReplayWindow() };
}
