/** Which of two boards goes on from its journal when both begin (protocol/README.md §10). */
import type { Board, JournalSummary } from './pair-contract.ts';

/** True when the board with journal `own` leads at a cold start of both. Ties go to board a. */
export function leads(board: Board, own: JournalSummary, peer: JournalSummary): boolean {
  if (own.term !== peer.term) return own.term > peer.term;
  if (own.turns !== peer.turns) return own.turns > peer.turns;
  return board === 'a';
}
