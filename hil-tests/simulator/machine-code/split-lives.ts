/**
 * Split brain before the machine code: both links are cut while both boards live. Either both see the other one fall silent and race
 * for the device, or the primary sleeps until the other board leads and wakes with the links cut, so that both believe to be primary
 * and nobody but the device can tell. Whatever they believe, the pins follow one of them.
 *
 * The device tells the sleeper when it loses it, and that waits in its UART's buffer: it knows with its first breath (`woken`). When that
 * word and the other board's were lost, it goes on as a primary until the device answers (`deaf`).
 */
import { type BoardName, type Fault, linkNames, otherBoard } from '../fault.ts';
import { isSameLetter, judge } from './judgement.ts';
import { pinsOfLetters } from './lettering-program.ts';
import { MachineCodePair, type PairOptions } from './machine-code-pair.ts';
import { type Letter, messagesOf } from './pin-ledger.ts';

export const splitKinds = ['race', 'woken', 'deaf'] as const;
export type SplitKind = (typeof splitKinds)[number];

export interface Split {
  kind: SplitKind;
  before: BoardName;
  winner: BoardName;
  /** Letters that the loser's program wrote, performing, after the cut, and that no pin ever showed. */
  unseenLetters: number;
  /** What the loser tried under its old term and the device refused, messages and bytes of output. */
  refusals: number;
  refusedBytes: number;
  /** From the moment at which the winner had the device to the loser's stepping down. For a sleeper: from its waking. */
  stepDownMs: number;
  lastWords: string;
}

export interface SplitLife {
  splits: Split[];
  simulatedMs: number;
  complaints: string[];
}

const apartMs = 800;
const tailMs = 300;
/** More than a UART's line is ever behind. */
const sentMs = 30;

export function liveSplits(
  options: PairOptions & { kinds: readonly SplitKind[]; frozenMs?: number },
): SplitLife {
  const pair = new MachineCodePair(options);
  const splits: Split[] = [];
  const complaints: string[] = [];
  pair.start();
  pair.toggleInput();
  for (const kind of options.kinds) {
    pair.run(pair.random.between(30, 150));
    const split = splitOnce(pair, kind, options.frozenMs ?? pair.random.between(300, 900));
    complaints.push(...split.complaints);
    splits.push(split.split);
    pair.awaitProtected();
  }
  pair.rest();
  const judged = judge(pair);
  return { splits, simulatedMs: pair.now, complaints: [...complaints, ...judged.complaints] };
}

function splitOnce(
  pair: MachineCodePair,
  kind: SplitKind,
  frozenMs: number,
): { split: Split; complaints: string[] } {
  const complaints: string[] = [];
  const before = pair.primary!;
  const { term } = pair.status(before)!;
  const marks = { drawn: pair.drawn.length, stale: pair.stale.length, reports: pair.reports.length };
  const from = pair.now;
  const cuts: Fault[] = [];
  const cut = (): void => {
    for (const link of linkNames) cuts.push(pair.begin({ kind: 'cut', at: 0, until: 0, link, from: null }));
  };
  let since: number;
  if (kind === 'race') {
    cut();
    pair.until('the device follows a new term', () => (pair.attachments.at(-1)?.term ?? 0) > term);
    since = pair.now;
  } else {
    const pause = pair.begin({ kind: 'pause', at: 0, until: 0, board: before });
    const line = pair.device.lines[before];
    // What the board had said before it slept is on its way, and arrives.
    if (kind === 'deaf') {
      pair.run(sentMs);
      line.isOpen = false;
      cut();
    }
    pair.until('the other board leads', () => pair.primary === otherBoard(before));
    const wakeAt = from + frozenMs;
    if (pair.now < wakeAt) pair.run(wakeAt - pair.now);
    if (kind === 'woken') cut();
    const roles = [pair.status(before)?.role, pair.status(otherBoard(before))?.role];
    if (roles.some((role) => role !== 'primary'))
      complaints.push(`not both believe to be primary: ${roles.join(', ')}`);
    since = pair.now;
    line.isOpen = true;
    pair.end(pause);
  }
  pair.run(apartMs);
  const reign = pair.attachments.at(-1)!;
  const loser = otherBoard(reign.board);
  if (kind !== 'race' && loser !== before)
    complaints.push('the sleeper has won the device back while the other board led');
  for (const fault of cuts) pair.end(fault);
  pair.until(
    'the loser follows',
    () => pair.status(loser)?.role === 'backup' || pair.status(loser)?.role === 'joining',
  );
  pair.run(tailMs);
  complaints.push(...follows(pair, reign, loser));
  const words = pair.reports.slice(marks.reports).filter(({ board }) => board === loser);
  const steppedDown = words.find(({ code }) => code === 'PAIR_STEPPED_DOWN');
  if (steppedDown === undefined) complaints.push(`board ${loser} did not step down:\n${pair.story()}`);
  const refused = pair.stale.slice(marks.stale).filter(({ board }) => board === loser);
  const unseen = lettersOf(pair, marks.drawn, loser).filter(
    (letter) => letter.atMs > since && !pair.pins.letters.some((shown) => isSameLetter(shown, letter)),
  );
  const split: Split = {
    kind,
    before,
    winner: reign.board,
    unseenLetters: unseen.length,
    refusals: refused.length,
    refusedBytes: refused.reduce((sum, { bytes }) => sum + bytes, 0),
    stepDownMs: (steppedDown?.atMs ?? Number.NaN) - since,
    lastWords: steppedDown?.text ?? '',
  };
  return { split, complaints };
}

/** Bytes that the device accepted since the last reign began came over that board's line alone, and their letters are its own. */
function follows(
  pair: MachineCodePair,
  reign: { atMs: number; board: BoardName; term: number },
  loser: BoardName,
): string[] {
  const complaints: string[] = [];
  for (const { atMs, board, term } of pair.accepted) {
    if (atMs > reign.atMs && (board !== reign.board || term !== reign.term))
      complaints.push(
        `outputs of board ${board} under term ${term} at ${atMs} ms, in the reign of ${reign.board}`,
      );
  }
  const mine = lettersOf(pair, 0, reign.board);
  const others = lettersOf(pair, 0, loser);
  for (const shown of pair.pins.letters) {
    if (shown.atMs <= reign.atMs) continue;
    // What the loser wrote before it lost, and the winner's copy with it, may still have been under way.
    const isLosers = others.some((letter) => letter.atMs > reign.atMs && isSameLetter(shown, letter));
    const isWinners = mine.some((letter) => letter.atMs > reign.atMs && isSameLetter(shown, letter));
    if (isLosers && !isWinners)
      complaints.push(
        `letter ${shown.number} of board ${loser} at ${shown.atMs} ms, in the reign of ${reign.board}`,
      );
  }
  return complaints;
}

interface WrittenLetter extends Letter {
  atMs: number;
}

/** Letters that this board's program wrote, performing. */
function lettersOf(pair: MachineCodePair, fromIndex: number, board: BoardName): WrittenLetter[] {
  const letters: WrittenLetter[] = [];
  for (const { atMs, board: writer, bytes } of pair.drawn.slice(fromIndex)) {
    if (writer !== board) continue;
    const ports = new Map<number, number>();
    // A letter is one write.
    for (const [first, low, high] of messagesOf(bytes) as [number, number, number][]) {
      if ((first & 0xf0) === 0x90) ports.set((first & 0x0f) << 3, low | (high << 7));
    }
    const { drawn, number, edges } = pinsOfLetters;
    if (!ports.has(number)) continue;
    letters.push({ drawn: ports.get(drawn)!, number: ports.get(number)!, edges: ports.get(edges)!, atMs });
  }
  return letters;
}
