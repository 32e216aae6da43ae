/** The values that a line watches: each is told at once, then whenever it has changed, no more often than asked. */
import type { SessionLine } from './session-line.ts';
import { type StatusValue, valuesOf } from './status-values.ts';

export const watchesMax = 16;
export const watchIntervalMs = { least: 100, most: 3_600_000 };

interface Watch {
  everyMs: number;
  dueAt: number;
  said: StatusValue | undefined;
}

export class WatchedValues {
  readonly #line: SessionLine;
  readonly #watches = new Map<string, Watch>();

  constructor(line: SessionLine) {
    this.#line = line;
  }

  /** When one of them is to be looked at, or null. */
  get dueAt(): number | null {
    let at: number | null = null;
    for (const watch of this.#watches.values()) at = Math.min(at ?? watch.dueAt, watch.dueAt);
    return at;
  }

  clear(): void {
    this.#watches.clear();
  }

  /** Returns false when there are too many. */
  add(name: string, everyMs: number): boolean {
    if (!this.#watches.has(name) && this.#watches.size >= watchesMax) return false;
    this.#watches.set(name, { everyMs, dueAt: this.#line.now, said: undefined });
    this.tellWhenDue();
    return true;
  }

  tellWhenDue(): void {
    const { board, now } = this.#line;
    let values: Map<string, StatusValue> | null = null;
    for (const [name, watch] of this.#watches) {
      if (watch.dueAt > now) continue;
      values ??= valuesOf(board.status());
      watch.dueAt = now + watch.everyMs;
      const value = values.get(name) ?? null;
      if (value === watch.said) continue;
      watch.said = value;
      this.#line.tell({ kind: 'value', name, value });
    }
  }
}
