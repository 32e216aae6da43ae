/**
 * One life of the exhaustive run: a quiet pair, a short program, one board struck at one exact effect, chosen datagrams
 * lost. To be called from a macrotask, as every life (life.ts).
 */
import { everyChecker } from '../../checkers/every-checker.ts';
import type { BoardName, Fault } from '../fault.ts';
import { type Checker, type CheckerFactory, type LifeEnd, type Observed, Violation } from '../observation.ts';
import { createQuietPair, Metronome, type QuietProgram, quietFacts } from '../quiet-pair.ts';
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
const endsAt = 800;
/** The device must have heard of the program in the last so many milliseconds. */
const aliveMs = 100;

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
  violation: { checker: string; message: string; at: number } | null;
  observed: Observed[];
}

/** `crash` a case, or the name of the board that leads a life in which nothing is struck. */
export function liveCase(crash: CrashCase | BoardName, options: CaseOptions = {}): CaseResult {
  const leader = typeof crash === 'string' ? crash : crash.leader;
  const facts = quietFacts({ quietAt, endsAt });
  const checkers: Checker[] = (options.checkers ?? everyChecker).map((create) => create(facts));
  const observed: Observed[] = [];
  let lastOutputAt = 0;

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
      if (each.kind === 'device-output') lastOutputAt = each.at;
      striker.observe(each);
    },
  });

  let violation: CaseResult['violation'] = null;
  try {
    world.start();
    if (leader === 'b') begin({ kind: 'power', at: 0, until: lateStartMs, board: 'a', disk: 'kept' });
    world.time.runUntil(endsAt);
    const end = world.finish();
    for (const checker of checkers) checker.end(end);
    judgeShortRun(end.boards);
    if (striker.begunAt === null) throw new Violation('short-run', 'the pair was never protected');
    if (lastOutputAt < endsAt - aliveMs) {
      throw new Violation('short-run', `the device has heard nothing since ${lastOutputAt.toFixed(1)} ms`);
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const checker = error instanceof Violation ? error.checker : 'crash';
    const message = error instanceof Violation ? error.message : (error.stack ?? error.message);
    violation = { checker, message, at: world.time.now };
    world.abandon();
  }
  const { struckAtDatagram, datagrams, passes } = striker;
  return { struckAtDatagram, datagrams, passes, violation, observed };
}

/** A life is too short for hil-tests/checkers/protected-again.ts, whose bound is for the slowest way back. */
function judgeShortRun({ a, b }: LifeEnd['boards']): void {
  const isWhole =
    a !== null &&
    b !== null &&
    a.protected &&
    b.protected &&
    a.term === b.term &&
    a.historyId === b.historyId &&
    [a.role, b.role].toSorted().join() === 'backup,primary';
  if (isWhole) return;
  throw new Violation('short-run', `in the end a is ${a?.role ?? 'down'} and b is ${b?.role ?? 'down'}`);
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
