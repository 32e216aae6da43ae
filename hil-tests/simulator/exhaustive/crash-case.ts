/** A place in the short run where a board can be struck, and a life struck there, by names that fit on a command line. */
import { type BoardName, boardNames } from '../fault.ts';

/** In the order in which a turn's record passes them. */
export const crashPoints = {
  'before-send': 'the leader is about to send a record for the first time',
  'after-send': 'the leader has sent it',
  stored: 'the backup has handed it to its journal',
  'ack-sent': 'the backup has sent an acknowledgement that covers more than the one before',
  'ack-received': 'the leader has taken it in, and done nothing of what follows from it',
  'device-written': 'output, or leave to forget inputs, has left the leader for the device',
  'device-accepted': 'the device has accepted them, and not yet said so',
} as const;

export type CrashPoint = keyof typeof crashPoints;
export const crashPointNames = Object.keys(crashPoints) as CrashPoint[];

export interface Crash {
  /** The board that leads when the run begins. */
  leader: BoardName;
  victim: 'leader' | 'backup';
  /** `kill`: its kernel lives, and says that nobody listens. `power`: silence, and an unfinished disk. */
  how: 'kill' | 'power';
  point: CrashPoint;
  /** Counts from 0 within the short run. */
  occurrence: number;
}

export interface CrashCase extends Crash {
  /** Numbers of the datagrams that are lost, ascending, counted from the beginning of the short run. */
  losses: number[];
}

/** For example `a.leader.power.stored.3` or `b.backup.kill.after-send.0.17.19`. */
export function caseIdOf({ leader, victim, how, point, occurrence, losses }: CrashCase): string {
  return [leader, victim, how, point, occurrence, ...losses].join('.');
}

/** Null for anything that `caseIdOf` does not write. */
export function caseFromId(id: string): CrashCase | null {
  const [leader, victim, how, point, ...numbers] = id.split('.');
  if (!boardNames.some((name) => name === leader)) return null;
  if (victim !== 'leader' && victim !== 'backup') return null;
  if (how !== 'kill' && how !== 'power') return null;
  if (!crashPointNames.some((name) => name === point)) return null;
  if (numbers.length === 0 || numbers.some((number) => !/^\d{1,6}$/.test(number))) return null;
  const [occurrence, ...losses] = numbers.map(Number);
  const parsed: CrashCase = {
    leader: leader as BoardName,
    victim,
    how,
    point: point as CrashPoint,
    occurrence: occurrence!,
    losses,
  };
  return caseIdOf(parsed) === id ? parsed : null;
}
