/** What a host hands to a `FencedDevice` and what it has to carry out (protocol/README.md §12). */
import type { StreamDiscardReason } from './frames.ts';

export type DevicePort = 0 | 1;

export interface FencedDeviceOptions {
  /** 1..2^32-1. Never one that this device has used before. */
  session: number;
  /** 0..2^32-1, as last persisted; 0 on a device that never had a controller. */
  heldTerm: number;
  /** The port that won `heldTerm`, as last persisted. Without it nobody can attach under that term again. */
  heldPort?: DevicePort | null;
  /** 10..60000. Longest silence of the controller before the outputs go to their safe state. */
  holdTimeMs: number;
  /** 64..4096. The firmware's buffer for outputs that it has not carried out. */
  windowBytes: number;
  /** 64..65535. */
  inputRingBytes: number;
  /** 1200..4000000. Both UARTs. */
  bitsPerSecond: number;
  /** Offset at which both streams of every session begin. Other than 0 only to test the wrap at 2^32. */
  firstOffset?: number;
}

export type FencedDeviceInput =
  | { kind: 'bytes'; port: DevicePort; bytes: Uint8Array }
  /** One message of the firmware toward the program: kept whole or refused whole. */
  | { kind: 'produce'; bytes: Uint8Array }
  /** The firmware has carried out (or thrown away) so many more bytes of `output`. */
  | { kind: 'consumed'; bytes: number }
  | { kind: 'tick' }
  /** Power came back or the watchdog struck. RAM is gone, the persisted term is not. */
  | { kind: 'restart'; session: number };

/**
 * To be carried out in the order given. That order persists `term` and `session` BEFORE the frame that names them is
 * sent, and drives the outputs to their safe state BEFORE a new session is announced.
 */
export type FencedDeviceEffect =
  | { kind: 'transmit'; port: DevicePort; bytes: Uint8Array }
  /** Accepted: in order, each byte once. Into the firmware's buffer. */
  | { kind: 'output'; bytes: Uint8Array }
  | { kind: 'attached'; port: DevicePort; term: number }
  | { kind: 'released'; port: DevicePort; term: number }
  /** `bytes`: of output that were in the refused frame. */
  | { kind: 'rejected-stale'; port: DevicePort; term: number; bytes: number }
  /** Throw away what is not consumed, drive the safe state, reset the firmware's protocol state. */
  | { kind: 'safe-state' }
  | { kind: 'term'; term: number; port: DevicePort }
  | { kind: 'session'; session: number }
  /** A `produce` did not fit: the ring is full and the firmware did not look at `inputRoomBytes`. */
  | { kind: 'input-lost'; bytes: number }
  | { kind: 'discarded'; port: DevicePort; reason: StreamDiscardReason | 'NOT_ATTACHED' | 'OFFSET_INVALID' }
  /** A `tick` is wanted at this time; replaces every earlier wish. */
  | { kind: 'wake'; at: number };
