/** The words of the local rig: what it is asked for, what it shows, and what it found in the end. */
import type { BoardStatus } from '../../../firmware-host/supervisor/status.ts';
import type { StreamComparison } from '../../checkers/uninterrupted-run.ts';

export type BoardName = 'a' | 'b';
export type CableName = 'serial' | 'ethernet';

export const deviceKinds = ['simulated', 'mega'] as const;
export type DeviceKind = (typeof deviceKinds)[number];

export interface LocalRigOptions {
  program: string;
  plant: 'tank' | 'bench';
  /** For journals, logs and sockets; default: a fresh one that `stop` removes. */
  directory?: string;
  /** Sections of pair.yaml that differ from the defaults. */
  timing?: Record<string, unknown>;
  policy?: Record<string, unknown>;
  journal?: Record<string, unknown>;
  serialBaudRate?: number;
  /**
   * The Ethernet is a cable that can be cut (default), or the boards send to each other directly, which nobody can cut: then a dead
   * board's kernel refuses the next datagram, as on a real network, and not the next but one.
   */
  ethernet?: 'cable' | 'direct';
  /** Hold time of the device. Default 1000. */
  holdTimeMs?: number;
  deviceBaudRate?: number;
  deviceMode?: 'fenced' | 'plain';
  /** How often the device tells of its pins and looks whether a port was opened. Default 100. */
  deviceReportIntervalMs?: number;
  /** What stands for the device: the TypeScript model of it, or its firmware on an emulated Arduino Mega. */
  device?: DeviceKind;
  /** A third party's Intel hex on an emulated Arduino Mega instead, without a fence: goes with `deviceMode: 'plain'`. */
  plainFirmwareFile?: string;
  /** Whose pins the simulated device has. Default `uno`; the emulated one is a Mega. */
  simulatedBoard?: 'uno' | 'mega-2560';
  /** Further, plain devices: `kind@path` as in programs/manifest.ts. */
  plainDevices?: readonly string[];
  arguments?: string[];
  /** Ports on which a board can be watched and told, beside its socket; `password` is a hash. */
  consolePorts?: Partial<Record<BoardName, { path: string; password?: string }[]>>;
  /** The other board runs another program, or has another key: to see it refused. */
  programOfB?: string;
  pairKeyOfB?: string;
  /** Keep what the program prints. Default true. */
  start?: boolean;
}

/** How one start of a board differs from the others. */
export interface BoardLaunch {
  /** Instead of the rig's own. */
  configFile?: string;
  /** On top of this process's. */
  environment?: Record<string, string>;
}

export interface RigEvent {
  /** Since the rig was started. */
  atMs: number;
  source: BoardName | 'device' | 'rig' | 'program';
  level: 'info' | 'warning' | 'alarm';
  code: string;
  text: string;
  details?: Record<string, unknown>;
}

export interface FaultRecord {
  kind: string;
  board: BoardName | null;
  atMs: number;
  /** Fault -> the device follows the new term. Null: no takeover (yet, or none wanted). */
  attachGapMs: number | null;
  /** Fault -> the device accepted the first output of the new term. */
  outputGapMs: number | null;
}

export interface BoardView {
  running: boolean;
  frozen: boolean;
  status: (BoardStatus & { pid: number; replicaPid: number | null }) | null;
  statusAt: number;
  exitCode: number | null;
}

export interface DeviceView {
  attachedBoard: BoardName | null;
  term: number;
  session: number;
  safe: boolean;
  acceptedBytes: number;
  rejectedStaleBytes: number;
}

export interface Verification {
  streamMatches: boolean;
  comparedBytes: number;
  outputsLost: number;
  outputsRepeated: number;
  outputsRejectedStale: number;
  divergences: number;
  sessions: number;
  turns: number;
  comparisons: StreamComparison[];
}

export function other(board: BoardName): BoardName {
  return board === 'a' ? 'b' : 'a';
}
