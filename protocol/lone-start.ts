/**
 * What a board that hears nobody makes of the term that the device holds (protocol/README.md §10, rule 1).
 *
 *   ask -> the device's answer -> its journal is not older: claim
 *                              -> older, and somebody may lead: a stale journal never leads, wait
 *                              -> older, and the device is safe, twice in one session: claim, and start the program afresh
 */
import type { JournalSummary, PairEffect, PairInput } from './pair-contract.ts';
import { report } from './pair-report.ts';

export type LoneVerdict =
  | { kind: 'claim'; why: string; afresh: boolean }
  | { kind: 'wait'; effects: PairEffect[] };

const wait: LoneVerdict = { kind: 'wait', effects: [] };

export class LoneStart {
  readonly #waitForPeerMs: number;
  #asked = false;
  /** The operator has ordered to lead, whatever the device holds. */
  #isOrdered = false;
  #staleReported = false;
  /** Since then the device says that nobody leads its session, while this board's journal is stale. */
  #safe: { since: number; session: number } | null = null;

  constructor(waitForPeerMs: number) {
    this.#waitForPeerMs = waitForPeerMs;
  }

  get isOrdered(): boolean {
    return this.#isOrdered;
  }

  ask(): PairEffect[] {
    this.#asked = true;
    return [{ kind: 'query' }];
  }

  order(): PairEffect[] {
    this.#isOrdered = true;
    return this.ask();
  }

  /** The board has another part to play: an answer that is still to come is nothing to it. */
  cancel(): void {
    this.#asked = false;
  }

  granted(): void {
    this.#isOrdered = false;
  }

  answered(now: number, answer: PairInput & { kind: 'held-term' }, journal: JournalSummary): LoneVerdict {
    const { heldTerm, safe, session } = answer;
    if (!this.#asked) return wait;
    this.#asked = false;
    if (heldTerm <= journal.term) return { kind: 'claim', why: 'alone', afresh: false };
    if (this.#isOrdered) return { kind: 'claim', why: 'the operator orders it', afresh: true };
    // When the device has gone safe there is nothing left to go on with: starting afresh is better than nothing for ever.
    if (!safe) {
      this.#safe = null;
      return { kind: 'wait', effects: this.stale(heldTerm, journal) };
    }
    // This may have been said long ago, to a board that did not run: what is said to the next question was not. And each
    // session begins safe: only when the same one still is, nobody has led it meanwhile.
    if (this.#safe?.session !== session) this.#safe = { since: now, session };
    if (now - this.#safe.since < this.#waitForPeerMs) return wait;
    this.#safe = null;
    const why = `nobody leads and the device is in its safe state: this board's journal (term ${journal.term}) is dropped`;
    return { kind: 'claim', why, afresh: true };
  }

  /** Said once. */
  stale(heldTerm: number, journal: JournalSummary): PairEffect[] {
    if (this.#staleReported) return [];
    this.#staleReported = true;
    const text =
      `this board's journal ends in term ${journal.term}, the device has obeyed term ${heldTerm}: ` +
      'the other board knows more. Waiting for it (the operator may order `lead` to start afresh)';
    return [report('alarm', 'PAIR_STALE_JOURNAL', text)];
  }
}
