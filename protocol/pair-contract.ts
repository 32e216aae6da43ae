/** What goes into and comes out of the role machine (pair.ts, protocol/README.md §10), and its words. */

export type Board = 'a' | 'b';

export type Role = 'starting' | 'contending' | 'primary' | 'joining' | 'backup' | 'stepped-down' | 'stopped';

/** Why a board asks the device for a new term. */
export type Claim = 'cold-start' | 'takeover' | 'switchover' | 'solo';

export type GateMode = 'closed' | 'acknowledged' | 'open';

/** What a board's journal can prove: the last term it recorded under and how many turns it holds. */
export interface JournalSummary {
  term: number;
  turns: number;
}

/** What a board tells the other when they connect (§11.1), as far as roles are concerned. */
export interface PeerSummary {
  role: Role;
  term: number;
  journal: JournalSummary;
  /** Differences of program or runtime that forbid pairing; empty when they match. */
  mismatches: string[];
}

export type PairInput =
  | { kind: 'begin'; journal: JournalSummary }
  | { kind: 'peer-connected'; peer: PeerSummary }
  | { kind: 'peer-restarted' }
  | { kind: 'peer-role'; role: Role; term: number }
  | { kind: 'verdict'; verdict: 'green' | 'yellow' | 'red' }
  /** The arbiter accepted our term. */
  | { kind: 'attached'; term: number }
  /** The arbiter holds a greater term (or an equal one for the other board). */
  | { kind: 'stale'; heldTerm: number }
  /** Answer to `query`. `safe`: the device is in its safe state and no controller is attached to it. */
  /** `session`: the device's, 0 without one. */
  | { kind: 'held-term'; heldTerm: number; safe: boolean; session: number }
  /** As primary: the backup holds every record up to now. As backup: the primary says so. */
  | { kind: 'protected' }
  /** As primary: the backup says that it cannot take over. As backup: our own replica cannot go on. */
  | { kind: 'unprotected'; reason: string }
  /** As primary: a new history begins, of which the other board has no copy, and it may not have heard so. */
  | { kind: 'new-history' }
  /** The backup lost its copy and has to be joined from the start. */
  | { kind: 'copy-lost'; reason: string }
  /** As primary: own replica failed, the backup shall try. */
  | { kind: 'replica-failed' }
  /** As backup: the primary asks us to take over (its replica failed, or the operator wants it). */
  | { kind: 'handover'; term: number; planned: boolean }
  /** As primary: the backup has the handover and everything before it. */
  | { kind: 'handed-over' }
  /** The board that we handed over to could not take over at that moment. */
  | { kind: 'handover-refused'; term: number }
  | { kind: 'operator'; command: 'switchover' | 'lead' }
  /** A board that does not lead is shut down in an orderly way, and has said so to the other one. */
  | { kind: 'leave' }
  /** A board that left is to be part of the pair again. */
  | { kind: 'return' }
  | { kind: 'tick' };

export type PairEffect =
  | { kind: 'gate'; mode: GateMode }
  | { kind: 'query' }
  | { kind: 'attach'; term: number; claim: Claim }
  /** The claim was granted: actuate. `afresh`: from no records, for the newest ones there were are lost. */
  | { kind: 'lead'; term: number; claim: Claim; afresh: boolean }
  /** Become a copy of the primary. `fresh`: drop the own replica, join from the start. */
  | { kind: 'follow'; fresh: boolean }
  /** Stop actuating at once; the replica's outputs since the last acknowledgement are not ours any more. */
  | { kind: 'step-down' }
  /** Stop taking events, flush all records and hand the reign over once they are acknowledged. */
  | { kind: 'prepare-handover' }
  | { kind: 'announce' }
  | { kind: 'report'; level: 'info' | 'warning' | 'alarm'; code: PairReportCode; text: string }
  | { kind: 'stop'; code: 'PAIR_MISMATCH' };

export type PairReportCode =
  | 'PAIR_WAITING_FOR_PEER'
  | 'PAIR_STALE_JOURNAL'
  | 'PAIR_MISMATCH'
  | 'PAIR_CLAIM'
  | 'PAIR_PRIMARY'
  | 'PAIR_PROTECTED'
  | 'PAIR_SOLO'
  | 'PAIR_FOLLOWING'
  | 'PAIR_BACKUP'
  | 'PAIR_STEPPED_DOWN'
  | 'PAIR_NOT_ELIGIBLE'
  | 'PAIR_LEFT'
  | 'PAIR_RETURNED'
  | 'PAIR_SWITCHOVER_REFUSED';

export interface PairOptions {
  board: Board;
  /** Milliseconds a starting board waits for the other before it decides alone. */
  waitForPeerMs: number;
  /** What a board does that starts and finds no peer: `wait` for ever or `lead` if its journal is not stale. */
  alone: 'wait' | 'lead';
  /** Milliseconds between repeated claims while the arbiter does not answer. */
  claimRetryMs: number;
}
