/**
 * What goes into and comes out of the supervisor's core. The core is pure: the host (`host.ts`) carries the
 * effects out, and so can a simulator.
 *
 * Effects must be carried out in the order in which they are returned. In particular a `journal` effect comes
 * before the `transmit` that acknowledges it (journal BEFORE acknowledge), and a `device-transmit` comes only
 * after the acknowledgement that released it (acknowledged BEFORE actuate).
 */
import type { Identity, JournalNote } from '../../protocol/pair-message.ts';
import type { FromReplica, ToReplica } from '../ipc.ts';

export interface JournalContents {
  historyId: string;
  startedAtMs: number;
  turns: number;
  notes: JournalNote[];
}

export type SupervisorInput =
  /** First input. `journal` is what the disk holds, null for none. */
  | { kind: 'begin'; journal: JournalContents | null; identity: Identity }
  | { kind: 'tick' }
  | { kind: 'datagram'; link: number; bytes: Uint8Array }
  /** The kernel says that nobody listens at the peer's address: its process is gone. */
  | { kind: 'link-refused'; link: number }
  | { kind: 'replica'; message: FromReplica }
  | { kind: 'replica-exited'; reason: string }
  | { kind: 'device-opened'; device: number }
  | { kind: 'device-closed'; device: number; code: string; reason: string }
  | { kind: 'device-bytes'; device: number; bytes: Uint8Array }
  /** Plain devices: the operating system has transmitted so many bytes more. */
  | { kind: 'device-written'; device: number; bytes: number }
  /** Of the journal begun last: everything before this many turns is as durable as the fsync policy promises. */
  | { kind: 'journal-durable'; turns: number }
  /** Answer to `journal-read`: encoded batches from that turn on; none when the journal ends there. */
  | { kind: 'journal-chunk'; historyId: string; fromTurn: number; batches: Uint8Array[] }
  | { kind: 'stdin'; bytes: Uint8Array }
  | { kind: 'signal'; signal: string }
  /** `from`: the console's line that it was given on; absent when no console was (a test, a rig). */
  | { kind: 'operator'; command: OperatorCommand; reason: string; from?: string }
  /** The board is being shut down in an orderly way. */
  | { kind: 'leave' };

/** What each does: `operator-orders.ts`. */
export type OperatorCommand = 'switchover' | 'lead' | 'isolate' | 'join' | 'safe';

export type SupervisorEffect =
  | { kind: 'transmit'; link: number; bytes: Uint8Array }
  | { kind: 'replica-start' }
  | { kind: 'replica-send'; message: ToReplica }
  | { kind: 'replica-stop'; reason: string }
  /** Begin an empty journal for this history; an older one is kept aside. */
  | { kind: 'journal-create'; historyId: string; startedAtMs: number }
  | { kind: 'journal-batch'; batch: Uint8Array; turns: number }
  | { kind: 'journal-note'; note: JournalNote }
  | { kind: 'journal-read'; historyId: string; fromTurn: number }
  | { kind: 'device-transmit'; device: number; bytes: Uint8Array }
  /** Plain devices: line settings that the program asked for (JSON of serialport's open options). */
  | { kind: 'device-configure'; device: number; settings: string }
  | { kind: 'console'; stream: 'stdout' | 'stderr'; bytes: Uint8Array }
  | { kind: 'report'; report: Report }
  /** Call again with `tick` at this time (milliseconds, same clock as the inputs). Latest value wins. */
  | { kind: 'wake'; at: number }
  | { kind: 'exit'; code: ExitReason };

export type ExitReason =
  | 'PROGRAM_EXITED'
  | 'PROGRAM_FAILED'
  | 'PAIR_MISMATCH'
  | 'PEER_KEY_MISMATCH'
  | 'LEFT'
  | 'OPERATOR_SAFE';

/** One line of the board's event list. */
export interface Report {
  level: 'info' | 'warning' | 'alarm';
  code: string;
  text: string;
  details?: Record<string, unknown>;
}
