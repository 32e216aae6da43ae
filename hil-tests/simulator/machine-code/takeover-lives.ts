/**
 * Lives of a pair before the machine code in which one primary after the other is struck, in mid-letter and in mid-move, while the world
 * goes on toggling an input. At the end the pins' ledger and the program's intent must be the same.
 */
import { type BoardName, type Fault, otherBoard } from '../fault.ts';
import { MachineCodePair, type PairEnd, type PairOptions } from './machine-code-pair.ts';

export const blows = ['kill', 'power', 'freeze', 'switchover'] as const;
export type Blow = (typeof blows)[number];

export interface Takeover {
  blow: Blow;
  /** From the blow to the first letter under the next term. */
  gapMs: number;
  /** From the blow to the survivor being protected again, the other board being back. */
  protectedMs: number;
}

export interface TakeoverLife {
  takeovers: Takeover[];
  simulatedMs: number;
  letters: { intended: number; atPins: number };
  steps: { intended: number; atPins: number };
  edges: { applied: number; reported: number; seen: number };
  /** Every way in which pins and intent differ. */
  complaints: string[];
}

const workMs = { least: 30, most: 150 };
const awayMs = { least: 50, most: 400 };
/** Well beyond the detection timeout, so that the frozen board is not primary any more when it wakes. */
const frozenMs = { least: 350, most: 700 };

export function liveTakeovers(options: PairOptions & { count: number }): TakeoverLife {
  const pair = new MachineCodePair(options);
  const { count } = options;
  const takeovers: Takeover[] = [];
  pair.start();
  pair.toggleInput();
  for (let index = 0; index < count; index++) {
    pair.run(pair.random.between(workMs.least, workMs.most));
    takeovers.push(strike(pair, blows[index % blows.length]!));
  }
  pair.rest();
  return { takeovers, simulatedMs: pair.now, ...judge(pair) };
}

function strike(pair: MachineCodePair, blow: Blow): Takeover {
  const primary = pair.primary!;
  const from = pair.now;
  const fault = pair.begin(faultOf(blow, primary));
  pair.until(`board ${otherBoard(primary)} leads after ${blow}`, () => pair.primary === otherBoard(primary));
  const attached = pair.attachments.at(-1)!.atMs;
  pair.until('a letter of the new primary', () => (pair.pins.letters.at(-1)?.atMs ?? 0) > attached);
  const gapMs = pair.pins.letters.find(({ atMs }) => atMs > attached)!.atMs - from;
  if (blow !== 'switchover') {
    const { least, most } = blow === 'freeze' ? frozenMs : awayMs;
    const until = from + pair.random.between(least, most);
    if (pair.now < until) pair.run(until - pair.now);
    pair.end(fault);
  }
  pair.awaitProtected();
  return { blow, gapMs, protectedMs: pair.now - from };
}

function faultOf(blow: Blow, board: BoardName): Fault {
  // Ended by hand, when the other board leads.
  const [at, until] = [0, 0];
  switch (blow) {
    case 'kill':
      return { kind: 'kill', at, until, board };
    case 'power':
      return { kind: 'power', at, until, board, disk: 'kept' };
    case 'freeze':
      return { kind: 'pause', at, until, board };
    case 'switchover':
      return { kind: 'switchover', at, board };
  }
}

/** Of a pair that rests: was everything done at the pins that was meant, once, in order, and everything seen that was applied? */
export function judge(
  pair: MachineCodePair,
  look: (end: PairEnd) => void = () => {},
): Omit<TakeoverLife, 'takeovers' | 'simulatedMs'> {
  const { pins, edgesApplied } = pair;
  const end = pair.finish();
  look(end);
  const { histories, intent, inputLevels } = end;
  const complaints: string[] = [];
  const require = (holds: boolean, complaint: string): void => {
    if (!holds) complaints.push(complaint);
  };
  require(histories.length === 1, `${histories.length} histories: the program was started afresh`);
  require(histories.every(
    ({ divergedAtTurn }) => divergedAtTurn === null,
  ), 'the history does not run again as it ran');
  require(pair.sessions.length <= 1, `the device began ${pair.sessions.length} sessions`);
  const differs = intent.letters.findIndex((letter, index) => {
    const found = pins.letters[index];
    return (
      found === undefined ||
      found.drawn !== letter.drawn ||
      found.number !== letter.number ||
      found.edges !== letter.edges
    );
  });
  require(differs < 0, `letter ${differs} at the pins is not the one that was meant`);
  require(pins.letters.length ===
    intent.letters.length, `${pins.letters.length} letters, meant ${intent.letters.length}`);
  require(pins.steps === intent.steps, `${pins.steps} steps, meant ${intent.steps}`);
  require(pins.changes ===
    intent.changes, `${pins.changes} changes of the letters' pins, meant ${intent.changes}`);
  // The first report is of the level as it was found, the last one of the pin beside it that asks for rest.
  const reported = inputLevels.slice(1, -1);
  const isOnce = reported.every((level, index) => level === ((index + 1) & 1));
  require(isOnce, 'an input edge was lost, repeated or reordered');
  require(reported.length ===
    edgesApplied, `${reported.length} input edges reported, applied ${edgesApplied}`);
  // What the program counted, modulo the eight pins on which it shows its count.
  const seen = pins.letters.at(-1)?.edges ?? 0;
  require(seen ===
    edgesApplied % 256, `the program counts ${seen} edges modulo 256, applied ${edgesApplied}`);
  return {
    letters: { intended: intent.letters.length, atPins: pins.letters.length },
    steps: { intended: intent.steps, atPins: pins.steps },
    edges: { applied: edgesApplied, reported: reported.length, seen },
    complaints,
  };
}
