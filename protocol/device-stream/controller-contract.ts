/** What a host hands to a `DeviceController` and what it has to carry out (protocol/README.md §12). */
import type { StreamDiscardReason } from './frames.ts';

export interface DeviceControllerOptions {
  /** 1200..4000000, default 115200. */
  bitsPerSecond?: number;
  /** 1..1000, default 50. How often the device is asked for an answer. */
  keepaliveIntervalMs?: number;
  /** 10..60000, default 500, more than four keepalive intervals. Silence of the device that is reported. */
  deviceTimeoutMs?: number;
  /** 1..1000, default 10. Allowance for both ends' processing, on top of the time on the line. */
  responseMs?: number;
}

export type DeviceControllerInput =
  | { kind: 'port-opened' }
  | { kind: 'port-closed' }
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'query' }
  | {
      kind: 'attach';
      /** 1..2^32-1. */
      term: number;
      /** The session whose stream is to be continued, or null: begin with whatever session the device is in. */
      session: number | null;
      /** Offset of the first input byte that is not in this board's keeping. */
      inputsReceived: number;
      /** A count of outputs known to be accepted, to tell offsets 2^32 apart. Default: the last one seen here, else 0. */
      outputsNear?: number;
    }
  /** Released outputs, kept until accepted. Begins at or before the end of what was written or accepted. */
  | { kind: 'write'; offset: number; bytes: Uint8Array }
  /**
   * Inputs before `offset` are safe at the backup (or there is none). To be said after every `attach` too: the device
   * keeps what nobody has acknowledged, and takes no more from its firmware once its ring is full of it.
   */
  | { kind: 'inputs-stored'; offset: number }
  /** Give the device up once everything written is accepted. No write may follow. */
  | { kind: 'release' }
  | { kind: 'tick' };

/** Independent of each other, to be carried out in the order given. After `stale` and `session-lost` nothing is held. */
export type DeviceControllerEffect =
  | { kind: 'transmit'; bytes: Uint8Array }
  | {
      kind: 'hello';
      session: number;
      heldTerm: number;
      safe: boolean;
      windowBytes: number;
      holdTimeMs: number;
    }
  | { kind: 'attached'; term: number; session: number; outputsAccepted: number }
  /** Another controller has the device: `attach` was refused, or this one was fenced off later. */
  | { kind: 'stale'; heldTerm: number }
  /** In order, each byte once. */
  | { kind: 'input'; offset: number; bytes: Uint8Array }
  /** The device no longer has the inputs from `from` to `to`: they were acknowledged by somebody. Follows `attached`. */
  | { kind: 'inputs-missing'; from: number; to: number }
  /** Bytes that the device had to refuse from its own firmware since the session began. */
  | { kind: 'inputs-lost'; totalBytes: number }
  | { kind: 'accepted'; offset: number }
  /** The device restarted or went safe, or is not the one it was; `session`: the one it is in. Never a silent resume. */
  | { kind: 'session-lost'; session: number }
  | { kind: 'released' }
  /** Nothing was heard for `deviceTimeoutMs`. Once per silence; retries go on. */
  | { kind: 'silent' }
  /** The device speaks another version of the stream: nothing is attached. */
  | { kind: 'incompatible'; version: number }
  | { kind: 'discarded'; reason: StreamDiscardReason | 'UNEXPECTED' | 'OFFSET_INVALID' | 'NOT_HELD' }
  /** A `tick` is wanted at this time; replaces every earlier wish. */
  | { kind: 'wake'; at: number };
