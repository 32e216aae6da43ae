/**
 * This board as the copy of the other one: the backup's side of a join, and of what follows it.
 *
 *   follow: the wish --> adopt: the history --> receive: records -> replica, journal -> `stored` -> acknowledgement
 *      ^                                            |
 *      +--- any doubt about the copy ---------------+
 *
 * The primary's side is in `follower.ts`. An acknowledgement is a promise: this board has the records and, when it takes
 * over, runs all of them. So it comes after the journal (journal BEFORE acknowledge), and none is given once
 * this copy has named its counts to the device. A doubtful copy is never mended: it joins again from the start.
 */
import { WireError } from '../../protocol/bytes.ts';
import { copyName, type PairMessage } from '../../protocol/pair-message.ts';
import { decodeBatch, type RecordBatch } from '../../protocol/record.ts';
import type { CoreState } from './core-state.ts';
import type { Parts } from './parts.ts';

/** A message of the other board: the acknowledgement names the last one that this board has stored. */
interface Delivery {
  sequence: number;
  stream: number;
}

type Others = Pick<Parts, 'gate' | 'histories' | 'messages' | 'program' | 'reign' | 'turns'>;

export class Joining {
  readonly #core: CoreState;
  readonly #parts: Others;
  /** The records that come belong to this board's copy. */
  following = false;
  /** The primary says those of another history, which this board has not taken up. */
  #isElsewhere = false;
  /** Number of our newest wish to join. */
  #join = 0;
  /** The term under which we wished to. */
  #joinTerm = 0;
  /** Not before this time: a copy that fails at once must not keep the bus busy with its joining. */
  #notBefore = 0;
  /** When a postponed wish is made, or null. */
  followAt: number | null = null;
  /** The port to the arbiter is missing: the wish to join waits for it. */
  #followsWhenOpen = false;
  /** Deliveries that wait for the disk, with the turns that have to be durable for each. */
  #storing: (Delivery & { turns: number })[] = [];
  /** Records of this stream were refused: an acknowledgement would count for them too. */
  #refusedRecords = false;
  /** Number of the message by which the primary learns that its records are not kept any more, until it has it. */
  #farewell: number | null = null;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  /** Name of the copy that this board keeps, 0 for none. */
  get copy(): number {
    const { id } = this.#parts.histories;
    return this.following && id !== null ? copyName(id, this.#core.options.board, this.#join) : 0;
  }

  // ---------------------------------------------------------------- the wish

  follow(): void {
    const { arbiter, now, pair } = this.#core;
    const { histories, messages, reign } = this.#parts;
    reign.leading = false;
    this.following = false;
    // Whatever is still said of an earlier wish is void, also while this one waits.
    this.#join += 1;
    // Who cannot reach the device could not take over, and must not be taken for a backup.
    this.#followsWhenOpen = arbiter !== null && !arbiter.opened;
    if (this.#followsWhenOpen) return;
    this.followAt = now < this.#notBefore ? this.#notBefore : null;
    if (this.followAt !== null) return;
    this.#joinTerm = pair.term;
    messages.say({ kind: 'follow', join: this.#join, historyId: histories.id, fromTurn: 0 });
    messages.flush();
  }

  followWhenDue(): void {
    if (this.followAt === null || this.followAt > this.#core.now) return;
    this.followAt = null;
    if (this.#core.pair.role === 'joining') this.follow();
  }

  /** The next wish waits a while. */
  postpone(): void {
    this.#notBefore = this.#core.now + this.#core.options.restartDelayMs;
  }

  arbiterOpened(): void {
    if (this.#followsWhenOpen && this.#core.pair.role === 'joining') this.follow();
  }

  /** The other board was started anew: what it had sent is not acknowledged to the new one. */
  forgetDeliveries(): void {
    this.#storing = [];
    this.#farewell = null;
  }

  /** This board is a copy of nobody any more, and a primary that counts on it has to know. */
  giveUp(): void {
    if (!this.following) return;
    this.following = false;
    const reason = `board ${this.#core.options.board} has given up its copy`;
    this.#parts.messages.say({ kind: 'not-eligible', reason, report: null });
    this.#parts.messages.flush();
  }

  /** The copy is given up: what was stored of it need not reach the disk any more before it is acknowledged. */
  copyGone(): void {
    for (const delivery of this.#storing) delivery.turns = 0;
  }

  /** The other board is told that this one is no copy of it, or not yet. */
  said(sequence: number): void {
    this.#farewell = sequence;
  }

  /** The other board has dealt with every message up to this one. */
  heard(sequence: number): void {
    if (this.#farewell === null || sequence < this.#farewell) return;
    this.#farewell = null;
    this.acknowledgeStored();
  }

  // ---------------------------------------------------------------- what the primary says

  history(message: Extract<PairMessage, { kind: 'history' }>): void {
    const { pair, role } = this.#core;
    const { histories, program } = this.#parts;
    if (message.join !== this.#join) return;
    if (pair.role === 'backup') role({ kind: 'unprotected', reason: 'the primary began a new history' });
    if (pair.role !== 'joining') {
      this.#isElsewhere = true;
      return;
    }
    this.following = true;
    this.#isElsewhere = false;
    program.restartsAre(message.restarts);
    histories.adopt(message);
    // Until the primary hears which copy this board keeps, it counts on none.
    this.#parts.messages.announce();
  }

  note(message: Extract<PairMessage, { kind: 'note' }>): void {
    // One of a history that was sent for an earlier wish, or that this board did not take up.
    if (!this.following || this.#isElsewhere) return;
    this.#parts.histories.adoptNote(message.note);
  }

  protected(message: Extract<PairMessage, { kind: 'protected' }>): void {
    const { pair, role } = this.#core;
    if (message.join !== this.#join) return;
    // The first that is heard of its new term may be this, before any heartbeat.
    if (message.term > pair.term) role({ kind: 'peer-role', role: 'primary', term: message.term });
    if (message.term === pair.term) role({ kind: 'protected' });
  }

  /** A reign that is not the one we wished to join: its records do not go on where ours end. */
  reign(term: number): void {
    if (this.#joinTerm < term) this.#copyLost(`the copy is of a reign before term ${term}`);
  }

  rejoin(join: number): void {
    if (join === this.#join) this.#copyLost('the primary dropped records for this board while it was silent');
  }

  #copyLost(reason: string): void {
    this.#core.role({ kind: 'copy-lost', reason });
  }

  // ---------------------------------------------------------------- records, and their acknowledgement

  receive({ sequence, stream }: Delivery, bytes: Uint8Array): void {
    if (this.#claimsTheDevice) {
      // The counts that were named to the device are this copy's last word: what comes later is neither run nor
      // acknowledged, so nothing of it can have been released.
      this.#refusedRecords = true;
      return;
    }
    this.#takeRecords(bytes);
    this.#storing.push({ sequence, stream, turns: this.#core.log.turns });
    this.acknowledgeStored();
  }

  #takeRecords(bytes: Uint8Array): void {
    if (!this.following || this.#isElsewhere) return;
    const { log } = this.#core;
    let batch: RecordBatch;
    try {
      batch = decodeBatch(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#copyLost(`records unreadable: ${error.message}`);
      return;
    }
    if (batch.firstTurn !== log.turns) {
      if (batch.firstTurn > log.turns)
        this.#copyLost(`records from turn ${batch.firstTurn} came, ${log.turns} is next`);
      return;
    }
    const turns = this.#parts.turns.replay(batch, bytes);
    this.#core.emit({ kind: 'journal-batch', batch: bytes, turns });
  }

  /** A copy that has asked for the device. */
  get #claimsTheDevice(): boolean {
    return this.following && this.#core.pair.role === 'contending' && !this.#parts.reign.claimWaits;
  }

  /**
   * To a primary that takes this board for its backup an acknowledgement means that its records are kept. So none is given
   * of records that come after they no longer are, until the primary knows. Once this board leads itself nobody can
   * release anything by its acknowledgements: the device follows its term.
   */
  get #isUnderstood(): boolean {
    return this.following || this.#farewell === null || this.#core.pair.role === 'primary';
  }

  /** A message without records was dealt with; it is acknowledged in its turn. */
  stored({ sequence, stream }: Delivery): void {
    if (this.#refusedRecords && this.#claimsTheDevice) return;
    this.#refusedRecords = false;
    if (this.#storing.length > 0) this.#storing.push({ sequence, stream, turns: this.#core.log.turns });
    else this.#parts.messages.step({ kind: 'stored', sequence, stream });
  }

  /** Journal BEFORE acknowledge: under fsync `always` the acknowledgement waits for the disk. */
  acknowledgeStored(): void {
    if (this.#refusedRecords && this.#claimsTheDevice) return;
    if (!this.#isUnderstood) return;
    const isDiskWaitedFor = this.#core.options.fsync === 'always';
    let stored: Delivery | null = null;
    while (this.#storing.length > 0) {
      const first = this.#storing[0]!;
      if (isDiskWaitedFor && first.turns > this.#parts.gate.durableTurns) break;
      stored = first;
      this.#storing.shift();
    }
    if (stored === null) return;
    const { sequence, stream } = stored;
    this.#parts.messages.step({ kind: 'stored', sequence, stream });
  }
}
