/** Observations made by hand, in few words, and a checker's verdict on them. */
import type { BoardStatus } from '../../firmware-host/supervisor/status.ts';
import type { Output, ReplicaEvent } from '../../protocol/record.ts';
import type { BoardName } from '../simulator/fault.ts';
import {
  type Checker,
  type HistoryOfLife,
  type LifeEnd,
  type LifeFacts,
  type Observation,
  type Observed,
  Violation,
} from '../simulator/observation.ts';

export function facts(changes: Partial<LifeFacts> = {}): LifeFacts {
  return {
    seed: 1,
    detectionTimeoutMs: 100,
    suspectTimeoutMs: 15,
    heartbeatIntervalMs: 10,
    waitForPeerMs: 200,
    holdTimeMs: 400,
    restartDelayMs: 50,
    turnTimeoutMs: 200,
    lagTurnsMax: 100,
    lagMsMax: 100,
    sendBufferBytesMax: 4096,
    fsync: 'interval',
    alone: 'lead',
    devices: [
      { name: 'machine', arbiter: true },
      { name: 'machine-2', arbiter: false },
    ],
    faults: [],
    quietAt: 5000,
    endsAt: 10_000,
    ...changes,
  };
}

export function status(board: BoardName, changes: Partial<BoardStatus> = {}): BoardStatus {
  return {
    board,
    role: 'starting',
    term: 0,
    protected: false,
    historyId: null,
    turns: 0,
    executedTurns: 0,
    releasedTurns: 0,
    lagTurns: null,
    lagMs: null,
    verdict: 'green',
    silentForMs: 0,
    virtualTimeUs: 0,
    links: [],
    devices: [],
    divergences: 0,
    ...changes,
  };
}

export function leads(board: BoardName, term: number, changes: Partial<BoardStatus> = {}): Observation {
  return role(board, { role: 'primary', term, protected: true, historyId: 'h', ...changes });
}

export function backs(board: BoardName, term: number, changes: Partial<BoardStatus> = {}): Observation {
  return role(board, { role: 'backup', term, protected: true, historyId: 'h', ...changes });
}

export function role(board: BoardName, changes: Partial<BoardStatus>): Observation {
  return { kind: 'role', board, status: status(board, changes) };
}

export function tells(
  board: BoardName,
  changes: Partial<BoardStatus>,
  bufferedBytes = 0,
): Observation & { kind: 'status' } {
  return { kind: 'status', board, status: status(board, changes), bufferedBytes };
}

export function up(board: BoardName, process = 1, historyId: string | null = null, turns = 0): Observation {
  return { kind: 'board-up', board, process, historyId, turns };
}

export function down(board: BoardName, cause: 'killed' | 'power' | 'exit' = 'killed'): Observation {
  return { kind: 'board-down', board, cause, exit: cause === 'exit' ? 'LEFT' : null };
}

export function reports(board: BoardName, code: string, details?: Record<string, unknown>): Observation {
  const report = { level: 'info' as const, code, text: code };
  return { kind: 'report', board, report: details === undefined ? report : { ...report, details } };
}

export function stored(board: BoardName, turns: number, historyId = 'h'): Observation {
  return { kind: 'stored', board, historyId, turns };
}

export function attached(board: BoardName, term: number, session = 100, device = 0): Observation {
  return { kind: 'device-attached', device, board, term, session };
}

export function accepts(
  board: BoardName,
  term: number,
  offset: number,
  text: string,
  changes: { device?: number; session?: number } = {},
): Observation {
  const bytes = bytesOf(text);
  return { kind: 'device-output', device: 0, session: 100, board, term, offset, bytes, ...changes };
}

export function turn(
  board: BoardName,
  number: number,
  changes: {
    mode?: 'perform' | 'replay';
    digest?: number;
    count?: number;
    timeUs?: number;
    event?: ReplicaEvent | null;
    outputs?: Output[];
    historyId?: string;
  } = {},
): Observation {
  const { digest = 0 } = changes;
  return {
    kind: 'turn',
    board,
    historyId: 'h',
    turn: number,
    count: 1,
    timeUs: 0,
    mode: 'perform',
    event: { kind: 'time' },
    digest,
    outputs: digest === 0 ? [] : [{ kind: 'write', port: 0, bytes: bytesOf('x') }],
    ...changes,
  };
}

/** A history that wrote `writes[turn]` to the first device in session 100 and heard `inputs[turn]`, with one base at 0. */
export function history(
  historyId: string,
  turns: number,
  parts: {
    writes?: Record<number, string>;
    inputs?: Record<number, string>;
    bases?: HistoryOfLife['bases'];
    terms?: number[];
    divergedAtTurn?: number | null;
  } = {},
): HistoryOfLife {
  const list = (texts: Record<number, string> = {}): HistoryOfLife['writes'] =>
    Object.entries(texts).map(([turn, text]) => ({
      turn: Number(turn),
      device: 'machine',
      bytes: bytesOf(text),
    }));
  return {
    historyId,
    board: 'a',
    turns,
    writes: list(parts.writes),
    inputs: list(parts.inputs),
    bases: parts.bases ?? [base()],
    terms: parts.terms ?? [1],
    divergedAtTurn: parts.divergedAtTurn ?? null,
  };
}

export function base(changes: Partial<HistoryOfLife['bases'][number]> = {}): HistoryOfLife['bases'][number] {
  return { device: 'machine', session: 100, outputs: 0, inputs: 0, turn: 0, ...changes };
}

export function end(changes: Partial<LifeEnd> = {}): LifeEnd {
  return {
    at: 10_000,
    boards: { a: null, b: null },
    exits: { a: null, b: null },
    histories: [],
    ...changes,
  };
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** One after the other, a millisecond apart; a number sets the time. */
export function timed(observations: readonly (Observation | number)[]): Observed[] {
  const observed: Observed[] = [];
  let at = 0;
  for (const each of observations) {
    if (typeof each === 'number') at = each;
    else observed.push({ ...each, at: at++ } as Observed);
  }
  return observed;
}

/** What the checker complains of, or null. Anything but a violation is thrown on. */
export function violationOf(
  checker: Checker,
  observations: readonly (Observation | number)[],
  lifeEnd: LifeEnd = end(),
): string | null {
  try {
    for (const observed of timed(observations)) checker.observe(observed);
    checker.end(lifeEnd);
    return null;
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    if (error.checker !== checker.name) throw new Error(`it calls itself ${error.checker}`, { cause: error });
    return error.message;
  }
}
