/**
 * How far a board's monotonic clock is from ours, and how sure that is.
 *
 * Intuition (Cristian 1989): a board that was asked at our `sentAtMs`, answered by its own clock at `boardMs`, and was
 * heard at our `receivedAtMs` read its clock somewhere in between. So
 *
 *   boardMs - receivedAtMs  <=  offset  <=  boardMs - sentAtMs
 *
 * and each round trip is an interval that holds the truth. Intervals are intersected: the bound is that of the quickest
 * round trips in both directions, not of the last one. Two crystals drift apart, so an old interval widens by
 * `driftPpm`. An empty intersection means that one of the clocks is another one now (the board was restarted):
 * the newest interval stands alone.
 *
 * Anything a board says without being asked bounds from below only: it was not said later than it was heard.
 *
 * Rejected: averaging offsets as NTP does. An average has no bound, and the order of two events needs one.
 */
import type { BoardStatus } from '../../firmware-host/supervisor/status.ts';

/** Two ordinary crystals: 100 ppm each. */
const driftPpm = 200;
/** A machine that was started again counts from another zero; less than this is a clock that was slewed or a stopped process. */
const anotherClockMs = 1000;

/** `offsetMs`: what to add to our clock to get theirs. The truth is within plus or minus `boundMs`. */
export interface Offset {
  offsetMs: number;
  boundMs: number;
}

export class ClockOffset {
  /** Counts the clocks that the board has had: another one with each restart of its machine. */
  epoch = 0;
  #least = Number.NEGATIVE_INFINITY;
  #most = Number.POSITIVE_INFINITY;
  #atMs = 0;

  /** An answer to a question of ours. */
  roundTrip(sentAtMs: number, boardMs: number, receivedAtMs: number): void {
    this.#narrow(boardMs - receivedAtMs, boardMs - sentAtMs, receivedAtMs);
  }

  /** Something said without being asked. */
  heard(boardMs: number, receivedAtMs: number): void {
    this.#narrow(boardMs - receivedAtMs, Number.POSITIVE_INFINITY, receivedAtMs);
  }

  #narrow(least: number, most: number, nowMs: number): void {
    const drift = (Math.max(0, nowMs - this.#atMs) * driftPpm) / 1e6;
    const [oldLeast, oldMost] = [this.#least - drift, this.#most + drift];
    this.#atMs = nowMs;
    this.#least = Math.max(oldLeast, least);
    this.#most = Math.min(oldMost, most);
    if (this.#least <= this.#most) return;
    // Nothing of before fits what was said just now: the newest stands alone.
    if (this.#least - this.#most > anotherClockMs) this.epoch += 1;
    [this.#least, this.#most] = [least, most];
  }

  /** Null until a round trip has bounded it from both sides. */
  at(nowMs: number): Offset | null {
    if (this.#most === Number.POSITIVE_INFINITY) return null;
    const drift = (Math.max(0, nowMs - this.#atMs) * driftPpm) / 1e6;
    return { offsetMs: (this.#least + this.#most) / 2, boundMs: (this.#most - this.#least) / 2 + drift };
  }

  /** Where on our clock something lies that the board dated; the best guess before the first round trip. */
  ours(boardMs: number): number {
    if (this.#most !== Number.POSITIVE_INFINITY) return boardMs - (this.#least + this.#most) / 2;
    return this.#least === Number.NEGATIVE_INFINITY ? boardMs : boardMs - this.#least;
  }
}

/**
 * The same from the turns that both boards share, without the consoles' delay: no board has a turn before the primary
 * has run it, and the primary lets a turn's outputs go only when the backup has it (protocol/README.md §10).
 *
 * So a status in which the backup holds a turn that the primary's status did not have yet is the later of the two, and
 * a primary's status with a released turn that the backup's status did not have is the later of the two. Statuses come ten
 * times a second, so this bounds to some 100 ms: worth having where a console is a slow serial line.
 */
export class SharedTurns {
  /** Of the difference a's clock - b's clock. */
  #least = Number.NEGATIVE_INFINITY;
  #most = Number.POSITIVE_INFINITY;
  readonly #last: Record<'a' | 'b', TurnsSeen | null> = { a: null, b: null };

  status(board: 'a' | 'b', seen: TurnsSeen): void {
    this.#last[board] = seen;
    const { a, b } = this.#last;
    if (a === null || b === null || a.historyId === null || a.historyId !== b.historyId) return;
    if (a.role === b.role) return;
    const isLedByA = a.role === 'primary';
    const [primary, backup, sign] = isLedByA ? ([a, b, 1] as const) : ([b, a, -1] as const);
    if (primary.role !== 'primary' || backup.role !== 'backup') return;
    const difference = sign * (primary.boardMs - backup.boardMs);
    // Later on a true clock: its own reading is the difference of the clocks away from the other's at least.
    const isBackupLater = backup.turns > primary.turns;
    const isPrimaryLater = primary.protected && primary.releasedTurns > backup.turns;
    if (isBackupLater === isPrimaryLater) return;
    if (isBackupLater === isLedByA) this.#least = Math.max(this.#least, difference);
    else this.#most = Math.min(this.#most, difference);
    if (this.#least > this.#most) this.forget();
  }

  forget(): void {
    this.#least = Number.NEGATIVE_INFINITY;
    this.#most = Number.POSITIVE_INFINITY;
  }

  get bounds(): { leastMs: number; mostMs: number } {
    return { leastMs: this.#least, mostMs: this.#most };
  }
}

/** Of a status, and when the board made it by its own clock. */
export interface TurnsSeen
  extends Pick<BoardStatus, 'historyId' | 'role' | 'protected' | 'turns' | 'releasedTurns'> {
  boardMs: number;
}

/** What to add to b's clock to get a's: the difference of both offsets, narrowed by the shared turns where they agree. */
export function betweenBoards(a: Offset | null, b: Offset | null, shared: SharedTurns): Offset | null {
  const { leastMs, mostMs } = shared.bounds;
  let [least, most] = [leastMs, mostMs];
  if (a !== null && b !== null) {
    const difference = a.offsetMs - b.offsetMs;
    const bound = a.boundMs + b.boundMs;
    const [narrowLeast, narrowMost] = [
      Math.max(least, difference - bound),
      Math.min(most, difference + bound),
    ];
    [least, most] =
      narrowLeast <= narrowMost ? [narrowLeast, narrowMost] : [difference - bound, difference + bound];
  }
  if (!Number.isFinite(least) || !Number.isFinite(most)) return null;
  return { offsetMs: (least + most) / 2, boundMs: (most - least) / 2 };
}
