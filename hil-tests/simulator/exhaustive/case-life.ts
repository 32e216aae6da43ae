/**
 * One life of the exhaustive run: a quiet pair, a short program, one board struck at one exact effect, chosen datagrams
 * lost. To be called from a macrotask, as every life (life.ts).
 */
import { everyChecker } from '../../checkers/every-checker.ts';
import type { BoardName, Fault } from '../fault.ts';
import { type Checker, type CheckerFactory, type Observed, Violation } from '../observation.ts';
import { createQuietPair, Metronome, type QuietProgram, quietFacts } from '../quiet-pair.ts';
import { Recovery } from '../recovery.ts';
import type { World } from '../world.ts';
import { type CrashCase, type CrashPoint, caseIdOf } from './crash-case.ts';
import { type DatagramSeen, Striker } from './striker.ts';

/** The program opens its device when the pair is protected, then writes on its timer and for every other message. */
const program: QuietProgram = { tickMs: 20, reactionBytes: 6, openAfterMs: 60 };
const inputEveryMs = 17;
const inputBytes = 3;

/** When board b is to lead, board a comes so late; times in milliseconds of virtual time. */
const lateStartMs = 125;
/** How long a struck board is away: longer than the detection timeout. */
const awayMs = 150;
const quietAt = 450;
/** By then the pair is one again, however unlucky. Most lives end much sooner, once it has been one for a while. */
const endsAt = 1500;
/** How long the pair is one again, and the device hears from it, before a life is over. */
const goesOnMs = 50;

export interface CaseOptions {
  /** Keep all that was observed, for a timeline. */
  record?: boolean;
  /** Instead of all. */
  checkers?: readonly CheckerFactory[];
}

export interface CaseResult {
  /** Null: the point was not reached. */
  struckAtDatagram: number | null;
  datagrams: DatagramSeen[];
  /** How often each point was passed in the short run. */
  passes: Record<CrashPoint, number>;
  /** From the start of the struck board to when the pair was one again, for good; null: it was not, or nobody was struck. */
  returnMs: number | null;
  violation: { checker: string; message: string; at: number } | null;
  observed: Observed[];
}

/** `crash` a case, or the name of the board that leads a life in which nothing is struck. */
export function liveCase(crash: CrashCase | BoardName, options: CaseOptions = {}): CaseResult {
  const leader = typeof crash === 'string' ? crash : crash.leader;
  const facts = quietFacts({ quietAt, endsAt });
  const checkers: Checker[] = (options.checkers ?? everyChecker).map((create) => create(facts));
  const observed: Observed[] = [];
  const recovery = new Recovery(goesOnMs);
  let returnsAt: number | null = null;

  const begin = (fault: Fault & { until: number }): void => {
    facts.faults.push(fault);
    world.begin(fault);
    world.time.at(fault.until, () => world.end(fault));
  };
  const striker: Striker = new Striker(
    leader,
    typeof crash === 'string' ? null : crash,
    () => world,
    (board) => {
      const at = world.time.now;
      const until = at + awayMs;
      returnsAt = until;
      const isKill = typeof crash !== 'string' && crash.how === 'kill';
      begin(isKill ? { kind: 'kill', at, until, board } : { kind: 'power', at, until, board, disk: 'kept' });
    },
  );
  const world: World = createQuietPair({
    program,
    firmware: new Metronome(inputEveryMs, inputBytes),
    interference: striker,
    observe(each) {
      if (options.record === true) observed.push({ ...each });
      for (const checker of checkers) checker.observe(each);
      recovery.observe(each);
      striker.observe(each);
    },
  });

  let violation: CaseResult['violation'] = null;
  try {
    world.start();
    if (leader === 'b') begin({ kind: 'power', at: 0, until: lateStartMs, board: 'a', disk: 'kept' });
    world.time.runUntil(endsAt, () => striker.struckAtDatagram !== null && recovery.isDone());
    const end = world.finish();
    for (const checker of checkers) checker.end(end);
    if (striker.begunAt === null) throw new Violation('short-run', 'the pair was never protected');
    if (!recovery.isDone()) throw new Violation('short-run', `at ${endsAt} ms ${recovery.describe()}`);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const checker = error instanceof Violation ? error.checker : 'crash';
    const message = error instanceof Violation ? error.message : (error.stack ?? error.message);
    violation = { checker, message, at: world.time.now };
    world.abandon();
  }
  const { struckAtDatagram, datagrams, passes } = striker;
  const { wholeSince } = recovery;
  const returnMs = returnsAt === null || wholeSince === null ? null : wholeSince - returnsAt;
  return { struckAtDatagram, datagrams, passes, returnMs, violation, observed };
}

export interface CaseFailure {
  id: string;
  checker: string;
  message: string;
}

export function failureOf(crash: CrashCase, { violation }: CaseResult): CaseFailure | null {
  if (violation === null) return null;
  return { id: caseIdOf(crash), checker: violation.checker, message: violation.message };
}
