/**
 * What happened in a simulated life, in the order in which it did: all that checkers and the timeline look at.
 * The world tells it as it happens; nothing of it was ever seen by the boards themselves.
 */

import type { ExitReason, Report } from '../../firmware-host/supervisor/effects.ts';
import type { BoardStatus } from '../../firmware-host/supervisor/status.ts';
import type { Output, ReplicaEvent } from '../../protocol/record.ts';
import type { BoardName, Fault } from './fault.ts';

export type Observation =
  | { kind: 'fault'; phase: 'begins' | 'ends'; fault: Fault }
  /** A supervisor process begins, with so much of a journal that it could read. `process` counts them. */
  | { kind: 'board-up'; board: BoardName; process: number; historyId: string | null; turns: number }
  | { kind: 'board-down'; board: BoardName; cause: 'killed' | 'power' | 'exit'; exit: ExitReason | null }
  | { kind: 'report'; board: BoardName; report: Report }
  /** Something of role, term, protected or history is not what it was after the step before. */
  | { kind: 'role'; board: BoardName; status: BoardStatus }
  /** Ten times a second of virtual time, of every board that is up and not paused. */
  | { kind: 'status'; board: BoardName; status: BoardStatus; bufferedBytes: number }
  /** A datagram that the other board's present process had sealed reached this one as it was. */
  | { kind: 'heard'; board: BoardName; link: number }
  | { kind: 'forged'; board: BoardName; how: string; changed: string[] }
  /** A batch was handed to this board's journal, whose end it now is. */
  | { kind: 'stored'; board: BoardName; historyId: string; turns: number }
  | { kind: 'durable'; board: BoardName; historyId: string; turns: number }
  /** A replica has run a turn. `outputs`: what it did; digest 0 and [] for a run of `count` idle turns. */
  | {
      kind: 'turn';
      board: BoardName;
      historyId: string;
      turn: number;
      count: number;
      /** The program's time at its begin. */
      timeUs: number;
      mode: 'perform' | 'replay';
      event: ReplicaEvent | null;
      digest: number;
      outputs: Output[];
    }
  /** The device follows this board's term from now on. */
  | { kind: 'device-attached'; device: number; board: BoardName; term: number; session: number }
  | { kind: 'device-released'; device: number; board: BoardName; term: number }
  | { kind: 'device-session'; device: number; session: number }
  | { kind: 'device-safe'; device: number }
  /** Accepted for good. `offset` counts the session's output bytes. */
  | {
      kind: 'device-output';
      device: number;
      session: number;
      board: BoardName;
      term: number;
      offset: number;
      bytes: Uint8Array;
    }
  | { kind: 'device-stale'; device: number; board: BoardName; term: number; bytes: number }
  /** The device has something to say, from this offset of the session's input bytes. */
  | { kind: 'device-input'; device: number; session: number; offset: number; bytes: Uint8Array }
  | { kind: 'device-input-lost'; device: number; session: number; bytes: number };

export type Observed = Observation & { at: number };

/** The numbers that a life was lived under; what is promised depends on them. Times in milliseconds. */
export interface LifeFacts {
  seed: number;
  detectionTimeoutMs: number;
  suspectTimeoutMs: number;
  heartbeatIntervalMs: number;
  waitForPeerMs: number;
  holdTimeMs: number;
  restartDelayMs: number;
  turnTimeoutMs: number;
  lagTurnsMax: number;
  lagMsMax: number;
  sendBufferBytesMax: number;
  fsync: 'always' | 'interval' | 'never';
  alone: 'wait' | 'lead';
  devices: { name: string; arbiter: boolean }[];
  faults: Fault[];
  /** When the last fault has ended; after it the life goes on until `endsAt`, undisturbed. */
  quietAt: number;
  endsAt: number;
}

/** One history of the program, as the board that led it last has it. */
export interface HistoryOfLife {
  historyId: string;
  /** Whose journal this is. */
  board: BoardName;
  turns: number;
  /** What an independent, uninterrupted run of the program over these records writes, by device. */
  writes: { turn: number; device: string; bytes: Uint8Array }[];
  /** Input bytes that its records gave to the program, by device, in order. */
  inputs: { turn: number; device: string; bytes: Uint8Array }[];
  /** Where each device session's counts began, and after which turn. */
  bases: { device: string; session: number; outputs: number; inputs: number; turn: number }[];
  /** Terms that its journal notes, in order. */
  terms: number[];
  /** First turn whose digest is not the record's, or null. */
  divergedAtTurn: number | null;
}

/** How it stood at the end. */
export interface LifeEnd {
  at: number;
  boards: Record<BoardName, BoardStatus | null>;
  exits: Record<BoardName, ExitReason | null>;
  histories: HistoryOfLife[];
}

/** Guards one promise. What it finds is a violation, told by throwing `Violation`. */
export interface Checker {
  /** The file's name without its ending. */
  readonly name: string;
  /** The promise, with its number in the design. */
  readonly promise: string;
  observe(observed: Observed): void;
  end(end: LifeEnd): void;
}

export type CheckerFactory = (facts: LifeFacts) => Checker;

/** A promise was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly checker: string;

  constructor(checker: string, message: string) {
    super(message);
    this.checker = checker;
  }
}
