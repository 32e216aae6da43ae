/** What the monitor shows: plain data, so that a picture can be drawn, and tested, without a board. */
import type { Incident, JournalLine, StatusOnConsole } from '../../firmware-host/console/console-schema.ts';
import type { AttachmentPhase } from './attachment.ts';
import type { Offset } from './clock-offset.ts';
import type { Outlook } from './outlook.ts';
import type { TimelineEvent } from './timeline.ts';

export type Board = 'a' | 'b';
export const boards = ['a', 'b'] as const;

export function otherBoard(board: Board): Board {
  return board === 'a' ? 'b' : 'a';
}

export interface PortPicture {
  /** As the user gave it, or the path it stands for. */
  label: string;
  phase: AttachmentPhase;
  /** Why it is in this phase. */
  text: string;
  /** The board that speaks there; null before it has spoken. */
  board: Board | null;
}

export interface BoardColumn {
  /** Null: no port of ours has ever had this board on it. */
  port: PortPicture | null;
  status: StatusOnConsole | null;
  /** The status is of now; otherwise it is the last one that was heard. */
  isFresh: boolean;
  statusAgeMs: number | null;
  version: string | null;
  program: string | null;
  turnsPerSecond: number | null;
  /** Of this board's replica behind the primary's records. */
  lagMs: number | null;
  /** Datagrams that arrived per status, by link; newest last. */
  arrivals: Record<string, readonly number[]>;
  clock: Offset | null;
  journal: readonly JournalLine[];
  incident: Incident | null;
}

export interface MonitorModel {
  atMs: number;
  /** Wall clock of the monitor's machine at `atMs`. */
  wallTimeMs: number;
  ports: readonly PortPicture[];
  boards: Record<Board, BoardColumn>;
  outlook: Outlook;
  /** Length of the last takeover that a board has reported, from the silence's beginning to leading. */
  lastTakeoverMs: number | null;
  /** a's clock against b's. */
  betweenBoards: Offset | null;
  /** Oldest first. */
  events: readonly TimelineEvent[];
}
