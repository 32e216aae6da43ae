/**
 * A reign of this board: from the claim at the device to stepping down.
 *
 *   claim -> (the replica runs all it was sent) -> attach at the arbiter -> granted: lead -> ... -> stepDown
 *                                                                            |
 *     cold start without records, or records that do not fit the device -----+--> a new history
 *     takeover, switchover, cold start from a journal -----------------------+--> go on where the records end
 *     solo claim: this board led all along ----------------------------------+--> nothing changes
 *
 * `Pair` decides when; here is how. The device is asked last, when this board's counts are complete, because what it
 * answers (how many outputs it has accepted) is compared with them.
 */
import type { Claim } from '../../protocol/pair-contract.ts';
import type { CoreState } from './core-state.ts';
import type { Parts } from './parts.ts';

type Others = Pick<
  Parts,
  | 'devices'
  | 'divergence'
  | 'follower'
  | 'handover'
  | 'histories'
  | 'joining'
  | 'leaving'
  | 'messages'
  | 'orders'
  | 'peer'
  | 'program'
  | 'requests'
>;

export class Reign {
  readonly #core: CoreState;
  readonly #parts: Others;
  /** The program's turns begin here, and what it does is done by this board. */
  leading = false;
  /** The claim that has not been named to the device. */
  #pendingClaim: { term: number } | null = null;
  #lastClaim: { term: number } | null = null;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  // ---------------------------------------------------------------- the claim

  claim(term: number): void {
    this.#lastClaim = { term };
    this.#pendingClaim = this.#lastClaim;
  }

  /** The device was restarted before it had answered. */
  claimAgain(): void {
    this.#pendingClaim = this.#lastClaim;
  }

  get claimWaits(): boolean {
    return this.#pendingClaim !== null;
  }

  /** The claim goes to the device when the replica has run all it was sent, so that its counts are complete. */
  attachWhenDrained(): void {
    const { arbiter, log, pair, role, runner } = this.#core;
    const { devices, histories } = this.#parts;
    if (this.#pendingClaim === null || pair.role !== 'contending' || this.#parts.orders.safe) return;
    if (pair.claimsAfresh !== 'no') return this.#attachAfresh(this.#pendingClaim.term);
    if (histories.resuming || (pair.claim !== 'solo' && runner.busy)) return;
    if (pair.claim !== 'solo' && runner.executedTurns < log.turns) {
      // The replica has failed or was stopped since: the journal brings another one to where this board stands.
      histories.resume(log.turns);
      return;
    }
    const { term } = this.#pendingClaim;
    this.#pendingClaim = null;
    if (arbiter === null) role({ kind: 'attached', term });
    else devices.attach(arbiter, term);
  }

  /** The program begins anew: this board's copy, and the counts it stands at, are not waited for. */
  #attachAfresh(term: number): void {
    const { arbiter, role } = this.#core;
    this.#pendingClaim = null;
    this.#parts.histories.continuityLost = true;
    if (arbiter === null) role({ kind: 'attached', term });
    else this.#parts.devices.takeAnew(arbiter, term);
  }

  // ---------------------------------------------------------------- granted

  lead(term: number, claim: Claim, afresh: boolean): void {
    const { arbiter, log, options, streams } = this.#core;
    const { devices, follower, histories, joining, messages, peer } = this.#parts;
    this.leading = true;
    joining.following = false;
    for (const stream of streams) {
      if (stream !== arbiter && stream.controller !== null) devices.attach(stream, term);
    }
    if (claim !== 'solo') {
      histories.ledByJournal = claim === 'cold-start';
      follower.forget();
      if (peer.connected) messages.say({ kind: 'reign', term });
      // Without a turn recorded the program has not begun: nothing is lost by starting it here.
      if (log.turns === 0 || histories.continuityLost || afresh) return this.#beginAnew();
    }
    histories.note({ kind: 'term', term, turn: log.turns, board: options.board });
    if (claim === 'solo') {
      follower.serveWaitingWish();
      return;
    }
    follower.forgetWaitingWish();
    this.#goOn();
  }

  #beginAnew(): void {
    const { histories, program } = this.#parts;
    histories.continuityLost = false;
    const isSuspect = program.isSuspect;
    histories.begin('cold start', this.#core.arbiter);
    // A program that failed at the other board before its first turn may fail here alike.
    if (isSuspect) program.suspectFrom(0);
  }

  /** The program goes on where the records end; what the last reign left undone is done again. */
  #goOn(): void {
    const { clock, now, streams } = this.#core;
    clock.takeOver(now);
    this.#parts.requests.restart();
    const unknown: { device: string; bytes: number }[] = [];
    for (const stream of streams) {
      if (stream.controller !== null) continue;
      const bytes = stream.produced - stream.confirmed;
      if (bytes > 0) unknown.push({ device: stream.options.name, bytes });
      stream.rewind(stream.confirmed);
    }
    if (unknown.length === 0) return;
    const text = 'outputs to plain devices whose fate is unknown are sent again';
    this.#core.report('warning', 'OUTPUTS_OF_UNKNOWN_FATE', text, { devices: unknown });
  }

  // ---------------------------------------------------------------- its end

  stepDown(): void {
    const { runner } = this.#core;
    const { devices, divergence, follower, handover, histories, joining, leaving, program } = this.#parts;
    this.leading = false;
    joining.giveUp();
    this.#pendingClaim = null;
    handover.forget();
    follower.steppedDown();
    program.steppedDown();
    divergence.steppedDown();
    devices.restartAt = null;
    leaving.steppedDown();
    // What waited for this board's reign is done again by whoever leads next.
    if (runner.events.some((event) => event.kind === 'port-lost')) histories.continuityLost = true;
    runner.events.length = 0;
    devices.letGo();
    histories.summarize();
  }
}
