/**
 * What a console says and hears in JSON mode: one object a line (NDJSON), both ways, UTF-8, ended by `\n`.
 *
 * The local socket is in JSON mode from the start; any other line after `json on` (docs/console.md). Whoever reads must
 * take an unknown `kind`, and unknown fields of a known one, as nothing: they may be added under the same schema number.
 * A line that is no JSON object can stand between two items (kernel noise, a terminal's echo before the mode changed):
 * skip it.
 *
 * Heard: a `ConsoleRequest`, or the same command line as a person would type it.
 */
import type { LinkStatistics } from '../../protocol/link-state.ts';
import type { Report } from '../supervisor/effects.ts';
import type { BoardStatus, DeviceStatus } from '../supervisor/status.ts';

export const consoleSchema = 1;

/** Bytes of the longest line that a console takes, without its end. A longer one is answered with LINE_TOO_LONG. */
export const lineBytesMax = 4096;

/**
 * `{"command":"switchover","reason":"pump service","yes":true,"id":7}`: `command` is a command line as typed, `reason`
 * and `yes` stand for `--reason` and `--yes`, and `id` comes back as `answers` in every item that answers it.
 */
export interface ConsoleRequest {
  command: string;
  reason?: string;
  yes?: boolean;
  id?: number | string;
}

/** In every item. */
interface Common {
  schema: typeof consoleSchema;
  board: 'a' | 'b';
  /** Milliseconds of this board's own monotonic clock (CLOCK_MONOTONIC) when the item was made. */
  monotonicMs: number;
  /** `id` of the request that this answers; absent in what a console says by itself. */
  answers?: number | string;
}

/** What the console offers beyond the core's state. */
export interface StatusOnConsole extends Omit<BoardStatus, 'links' | 'devices'> {
  pid: number;
  replicaPid: number | null;
  /** Milliseconds since 1970 by this board's wall clock, which need not agree with the other board's. */
  wallTimeMs: number;
  links: LinkOnConsole[];
  devices: DeviceOnConsole[];
}

export interface LinkOnConsole extends LinkStatistics {
  name: string;
  /** Since the last datagram of the other board on this link; null before the first. */
  silentForMs: number | null;
}

export interface DeviceOnConsole extends DeviceStatus {
  arbiter: boolean;
  /** Pins of a device that speaks Firmata, as far as the bytes of this board's program and device name them. */
  pins?: PinOnConsole[];
}

export interface PinOnConsole {
  /** `D13` or `A0`. */
  name: string;
  /** Firmata's name of the pin's mode, such as `OUTPUT`, `PWM`, `ANALOG`; null when none was set. */
  mode: string | null;
  value: number;
}

/** One report of the board, in the list that `events` shows. */
export interface EventOnConsole {
  /** Counts the reports of this process from 1, so that a list and what is told live can be joined without gap or double. */
  index: number;
  monotonicMs: number;
  wallTimeMs: number;
  report: Report;
}

export interface JournalLine {
  /** First turn of a record, or the turn at which a note was made. */
  turn: number;
  /** `record`, `idle`, or `note`. */
  kind: string;
  text: string;
}

/** Stable names of what set an incident off. */
export type IncidentCause =
  /** Silence on every link for the detection timeout, without word from the kernel. */
  | 'PEER_SILENT'
  /** The kernel said that the other board's process is gone, and it stayed silent for the suspect timeout. */
  | 'PEER_PROCESS_GONE'
  /** The other board's process was started anew within the timeout. */
  | 'PEER_RESTARTED'
  | 'OPERATOR'
  /** The primary's replica threw, hung or ended. */
  | 'REPLICA_THREW'
  | 'REPLICA_HUNG'
  | 'REPLICA_ENDED'
  /** The same turn failed on both boards. */
  | 'PROGRAM_FAULT'
  /** The primary could not reach the device any more. */
  | 'DEVICE_UNREACHABLE'
  | 'DEVICE_RESTARTED'
  | 'DIVERGED'
  | 'LINK_SILENT'
  /** The device follows a greater term, or the other board leads one. */
  | 'TERM_LOST'
  /** No board led: a cold start. */
  | 'NOBODY_LED'
  /** The other board claimed the device while this one led. */
  | 'PEER_CLAIMED'
  | 'NEW_HISTORY';

/** Stable names of the rule that was applied; the section is in `section`. */
export type IncidentRule =
  | 'RED_NEEDS_SILENCE_ON_EVERY_LINK'
  | 'KERNEL_NOTICE_SHORTENS_THE_TIMEOUT'
  | 'RESTARTED_PEER_HAS_LOST_ITS_REIGN'
  | 'HANDOVER_BY_OPERATOR'
  | 'FAILED_REPLICA_HANDS_OVER'
  | 'FAILS_ON_BOTH_IS_THE_PROGRAMS'
  | 'UNREACHABLE_DEVICE_HANDS_OVER'
  | 'LOST_SESSION_IS_NEVER_RESUMED'
  | 'DIVERGED_NEVER_LEADS'
  | 'ONE_LINK_NEVER_DECIDES'
  | 'SOLO_NEEDS_A_TERM'
  | 'GREATER_TERM_WINS'
  | 'COLD_START_NEEDS_A_TERM';

export interface Incident {
  /** What became of it on this board. */
  outcome: 'takeover' | 'switchover' | 'solo' | 'cold-start' | 'stepped-down' | 'no-takeover' | 'under-way';
  cause: IncidentCause;
  rule: IncidentRule;
  /** Of the rule, such as `protocol/README.md §8`. */
  section: string;
  /** The reign that it ended in; null when none was claimed. */
  term: number | null;
  /** Monotonic, of this board: when it was seen, and when the device had decided; null while it has not. */
  beganAtMs: number;
  decidedAtMs: number | null;
  /** The causal chain, one sentence each, in order. */
  sentences: string[];
  evidence: {
    /** How long each link had been silent when the board judged, by link name. */
    linkSilentForMs: Record<string, number>;
    /** The kernel's word that the other board's process is gone came so long before; null for none. */
    kernelNoticeMsBefore: number | null;
    /** What the device answered. */
    device: {
      name: string;
      verdict: 'granted' | 'stale' | 'released' | 'session-lost';
      term: number | null;
    } | null;
    /** The reports that it is built from: `index` of events. */
    events: number[];
  };
}

export type ConsoleItem = Common &
  (
    | {
        /** First item on the line, and again after `json on`. */
        kind: 'hello';
        version: string;
        /** How this line is named in the journal: `socket`, or the port's path. */
        line: string;
        /** A password is asked for before anything but `login`, `help`, `version` and `json`. */
        locked: boolean;
        role: BoardStatus['role'];
        wallTimeMs: number;
        /** How often a status is told on this line; 0: never. */
        statusIntervalMs: number;
        timing: {
          heartbeatIntervalMs: number;
          detectionTimeoutMs: number;
          suspectTimeoutMs: number;
          lagMsMax: number;
        };
        program: string;
      }
    | ({ kind: 'status' } & StatusOnConsole)
    /** A report, when it happens. */
    | ({ kind: 'report' } & EventOnConsole)
    /** The newest reports, oldest first. */
    | { kind: 'events'; events: EventOnConsole[] }
    | { kind: 'links'; links: LinkOnConsole[] }
    | { kind: 'devices'; devices: DeviceOnConsole[] }
    | { kind: 'journal'; lines: JournalLine[] }
    /** The `index`th of `count` incidents, the newest being 1. `incident` null: nothing of the kind since this board's start. */
    | { kind: 'explain'; incident: Incident | null; index: number; count: number }
    /** A watched value: at once, then whenever it changes. `value` null: not known at present. */
    | { kind: 'value'; name: string; value: number | string | boolean | null }
    | { kind: 'version'; version: string; node: string; programHash: string; schema: typeof consoleSchema }
    | { kind: 'bundle'; path: string; bytes: number }
    | { kind: 'help'; commands: { usage: string; text: string }[] }
    /** `command` changes something: it is done when the next line is `yes`, until `expiresInMs` have passed. */
    | { kind: 'confirm'; command: string; text: string; expiresInMs: number }
    /** A command without an answer of its own was taken. What becomes of it, reports tell. */
    | { kind: 'done'; command: string; text: string }
    | { kind: 'error'; code: ConsoleErrorCode; text: string }
    /** So many items were left out because the line could not take them. */
    | { kind: 'dropped'; items: number }
  );

export type ConsoleErrorCode =
  | 'COMMAND_UNKNOWN'
  | 'COMMAND_USAGE'
  | 'COMMAND_REFUSED'
  | 'COMMAND_FAILED'
  | 'CONFIRM_NOTHING'
  | 'LINE_TOO_LONG'
  | 'LINE_UNREADABLE'
  | 'LOGIN_NEEDED'
  | 'LOGIN_FAILED'
  | 'LOGIN_TOO_SOON';
