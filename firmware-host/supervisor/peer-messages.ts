/**
 * What the two boards say to each other: the way out into the session, and from the session to the part it is for.
 *
 *   any part -> say, flush -> Session -> transmit -> links
 *   links -> datagram -> Session -> heartbeat, deliver, acknowledged -> peer watch, joining, follower, handover, ...
 *
 * A message is acknowledged to the other board when it has been dealt with; records have their own rule
 * (`joining.ts`). What cannot be read is reported and dropped: it must not stop what comes after it.
 */
import { WireError } from '../../protocol/bytes.ts';
import {
  decodePairMessage,
  encodeHeartbeat,
  encodePairMessage,
  type Heartbeat,
  type PairMessage,
} from '../../protocol/pair-message.ts';
import type { SessionEffect, SessionInput } from '../../protocol/session-contract.ts';
import type { CoreState } from './core-state.ts';
import type { Parts } from './parts.ts';

type Others = Pick<Parts, 'divergence' | 'follower' | 'handover' | 'joining' | 'orders' | 'peer' | 'program'>;

export class PeerMessages {
  readonly #core: CoreState;
  readonly #parts: Others;
  #isFlushWanted = false;
  /** What this board's heartbeats say at present. */
  #said: Heartbeat | null = null;
  /** When the session wants a tick, or null. */
  wakeAt: number | null = null;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  begin(): void {
    this.wakeAt = this.#core.now;
  }

  // ---------------------------------------------------------------- out

  /** The session takes more: what the other board has not acknowledged is within bounds. */
  get writable(): boolean {
    return this.#core.options.session.writable;
  }

  /** Returns the message's sequence, by which its acknowledgement is known. Goes out with the next `flush`. */
  say(message: PairMessage): number {
    const sequence = this.#core.options.session.nextSequence;
    this.#isFlushWanted = true;
    if (message.kind === 'not-eligible' || message.kind === 'follow') this.#parts.joining.said(sequence);
    this.step({ kind: 'send', message: encodePairMessage(message) });
    return sequence;
  }

  flush(): void {
    this.#isFlushWanted = false;
    this.step({ kind: 'flush' });
  }

  flushWhenWanted(): void {
    if (this.#isFlushWanted) this.flush();
  }

  /** At the end of every step, of which most change nothing that a heartbeat says. */
  refreshHeartbeat(): void {
    const heartbeat = this.#parts.peer.ownHeartbeat();
    if (this.#said !== null && saysTheSame(this.#said, heartbeat)) return;
    this.#said = heartbeat;
    this.step({ kind: 'heartbeat-payload', bytes: encodeHeartbeat(heartbeat) });
  }

  /** The role has changed: the other board need not wait for the next heartbeat to know. */
  announce(): void {
    this.refreshHeartbeat();
    this.step({ kind: 'heartbeat-now' });
  }

  // ---------------------------------------------------------------- in

  tickWhenDue(): void {
    if (this.wakeAt === null || this.wakeAt > this.#core.now) return;
    this.wakeAt = null;
    this.step({ kind: 'tick' });
  }

  step(input: SessionInput): void {
    for (const effect of this.#core.options.session.step(this.#core.now, input)) this.#carryOut(effect);
  }

  #carryOut(effect: SessionEffect): void {
    const { follower, handover, joining, orders, peer } = this.#parts;
    switch (effect.kind) {
      case 'transmit':
        this.#core.emit(effect);
        return;
      case 'deliver':
        return this.#deliver(effect);
      case 'acknowledged':
        follower.acknowledged(effect.sequence);
        joining.heard(effect.sequence);
        orders.acknowledged(effect.sequence);
        return handover.acknowledged(effect.sequence);
      case 'heartbeat':
        return peer.heartbeat(effect.link, effect.payload);
      case 'peer-connected':
        return peer.keysAgreed(effect.restarted);
      case 'handshake-answered':
        return peer.keyConfirmed();
      case 'discarded':
        return peer.discarded(effect.reason);
      case 'wake':
        this.wakeAt = effect.at;
        return;
    }
  }

  #deliver(delivery: Extract<SessionEffect, { kind: 'deliver' }>): void {
    const { joining } = this.#parts;
    let message: PairMessage;
    try {
      message = decodePairMessage(delivery.message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#core.report('warning', 'PEER_MESSAGE_UNREADABLE', error.message);
      joining.stored(delivery);
      return;
    }
    if (message.kind === 'records') {
      joining.receive(delivery, message.batch);
      return;
    }
    this.#handle(message);
    joining.stored(delivery);
  }

  #handle(message: Exclude<PairMessage, { kind: 'records' }>): void {
    const { divergence, follower, handover, joining, orders, peer, program } = this.#parts;
    switch (message.kind) {
      case 'hello':
        return peer.hello(message);
      case 'follow':
        return follower.wish(message);
      case 'not-eligible':
        return follower.notEligible(message);
      case 'history':
        return joining.history(message);
      case 'note':
        return joining.note(message);
      case 'protected':
        return joining.protected(message);
      case 'reign':
        return joining.reign(message.term);
      case 'rejoin':
        return joining.rejoin(message.join);
      case 'handover':
        return handover.received(message);
      case 'handover-refused':
        return this.#core.role({ kind: 'handover-refused', term: message.term });
      case 'operator':
        return orders.givenElsewhere(message.command);
      case 'trace-request':
        return divergence.sendTrace(message.turn);
      case 'trace':
        return divergence.traceArrived(message.turn, message.outputs);
      case 'program-exit':
        return program.endedElsewhere(message.code);
    }
  }
}

function saysTheSame(left: Heartbeat, right: Heartbeat): boolean {
  if (
    left.role !== right.role ||
    left.term !== right.term ||
    left.protected !== right.protected ||
    left.copy !== right.copy ||
    left.journalTerm !== right.journalTerm ||
    left.turns !== right.turns ||
    left.executedTurns !== right.executedTurns ||
    left.releasedTurns !== right.releasedTurns
  ) {
    return false;
  }
  for (let device = 0; device < left.confirmed.length; device++) {
    const one = left.confirmed[device]!;
    const other = right.confirmed[device]!;
    if (one.session !== other.session || one.outputs !== other.outputs) return false;
  }
  return true;
}
