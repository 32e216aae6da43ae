/** What the failure detector's configuration promises (protocol/README.md section 8), for the checkers that hold it to that. */
import { heartbeatIntervalMsOn } from '../../protocol/link-state.ts';
import { type LinkName, linkNames } from '../simulator/fault.ts';
import type { LifeFacts } from '../simulator/observation.ts';

/** A link means nothing by a silence in which at most one heartbeat was due. */
const deadIntervals = 2.5;
/** The slowest that a life's links are drawn: the interval of heartbeats on a link follows from it. */
const bitsPerSecondLeast: Record<LinkName, number> = { ethernet: 10_000_000, serial: 57_600 };

/** The longest interval between heartbeats on this link. */
export function linkIntervalMs(facts: Pick<LifeFacts, 'heartbeatIntervalMs'>, name: LinkName): number {
  const link = { name, bitsPerSecond: bitsPerSecondLeast[name], datagramBytesMax: 512 };
  return heartbeatIntervalMsOn(link, facts.heartbeatIntervalMs);
}

/** The silence after which every link counts as dead. */
export function detectionMs(facts: LifeFacts): number {
  let most = facts.detectionTimeoutMs;
  for (const link of linkNames) most = Math.max(most, deadIntervals * linkIntervalMs(facts, link));
  return most;
}
