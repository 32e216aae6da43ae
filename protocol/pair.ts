/**
 * The role machine of one board (protocol/README.md §10): who leads, under which term, and when.
 *
 *   starting -----> contending -----> primary (solo <-> protected)
 *      |               ^   |              |  ^
 *      v               |   v              v  |
 *   joining ------> backup stepped-down <-+  +-- contending (solo claim: the backup fell silent)
 *
 * Intuition: a role is only a belief; the device decides. Every way to actuation, be it cold start, takeover,
 * switchover or going solo, is a *claim* of a new term at the arbiter device, and the device lets one board win.
 * A claim that loses makes its board step down and join the winner.
 *
 * Rejected alternative: a lease between the boards. It needs bounded clocks and still leaves a window in
 * which both act when a board wakes from a pause; a test-and-set at the device does not.
 *
 * Effects are to be carried out in the order given. `gate` comes before `attach`, so no output of the old
 * reign can pass while a new one is being claimed.
 */
import { leads, lostRecords } from './journal-order.ts';
import { LoneStart } from './lone-start.ts';
import type {
  Claim,
  JournalSummary,
  PairEffect,
  PairInput,
  PairOptions,
  PeerSummary,
  Role,
} from './pair-contract.ts';
import { report } from './pair-report.ts';
import { ReignAwaited } from './reign-awaited.ts';

const handsOver = 'the primary hands over';

export class Pair {
  readonly #options: PairOptions;
  role: Role = 'starting';
  /** The term of the reign this board takes part in; 0 before any. */
  term = 0;
  /** As primary: a backup holds every record that led to an output. As backup: we may take over. */
  protected = false;
  claim: Claim | null = null;
  #claimedTerm = 0;
  /**
   * The claim is made with journals that end before the newest reign: what was done under it, nobody knows, and the program
   * begins anew. That the device is safe, so that nobody leads, is true for a moment only.
   */
  claimsAfresh: 'no' | 'while-safe' | 'whoever-leads' = 'no';
  #claimedAt = 0;
  #journal: JournalSummary = { term: 0, turns: 0 };
  #peer: PeerSummary | null = null;
  #verdict: 'green' | 'yellow' | 'red' = 'red';
  #waitingSince = 0;
  #begun = false;
  #handingOver = false;
  /** Joining, and the primary is silent. */
  #joinBroken = false;
  /** Backup or joining, and since then the other board says that it does not lead. */
  #leaderlessSince: number | null = null;

  readonly #alone: LoneStart;
  readonly #awaited: ReignAwaited;

  constructor(options: PairOptions) {
    this.#options = options;
    this.#alone = new LoneStart(options.waitForPeerMs);
    this.#awaited = new ReignAwaited(options.waitForPeerMs);
  }

  /** The other board as far as it is heard: of one that is silent nothing is known that counts. */
  get peer(): PeerSummary | null {
    return this.#verdict === 'red' ? null : this.#peer;
  }

  get #follows(): boolean {
    return this.role === 'backup' || this.role === 'joining';
  }

  get handingOver(): boolean {
    return this.#handingOver;
  }

  get #isUndecided(): boolean {
    return this.role === 'starting' || this.role === 'stepped-down';
  }

  /** Time of the next tick that matters, or null. */
  get nextWakeAt(): number | null {
    if (!this.#begun) return null;
    if (this.#isUndecided || (this.role === 'joining' && this.#joinBroken)) {
      return this.#waitingSince + this.#options.waitForPeerMs;
    }
    if (this.role === 'contending') return this.#claimedAt + this.#options.claimRetryMs;
    if (this.#follows && this.#leaderlessSince !== null)
      return this.#leaderlessSince + this.#options.waitForPeerMs;
    return null;
  }

  step(now: number, input: PairInput): PairEffect[] {
    switch (input.kind) {
      case 'begin':
        this.#begun = true;
        this.#journal = input.journal;
        this.#waitingSince = now;
        return [this.#waits(), ...this.#decide(now)];
      case 'peer-connected':
        return this.#peerConnected(now, input.peer);
      case 'peer-restarted':
        return this.#peerLost(now, 'the other board restarted', true);
      case 'peer-role':
        return this.#peerRole(now, input.role, input.term);
      case 'verdict':
        this.#verdict = input.verdict;
        if (input.verdict === 'red') {
          return this.#peerLost(now, 'the other board fell silent on every link', false);
        }
        this.#joinBroken = false;
        return [];
      case 'attached':
        return this.#attached(input.term);
      case 'stale':
        return this.#stale(now, input.heldTerm);
      case 'held-term':
        return this.#heldTerm(now, input);
      case 'protected':
        return this.#protectedNow();
      case 'unprotected':
        return this.#unprotected(input.reason);
      case 'new-history':
        if (this.role !== 'primary' || !this.protected) return [];
        // The backup may be claiming at this moment, for the history that it knows: the device lets one of them go on.
        this.protected = false;
        this.#handingOver = false;
        return this.#contend(now, 'solo', this.term + 1, 'a new history begins');
      case 'copy-lost':
        // Too late to be joined again, and not fit to lead: whoever comes back decides.
        if (this.role === 'contending' && this.claim !== 'solo') return this.#stepDown(now, input.reason);
        if (this.role !== 'backup' && this.role !== 'joining') return [];
        this.role = 'joining';
        this.protected = false;
        return [
          report('warning', 'PAIR_FOLLOWING', input.reason),
          { kind: 'follow', fresh: true },
          { kind: 'announce' },
        ];
      case 'replica-failed':
        if (this.role !== 'primary' || !this.protected || this.#handingOver) return [];
        this.#handingOver = true;
        return [{ kind: 'gate', mode: 'closed' }, { kind: 'prepare-handover' }];
      case 'handover':
        if (this.role !== 'backup' || input.term !== this.term) return [];
        return this.#contend(now, input.planned ? 'switchover' : 'takeover', this.term + 1, handsOver);
      case 'handed-over':
        if (!this.#handingOver) return [];
        this.#handingOver = false;
        return this.#stepDown(now, 'handed over to the other board');
      case 'handover-refused':
        if (this.role !== 'stepped-down' || input.term !== this.term) return [];
        return this.#contend(now, 'cold-start', this.term + 1, 'the other board could not take over');
      case 'operator':
        return this.#operator(input.command);
      case 'leave':
        if (this.role !== 'backup' && this.role !== 'joining') return [];
        // The primary goes on alone under its term: a claim of this board could only do harm from here on.
        this.role = 'stopped';
        this.protected = false;
        return [report('info', 'PAIR_LEFT', 'this board is being shut down'), { kind: 'announce' }];
      case 'return':
        if (this.role !== 'stopped') return [];
        // As at a start: who the other board is, the host tells again.
        this.role = 'starting';
        this.#waitingSince = now;
        return [report('info', 'PAIR_RETURNED', 'this board is back in the pair'), { kind: 'announce' }];
      case 'tick':
        return this.#tick(now);
    }
  }

  #waits(): PairEffect {
    const text = `waiting up to ${this.#options.waitForPeerMs} ms for the other board`;
    return report('info', 'PAIR_WAITING_FOR_PEER', text);
  }

  #peerConnected(now: number, peer: PeerSummary): PairEffect[] {
    if (peer.mismatches.length > 0) {
      const text = `the other board differs: ${peer.mismatches.join('; ')}`;
      // A board that leads goes on leading: stopping it would turn a wrong copy into an outage.
      if (this.role === 'primary' || this.role === 'contending')
        return [report('alarm', 'PAIR_MISMATCH', text)];
      this.role = 'stopped';
      return [report('alarm', 'PAIR_MISMATCH', text), { kind: 'stop', code: 'PAIR_MISMATCH' }];
    }
    this.#peer = { ...peer };
    this.#verdict = 'green';
    if (peer.role === 'primary') return this.#peerRole(now, peer.role, peer.term);
    return this.#decide(now);
  }

  #peerRole(now: number, role: Role, term: number): PairEffect[] {
    if (this.#peer !== null) {
      this.#peer.role = role;
      this.#peer.term = Math.max(this.#peer.term, term);
    }
    const leads = role === 'primary' || role === 'contending' || term > this.term;
    this.#leaderlessSince = this.#follows && !leads ? (this.#leaderlessSince ?? now) : null;
    if (role === 'contending' && this.role === 'primary' && this.protected && !this.#handingOver) {
      // It takes us for dead, and acknowledges nothing until the device has decided.
      this.protected = false;
      return this.#contend(now, 'solo', this.term + 1, 'the other board claims the device');
    }
    if (role !== 'primary') return [];
    switch (this.role) {
      case 'starting':
      case 'stepped-down':
        return this.#follow(term);
      case 'contending':
        // The peer leads under a term at least as great as the one we ask for: our claim can only lose.
        if (term >= this.#claimedTerm) return this.#stepDown(now, `the other board leads term ${term}`);
        return [];
      case 'primary':
        return term > this.term ? this.#stepDown(now, `the other board leads term ${term}`) : [];
      case 'joining':
      case 'backup':
        if (term <= this.term) return [];
        // The primary has led alone meanwhile: until it says so again, this copy protects nothing.
        this.term = term;
        this.role = 'joining';
        this.protected = false;
        return [{ kind: 'announce' }];
      case 'stopped':
        return [];
    }
  }

  #follow(term: number): PairEffect[] {
    this.role = 'joining';
    this.#alone.cancel();
    this.#joinBroken = false;
    this.term = term;
    this.claim = null;
    this.protected = false;
    return [
      { kind: 'gate', mode: 'closed' },
      report('info', 'PAIR_FOLLOWING', `joining the primary of term ${term}`),
      { kind: 'follow', fresh: true },
      { kind: 'announce' },
    ];
  }

  #peerLost(now: number, why: string, restarted: boolean): PairEffect[] {
    switch (this.role) {
      case 'backup':
        return this.#contend(now, 'takeover', this.term + 1, why);
      case 'primary':
        // Whom we would hand over to is gone; our own replica may have failed, which the host then reports.
        this.#handingOver = false;
        if (!this.protected) return [];
        this.protected = false;
        return this.#contend(now, 'solo', this.term + 1, why);
      case 'joining':
        this.#waitingSince = now;
        this.#joinBroken = true;
        // The streams of the session outlive a silence, not a restart.
        return restarted ? this.#giveUpJoining(now, why, true) : [];
      default:
        if (restarted) this.#peer = null;
        return [];
    }
  }

  #giveUpJoining(now: number, why: string, restarted: boolean): PairEffect[] {
    // Unprotected: what the dead primary released last is not in our journal. Wait for it, as at a start.
    this.role = 'stepped-down';
    this.#joinBroken = false;
    this.#waitingSince = now;
    if (restarted) this.#peer = null;
    return [
      { kind: 'step-down' },
      report('alarm', 'PAIR_NOT_ELIGIBLE', `${why} while this board was still joining: it cannot take over`),
      { kind: 'announce' },
    ];
  }

  #contend(now: number, claim: Claim, term: number, why: string): PairEffect[] {
    this.role = 'contending';
    this.#alone.cancel();
    this.claim = claim;
    this.#claimedTerm = term;
    this.claimsAfresh = 'no';
    this.#claimedAt = now;
    return [
      { kind: 'gate', mode: 'closed' },
      report('info', 'PAIR_CLAIM', `${why}: asking the device for term ${term} (${claim})`),
      { kind: 'attach', term, claim },
    ];
  }

  #attached(term: number): PairEffect[] {
    if (this.role !== 'contending' || term !== this.#claimedTerm || this.claim === null) return [];
    const claim = this.claim;
    this.role = 'primary';
    this.term = term;
    this.claim = null;
    this.protected = false;
    this.#alone.granted();
    return [
      report('info', 'PAIR_PRIMARY', `primary of term ${term} (${claim})`),
      { kind: 'lead', term, claim, afresh: this.claimsAfresh !== 'no' },
      { kind: 'gate', mode: 'open' },
      report('warning', 'PAIR_SOLO', 'no backup: the next failure stops the program'),
      { kind: 'announce' },
    ];
  }

  #stale(now: number, heldTerm: number): PairEffect[] {
    this.#awaited.named(now, heldTerm);
    if (this.role === 'contending') {
      if (heldTerm < this.#claimedTerm) return [];
      if (this.claim === 'cold-start' && this.peer?.role !== 'primary') {
        // Nobody we know of leads, only our count is behind the device's.
        this.role = 'starting';
        this.claim = null;
        if (this.peer !== null || this.#alone.isOrdered) {
          return this.#coldStart(now, heldTerm, `the device has seen term ${heldTerm}`);
        }
        return this.#alone.stale(heldTerm, this.#journal);
      }
      return this.#stepDown(now, `the device holds term ${heldTerm}, ours would be ${this.#claimedTerm}`);
    }
    if (this.role === 'primary' && heldTerm > this.term) {
      return this.#stepDown(now, `the device follows term ${heldTerm}, ours is ${this.term}`);
    }
    return [];
  }

  #stepDown(now: number, why: string): PairEffect[] {
    this.role = 'stepped-down';
    this.claim = null;
    this.protected = false;
    this.#handingOver = false;
    this.#alone.cancel();
    this.#waitingSince = now;
    const effects: PairEffect[] = [
      { kind: 'gate', mode: 'closed' },
      { kind: 'step-down' },
      report('warning', 'PAIR_STEPPED_DOWN', why),
      { kind: 'announce' },
    ];
    const { peer } = this;
    if (peer?.role === 'primary' && peer.term > this.term) effects.push(...this.#follow(peer.term));
    return effects;
  }

  #protectedNow(): PairEffect[] {
    if (this.role === 'primary' && !this.protected) {
      this.protected = true;
      return [
        { kind: 'gate', mode: 'acknowledged' },
        report('info', 'PAIR_PROTECTED', 'the backup holds every record: protected'),
        { kind: 'announce' },
      ];
    }
    if (this.role === 'joining') {
      this.role = 'backup';
      this.protected = true;
      return [report('info', 'PAIR_BACKUP', `backup of term ${this.term}`), { kind: 'announce' }];
    }
    return [];
  }

  #unprotected(reason: string): PairEffect[] {
    if (this.role === 'primary' && this.protected) {
      // The backup itself says that it will not claim, so going on needs no new term.
      this.protected = false;
      this.#handingOver = false;
      return [{ kind: 'gate', mode: 'open' }, report('alarm', 'PAIR_SOLO', reason), { kind: 'announce' }];
    }
    if (this.role === 'backup') {
      this.role = 'joining';
      this.protected = false;
      return [report('alarm', 'PAIR_NOT_ELIGIBLE', reason), { kind: 'announce' }];
    }
    return [];
  }

  #operator(command: 'switchover' | 'lead'): PairEffect[] {
    if (command === 'lead') {
      if (this.role !== 'starting' && this.role !== 'stepped-down') return [];
      return this.#alone.order();
    }
    if (this.role !== 'primary' || !this.protected || this.#handingOver) {
      return [report('warning', 'PAIR_SWITCHOVER_REFUSED', 'a switchover needs a protected primary')];
    }
    this.#handingOver = true;
    return [{ kind: 'prepare-handover' }];
  }

  #tick(now: number): PairEffect[] {
    if (!this.#begun) return [];
    if (this.role === 'contending' && now - this.#claimedAt >= this.#options.claimRetryMs) {
      if (this.claimsAfresh === 'while-safe')
        return this.#stepDown(now, 'the device does not answer: it is asked again who leads');
      this.#claimedAt = now;
      return [{ kind: 'attach', term: this.#claimedTerm, claim: this.claim! }];
    }
    const hasWaited = now - this.#waitingSince >= this.#options.waitForPeerMs;
    if (this.role === 'joining' && this.#joinBroken && hasWaited) {
      return this.#giveUpJoining(now, 'the other board stayed silent', false);
    }
    if (this.#follows && this.#leaderlessSince !== null) {
      if (now - this.#leaderlessSince < this.#options.waitForPeerMs) return [];
      this.#leaderlessSince = null;
      // It lost the device to a claim that its claimer had given up meanwhile, say, and joins whoever leads.
      const gone = 'the other board leads no more';
      if (this.role === 'joining') return this.#giveUpJoining(now, gone, false);
      return this.#contend(now, 'takeover', this.term + 1, gone);
    }
    if (this.role === 'starting' || this.role === 'stepped-down') return this.#decide(now);
    return [];
  }

  /** Nobody is known to lead. Both boards reckon the same from what they told each other. */
  #decide(now: number): PairEffect[] {
    if (!this.#begun || (this.role !== 'starting' && this.role !== 'stepped-down')) return [];
    const { peer } = this;
    if (peer !== null) {
      if (peer.role === 'primary') return this.#follow(peer.term);
      const isBusy = peer.role === 'contending' || peer.role === 'backup' || peer.role === 'stopped';
      if (isBusy || !leads(this.#options.board, this.#journal, peer.journal)) {
        // The other one's turn. Looked at again later, should it not take it.
        this.#waitingSince = now;
        return [];
      }
      if (this.#awaited.isAwaited(now, Math.max(this.term, peer.term))) return [];
      const newestTerm = Math.max(this.#journal.term, peer.journal.term, this.term, peer.term);
      return this.#coldStart(now, newestTerm, 'both boards are here and this one leads');
    }
    const waited = now - this.#waitingSince;
    if (waited < this.#options.waitForPeerMs) return [];
    this.#waitingSince = now;
    if (this.#options.alone === 'lead') return this.#alone.ask();
    return [report('warning', 'PAIR_WAITING_FOR_PEER', 'no other board; waiting (policy.alone is wait)')];
  }

  /** `newestTerm`: of all reigns that are known of. */
  #coldStart(now: number, newestTerm: number, why: string): PairEffect[] {
    const effects = this.#contend(now, 'cold-start', newestTerm + 1, why);
    const lost = lostRecords(this.#journal, this.peer?.journal ?? null, newestTerm);
    if (lost === null) return effects;
    this.claimsAfresh = 'whoever-leads';
    return [report('alarm', 'PAIR_STALE_JOURNAL', `${lost}: the program is started afresh`), ...effects];
  }

  #heldTerm(now: number, held: PairInput & { kind: 'held-term' }): PairEffect[] {
    const isLed = !held.safe && held.heldTerm < this.#claimedTerm;
    if (this.role === 'contending' && this.claimsAfresh === 'while-safe' && isLed)
      return this.#stepDown(now, 'somebody leads the device after all');
    if (this.role !== 'starting' && this.role !== 'stepped-down') return [];
    const verdict = this.#alone.answered(now, held, this.#journal);
    if (verdict.kind === 'wait') return verdict.effects;
    const effects = this.#contend(now, 'cold-start', held.heldTerm + 1, verdict.why);
    if (verdict.afresh) this.claimsAfresh = this.#alone.isOrdered ? 'whoever-leads' : 'while-safe';
    return effects;
  }

  /** The supervisor keeps this current, for a later start or step-down. */
  journalIs(journal: JournalSummary): void {
    this.#journal = journal;
  }

  /** The same of the other board, as its heartbeats tell. */
  peerJournalIs(journal: JournalSummary): void {
    if (this.#peer !== null) this.#peer.journal = journal;
  }
}
