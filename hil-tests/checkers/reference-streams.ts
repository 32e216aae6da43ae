/**
 * What uninterrupted runs of the program would write to each session of a device, stretch by stretch.
 *
 *   session's bytes   0 ........ 120 ............. 400 .......>
 *   stretches         history 1  | history 1, after | history 2
 *                     from turn 0| its turn 57      | from turn 0
 *
 * A *base* (a device note of the journal) says: from this turn on, this history's bytes count from this offset of that
 * session. So a stretch begins at a base and ends where the session's next one begins; what a history wrote beyond
 * that was given up, because the program was started afresh.
 */
import type { HistoryOfLife } from '../simulator/observation.ts';
import type { HistoriesSeen } from './histories-seen.ts';

export interface Piece {
  turn: number;
  /** In the session. */
  offset: number;
  bytes: Uint8Array;
}

export interface Stretch {
  history: HistoryOfLife;
  /** Turn from which on it counts. */
  turn: number;
  from: number;
  /** Where the session's next stretch begins; Infinity for the last one. */
  to: number;
  pieces: Piece[];
  /** Offset after the last piece. */
  end: number;
}

export function sessionKey(device: string, session: number): string {
  return `${session} ${device}`;
}

/** Of outputs, or of inputs (whose stretches may overlap: what was not acknowledged is given to the next history again). */
export function referenceStreams(
  histories: readonly HistoryOfLife[],
  direction: 'outputs' | 'inputs',
  seen: Pick<HistoriesSeen, 'orderOf' | 'get'>,
): Map<string, Stretch[]> {
  const streams = new Map<string, Stretch[]>();
  for (const history of histories) {
    for (const stretch of stretchesOf(history, direction)) {
      // A base without a byte claims nothing. A new history notes one for a session of which it does not yet know that it is over.
      // But when its replica had gone wrong, what it wrote there is not in the reference, and is no earlier history's.
      const isDerived =
        (seen.get(history.historyId)?.taintedFrom ?? Number.POSITIVE_INFINITY) >= history.turns;
      if (stretch.pieces.length === 0 && (direction === 'inputs' || isDerived)) continue;
      const list = streams.get(stretch.key);
      if (list === undefined) streams.set(stretch.key, [stretch]);
      else list.push(stretch);
    }
  }
  for (const list of streams.values()) {
    list.sort(
      (left, right) =>
        left.from - right.from ||
        seen.orderOf(left.history.historyId) - seen.orderOf(right.history.historyId) ||
        left.turn - right.turn,
    );
    for (let index = 0; index + 1 < list.length; index++) list[index]!.to = list[index + 1]!.from;
  }
  return streams;
}

function stretchesOf(history: HistoryOfLife, direction: 'outputs' | 'inputs'): (Stretch & { key: string })[] {
  const found: (Stretch & { key: string })[] = [];
  const current = new Map<string, Stretch & { key: string }>();
  const bases = [...history.bases].sort((left, right) => left.turn - right.turn);
  let next = 0;
  const takeBases = (turn: number): void => {
    for (let base = bases[next]; base !== undefined && base.turn <= turn; base = bases[++next]) {
      const from = base[direction];
      const stretch = {
        key: sessionKey(base.device, base.session),
        history,
        turn: base.turn,
        from,
        to: Number.POSITIVE_INFINITY,
        pieces: [],
        end: from,
      };
      found.push(stretch);
      current.set(base.device, stretch);
    }
  };
  for (const { turn, device, bytes } of direction === 'outputs' ? history.writes : history.inputs) {
    takeBases(turn);
    const stretch = current.get(device);
    if (stretch === undefined) continue;
    stretch.pieces.push({ turn, offset: stretch.end, bytes });
    stretch.end += bytes.length;
  }
  takeBases(Number.POSITIVE_INFINITY);
  return found;
}

/** The piece that holds this offset, or null. */
export function pieceAt(stretch: Stretch, offset: number): Piece | null {
  const { pieces } = stretch;
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const piece = pieces[middle]!;
    if (piece.offset + piece.bytes.length <= offset) low = middle + 1;
    else high = middle;
  }
  const piece = pieces[low];
  return piece !== undefined && piece.offset <= offset ? piece : null;
}

/** The first piece of this turn or a later one, or null. */
export function pieceFromTurn(stretch: Stretch, turn: number): Piece | null {
  const { pieces } = stretch;
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pieces[middle]!.turn < turn) low = middle + 1;
    else high = middle;
  }
  return pieces[low] ?? null;
}

/** The stretch that holds this offset: the last one that begins at or before it. */
export function stretchAt(stretches: readonly Stretch[], offset: number): Stretch | null {
  let found: Stretch | null = null;
  for (const stretch of stretches) {
    if (stretch.from > offset) break;
    found = stretch;
  }
  return found;
}
