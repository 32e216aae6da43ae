/** What the screen shows: plain data, so that a picture can be drawn, and tested, without a pair. */
import type { BoardName, CableName, DeviceView, FaultRecord } from './pair-rig.ts';
import type { Said } from './words.ts';

export type BoardCondition =
  | 'off'
  | 'frozen'
  | 'starting'
  | 'contending'
  | 'primary'
  | 'joining'
  | 'backup'
  | 'stepped-down'
  | 'stopped';

export interface BoardPicture {
  condition: BoardCondition;
  /** Of the last status; all null while the board is off or has not spoken yet. */
  facts: {
    term: number;
    protected: boolean;
    turns: number;
    executedTurns: number;
    lagTurns: number | null;
    divergences: number;
    silentForMs: number | null;
    deviceOpen: boolean;
  } | null;
}

export interface CablePicture {
  state: 'up' | 'cut';
  /** Measured by the boards; null: no answer over this cable. */
  roundTripMs: number | null;
  /** Datagrams that arrived per sample at the board that got fewer; newest last. */
  arrivals: readonly number[];
  /** Grows with every sample in which something arrived: moves the pulse along the cable. */
  beats: number;
}

export interface LastFault extends FaultRecord {
  /** The board that the device follows after it, when it took one. */
  follower: BoardName | null;
}

export interface ToldEvent extends Said {
  /** Since the rig was started. */
  atMs: number;
}

export interface ScreenModel {
  program: string;
  plantName: 'tank' | 'bench';
  elapsedMs: number;
  isProtected: boolean;
  boards: Record<BoardName, BoardPicture>;
  cables: Record<CableName, CablePicture>;
  device: DeviceView;
  plant: Record<string, number | boolean>;
  pins: Record<string, number>;
  /** Oldest first. */
  events: readonly ToldEvent[];
  lastFault: LastFault | null;
  /** Last line that the control program printed. */
  programSays: string;
  /** What the script does just now; null: the keys have control. */
  script: { step: number; steps: number; text: string } | null;
  /** Answer to the last key. */
  notice: string;
  isHelpShown: boolean;
}
