/** The faults that a rig made, each with the gap until the device followed another board and until it acted again. */
import type { BoardName, FaultRecord } from './rig-contract.ts';

/** Kinds of fault that a takeover or switchover answers. */
const answered: ReadonlySet<string> = new Set([
  'kill-primary',
  'freeze-primary',
  'kill-replica',
  'hang-replica',
  'switchover',
]);

/** Times are those since the rig was started, in ms. */
export class FaultLedger {
  readonly records: FaultRecord[] = [];

  record(kind: string, board: BoardName | null, atMs: number): void {
    this.records.push({ kind, board, atMs, attachGapMs: null, outputGapMs: null });
  }

  /** The device follows a new term: whatever fault waits for that is answered. */
  termBegins(atMs: number): void {
    const last = this.records.at(-1);
    if (last !== undefined && last.attachGapMs === null && answered.has(last.kind)) {
      last.attachGapMs = atMs - last.atMs;
    }
  }

  /** The device accepted the first output of a new term. */
  termActs(atMs: number): void {
    for (const fault of this.records) {
      if (fault.attachGapMs !== null && fault.outputGapMs === null) fault.outputGapMs = atMs - fault.atMs;
    }
  }
}
