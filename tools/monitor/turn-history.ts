/**
 * When a board had recorded which turn, by our clock: what turns a lag in turns into one in milliseconds.
 *
 * The lag in ms is the age of the last turn that the backup's replica has executed: how long ago the primary had
 * recorded that turn. Between two statuses the turns are taken as evenly spread.
 */
const seenMax = 100;

export interface TurnSeen {
  atMs: number;
  turns: number;
}

export class TurnHistory {
  readonly #seen: TurnSeen[] = [];
  #historyId: string | null = null;

  add(atMs: number, turns: number, historyId: string | null): void {
    const last = this.#seen.at(-1);
    // Turns of another history have the same numbers and mean others.
    if (historyId !== this.#historyId || (last !== undefined && turns < last.turns)) this.#seen.length = 0;
    this.#historyId = historyId;
    this.#seen.push({ atMs, turns });
    if (this.#seen.length > seenMax) this.#seen.shift();
  }

  get historyId(): string | null {
    return this.#historyId;
  }

  /** Turns a second over what is kept; null before there are two statuses. */
  get turnsPerSecond(): number | null {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (first === undefined || last === undefined || last.atMs - first.atMs < 500) return null;
    return ((last.turns - first.turns) * 1000) / (last.atMs - first.atMs);
  }

  /** When so many turns had been recorded; null when that is longer ago than what is kept. */
  atMsOf(turns: number): number | null {
    let before: TurnSeen | null = null;
    for (const seen of this.#seen) {
      if (seen.turns >= turns) {
        if (before === null) return seen.turns === turns ? seen.atMs : null;
        const share = (turns - before.turns) / (seen.turns - before.turns);
        return before.atMs + share * (seen.atMs - before.atMs);
      }
      before = seen;
    }
    return before?.atMs ?? null;
  }
}

/** Age at `atMs` of the last turn that was executed; 0 for everything that is not older than what we know of. */
export function lagMs(primary: TurnHistory, executedTurns: number, atMs: number): number | null {
  const recordedAtMs = primary.atMsOf(executedTurns + 1);
  return recordedAtMs === null ? null : Math.max(0, atMs - recordedAtMs);
}
