/** Which of two boards goes on from its journal when both begin, and whether either can (protocol/README.md §10). */
import type { Board, JournalSummary } from './pair-contract.ts';

/** True when the board with journal `own` leads at a cold start of both. Ties go to board a. */
export function leads(board: Board, own: JournalSummary, peer: JournalSummary): boolean {
  if (own.term !== peer.term) return own.term > peer.term;
  if (own.turns !== peer.turns) return own.turns > peer.turns;
  return board === 'a';
}

/** What is missing when both journals end before the newest reign that is known of; null when nothing is. */
export function lostRecords(
  own: JournalSummary,
  peer: JournalSummary | null,
  newestTerm: number,
): string | null {
  const recordedTerm = Math.max(own.term, peer?.term ?? 0);
  if (recordedTerm === newestTerm || (own.turns === 0 && recordedTerm === 0)) return null;
  return `no board has the records of term ${newestTerm}, the newest known end in term ${recordedTerm}`;
}
