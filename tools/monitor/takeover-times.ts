/** From a board's reports, how long its claims and takeovers lasted: all by its own clock, so that no offset spoils it. */
import type { EventOnConsole } from '../../firmware-host/console/console-schema.ts';

const claimsKept = 5;

export class TakeoverTimes {
  readonly #claimedAtMs: Record<'a' | 'b', number | null> = { a: null, b: null };
  readonly #red: Record<'a' | 'b', { atMs: number; silentForMs: number } | null> = { a: null, b: null };
  /** Newest last. */
  readonly claimsMs: number[] = [];
  lastTakeoverMs: number | null = null;

  add(board: 'a' | 'b', { monotonicMs, report }: EventOnConsole): void {
    switch (report.code) {
      case 'PAIR_CLAIM':
        this.#claimedAtMs[board] = monotonicMs;
        break;
      case 'PEER_RED': {
        const silentForMs = report.details?.silentForMs;
        this.#red[board] = {
          atMs: monotonicMs,
          silentForMs: typeof silentForMs === 'number' ? silentForMs : 0,
        };
        break;
      }
      case 'PAIR_PRIMARY':
        this.#leads(board, monotonicMs);
        break;
      case 'PAIR_FOLLOWING':
      case 'PAIR_STEPPED_DOWN':
        this.#claimedAtMs[board] = null;
        this.#red[board] = null;
    }
  }

  #leads(board: 'a' | 'b', nowMs: number): void {
    const claimedAtMs = this.#claimedAtMs[board];
    const red = this.#red[board];
    this.#claimedAtMs[board] = null;
    this.#red[board] = null;
    if (claimedAtMs !== null && nowMs >= claimedAtMs) {
      this.claimsMs.push(nowMs - claimedAtMs);
      if (this.claimsMs.length > claimsKept) this.claimsMs.shift();
    }
    if (red !== null && nowMs >= red.atMs) this.lastTakeoverMs = nowMs - red.atMs + red.silentForMs;
  }
}
