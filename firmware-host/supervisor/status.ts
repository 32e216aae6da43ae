/** A board's state as the console, the monitor and `understudy dev` show it. All counts since the board's start. */

import type { LinkStatistics } from '../../protocol/link-state.ts';
import type { Role } from '../../protocol/pair-contract.ts';

export interface BoardStatus {
  board: 'a' | 'b';
  role: Role;
  term: number;
  protected: boolean;
  historyId: string | null;
  turns: number;
  executedTurns: number;
  releasedTurns: number;
  /** Turns that the backup's replica is behind; null while the other board is unknown. */
  lagTurns: number | null;
  /** Primary: how long ago the oldest turn was sent that the backup's replica has not run; null without a backup. */
  lagMs: number | null;
  verdict: 'green' | 'yellow' | 'red';
  silentForMs: number | null;
  virtualTimeUs: number;
  links: ({ name: string } & LinkStatistics)[];
  devices: DeviceStatus[];
  divergences: number;
}

export interface DeviceStatus {
  name: string;
  kind: 'fenced' | 'plain';
  open: boolean;
  attached: boolean;
  session: number | null;
  /** Bytes written by the program, bytes accepted by the device, input bytes in records. */
  produced: number;
  confirmed: number;
  inputs: number;
  inputsLost: number;
  discarded: number;
}
