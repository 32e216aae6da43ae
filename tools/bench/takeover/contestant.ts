/** What every way to fail over has to offer so that it can be measured beside the others. */
import type { OutputWatch } from './output-watch.ts';

export const faultIds = ['kill', 'kill-program', 'freeze', 'power-cut', 'hang', 'switchover'] as const;
export type FaultId = (typeof faultIds)[number];

export const faultTexts: Record<FaultId, string> = {
  kill: 'SIGKILL of the board’s processes',
  'kill-program': 'SIGKILL of the program’s process',
  freeze: 'SIGSTOP of the board’s processes',
  'power-cut': 'power cut: all processes and links',
  hang: 'the program’s process hangs',
  switchover: 'planned switchover',
};

/** Faults of which no kernel tells anyone: they are noticed by silence, or not at all. */
export const silentFaults: readonly FaultId[] = ['freeze', 'power-cut', 'hang'];

/** Of the program's work: what a way without intervals of its own has. */
export const workPhaseMs = 50;

export interface Contestant {
  /** Of everything that the device accepted. */
  readonly watch: OutputWatch;
  /** Starts all of it and resolves when a fault may fall. */
  start(): Promise<void>;
  /** Whoever is in control is struck; called only when `ready` has resolved. */
  strike(fault: FaultId): void;
  /** Makes whole again what the fault broke, and resolves when the next may fall. */
  recover(fault: FaultId): Promise<void>;
  /** Ends all processes. Resolves with what the contestant's own bookkeeping says of its life; null when it keeps none. */
  stop(): Promise<Account | null>;
}

/** All that the device accepted, compared with one run without faults. */
export interface Account {
  comparedBytes: number;
  turns: number;
  complaints: string[];
}

export interface ContestantEntry {
  id: string;
  what: string;
  /** Null, or why it cannot be measured on this machine. */
  missing(): string | null;
  /** Null, or why this fault has no answer in this arrangement: nothing is measured then. */
  refusal(fault: FaultId): string | null;
  /** The fault falls at a random moment of so long a span: as long as what this way does at regular intervals. */
  phaseMs(fault: FaultId): number;
  /** So many are struck side by side: one whose takeovers are mostly waiting leaves the processors to others. */
  lanes(fault: FaultId): number;
  /** Longest wait for the survivor's first output. */
  patienceMs: number;
  /** For a life in which this fault falls, or none. */
  create(fault: FaultId | null): Contestant;
}
