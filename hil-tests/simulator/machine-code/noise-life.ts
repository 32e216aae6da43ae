/**
 * Damaged lines before the machine code: every byte on both UARTs, both ways, may be flipped, dropped or followed by a stranger, while the
 * pair goes on, reigns change, and the world toggles an input.
 */
import { boardNames, otherBoard } from '../fault.ts';
import type { NoiseCounts } from './emulated-device.ts';
import { type Judgement, judge } from './judgement.ts';
import { MachineCodePair, type PairOptions } from './machine-code-pair.ts';

export interface NoiseLife extends Judgement {
  simulatedMs: number;
  counts: NoiseCounts;
  switchovers: number;
  /** Frames and bytes that the firmware threw away, by port. */
  discarded: Record<'a' | 'b', number>;
}

const reignMs = 4000;

/** `probability`: of each kind of damage, for every byte. */
export function liveNoise(options: PairOptions & { noisyMs: number; probability: number }): NoiseLife {
  const pair = new MachineCodePair(options);
  pair.start();
  for (const name of boardNames) pair.device.lines[name].noise = options.probability;
  pair.toggleInput();
  let switchovers = 0;
  const endsAt = pair.now + options.noisyMs;
  for (;;) {
    pair.run(Math.min(reignMs, endsAt - pair.now));
    if (pair.now >= endsAt) break;
    const board = pair.primary;
    if (board === null) throw new Error(`nobody leads\n${pair.story()}`);
    pair.begin({ kind: 'switchover', at: 0, board });
    pair.until('the other board leads', () => pair.primary === otherBoard(board));
    switchovers += 1;
    pair.awaitProtected();
  }
  for (const name of boardNames) pair.device.lines[name].noise = 0;
  pair.rest();
  const info = pair.device.info();
  const { a, b } = pair.device.lines;
  const sum = (of: (counts: NoiseCounts) => number): number => of(a.counts) + of(b.counts);
  return {
    simulatedMs: pair.now,
    switchovers,
    counts: {
      carried: sum(({ carried }) => carried),
      flipped: sum(({ flipped }) => flipped),
      dropped: sum(({ dropped }) => dropped),
      inserted: sum(({ inserted }) => inserted),
    },
    discarded: { a: Number(info.get('discarded_a')), b: Number(info.get('discarded_b')) },
    ...judge(pair),
  };
}
