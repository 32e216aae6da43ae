/** Which of a life's faults were at work in a window of time. */
import { type BoardName, endOf, type Fault, type LinkName } from '../simulator/fault.ts';

/** What a slow link still holds when it is none any more, in bytes. */
const queueBytesMax = 4096;

function isOverAt(fault: Fault): number {
  return endOf(fault) + (fault.kind === 'slow-link' ? (queueBytesMax * 10_000) / fault.bitsPerSecond : 0);
}

export function anyFaultBetween(
  faults: readonly Fault[],
  from: number,
  to: number,
  touches: (fault: Fault) => boolean,
): boolean {
  for (const fault of faults) {
    if (fault.at <= to && isOverAt(fault) >= from && touches(fault)) return true;
  }
  return false;
}

/** What the link carries toward `to` may be late, damaged or missing. Forged datagrams only come in addition. */
export function disturbsLink(fault: Fault, link: LinkName, to: BoardName): boolean {
  switch (fault.kind) {
    case 'loss':
    case 'delay':
    case 'duplication':
    case 'reordering':
    case 'corruption':
    case 'cut':
    case 'stall':
      return fault.link === link && fault.from !== to;
    case 'slow-link':
      return fault.link === link;
    default:
      return false;
  }
}

/** How much faster or slower than true time a board's clock may run in this life: 1 is not at all. */
export function clockFactor(faults: readonly Fault[]): number {
  let most = 0;
  for (const fault of faults) {
    if (fault.kind === 'clock-drift') most = Math.max(most, Math.abs(fault.partsPerMillion));
  }
  return 1 + most / 1e6;
}
