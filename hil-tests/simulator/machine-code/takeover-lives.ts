/**
 * Lives of a pair before the machine code in which one primary after the other is struck, in mid-letter and in mid-move, while the world
 * goes on toggling an input. At the end the pins' ledger and the program's intent must be the same.
 */
import { type BoardName, type Fault, otherBoard } from '../fault.ts';
import { type Judgement, judge } from './judgement.ts';
import { MachineCodePair, type PairOptions } from './machine-code-pair.ts';

export const blows = ['kill', 'power', 'freeze', 'switchover'] as const;
export type Blow = (typeof blows)[number];

export interface Takeover {
  blow: Blow;
  /** From the blow to the first letter under the next term. */
  gapMs: number;
  /** From the blow to the survivor being protected again, the other board being back. */
  protectedMs: number;
}

export interface TakeoverLife extends Judgement {
  takeovers: Takeover[];
  simulatedMs: number;
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
