/**
 * The other board as the copy of this one: the primary's side of a join, and of what follows it.
 *
 *   wish -> serve -> reading: the history so far, from memory or from the journal, as fast as the bus takes it
 *                      |
 *                      v
 *                    live: every batch as it is cut -> stored there -> `acknowledged` -> ackedTurns -> output gate
 *                      |
 *                      v
 *                    protected, once it has stored and run all that there was when it went live and was heard of it
 *
 * The backup's side is in `joining.ts`. A copy that falls behind slows the program down (`lags`) instead of being
 * dropped: a pair that outruns its backup is not protected, whatever its lamps say.
 */
import { assert } from '../../protocol/assert.ts';
import { copyName, type Heartbeat, type PairMessage } from '../../protocol/pair-message.ts';
import { decodeBatch, turnsOf } from '../../protocol/record.ts';
import { Fifo } from '../fifo.ts';
import type { CoreState } from './core-state.ts';
import type { Parts } from './parts.ts';
import type { Batch } from './record-log.ts';

const lagStepMs = 5;

type Wish = Extract<PairMessage, { kind: 'follow' }>;
type Others = Pick<
  Parts,
  'divergence' | 'handover' | 'histories' | 'messages' | 'peer' | 'program' | 'records' | 'reign'
>;

export class Follower {
  readonly #core: CoreState;
  readonly #parts: Others;
  #state: { kind: 'reading'; nextTurn: number } | { kind: 'live' } | null = null;
  /** Turns that there were when it first was heard to keep this copy, in this reign and after any silence; null before. */
  #heardAtTurn: number | null = null;
  /** The other board has stored the records of all turns before this one. */
  ackedTurns = 0;
  /** Batches that it has not acknowledged. */
  readonly #sentBatches = new Fifo<{ sequence: number; endTurn: number }>();
  /** Batches that its replica has not run, as far as its heartbeats tell. */
  #unexecuted: { endTurn: number; sentAt: number }[] = [];
  /** Its replica has run all turns before this one. */
  #executedTurns = 0;
  /** Reading goes on when the session takes more. */
  #waitsForRoom = false;
  /** It was given up while it was silent, and has to be told so. */
  #dropped = false;
  /** Number of its wish that we serve. */
  #servedJoin = 0;
  /** Its wish that came while this board's reign was in question. */
  #waitingWish: Wish | null = null;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  get present(): boolean {
    return this.#state !== null;
  }

  /** Name of the copy that is being made or kept there, 0 for none. */
  get copy(): number {
    const { id } = this.#parts.histories;
    if (this.#state === null || id === null) return 0;
    return copyName(id, this.#core.options.board === 'a' ? 'b' : 'a', this.#servedJoin);
  }

  get live(): boolean {
    return this.#state?.kind === 'live';
  }

  /** It is further behind than the program may leave it. */
  get lags(): boolean {
    const { log, now, options } = this.#core;
    if (log.turns - this.#executedTurns > options.lagTurnsMax) return true;
    const oldest = this.#unexecuted[0];
    return oldest !== undefined && now - oldest.sentAt > options.lagMsMax;
  }

  /** Age of the oldest records that its replica has not run; 0 when it has run all, null when there is no copy. */
  lagMs(now: number): number | null {
    if (this.#state === null) return null;
    const oldest = this.#unexecuted[0];
    return oldest === undefined ? 0 : now - oldest.sentAt;
  }

  /** A new history: nothing of it was sent, and nothing of it is said before its begin (`start`). */
  reset(): void {
    this.#state = null;
    this.ackedTurns = 0;
    this.#executedTurns = 0;
    this.#heardAtTurn = null;
    this.#sentBatches.clear();
    this.#unexecuted = [];
  }

  /** There is none: the other board was started anew, or a reign begins. */
  forget(): void {
    this.#state = null;
    this.#dropped = false;
    this.#sentBatches.clear();
  }

  /** This board leads no more. */
  steppedDown(): void {
    this.#state = null;
    this.#sentBatches.clear();
    this.#waitingWish = null;
  }

  /** The other board says that it is no copy any more. */
  notEligible(message: Extract<PairMessage, { kind: 'not-eligible' }>): void {
    if (message.report !== null) this.#parts.divergence.ofBackup(message.report);
    this.#state = null;
    this.#core.role({ kind: 'unprotected', reason: message.reason });
    if (this.#parts.reign.leading) this.#parts.handover.failed();
  }

  // ---------------------------------------------------------------- the wish to join

  wish(wish: Wish): void {
    const { role } = this.#core.pair;
    if (role === 'primary' && this.#parts.histories.id !== null) this.#serve(wish);
    else if (role === 'contending' && this.#parts.reign.leading) this.#waitingWish = wish;
  }

  /** A solo claim was granted: whoever wished to join meanwhile may. */
  serveWaitingWish(): void {
    const wish = this.#waitingWish;
    this.#waitingWish = null;
    if (wish !== null) this.#serve(wish);
  }

  forgetWaitingWish(): void {
    this.#waitingWish = null;
  }

  #serve(wish: Wish): void {
    const { log, role } = this.#core;
    const inPlace = wish.historyId === this.#parts.histories.id && wish.fromTurn === log.turns;
    role({ kind: 'unprotected', reason: 'the other board joins afresh' });
    this.#parts.handover.failed();
    this.#servedJoin = wish.join;
    this.start(inPlace ? wish.fromTurn : 0);
  }

  /** Sends the history that runs: its notes, and its records from this turn on. */
  start(fromTurn: number): void {
    const { histories, messages, program, records } = this.#parts;
    assert(histories.id !== null, 'a primary has a history');
    records.cut();
    this.reset();
    this.ackedTurns = fromTurn;
    messages.say({
      kind: 'history',
      join: this.#servedJoin,
      historyId: histories.id,
      fromTurn,
      startedAtMs: histories.startedAtMs,
      restarts: program.restarts,
    });
    for (const note of histories.notes) if (note.kind !== 'standing') messages.say({ kind: 'note', note });
    this.#state = { kind: 'reading', nextTurn: fromTurn };
    this.#feed();
    messages.flush();
  }

  // ---------------------------------------------------------------- records

  /** From memory when it reaches back far enough, else from the journal, chunk by chunk. */
  #feed(): void {
    if (this.#state?.kind !== 'reading') return;
    // Before the batches are looked at: the open one belongs to them.
    this.#parts.records.cut();
    const { log } = this.#core;
    const { nextTurn } = this.#state;
    const batches = log.batchesFrom(nextTurn);
    if (batches === null) {
      this.#core.emit({
        kind: 'journal-read',
        historyId: this.#parts.histories.id!,
        fromTurn: nextTurn,
      });
      return;
    }
    for (const batch of batches) this.send(batch);
    this.#state = { kind: 'live' };
    this.#heardAtTurn = null;
  }

  journalChunk(fromTurn: number, batches: Uint8Array[]): void {
    const state = this.#state;
    if (state?.kind !== 'reading' || state.nextTurn !== fromTurn) return;
    for (const bytes of batches) {
      const batch = decodeBatch(bytes);
      let turn = batch.firstTurn;
      for (const record of batch.records) turn += turnsOf(record);
      this.send({ firstTurn: batch.firstTurn, endTurn: turn, bytes });
      state.nextTurn = turn;
    }
    this.#parts.messages.flush();
    if (this.#parts.messages.writable) this.#feed();
    else this.#waitsForRoom = true;
  }

  send(batch: Batch): void {
    const { now } = this.#core;
    const newest = this.#unexecuted.at(-1);
    // One mark for what went out within a few milliseconds is enough to tell how old the lag is.
    if (newest !== undefined && now - newest.sentAt < lagStepMs) newest.endTurn = batch.endTurn;
    else this.#unexecuted.push({ endTurn: batch.endTurn, sentAt: now });
    const sequence = this.#parts.messages.say({ kind: 'records', batch: batch.bytes });
    this.#sentBatches.push({ sequence, endTurn: batch.endTurn });
  }

  /** It has stored every message up to this one. */
  acknowledged(sequence: number): void {
    while (this.#sentBatches.first !== undefined && this.#sentBatches.first.sequence <= sequence) {
      this.ackedTurns = this.#sentBatches.shift()!.endTurn;
    }
  }

  /**
   * A heartbeat says what it keeps. Returns the turns that it has run: counts of another copy, or of none, say that of
   * ours nothing has been.
   */
  heard({ copy, executedTurns, role, term }: Heartbeat): number {
    const { log, pair } = this.#core;
    const isOurs = copy === this.copy;
    const turns = isOurs ? executedTurns : 0;
    this.#executedTurns = turns;
    const isJoining = isOurs && role === 'joining' && term === pair.term;
    if (isJoining && this.live && pair.role === 'primary') this.#heardAtTurn ??= log.turns;
    while (this.#unexecuted.length > 0 && this.#unexecuted[0]!.endTurn <= turns) this.#unexecuted.shift();
    return turns;
  }

  // ---------------------------------------------------------------- what follows from the state reached

  check(): void {
    if (this.#state === null) return;
    const { messages, peer } = this.#parts;
    if (peer.verdict === 'red' && !messages.writable) {
      // Nobody takes the records any more; when the other board is back it has to join afresh.
      this.#state = null;
      this.#dropped = true;
      return;
    }
    if (this.#state.kind === 'live') {
      // What is recorded while nobody hears it has to be caught up with first, like what there was before the join.
      if (peer.verdict === 'red') this.#heardAtTurn = null;
      else this.#protectWhenComplete();
      return;
    }
    if (!this.#waitsForRoom || !messages.writable) return;
    this.#waitsForRoom = false;
    this.#feed();
  }

  #protectWhenComplete(): void {
    const { pair, role } = this.#core;
    const { messages, peer } = this.#parts;
    if (pair.role !== 'primary' || pair.protected || this.#heardAtTurn === null) return;
    if (this.ackedTurns < this.#heardAtTurn || peer.heard?.role !== 'joining') return;
    // A copy whose program is still catching up could not take over within the budget.
    if (this.#executedTurns < this.#heardAtTurn) return;
    messages.say({ kind: 'protected', join: this.#servedJoin, term: pair.term });
    messages.flush();
    role({ kind: 'protected' });
  }

  /** The other board is heard again: records were dropped for it, so that it has to join afresh. */
  askToRejoin(): void {
    if (!this.#dropped || !this.#parts.reign.leading) return;
    this.#dropped = false;
    this.#parts.messages.say({ kind: 'rejoin', join: this.#servedJoin });
  }
}
