/**
 * Records on their way out: a batch is cut from the log, goes to the journal, then to the backup. Journal BEFORE bus, so
 * that what the other board has this board has too.
 *
 * Records with outputs go at once, because the gate waits for them. Others wait a little for company.
 */
import type { CoreState } from './core-state.ts';
import type { Parts } from './parts.ts';

/** Records without outputs wait so long for company before they go out. */
const recordDelayMs = 4;

type Others = Pick<Parts, 'follower' | 'reign'>;

export class RecordShipping {
  readonly #core: CoreState;
  readonly #parts: Others;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  /** Time at which the open batch has waited long enough, or null. One of a reign that is over waits for nothing. */
  get dueAt(): number | null {
    const { openSince } = this.#core.log;
    return openSince === null || !this.#parts.reign.leading ? null : openSince + recordDelayMs;
  }

  cut(): void {
    const batch = this.#core.log.cut();
    if (batch === null) return;
    this.#core.emit({ kind: 'journal-batch', batch: batch.bytes, turns: batch.endTurn });
    if (this.#parts.follower.live) this.#parts.follower.send(batch);
  }

  cutWhenDue(): void {
    const { log, now } = this.#core;
    if (!this.#parts.reign.leading || log.openSince === null) return;
    if (log.urgent || now - log.openSince >= recordDelayMs) this.cut();
  }
}
