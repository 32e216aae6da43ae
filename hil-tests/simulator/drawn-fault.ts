/** A fault as chance has it: whom it strikes, when, for how long and how hard. swarm.ts draws which kinds there are at all. */
import { type BoardName, boardNames, type Fault, type FaultKind, linkNames, otherBoard } from './fault.ts';
import type { Random } from './random.ts';

/** Draws one fault of a kind that begins and ends within the given time. */
export function faultOf(
  kind: FaultKind,
  random: Random,
  from: number,
  to: number,
  deviceCount: number,
): Fault {
  const at = random.between(from, to);
  const until = Math.min(to, at + random.magnitude(5, 3000));
  const link = random.pick(linkNames);
  const either: BoardName | null = random.pick([null, null, 'a', 'b']);
  const board = random.pick(boardNames);
  const device = random.below(deviceCount);
  switch (kind) {
    case 'loss':
      return { kind, at, until, link, from: either, probability: random.pick([0.01, 0.1, 0.3, 0.7]) };
    case 'delay': {
      const ms = random.magnitude(1, 60);
      return { kind, at, until, link, from: either, ms, jitterMs: random.pick([0, ms]) };
    }
    case 'duplication':
    case 'reordering':
      return { kind, at, until, link, from: either, probability: random.pick([0.05, 0.3]) };
    case 'corruption':
      return { kind, at, until, link, from: either, probability: random.pick([0.01, 0.1, 0.5]) };
    case 'cut':
    case 'stall':
      return { kind, at, until, link, from: either };
    case 'slow-link':
      return { kind, at, until, link, bitsPerSecond: random.pick([19_200, 38_400, 115_200]) };
    case 'kill':
      return { kind, at, until, board };
    case 'power':
      return { kind, at, until, board, disk: random.chance(0.85) ? 'kept' : 'lost' };
    case 'pause':
      return { kind, at, until, board };
    case 'late-wakes':
      return { kind, at, until, board, ms: random.magnitude(1, 80) };
    case 'slow-replica':
      return { kind, at, until, board, turnMs: random.magnitude(0.5, 16) };
    case 'replica':
      return { kind, at, board, how: random.pick(['killed', 'hangs', 'diverges']) };
    case 'disk-full':
      return { kind, at, until, board };
    case 'slow-disk':
      return { kind, at, until, board, ms: random.magnitude(5, 300) };
    case 'clock-step':
      return { kind, at, board, ms: random.pick([-3_600_000, -50, 50, 3_600_000]) };
    case 'clock-drift':
      return { kind, at, until, board, partsPerMillion: random.pick([-500, -100, 100, 500]) };
    case 'device-restart':
      return { kind, at, device };
    case 'device-port-lost':
      return { kind, at, until, device, board };
    case 'line-noise':
      return { kind, at, until, device, board, probability: random.pick([0.01, 0.1, 0.4]) };
    case 'slow-device':
      return { kind, at, until, device, msPerByte: random.magnitude(0.05, 3) };
    case 'switchover':
      return { kind, at, board };
    case 'leave':
      return { kind, at, until: Math.min(to, until + 200), board };
    case 'forgery': {
      const how = random.pick(['random', 'replayed', 'reflected', 'other-key', 'truncated'] as const);
      return { kind, at, until, link, to: board, how, everyMs: random.magnitude(2, 50) };
    }
  }
}

/** Kinds that come in pairs often enough to be drawn as such: both links, or both boards, at nearly the same time. */
export function companionOf(fault: Fault, random: Random): Fault | null {
  if (fault.kind === 'cut' || fault.kind === 'stall') {
    const link = fault.link === 'serial' ? 'ethernet' : 'serial';
    return random.chance(0.5) ? { ...fault, at: fault.at + random.between(0, 40), link } : null;
  }
  if (fault.kind === 'power' || fault.kind === 'kill') {
    const board = otherBoard(fault.board);
    return random.chance(0.25) ? { ...fault, at: fault.at + random.between(0, 100), board } : null;
  }
  return null;
}
