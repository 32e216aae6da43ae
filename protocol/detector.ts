/**
 * The failure detector (protocol/README.md §8): what the silence of the peer means.
 *
 * ```
 *   green --a link is late, or the peer is suspected--> yellow --every link silent for its timeout--> red
 *     ^                                                    |                                            |
 *     +------------------ signals on every link -----------+---------------- any signal ---------------+
 * ```
 * Red leads to a takeover, so it needs silence on *every* link; a single link never decides. When the kernel says that the
 * peer's process is gone, a shorter silence is enough, because the same silence is then explained; one signal
 * refutes it. Silence while we ourselves were not running proves nothing: after a pause the peer gets a full timeout.
 *
 * An accrual detector (a suspicion level from the distribution of gaps) was rejected: with two cables and a fixed
 * interval its threshold is a timeout in disguise, which nobody could compute from the configuration.
 */
import { assert } from './assert.ts';

export type Verdict = 'green' | 'yellow' | 'red';

export interface FailureDetectorOptions {
  /** In the session's order. `intervalMs` is the link's own heartbeat interval (`heartbeatIntervalsMs`). */
  links: readonly { name: string; intervalMs: number }[];
  /** Silence on every link that means death. On a link that beats slowly, at least two and a half of its intervals. */
  detectionTimeoutMs: number;
  /** The same once the kernel says that the peer's process is gone. 1..detectionTimeoutMs. */
  suspectTimeoutMs: number;
}

/** Intervals without a signal after which a link counts as late. */
const lateIntervals = 3;
/** A link cannot mean anything by a silence in which at most one heartbeat was due. */
const deadIntervals = 2.5;

interface Link {
  lateMs: number;
  deadMs: number;
  /** The last signal, or when the peer was last given a fresh start. */
  since: number;
}

export class FailureDetector {
  readonly #links: Link[];
  readonly #suspectTimeoutMs: number;
  #begun = false;
  #suspected = false;
  #pausedMs = 0;

  constructor({ links, detectionTimeoutMs, suspectTimeoutMs }: FailureDetectorOptions) {
    if (links.length === 0) throw new RangeError('links must not be empty');
    if (!(detectionTimeoutMs >= 1)) {
      throw new RangeError(`detectionTimeoutMs must be at least 1 (got ${detectionTimeoutMs})`);
    }
    if (!(suspectTimeoutMs >= 1 && suspectTimeoutMs <= detectionTimeoutMs)) {
      throw new RangeError(`suspectTimeoutMs must be 1..${detectionTimeoutMs} (got ${suspectTimeoutMs})`);
    }
    for (const { name, intervalMs } of links) {
      if (!(intervalMs > 0))
        throw new RangeError(`intervalMs of ${name} must be positive (got ${intervalMs})`);
    }
    this.#links = links.map(({ intervalMs }) => ({
      lateMs: lateIntervals * intervalMs,
      deadMs: Math.max(detectionTimeoutMs, deadIntervals * intervalMs),
      since: 0,
    }));
    this.#suspectTimeoutMs = suspectTimeoutMs;
  }

  /** Time in which we were not scheduled, as reported by `paused`. */
  get pausedMs(): number {
    return this.#pausedMs;
  }

  /** A fresh heartbeat came on that link. */
  signal(link: number, now: number): void {
    this.#begin(now);
    const state = this.#links[link];
    assert(state !== undefined, `there is no link ${link}`);
    state.since = Math.max(state.since, now);
    this.#suspected = false;
  }

  /** The kernel says that the peer's process is gone. The next signal refutes it. */
  peerGone(now: number): void {
    this.#begin(now);
    this.#suspected = true;
  }

  /** We did not run for `gapMs` until now: what the peer sent meanwhile may still have to be read. */
  paused(now: number, gapMs: number): void {
    this.#begin(now);
    assert(gapMs >= 0, `a pause is not negative (${gapMs})`);
    this.#pausedMs += gapMs;
    this.#suspected = false;
    for (const link of this.#links) link.since = Math.max(link.since, now);
  }

  verdict(now: number): Verdict {
    this.#begin(now);
    if (now >= this.#redAt()) return 'red';
    return this.#suspected || now >= this.#lateAt() ? 'yellow' : 'green';
  }

  /** Since the last signal on any link, or since the peer was last given a fresh start. */
  silentForMs(now: number): number {
    this.#begin(now);
    return now - this.#lastSince();
  }

  /** When the verdict becomes worse if nothing comes; null when it is red. */
  nextChangeAt(now: number): number | null {
    switch (this.verdict(now)) {
      case 'red':
        return null;
      case 'yellow':
        return this.#redAt();
      case 'green':
        return Math.min(this.#lateAt(), this.#redAt());
    }
  }

  /** Silence counts from the first time that anyone looks: a peer that never spoke is given a full timeout too. */
  #begin(now: number): void {
    if (this.#begun) return;
    this.#begun = true;
    for (const link of this.#links) link.since = now;
  }

  #lastSince(): number {
    let last = Number.NEGATIVE_INFINITY;
    for (const link of this.#links) last = Math.max(last, link.since);
    return last;
  }

  #lateAt(): number {
    let at = Number.POSITIVE_INFINITY;
    for (const link of this.#links) at = Math.min(at, link.since + link.lateMs);
    return at;
  }

  #redAt(): number {
    let at = Number.NEGATIVE_INFINITY;
    for (const link of this.#links) at = Math.max(at, link.since + link.deadMs);
    return this.#suspected ? Math.min(at, this.#lastSince() + this.#suspectTimeoutMs) : at;
  }
}
