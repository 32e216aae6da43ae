/**
 * Promise 5 (DESIGN section 1): takeover within a budget that is configured.
 *
 * When a protected primary is killed, loses its power or stands still, its undisturbed backup holds the device at the
 * latest after
 *
 *     the last datagram that reached the backup             (those on the way still come)
 *   + detection     every link silent: detectionTimeoutMs, or 2.5 intervals of the slowest link's heartbeats;
 *                   after a kill the kernel refuses the next heartbeat: suspectTimeoutMs + 2 heartbeats
 *   + drain         what was received is run first: until the last such turn, at most lagMsMax and a little
 *   + attach        two exchanges with the device at 57,600 baud, and the wakes of both sides
 *
 * all of it on a clock that may run slow. A pause counts only if it outlasts that. Takeovers in which something else is wrong
 * as well (a link, the backup, its line, the device, the program, an operator) are skipped and counted; forged datagrams, steps of
 * the wall clock and what slows the primary's own replica or disk are no excuse.
 */
import { type BoardName, type Fault, otherBoard } from '../simulator/fault.ts';
import { type Checker, type LifeFacts, type Observed, Violation } from '../simulator/observation.ts';
import { BoardStates } from './board-states.ts';
import { detectionMs } from './detection-time.ts';
import { anyFaultBetween, clockFactor } from './fault-windows.ts';
import { programEvents } from './program-events.ts';

/** What ended shortly before may still be at work: a queue that drains, a port that opens again. */
const lookbackMs = 2500;
/** Running one turn, and the wake after it. */
const turnMs = 30;
const attachMs = 50;
/** Round trip of a refused datagram, and rounding of wakes. */
const refusalMs = 10;

interface Awaited {
  fault: Fault;
  primary: BoardName;
  process: number;
  since: number;
  heardAt: number;
  ranAt: number;
  silenceMs: number;
}

class TakeoverInTime {
  readonly name = 'takeover-in-time';
  readonly promise = '5: takeover within a budget that is configured';
  /** Takeovers that were held to their bound, and those in which something else was wrong too. */
  judged = 0;
  skipped = 0;
  readonly #facts: LifeFacts;
  readonly #states = new BoardStates();
  readonly #arbiter: number;
  readonly #clockFactor: number;
  readonly #detectionMs: number;
  readonly #heardAt: Record<BoardName, number> = { a: 0, b: 0 };
  #awaited: Awaited | null = null;
  #programEventAt = Number.NEGATIVE_INFINITY;

  constructor(facts: LifeFacts) {
    this.#facts = facts;
    this.#arbiter = facts.devices.findIndex((device) => device.arbiter);
    this.#clockFactor = clockFactor(facts.faults);
    this.#detectionMs = detectionMs(facts);
  }

  observe(observed: Observed): void {
    if (this.#awaited !== null && observed.at > this.#dueAt(this.#awaited)) this.#due(this.#awaited);
    switch (observed.kind) {
      case 'fault':
        if (observed.phase === 'begins') this.#strikes(observed.fault, observed.at);
        else if (observed.fault === this.#awaited?.fault && observed.fault.kind === 'pause') {
          this.#awaited = null;
        }
        this.#states.observe(observed);
        return;
      case 'heard':
        return this.#heard(observed.board, observed.at);
      case 'turn': {
        const awaited = this.#awaited;
        if (awaited !== null && observed.board !== awaited.primary) awaited.ranAt = observed.at;
        return;
      }
      case 'device-attached':
        if (observed.device !== this.#arbiter || this.#awaited === null) return;
        if (observed.board !== this.#awaited.primary) {
          if (this.#isDisturbed(this.#awaited, observed.at)) this.skipped += 1;
          else this.judged += 1;
          this.#awaited = null;
        }
        return;
      case 'report':
        if (programEvents.has(observed.report.code)) this.#programEventAt = observed.at;
        return;
      case 'board-down':
        // The pair ends, or an operator wants it so.
        if (this.#awaited !== null && observed.board !== this.#awaited.primary) {
          this.#awaited = null;
          this.skipped += 1;
        }
        this.#states.observe(observed);
        return;
      case 'role':
      case 'status':
      case 'board-up':
        this.#states.observe(observed);
    }
  }

  end(): void {}

  #heard(board: BoardName, at: number): void {
    this.#heardAt[board] = at;
    const awaited = this.#awaited;
    if (awaited === null || board === awaited.primary) return;
    // A new process of the primary is no sign of life of the old one.
    if (this.#states.of(awaited.primary).process <= awaited.process) awaited.heardAt = at;
  }

  /** The world tells of a fault before it strikes: the roles are those of that moment. */
  #strikes(fault: Fault, at: number): void {
    if (fault.kind !== 'kill' && fault.kind !== 'power' && fault.kind !== 'pause') return;
    const primary = fault.board;
    if (this.#awaited !== null || this.#states.protectedPrimary !== primary) return;
    if (this.#states.a.pauses > 0 || this.#states.b.pauses > 0) return;
    const { heartbeatIntervalMs, suspectTimeoutMs } = this.#facts;
    const refusedMs = suspectTimeoutMs + 2 * heartbeatIntervalMs + refusalMs;
    this.#awaited = {
      fault,
      primary,
      process: this.#states.of(primary).process,
      since: at,
      heardAt: Math.max(at, this.#heardAt[otherBoard(primary)]),
      ranAt: at,
      silenceMs: fault.kind === 'kill' ? Math.min(this.#detectionMs, refusedMs) : this.#detectionMs,
    };
  }

  #dueAt({ heardAt, ranAt, silenceMs }: Awaited): number {
    const detectedAt = heardAt + silenceMs * this.#clockFactor + refusalMs;
    const drainedAt = Math.min(ranAt, detectedAt + this.#facts.lagMsMax) + turnMs;
    return Math.max(detectedAt, drainedAt) + attachMs + 2 * this.#facts.heartbeatIntervalMs;
  }

  #due(awaited: Awaited): void {
    this.#awaited = null;
    const dueAt = this.#dueAt(awaited);
    if (this.#isDisturbed(awaited, dueAt)) {
      this.skipped += 1;
      return;
    }
    const { primary, since, fault } = awaited;
    throw new Violation(
      this.name,
      `board ${otherBoard(primary)} did not hold the device ${(dueAt - since).toFixed(1)} ms after the ` +
        `${fault.kind} of board ${primary} at ${since.toFixed(1)} ms`,
    );
  }

  #isDisturbed(awaited: Awaited, until: number): boolean {
    const from = awaited.since - lookbackMs;
    if (this.#programEventAt >= from) return true;
    return anyFaultBetween(this.#facts.faults, from, until, (fault) => this.#disturbs(fault, awaited));
  }

  #disturbs(fault: Fault, awaited: Awaited): boolean {
    if (sameFault(fault, awaited.fault)) return false;
    switch (fault.kind) {
      case 'forgery':
      case 'clock-step':
      case 'clock-drift':
        return false;
      case 'slow-replica':
      case 'late-wakes':
      case 'slow-disk':
      case 'disk-full':
        return fault.board !== awaited.primary;
      default:
        return true;
    }
  }
}

/** A plan may have been sent from one thread to another since. */
function sameFault(one: Fault, other: Fault): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

export const takeoverInTime = (facts: LifeFacts): Checker & { judged: number; skipped: number } =>
  new TakeoverInTime(facts);
