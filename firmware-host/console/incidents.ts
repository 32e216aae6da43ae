/**
 * Why it happened: the board's reports, read as incidents with a cause, a chain of what followed, and the rule that decided.
 *
 *   reports in order -> an incident begins (silence, a failed replica, an order, a lost device session, ...)
 *                    -> what follows joins it: the claim, the device's answer
 *                    -> decided: takeover, switchover, solo, cold-start, stepped-down, no-takeover
 *
 * Nothing is guessed from times: every step is a report of the supervisor, which names its cause in `details`
 * (supervisor.ts, peer-watch.ts). One board tells its own side; the other side is in the other board's list.
 */
import type { EventOnConsole, Incident, IncidentCause, IncidentRule } from './console-schema.ts';
import { ruleSections } from './incident-rules.ts';

export interface IncidentLogOptions {
  board: 'a' | 'b';
  detectionTimeoutMs: number;
  suspectTimeoutMs: number;
}

/** Incidents that are remembered. */
export const incidentsMax = 16;
/** What one incident tells: more are told by `events`. */
const sentencesMax = 24;

const replicaCauses: Record<string, IncidentCause> = {
  PROGRAM_THREW: 'REPLICA_THREW',
  PROGRAM_HANGS: 'REPLICA_HUNG',
  REPLICA_EXITED: 'REPLICA_ENDED',
};

type Details = Record<string, unknown>;
type Outcome = Incident['outcome'];
interface Beginning {
  event: EventOnConsole;
  cause: IncidentCause;
  rule: IncidentRule;
  outcome: Outcome;
  /** Undecided: what follows belongs to it. */
  open: boolean;
}

export class IncidentLog {
  readonly #options: IncidentLogOptions;
  readonly #incidents: Incident[] = [];
  /** The newest incident, while what follows still belongs to it. */
  #open = false;
  #claim: string | null = null;
  #role = 'starting';
  #red: EventOnConsole | null = null;
  #handover: EventOnConsole | null = null;

  constructor(options: IncidentLogOptions) {
    this.#options = options;
  }

  /** Newest first. */
  get list(): readonly Incident[] {
    return this.#incidents;
  }

  observe(event: EventOnConsole): void {
    const { code, details = {} } = event.report;
    this.#dispatch(event, code, details);
    if (typeof details.role === 'string') this.#role = details.role;
  }

  #dispatch(event: EventOnConsole, code: string, details: Details): void {
    switch (code) {
      case 'PEER_RED':
        this.#red = event;
        return;
      case 'HANDOVER':
        this.#handover = event;
        return;
      case 'OPERATOR':
      case 'OPERATOR_SAFE':
        return this.#ordered(event, details);
      case 'PROGRAM_THREW':
      case 'PROGRAM_HANGS':
      case 'REPLICA_EXITED':
        return this.#replicaFailed(event, code);
      case 'PROGRAM_FAULT':
        return this.#programFault(event);
      case 'DEVICE_SILENT':
      case 'DEVICE_PORT_LOST':
        return this.#deviceUnreachable(event);
      case 'DEVICE_SESSION_LOST':
        return this.#sessionLost(event, details);
      case 'DIVERGED':
      case 'BACKUP_DIVERGED':
        return this.#diverged(event, code, details);
      case 'LINK_SILENT':
        return this.#linkSilent(event, details);
      case 'PAIR_CLAIM':
        return this.#claimed(event, details);
      case 'DEVICE_ATTACHED':
        return this.#answered(event, details, 'granted');
      case 'DEVICE_STALE':
        return this.#answered(event, details, 'stale');
      case 'PAIR_PRIMARY':
        return this.#granted(event, details);
      case 'PAIR_STEPPED_DOWN':
        return this.#steppedDown(event, details);
      case 'PROGRAM_STARTED':
      case 'DEVICE_RESTART':
      case 'RESTARTS_EXHAUSTED':
      case 'PAIR_PROTECTED':
      case 'PAIR_BACKUP':
        return this.#follows(event);
    }
  }

  // ---------------------------------------------------------------- building

  #begin({ event, cause, rule, outcome, open }: Beginning, ...sentences: string[]): Incident {
    const incident: Incident = {
      outcome,
      cause,
      rule,
      section: ruleSections[rule],
      term: null,
      beganAtMs: event.monotonicMs,
      decidedAtMs: open ? null : event.monotonicMs,
      sentences,
      evidence: { linkSilentForMs: {}, kernelNoticeMsBefore: null, device: null, events: [event.index] },
    };
    this.#incidents.unshift(incident);
    this.#incidents.length = Math.min(this.#incidents.length, incidentsMax);
    this.#open = open;
    return incident;
  }

  get #current(): Incident | null {
    return this.#open ? (this.#incidents[0] ?? null) : null;
  }

  #join(incident: Incident, event: EventOnConsole, sentence: string): void {
    if (incident.sentences.length >= sentencesMax) return;
    if (incident.evidence.events.at(-1) !== event.index) incident.evidence.events.push(event.index);
    incident.sentences.push(sentence);
  }

  #decide(incident: Incident, event: EventOnConsole, outcome: Outcome): void {
    incident.outcome = outcome;
    incident.decidedAtMs = event.monotonicMs;
    this.#open = false;
    this.#claim = null;
  }

  #after(incident: Incident, event: EventOnConsole): string {
    return `after ${Math.max(0, event.monotonicMs - incident.beganAtMs).toFixed(0)} ms`;
  }

  get #name(): string {
    return `Board ${this.#options.board}`;
  }

  /** The newest incident goes on after its decision: the program is back, the pair is whole. */
  #follows(event: EventOnConsole): void {
    const incident = this.#incidents[0];
    if (incident === undefined) return;
    this.#join(incident, event, `${event.report.text} (${this.#after(incident, event)}).`);
  }

  // ---------------------------------------------------------------- beginnings

  #ordered(event: EventOnConsole, details: Details): void {
    const { report } = event;
    const reason = String(details.reason ?? '');
    if (report.code === 'OPERATOR_SAFE') {
      this.#begin(
        { event, cause: 'OPERATOR', rule: 'HANDOVER_BY_OPERATOR', outcome: 'stepped-down', open: false },
        `The operator ordered the safe state: ${reason}.`,
        'The program was stopped, the devices were released and both boards end.',
      );
      return;
    }
    if (details.command !== 'switchover') return;
    this.#begin(
      { event, cause: 'OPERATOR', rule: 'HANDOVER_BY_OPERATOR', outcome: 'under-way', open: true },
      `The operator ordered a switchover: ${reason}.`,
    );
  }

  #replicaFailed(event: EventOnConsole, code: string): void {
    const cause = replicaCauses[code]!;
    const what = `The program’s replica on board ${this.#options.board} failed: ${code}, ${event.report.text}.`;
    const isCopy = this.#role === 'backup' || this.#role === 'joining';
    const incident = this.#begin(
      {
        event,
        cause,
        rule: 'FAILED_REPLICA_HANDS_OVER',
        outcome: isCopy ? 'no-takeover' : 'under-way',
        open: !isCopy,
      },
      what,
    );
    if (isCopy)
      incident.sentences.push('It was the backup’s: the primary goes on alone until the copy is made anew.');
  }

  #programFault(event: EventOnConsole): void {
    const previous = this.#incidents[0];
    const why = previous === undefined ? [] : previous.sentences.slice(0, 6);
    const events = previous?.evidence.events ?? [];
    const incident = this.#begin(
      {
        event,
        cause: 'PROGRAM_FAULT',
        rule: 'FAILS_ON_BOTH_IS_THE_PROGRAMS',
        outcome: 'no-takeover',
        open: false,
      },
      ...why,
      `${event.report.text}: no other board is left that has not failed on it.`,
      'The devices were let go, and the program is started again or ended by policy.programFailure.',
    );
    incident.evidence.events.unshift(...events.slice(0, sentencesMax / 2));
    if (previous !== undefined) incident.beganAtMs = previous.beganAtMs;
  }

  #deviceUnreachable(event: EventOnConsole): void {
    if (this.#role !== 'primary' || this.#current !== null) return;
    this.#begin(
      {
        event,
        cause: 'DEVICE_UNREACHABLE',
        rule: 'UNREACHABLE_DEVICE_HANDS_OVER',
        outcome: 'under-way',
        open: true,
      },
      `${this.#name} leads and cannot reach the device: ${event.report.text}.`,
    );
  }

  #sessionLost(event: EventOnConsole, details: Details): void {
    const device = String(details.device ?? 'the device');
    const verdict = { name: device, verdict: 'session-lost' as const, term: null };
    const text = `${event.report.text}: session ${String(details.session)} is new, and its counts begin anew.`;
    const current = this.#current;
    if (current !== null && current.cause !== 'DEVICE_UNREACHABLE') {
      this.#join(current, event, text);
      return;
    }
    const incident = this.#begin(
      {
        event,
        cause: 'DEVICE_RESTARTED',
        rule: 'LOST_SESSION_IS_NEVER_RESUMED',
        outcome: 'no-takeover',
        open: false,
      },
      text,
      'The program is told that its port was lost, as it would be without the pair; nobody takes over.',
    );
    incident.evidence.device = verdict;
  }

  #diverged(event: EventOnConsole, code: string, details: Details): void {
    const who = code === 'DIVERGED' ? `board ${this.#options.board}` : 'the other board';
    const { turn, expected, actual } = details;
    this.#begin(
      { event, cause: 'DIVERGED', rule: 'DIVERGED_NEVER_LEADS', outcome: 'no-takeover', open: false },
      `In turn ${String(turn)} the copy on ${who} did something else than the primary.`,
      `The primary did ${String(expected)}, the copy ${String(actual)}.`,
      'The copy was stopped and is made anew from the start; the primary goes on alone meanwhile.',
    );
  }

  #linkSilent(event: EventOnConsole, details: Details): void {
    const incident = this.#begin(
      { event, cause: 'LINK_SILENT', rule: 'ONE_LINK_NEVER_DECIDES', outcome: 'no-takeover', open: false },
      `Nothing is heard on the ${String(details.link)} link.`,
    );
    this.#silence(incident, details);
    incident.sentences.push('The other board is heard all the same, so nobody takes over.');
  }

  /** Which link had been silent for how long, and what the kernel said. */
  #silence(incident: Incident, details: Details): void {
    const links = (details.links ?? {}) as Record<string, number>;
    const notice = typeof details.kernelNoticeMsBefore === 'number' ? details.kernelNoticeMsBefore : null;
    incident.evidence.linkSilentForMs = links;
    incident.evidence.kernelNoticeMsBefore = notice;
    const ages = Object.entries(links).map(([name, ms]) => `${name} ${ms} ms`);
    if (ages.length > 0) incident.sentences.push(`Last heard: ${ages.join(', ')} before.`);
  }

  // ---------------------------------------------------------------- the claim

  #claimed(event: EventOnConsole, details: Details): void {
    this.#claim = typeof details.claim === 'string' ? details.claim : 'cold-start';
    const asked = `${this.#name} asked the device for a new term (${this.#claim}).`;
    const going = this.#incidents[0];
    if (details.cause === 'new-history' && going !== undefined && goesOn.has(going.cause)) {
      this.#join(going, event, asked);
      return;
    }
    const incident = this.#beginClaim(event, String(details.cause ?? ''));
    this.#join(incident, event, asked);
  }

  #beginClaim(event: EventOnConsole, cause: string): Incident {
    const current = this.#current;
    switch (cause) {
      case 'verdict':
        return this.#beginSilence(event);
      case 'peer-restarted':
        return this.#beginWith(
          event,
          'PEER_RESTARTED',
          this.#claim === 'solo' ? 'SOLO_NEEDS_A_TERM' : 'RESTARTED_PEER_HAS_LOST_ITS_REIGN',
          'The other board’s process was started anew: it came with new keys before its silence was long enough.',
        );
      case 'handover':
        return this.#beginHandover(event);
      case 'peer-role':
        return this.#beginWith(
          event,
          'PEER_CLAIMED',
          'SOLO_NEEDS_A_TERM',
          'The other board took this one for dead and claims the device.',
        );
      case 'new-history':
        return this.#beginWith(event, 'NEW_HISTORY', 'SOLO_NEEDS_A_TERM', 'The program begins a new run.');
      case 'handover-refused':
        if (current !== null) return current;
        return this.#beginWith(
          event,
          'NOBODY_LED',
          'COLD_START_NEEDS_A_TERM',
          'The other board could not take the reign that was handed over.',
        );
      default:
        if (current !== null && current.cause === 'NOBODY_LED') return current;
        return this.#beginWith(event, 'NOBODY_LED', 'COLD_START_NEEDS_A_TERM', 'No board led.');
    }
  }

  #beginWith(event: EventOnConsole, cause: IncidentCause, rule: IncidentRule, sentence: string): Incident {
    return this.#begin({ event, cause, rule, outcome: 'under-way', open: true }, sentence);
  }

  #beginSilence(claim: EventOnConsole): Incident {
    const red = this.#red ?? claim;
    const details = red.report.details ?? {};
    const { detectionTimeoutMs, suspectTimeoutMs } = this.#options;
    const silentForMs = Number(details.silentForMs ?? 0);
    const isNoticed = typeof details.kernelNoticeMsBefore === 'number' && silentForMs < detectionTimeoutMs;
    const cause = isNoticed ? 'PEER_PROCESS_GONE' : 'PEER_SILENT';
    const detected = isNoticed ? 'KERNEL_NOTICE_SHORTENS_THE_TIMEOUT' : 'RED_NEEDS_SILENCE_ON_EVERY_LINK';
    const rule = this.#claim === 'solo' ? 'SOLO_NEEDS_A_TERM' : detected;
    const incident = this.#beginWith(
      red,
      cause,
      rule,
      isNoticed
        ? `The kernel said that the other board’s process is gone, and nothing had been heard of it for ${silentForMs} ms (suspect timeout ${suspectTimeoutMs} ms).`
        : `The other board was silent on every link for ${silentForMs} ms (detection timeout ${detectionTimeoutMs} ms).`,
    );
    this.#silence(incident, details);
    return incident;
  }

  #beginHandover(claim: EventOnConsole): Incident {
    const event = this.#handover ?? claim;
    const details = event.report.details ?? {};
    const reason = String(details.reason ?? 'no reason given');
    if (details.planned === true) {
      return this.#beginWith(
        event,
        'OPERATOR',
        'HANDOVER_BY_OPERATOR',
        `The primary handed over by order: ${reason}.`,
      );
    }
    const code = reason.split(':', 1)[0]!;
    const cause = replicaCauses[code];
    if (cause === undefined) {
      const sentence = `The primary handed over because it could not reach the device: ${reason}.`;
      return this.#beginWith(event, 'DEVICE_UNREACHABLE', 'UNREACHABLE_DEVICE_HANDS_OVER', sentence);
    }
    const sentence = `The primary’s replica failed (${reason}), so it handed over.`;
    return this.#beginWith(event, cause, 'FAILED_REPLICA_HANDS_OVER', sentence);
  }

  // ---------------------------------------------------------------- the decision

  #answered(event: EventOnConsole, details: Details, verdict: 'granted' | 'stale'): void {
    const current = this.#current;
    if (current === null) return;
    const name = String(details.device ?? 'the device');
    const term = Number(details.term ?? details.heldTerm ?? 0);
    current.evidence.device = { name, verdict, term };
    const answer = verdict === 'granted' ? `granted term ${term}` : `refused: it holds term ${term}`;
    this.#join(current, event, `The device ${name} ${answer} ${this.#after(current, event)}.`);
  }

  #granted(event: EventOnConsole, details: Details): void {
    const outcome = outcomes[this.#claim ?? 'cold-start'] ?? 'cold-start';
    const term = Number(details.term ?? 0);
    const current = this.#current;
    if (current === null) {
      // The new term of a new history, after an incident that is decided.
      const going = this.#incidents[0];
      if (going !== undefined && goesOn.has(going.cause)) going.term = term;
      this.#claim = null;
      return;
    }
    current.term = term;
    this.#join(current, event, `${this.#name} is primary of term ${term} ${this.#after(current, event)}.`);
    this.#decide(current, event, outcome);
  }

  #steppedDown(event: EventOnConsole, details: Details): void {
    const { text } = event.report;
    const current = this.#current;
    const sentence = (incident: Incident): string =>
      `${this.#name} stepped down ${this.#after(incident, event)}: ${text}.`;
    if (current === null) {
      const incident = this.#begin(
        { event, cause: 'TERM_LOST', rule: 'GREATER_TERM_WINS', outcome: 'stepped-down', open: false },
        'This board led, or asked to, and learned of a greater term.',
      );
      incident.sentences.push(sentence(incident));
      return;
    }
    if (details.cause !== 'handed-over') {
      current.rule = 'GREATER_TERM_WINS';
      current.section = ruleSections.GREATER_TERM_WINS;
    }
    this.#join(current, event, sentence(current));
    this.#decide(current, event, 'stepped-down');
  }
}

const outcomes: Record<string, Outcome> = {
  takeover: 'takeover',
  switchover: 'switchover',
  solo: 'solo',
  'cold-start': 'cold-start',
};

/** What a new run of the program follows from, so that its claim is no incident of its own. */
const goesOn: ReadonlySet<IncidentCause> = new Set([
  'DEVICE_RESTARTED',
  'PROGRAM_FAULT',
  'DEVICE_UNREACHABLE',
]);
