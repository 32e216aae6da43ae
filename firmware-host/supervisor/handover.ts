/**
 * Handover: the primary passes the reign on while both boards live: the operator wants it, its replica has failed, or
 * it has lost the device.
 *
 *   under way: no turn begins -> all records are sent -> `handover` is sent, the gate closes -> acknowledged: step down
 *                                                         |
 *   the backup: it has every record and this message -----+-> claims the next term
 *
 * Because the message comes after the last record and is acknowledged like one, the backup has them all when it claims.
 * A failed replica cannot go on here: when the handover fails too, the fault counts as the program's.
 */
import type { PairMessage } from '../../protocol/pair-message.ts';
import type { CoreState } from './core-state.ts';
import type { Parts } from './parts.ts';

type Others = Pick<Parts, 'gate' | 'leaving' | 'messages' | 'program' | 'records'>;

export class Handover {
  readonly #core: CoreState;
  readonly #parts: Others;
  /** `failed`: the replica did, so this board cannot go on by itself. */
  #state: { planned: boolean; failed: boolean; reason: string; sequence: number | null } | null = null;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  get underWay(): boolean {
    return this.#state !== null;
  }

  forget(): void {
    this.#state = null;
  }

  /** There is nothing left to hand over. */
  abandon(): void {
    this.#state = null;
    this.#parts.leaving.cannotHandOver();
  }

  // ---------------------------------------------------------------- why

  operator(command: 'switchover' | 'lead', reason: string): void {
    const { pair, role } = this.#core;
    if (command === 'switchover' && (pair.role === 'backup' || pair.role === 'joining')) {
      this.#parts.messages.say({ kind: 'operator', command: 'switchover' });
      this.#parts.messages.flush();
      return;
    }
    this.#core.report('info', 'OPERATOR', `${command}: ${reason}`, { command, reason });
    role({ kind: 'operator', command });
    if (this.#state !== null && this.#state.sequence === null) this.#state.reason = reason;
  }

  /** The role machine agrees to hand over; for another reason than those below, it is the operator's. */
  prepare(): void {
    this.#state ??= { planned: true, failed: false, reason: 'switchover', sequence: null };
  }

  replicaFailed(reason: string): void {
    this.#state = { planned: false, failed: true, reason, sequence: null };
    this.#core.role({ kind: 'replica-failed' });
  }

  /** This board cannot actuate. */
  because(reason: string): void {
    if (this.#state !== null) return;
    this.#state = { planned: false, failed: false, reason, sequence: null };
    this.#core.role({ kind: 'replica-failed' });
  }

  // ---------------------------------------------------------------- on the primary

  /** All records are on their way: the other board may go on. */
  sendWhenRecorded(): void {
    const { pair, runner } = this.#core;
    const state = this.#state;
    if (state === null || state.sequence !== null || !pair.handingOver || runner.busy) return;
    this.#parts.records.cut();
    const { planned, reason } = state;
    state.sequence = this.#parts.messages.say({ kind: 'handover', term: pair.term, planned, reason });
    this.#parts.gate.mode = 'closed';
    this.#parts.messages.flush();
  }

  /** The other board has stored every message up to this one. */
  acknowledged(sequence: number): void {
    const sent = this.#state?.sequence ?? null;
    if (sent === null || sequence < sent) return;
    this.#state = null;
    this.#core.role({ kind: 'handed-over' });
    if (this.#parts.leaving.begun) this.#core.exit('LEFT');
  }

  /** Whom we were handing over to is gone. */
  failed(): void {
    const state = this.#state;
    this.abandon();
    if (state?.failed) this.#parts.program.fault('HANDOVER_FAILED', state.reason);
  }

  // ---------------------------------------------------------------- on the backup

  received({ term, planned, reason }: Extract<PairMessage, { kind: 'handover' }>): void {
    const { log, pair, role } = this.#core;
    this.#core.report('warning', 'HANDOVER', `the primary hands over: ${reason}`, {
      planned,
      reason,
    });
    if (!planned) this.#parts.program.suspectFrom(log.turns);
    if (pair.role !== 'backup' && pair.role !== 'contending') {
      this.#parts.messages.say({ kind: 'handover-refused', term });
      return;
    }
    role({ kind: 'handover', term, planned });
  }
}
