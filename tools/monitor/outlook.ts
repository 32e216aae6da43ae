/**
 * What stands between the pair and a stop: how many failures away it is, and how long a takeover would last now.
 *
 * The length of a takeover is the sum of what the survivor has to do, each from a number of this pair:
 *   silence    its detection timeout (`hello`): a board without power says nothing, and only silence tells;
 *              the suspect timeout when a process alone dies, as the kernel says so
 *   replay     age of the last turn that the survivor's replica has executed, measured (turn-history.ts)
 *   claim      from asking the device for a term to leading, the slowest of the claims that the boards have reported
 *
 * Failures are those of boards and cables. The device itself has no second one, and is not counted.
 */
import type { BoardStatus, DeviceStatus } from '../../firmware-host/supervisor/status.ts';

type Board = 'a' | 'b';

/** How many failures away the pair is from losing control. */
export type Budget = 'two' | 'one' | 'none' | 'unknown';

export interface BoardView {
  status: Pick<BoardStatus, 'role' | 'term' | 'protected' | 'verdict' | 'silentForMs'> & {
    devices: Pick<DeviceStatus, 'name' | 'kind' | 'open'>[];
    links: { name: string; silentForMs: number | null }[];
  };
  timing: { detectionTimeoutMs: number; suspectTimeoutMs: number } | null;
  lagMs: number | null;
}

export interface Takeover {
  /** Who would take over. */
  board: Board;
  /** Of a board that loses its power. Null: no claim has been measured yet. */
  totalMs: number | null;
  /** Of a board whose process alone dies. */
  processDeathMs: number | null;
  silenceMs: number;
  replayMs: number;
  claimMs: number | null;
}

export interface Outlook {
  leader: Board | null;
  isProtected: boolean;
  budget: Budget;
  /** Sentences: what is not as it should be, without costing the control. */
  weaknesses: string[];
  takeover: Takeover | null;
}

/** A link that is busy or a board that is may be late; a cable that is cut stays silent. */
const linkSilentMs = 500;

const other = (board: Board): Board => (board === 'a' ? 'b' : 'a');

/** `views`: null for a board whose console says nothing at present. */
export function outlookOf(views: Record<Board, BoardView | null>, claimsMs: readonly number[]): Outlook {
  const leader = leaderOf(views);
  if (views.a === null && views.b === null) {
    return { leader: null, isProtected: false, budget: 'unknown', weaknesses: [], takeover: null };
  }
  if (leader === null) {
    return { leader, isProtected: false, budget: 'none', weaknesses: weaknessesOf(views), takeover: null };
  }
  const isProtected = isProtectedUnder(views, leader);
  const survivor = other(leader);
  const reaches = views[survivor]?.status.devices.every((device) => device.kind === 'plain' || device.open);
  const canTakeOver = isProtected && reaches !== false;
  return {
    leader,
    isProtected,
    budget: canTakeOver ? 'two' : 'one',
    weaknesses: weaknessesOf(views),
    takeover: canTakeOver ? takeoverOf(survivor, views[survivor] ?? views[leader], claimsMs) : null,
  };
}

function leaderOf(views: Record<Board, BoardView | null>): Board | null {
  const leading = (['a', 'b'] as const).filter((board) => views[board]?.status.role === 'primary');
  if (leading.length > 0) {
    // Two for a moment: an old one that has not heard yet. The greater term wins everywhere (protocol/README.md §9).
    return leading.toSorted((x, y) => views[y]!.status.term - views[x]!.status.term)[0]!;
  }
  // A backup that hears its primary knows of one whose console we do not have.
  const behind = (['a', 'b'] as const).find((board) => {
    const view = views[board];
    return (
      view !== null &&
      views[other(board)] === null &&
      (view.status.role === 'backup' || view.status.role === 'joining') &&
      view.status.verdict !== 'red'
    );
  });
  return behind === undefined ? null : other(behind);
}

function isProtectedUnder(views: Record<Board, BoardView | null>, leader: Board): boolean {
  const [first, second] = [views[leader], views[other(leader)]];
  if (first !== null && !first.status.protected) return false;
  if (second !== null && (second.status.role !== 'backup' || second.status.verdict === 'red')) return false;
  return first !== null || second?.status.protected === true;
}

function weaknessesOf(views: Record<Board, BoardView | null>): string[] {
  const weaknesses: string[] = [];
  const silent = new Map<string, Board[]>();
  for (const board of ['a', 'b'] as const) {
    const view = views[board];
    if (view === null) continue;
    for (const link of view.status.links) {
      if (link.silentForMs === null || link.silentForMs > linkSilentMs)
        silent.set(link.name, [...(silent.get(link.name) ?? []), board]);
    }
    for (const device of view.status.devices) {
      if (!device.open && device.kind === 'fenced')
        weaknesses.push(`board ${board.toUpperCase()} does not reach ${device.name}`);
    }
  }
  for (const [name, boards] of silent) {
    // A cable that is cut is silent at both ends, which is not worth a word.
    const isAtOne = boards.length === 1 && views.a !== null && views.b !== null;
    weaknesses.push(`${name} is silent${isAtOne ? ` at board ${boards[0]!.toUpperCase()}` : ''}`);
  }
  return weaknesses;
}

function takeoverOf(board: Board, view: BoardView | null, claimsMs: readonly number[]): Takeover | null {
  if (view === null || view.timing === null) return null;
  const { detectionTimeoutMs: silenceMs, suspectTimeoutMs } = view.timing;
  const replayMs = view.lagMs ?? 0;
  const claimMs = claimsMs.length === 0 ? null : Math.max(...claimsMs);
  const rest = claimMs === null ? null : replayMs + claimMs;
  return {
    ...{ board, silenceMs, replayMs, claimMs },
    totalMs: rest === null ? null : silenceMs + rest,
    processDeathMs: rest === null ? null : suspectTimeoutMs + rest,
  };
}
