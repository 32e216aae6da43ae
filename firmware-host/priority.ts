/**
 * Scheduling priority: a board that is not scheduled in time looks dead to the other one.
 *
 * A nice value needs CAP_SYS_NICE (root, or `LimitNICE=` in the systemd unit). Without it the pair works, but other
 * work on the board can delay heartbeats: the detection timeout then has to be longer.
 */
import { constants, setPriority } from 'node:os';

/** Returns null, or why the priority stays normal. */
export function raisePriority(
  pid: number,
  nice: number = constants.priority.PRIORITY_HIGHEST,
): string | null {
  try {
    setPriority(pid, nice);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The replica gives way to its supervisor: heartbeats come first. */
export const replicaNice = -15;
