/**
 * What `understudy dev` needs of a pair. The local rig is one; tests have a fake beside this file.
 */
import type {
  BoardName,
  BoardView,
  CableName,
  DeviceView,
  FaultRecord,
  RigEvent,
  Verification,
} from '../../hil-tests/rigs/local/rig-contract.ts';

export type { BoardName, CableName, DeviceView, FaultRecord, RigEvent, Verification };
export type BoardState = Pick<BoardView, 'running' | 'frozen' | 'status' | 'exitCode'> & {
  readonly child?: { kill(signal: 'SIGKILL'): boolean } | null;
};

export interface PairRig {
  readonly boards: Record<BoardName, BoardState>;
  readonly device: DeviceView;
  readonly plant: Record<string, number | boolean>;
  readonly pins: Record<string, number>;
  readonly cables: Record<CableName, 'up' | 'cut'>;
  readonly faults: readonly FaultRecord[];
  readonly directory: string;
  readonly programOutput: string;
  on(name: 'change', listener: () => void): unknown;
  on(name: 'event', listener: (event: RigEvent) => void): unknown;
  off(name: 'change', listener: () => void): unknown;
  primary(): BoardName | null;
  isProtected(): boolean;
  kill(board: BoardName): void;
  restart(board: BoardName): void;
  freeze(board: BoardName): void;
  thaw(board: BoardName): void;
  cut(cable: CableName): void;
  restore(cable: CableName): void;
  switchover(): void;
  until(condition: () => boolean, timeoutMs: number, what: string): Promise<void>;
  stopBoards(): Promise<void>;
  verify(journalOf?: BoardName): Promise<Verification>;
  stop(): Promise<void>;
}

export const boardNames = ['a', 'b'] as const;
export const cableNames = ['serial', 'ethernet'] as const;

export function otherBoard(board: BoardName): BoardName {
  return board === 'a' ? 'b' : 'a';
}
