/**
 * What happened on both boards, in one order: each event is dated by its own board and put where that is on our clock
 * (clock-offset.ts). Two events of different boards that lie closer together than the clocks are known are marked: which came first is
 * not certain.
 */
import type { EventOnConsole } from '../../firmware-host/console/console-schema.ts';
import type { Report } from '../../firmware-host/supervisor/effects.ts';
import type { ClockOffset } from './clock-offset.ts';

export type TimelineSource = 'a' | 'b' | 'monitor';

export interface TimelineEvent {
  source: TimelineSource;
  /** On the monitor's clock. */
  atMs: number;
  report: Report;
  /** The other board has an event so close that either may have been the first. */
  isOrderUncertain: boolean;
}

interface Kept {
  source: TimelineSource;
  /** By the board's clock; for the monitor's own events by ours. */
  boardMs: number;
  epoch: number;
  /** Where it was put when it came: stays when the board's clock is another one now. */
  atMs: number;
  report: Report;
}

const eventsKept = 500;

export class Timeline {
  #kept: Kept[] = [];
  readonly #known = new Set<string>();
  readonly #clocks: Record<'a' | 'b', ClockOffset>;

  constructor(clocks: Record<'a' | 'b', ClockOffset>) {
    this.#clocks = clocks;
  }

  /** Returns what is new: the same event comes live, and again in a list after a new attachment. */
  add(board: 'a' | 'b', event: EventOnConsole): TimelineEvent | null {
    const { index, monotonicMs: boardMs, report } = event;
    const key = `${board} ${index} ${boardMs}`;
    if (this.#known.has(key)) return null;
    this.#known.add(key);
    const clock = this.#clocks[board];
    const kept = { source: board, boardMs, epoch: clock.epoch, atMs: clock.ours(boardMs), report };
    this.#keep(kept);
    return { source: board, atMs: kept.atMs, report, isOrderUncertain: false };
  }

  note(atMs: number, level: Report['level'], code: string, text: string): TimelineEvent {
    const report: Report = { level, code, text };
    this.#keep({ source: 'monitor', boardMs: atMs, epoch: 0, atMs, report });
    return { source: 'monitor', atMs, report, isOrderUncertain: false };
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept);
    if (this.#kept.length <= eventsKept) return;
    this.#kept = this.#kept.slice(-eventsKept);
    // An event that was forgotten and comes again is an old one: it would be sorted to the top and fall out at once.
    if (this.#known.size > 20 * eventsKept) this.#known.clear();
  }

  #place(kept: Kept): number {
    if (kept.source === 'monitor') return kept.atMs;
    const clock = this.#clocks[kept.source];
    if (kept.epoch === clock.epoch) kept.atMs = clock.ours(kept.boardMs);
    return kept.atMs;
  }

  /** Oldest first. `boundMs`: how well the two clocks are known against each other; null: not at all. */
  events(boundMs: number | null): TimelineEvent[] {
    const placed = this.#kept.map((kept) => ({ kept, atMs: this.#place(kept) }));
    // Within a board its own order holds, also for two events of the same millisecond.
    placed.sort((left, right) => left.atMs - right.atMs);
    return placed.map(({ kept: { source, report }, atMs }, index) => {
      const isClose = (other: (typeof placed)[number] | undefined): boolean =>
        other !== undefined &&
        source !== 'monitor' &&
        other.kept.source !== 'monitor' &&
        other.kept.source !== source &&
        Math.abs(other.atMs - atMs) <= (boundMs ?? Number.POSITIVE_INFINITY);
      const isOrderUncertain = isClose(placed[index - 1]) || isClose(placed[index + 1]);
      return { source, atMs, report, isOrderUncertain };
    });
  }
}
