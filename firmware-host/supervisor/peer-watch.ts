/**
 * What this board knows of the other one: who it is, what its heartbeats say, whether it is heard.
 *
 *   hello, heartbeats --> known, heard --+
 *   datagrams --> FailureDetector -------+--> role machine
 *
 * Silence is judged here and reported, never acted on: who leads is decided by `Pair`. A board that answers under another
 * key is there too, only not ours: it must not be taken for a dead one.
 */
import { WireError } from '../../protocol/bytes.ts';
import type { FailureDetector } from '../../protocol/detector.ts';
import {
  decodeHeartbeat,
  type Heartbeat,
  type Identity,
  type PairMessage,
} from '../../protocol/pair-message.ts';
import type { CoreState } from './core-state.ts';
import { compareIdentity } from './divergence.ts';
import type { Parts } from './parts.ts';

/** Handshakes in a row that our key does not open before they are taken for another key's, and not for damaged ones. */
const keyRefusalsMin = 8;
/** A link that was not heard for so long is reported. */
const linkSilentMs = 500;

type Hello = Extract<PairMessage, { kind: 'hello' }>;
type Others = Pick<
  Parts,
  'divergence' | 'follower' | 'gate' | 'handover' | 'histories' | 'joining' | 'messages' | 'reign'
>;

export class PeerWatch {
  readonly #core: CoreState;
  readonly #parts: Others;
  readonly #detector: FailureDetector;
  #identity: Identity = { programHash: '', runtime: {} };
  #begunAt = 0;
  /** Keys were agreed with it since this board's start. */
  connected = false;
  #hello: Hello | null = null;
  /** Its newest heartbeat, or null for none since it was started. */
  heard: Heartbeat | null = null;
  verdict: 'green' | 'yellow' | 'red' = 'red';
  #wasRed = false;
  readonly #silentLinks = new Set<number>();
  #keyRefusals = 0;
  /** Those of them that came while this board was starting. */
  #keyRefusalsAtStart = 0;
  /** When the kernel said that nobody listens at the other board's address; null when a signal has refuted it since. */
  #goneAt: number | null = null;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
    this.#detector = core.options.detector;
  }

  begin(identity: Identity): void {
    this.#identity = identity;
    this.#begunAt = this.#core.now;
  }

  // ---------------------------------------------------------------- who it is

  /** New keys; `restarted` when the other board is another process than before, or the first one. */
  keysAgreed(restarted: boolean): void {
    if (!restarted) return;
    const { follower, handover, histories, joining, messages, reign } = this.#parts;
    const { options, pair, role } = this.#core;
    const again = this.connected;
    this.connected = true;
    this.keyConfirmed();
    this.#hello = null;
    this.heard = null;
    follower.forget();
    joining.forgetDeliveries();
    if (again) role({ kind: 'peer-restarted' });
    if (reign.leading) handover.failed();
    messages.say({
      kind: 'hello',
      board: options.board,
      identity: this.#identity,
      historyId: histories.id,
      role: pair.role,
      term: pair.term,
      journalTerm: histories.journalTerm,
      journalTurns: histories.journalTurns,
    });
    messages.flush();
  }

  hello(hello: Hello): void {
    this.#hello = hello;
    const term = Math.max(hello.term, this.heard?.term ?? 0);
    this.#introduce(hello, term, compareIdentity(this.#identity, hello.identity));
  }

  /** This board is part of the pair again, and its role machine knows nobody. */
  introduceAgain(): void {
    if (this.#hello !== null && this.verdict !== 'red') this.#reintroduce(this.#hello);
  }

  /** The links are back after a silence in which either board may have changed its mind. */
  #reintroduce(hello: Hello): void {
    this.#introduce(hello, this.heard?.term ?? hello.term, []);
  }

  #introduce(hello: Hello, term: number, mismatches: string[]): void {
    const journal = { term: hello.journalTerm, turns: hello.journalTurns };
    const role = this.heard?.role ?? hello.role;
    this.#core.role({ kind: 'peer-connected', peer: { role, term, journal, mismatches } });
  }

  // ---------------------------------------------------------------- heartbeats

  /** What this board's own heartbeats say. */
  ownHeartbeat(): Heartbeat {
    const { pair, runner, streams } = this.#core;
    const { follower, gate, histories, joining } = this.#parts;
    return {
      role: pair.role,
      term: pair.term,
      protected: pair.protected,
      copy: pair.role === 'primary' ? follower.copy : joining.copy,
      journalTerm: histories.journalTerm,
      turns: histories.journalTurns,
      executedTurns: runner.executedTurns,
      releasedTurns: gate.releasedTurns,
      confirmed: streams.map((stream) => ({ session: stream.session ?? 0, outputs: stream.confirmed })),
    };
  }

  heartbeat(link: number, payload: Uint8Array): void {
    this.#detector.signal(link, this.#core.now);
    this.#goneAt = null;
    let heartbeat: Heartbeat;
    try {
      heartbeat = decodeHeartbeat(payload);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#core.report('warning', 'PEER_HEARTBEAT_UNREADABLE', error.message);
      return;
    }
    const { pair } = this.#core;
    const { divergence, follower, gate, joining } = this.#parts;
    const { role, term } = heartbeat;
    const isNews = this.heard === null || role !== this.heard.role || term !== this.heard.term;
    this.heard = heartbeat;
    pair.peerJournalIs({ term: heartbeat.journalTerm, turns: heartbeat.turns });
    if (isNews && this.#hello !== null) this.#core.role({ kind: 'peer-role', role, term });
    const { copy } = heartbeat;
    if (role === 'primary' && term === pair.term && copy !== 0 && copy === joining.copy) {
      gate.forgetReleased(heartbeat);
    }
    if (follower.present) divergence.executed(follower.heard(heartbeat));
  }

  // ---------------------------------------------------------------- silence

  /** The kernel says that nobody listens at the other board's address. */
  gone(): void {
    this.#goneAt ??= this.#core.now;
    this.#detector.peerGone(this.#core.now);
  }

  /** This board was not running for so long: what it did not hear meanwhile is no silence. */
  paused(gapMs: number): void {
    this.#detector.paused(this.#core.now, gapMs);
    this.#goneAt = null;
  }

  /** Time at which the verdict can change next, or null. */
  get dueAt(): number | null {
    return this.#detector.nextChangeAt(this.#core.now);
  }

  silentForMs(now: number): number | null {
    return this.connected ? this.#detector.silentForMs(now) : null;
  }

  observe(): void {
    if (this.connected) {
      this.#observeVerdict();
      this.#observeLinks();
    }
    this.#observeKey();
  }

  #observeVerdict(): void {
    const { now, pair, role } = this.#core;
    const verdict = this.#detector.verdict(now);
    if (verdict === this.verdict) return;
    this.verdict = verdict;
    if (verdict === 'red') this.#parts.handover.failed();
    this.#reportVerdict();
    role({ kind: 'verdict', verdict });
    if (verdict !== 'red') this.#parts.follower.askToRejoin();
    if (verdict === 'green' && this.heard !== null && this.#hello !== null) {
      role({ kind: 'peer-role', role: this.heard.role, term: this.heard.term });
      if (pair.role === 'stepped-down' || pair.role === 'starting') this.#reintroduce(this.#hello);
    }
  }

  #reportVerdict(): void {
    if (this.verdict === 'red') {
      const silentForMs = Math.round(this.#detector.silentForMs(this.#core.now));
      const text = `the other board is silent on every link (${silentForMs} ms)`;
      this.#core.report('alarm', 'PEER_RED', text, { silentForMs, ...this.#evidence() });
      this.#wasRed = true;
    } else if (this.verdict === 'green' && this.#wasRed) {
      this.#core.report('info', 'PEER_GREEN', 'the other board is heard again on every link');
      this.#wasRed = false;
    }
  }

  /** What the verdict was reached from, for `explain` on the console. */
  #evidence(): { links: Record<string, number>; kernelNoticeMsBefore: number | null } {
    const { now, options } = this.#core;
    const links: Record<string, number> = {};
    options.linkNames.forEach((name, link) => {
      links[name] = Math.round(now - (options.session.lastHeardAt(link) ?? this.#begunAt));
    });
    const kernelNoticeMsBefore = this.#goneAt === null ? null : Math.round(now - this.#goneAt);
    return { links, kernelNoticeMsBefore };
  }

  /** One cable gone is no takeover, but somebody should look at it. */
  #observeLinks(): void {
    if (this.verdict === 'red') return;
    const { now, options } = this.#core;
    const { linkNames, session } = options;
    for (let link = 0; link < linkNames.length; link++) {
      const silent = now - (session.lastHeardAt(link) ?? this.#begunAt) > linkSilentMs;
      if (silent === this.#silentLinks.has(link)) continue;
      const name = linkNames[link]!;
      if (silent) {
        this.#silentLinks.add(link);
        const text = `nothing is heard on the ${name} link; the pair goes on over the other`;
        this.#core.report('warning', 'LINK_SILENT', text, { link: name, ...this.#evidence() });
      } else {
        this.#silentLinks.delete(link);
        this.#core.report('info', 'LINK_HEARD', `the ${name} link is back`, { link: name });
      }
    }
  }

  // ---------------------------------------------------------------- another key

  discarded(reason: string): void {
    // Only the responder can tell: to board a a handshake refused is one of its own answered too late.
    if (reason !== 'CHANNEL_HANDSHAKE' || this.#core.options.board === 'a') return;
    if (this.connected && this.verdict !== 'red') return;
    this.#keyRefusals += 1;
    if (this.#core.pair.role === 'starting') this.#keyRefusalsAtStart += 1;
    if (this.#keyRefusals !== keyRefusalsMin) return;
    const text = 'the other board answers, but not with our pair key';
    this.#core.report('alarm', 'PEER_KEY_MISMATCH', text);
  }

  /** One that opens among those that do not: the key is ours, and a cable damages what it carries. */
  keyConfirmed(): void {
    this.#keyRefusals = 0;
    this.#keyRefusalsAtStart = 0;
  }

  /** A board that has waited in vain does not claim the device: the other one is there, only not ours. */
  #observeKey(): void {
    const { exiting, now, options, pair } = this.#core;
    if (exiting || this.#keyRefusalsAtStart < keyRefusalsMin || pair.role !== 'starting') return;
    if (now - this.#begunAt >= options.pair.waitForPeerMs) this.#core.exit('PEER_KEY_MISMATCH');
  }
}
