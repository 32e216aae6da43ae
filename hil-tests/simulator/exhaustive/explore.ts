/**
 * All lives of one crash: without a loss, with every single and with every double loss around the blow.
 *
 *   life without loss   -> which datagrams there are to lose
 *   life that loses i   -> which there are after that: lost datagrams are sent again, and those can be lost too
 *   life that loses i,j -> i < j, j one of those that there were in the life that lost i
 *
 * So every pair is one that can happen, and none is lived twice. Singles are taken of every datagram around the blow,
 * bare heartbeats included; doubles of those that carry something (striker.ts). Two bare heartbeats more or less tell
 * nobody anything that the next does not: it takes four on each link, all at once, for a red verdict.
 */
import { type CaseFailure, type CaseOptions, type CaseResult, failureOf, liveCase } from './case-life.ts';
import type { Crash, CrashCase, CrashPoint } from './crash-case.ts';
import { caseIdOf, crashPointNames } from './crash-case.ts';
import type { DatagramSeen } from './striker.ts';

export interface LossWindow {
  /** Datagrams that carry something, before and after the blow, that may be lost. */
  before: number;
  after: number;
  doubles: boolean;
  /** Singles of bare heartbeats as well. */
  heartbeats: boolean;
}

/** What may still be on its way or unanswered when the blow falls, and the return of the struck board up to its hello. */
const wholeWindow: LossWindow = { before: 5, after: 6, doubles: true, heartbeats: true };

/** A kill differs from a power cut in what the kernel says of it at once and in what the disk keeps, not in the bus. */
export function windowOf({ how }: Crash): LossWindow {
  return how === 'power' ? wholeWindow : { ...wholeWindow, doubles: false, heartbeats: false };
}

export interface Exploration {
  crash: Crash;
  lives: { noLoss: number; singleLoss: number; heartbeatLoss: number; doubleLoss: number };
  /** Lives among them in which the losses moved the point out of reach: nobody was struck. */
  unstruck: number;
  /** The life in which the pair was one again last, counted from the start of the struck board. */
  slowest: { id: string; returnMs: number };
  failures: CaseFailure[];
}

/** Every crash of a short run that this board leads. */
export function crashesLedBy(leader: Crash['leader'], hows: readonly Crash['how'][]): Crash[] {
  const { passes, violation } = liveCase(leader);
  if (violation !== null) {
    throw new Error(`nothing was struck, and yet: ${violation.checker}: ${violation.message}`);
  }
  const crashes: Crash[] = [];
  for (const point of crashPointNames) {
    for (const victim of ['leader', 'backup'] as const) {
      for (const how of hows) {
        for (let occurrence = 0; occurrence < passesOf(passes, point); occurrence++) {
          crashes.push({ leader, victim, how, point, occurrence });
        }
      }
    }
  }
  return crashes;
}

function passesOf(passes: Record<CrashPoint, number>, point: CrashPoint): number {
  const count = passes[point];
  if (count === 0) throw new Error(`the short run never passes the point ${point}`);
  return count;
}

export function explore(crash: Crash, window: LossWindow, options: CaseOptions = {}): Exploration {
  const lives: Exploration['lives'] = { noLoss: 0, singleLoss: 0, heartbeatLoss: 0, doubleLoss: 0 };
  const exploration: Exploration = {
    crash,
    lives,
    unstruck: 0,
    slowest: { id: '', returnMs: 0 },
    failures: [],
  };
  const live = (kind: keyof Exploration['lives'], losses: number[]): CaseResult => {
    const struck: CrashCase = { ...crash, losses };
    const result = liveCase(struck, options);
    lives[kind] += 1;
    if (result.struckAtDatagram === null) exploration.unstruck += 1;
    if ((result.returnMs ?? 0) > exploration.slowest.returnMs) {
      exploration.slowest = { id: caseIdOf(struck), returnMs: result.returnMs! };
    }
    const failure = failureOf(struck, result);
    if (failure !== null) exploration.failures.push(failure);
    return result;
  };
  const base = live('noLoss', []);
  for (const first of losable(base, window, window.heartbeats, -1)) {
    const carries = base.datagrams[first]!.carries;
    const single = live(carries ? 'singleLoss' : 'heartbeatLoss', [first]);
    if (!window.doubles || !carries) continue;
    for (const second of losable(single, window, false, first)) live('doubleLoss', [first, second]);
  }
  return exploration;
}

/** Numbers of the datagrams after `after` that this life could have lost. */
function losable(
  { datagrams, struckAtDatagram }: CaseResult,
  window: LossWindow,
  withHeartbeats: boolean,
  after: number,
): number[] {
  if (struckAtDatagram === null) return [];
  const from = nthCarrying(datagrams, struckAtDatagram - 1, -1, window.before);
  const to = nthCarrying(datagrams, struckAtDatagram, 1, window.after);
  const numbers: number[] = [];
  for (let index = Math.max(from, after + 1); index <= to; index++) {
    if (withHeartbeats || datagrams[index]!.carries) numbers.push(index);
  }
  return numbers;
}

/** Index of the nth datagram that carries something, going that way, or of the last there is. */
function nthCarrying(datagrams: readonly DatagramSeen[], from: number, way: 1 | -1, count: number): number {
  let left = count;
  let index = from;
  for (; index >= 0 && index < datagrams.length; index += way) {
    if (datagrams[index]!.carries) left -= 1;
    if (left === 0) return index;
  }
  return index - way;
}
