/** The links of a session, and which of them is to carry what (protocol/README.md §7.3). */
import { assert } from './assert.ts';
import { LinkState, type SessionLink } from './link-state.ts';

export class LinkSet {
  readonly all: readonly LinkState[];

  constructor(links: readonly SessionLink[], heartbeatIntervalMs: number) {
    this.all = links.map((link, index) => new LinkState(index, link, heartbeatIntervalMs));
  }

  at(index: number): LinkState {
    const link = this.all[index];
    assert(link !== undefined, `there is no link ${index}`);
    return link;
  }

  /** The usable link with the highest bit rate, then the lowest round trip. */
  best(now: number): LinkState | null {
    let best: LinkState | null = null;
    for (const link of this.all) {
      if (!link.isUsable(now)) continue;
      if (best === null || isBetter(link, best)) best = link;
    }
    return best;
  }

  /**
   * Where the next datagram of records goes: another link than the one that let its records down (`lostOn`, -1 for
   * none), else the best one. Never a worse link just because the best one is full: that only reorders.
   */
  forRecords(lostOn: number, now: number, roomAt: (link: LinkState) => number): LinkState | null {
    if (lostOn !== -1) {
      for (const link of this.all) {
        if (link.index !== lostOn && link.isUsable(now) && roomAt(link) <= now) return link;
      }
    }
    const best = this.best(now);
    return best !== null && roomAt(best) <= now ? best : null;
  }
}

function isBetter(link: LinkState, than: LinkState): boolean {
  if (link.bitsPerSecond !== than.bitsPerSecond) return link.bitsPerSecond > than.bitsPerSecond;
  const never = Number.POSITIVE_INFINITY;
  return (link.roundTrip.smoothedMs ?? never) < (than.roundTrip.smoothedMs ?? never);
}
