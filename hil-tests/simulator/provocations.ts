/**
 * Plans that are laid, not drawn: faults in the one order, and with the few milliseconds between them, that a rule of the
 * protocol is there for. Chance alone comes upon such an order once in thousands of lives. What is left to chance is who
 * is struck, and when exactly within those milliseconds.
 */
import { heartbeatIntervalMsOn } from '../../protocol/link-state.ts';
import { type BoardName, boardNames, type Fault, linkNames, otherBoard } from './fault.ts';
import type { Random } from './random.ts';
import type { WorldOptions } from './world.ts';

export interface Stage {
  random: Random;
  /** Nothing begins before, nothing ends after. */
  from: number;
  to: number;
  numbers: Pick<
    WorldOptions,
    | 'detectionTimeoutMs'
    | 'heartbeatIntervalMs'
    | 'holdTimeMs'
    | 'restartDelayMs'
    | 'serialBitsPerSecond'
    | 'suspectTimeoutMs'
    | 'waitForPeerMs'
  > & { devices: readonly unknown[] };
}

/** Intervals of the slowest link's heartbeats that a silence must last (protocol/README.md §8). */
const deadIntervals = 2.5;

/** A silence that makes the other board dead. */
function silenceMs({ numbers }: Stage): number {
  const serial = {
    name: 'serial' as const,
    bitsPerSecond: numbers.serialBitsPerSecond,
    datagramBytesMax: 512,
  };
  const intervalMs = heartbeatIntervalMsOn(serial, numbers.heartbeatIntervalMs);
  return Math.max(numbers.detectionTimeoutMs, deadIntervals * intervalMs);
}

/** At a cold start of two equal boards `a` leads, so it is the primary of most lives until something has struck. */
function likelyPrimary(random: Random): BoardName {
  return random.chance(0.8) ? 'a' : 'b';
}

/** Rounds one after the other, as long as there is time for another. */
function rounds(stage: Stage, everyMs: number, round: (at: number) => Fault[]): Fault[] {
  const faults: Fault[] = [];
  for (let at = stage.from; at < stage.to; at += everyMs * stage.random.between(0.8, 1.3)) {
    faults.push(...round(at));
  }
  return faults;
}

/** All that a board has sent while it was taken for dead arrives just when the other one asks for the device. */
export function burstAtClaim(stage: Stage): Fault[] {
  const { random, numbers } = stage;
  const deadMs = silenceMs(stage);
  return rounds(stage, deadMs + 1200, (at) => {
    const from = random.pick([...boardNames, null]);
    const isHeld = from !== null && random.chance(0.6);
    // The silence began with the last heartbeat before.
    const until = at + deadMs + random.between(-numbers.heartbeatIntervalMs, isHeld ? 200 : 15);
    const faults: Fault[] = linkNames.map((link) => ({ kind: 'stall', at, until, link, from }));
    if (isHeld) {
      const claimant = otherBoard(from);
      const after = until + random.between(5, 100);
      const probability = random.pick([0.3, 0.7, 0.95]);
      // The claim takes longer, and not all that is said of it arrives.
      faults.push({ kind: 'line-noise', at, until: after, device: 0, board: claimant, probability: 0.8 });
      for (const link of linkNames) {
        faults.push({ kind: 'loss', at, until: after, link, from: claimant, probability });
      }
    }
    return faults;
  });
}

/** Datagrams of a process that is gone reach the other board after those of its successor. */
export function staleDatagrams(stage: Stage): Fault[] {
  const { random } = stage;
  return rounds(stage, 1500, (at) => {
    const board = random.pick(boardNames);
    const killedAt = at + random.between(20, 60);
    const upAt = killedAt + random.between(1, 40);
    const faults: Fault[] = [{ kind: 'kill', at: killedAt, until: upAt, board }];
    const late = random.chance(0.6);
    for (const link of random.pick([linkNames, linkNames, ['ethernet'], ['serial']] as const)) {
      if (late) {
        const ms = random.between(50, 400);
        faults.push({
          kind: 'delay',
          at,
          until: killedAt,
          link,
          from: board,
          ms,
          jitterMs: random.pick([0, 50]),
        });
      } else {
        const until = upAt + random.between(5, 200);
        faults.push({ kind: 'stall', at, until, link, from: board });
      }
    }
    return faults;
  });
}

/** Boards find each other, and one is given its copy, while most of what they say is lost. */
export function lossyJoin(stage: Stage): Fault[] {
  const { random, from, to } = stage;
  const faults: Fault[] = [];
  for (const link of linkNames) {
    faults.push({
      kind: 'loss',
      at: 0,
      until: to,
      link,
      from: null,
      probability: random.pick([0.2, 0.4, 0.6]),
    });
    if (random.chance(0.5)) {
      faults.push({ kind: 'duplication', at: 0, until: to, link, from: null, probability: 0.3 });
    }
  }
  for (let at = from; at < to; at += random.between(800, 1600)) {
    faults.push({ kind: 'kill', at, until: at + random.between(2, 200), board: random.pick(boardNames) });
  }
  return faults;
}

/** A silence so long that what waits for the silent board fills the send buffer. */
export function drownedCopy(stage: Stage): Fault[] {
  const { random } = stage;
  return rounds(stage, 3500, (at) => {
    const from = random.pick([...boardNames, null]);
    const until = at + random.between(800, 2500);
    return linkNames.map((link) => ({ kind: 'cut', at, until, link, from }));
  });
}

/** The backup cannot reach the device, and then it is the one that is left. */
export function portThenPrimary(stage: Stage): Fault[] {
  const { random, numbers } = stage;
  return rounds(stage, numbers.holdTimeMs + 3500, (at) => {
    const primary = likelyPrimary(random);
    const backup = otherBoard(primary);
    const struckAt = at + random.between(20, 400);
    if (random.chance(0.4)) {
      const until = struckAt + random.between(500, 1500);
      return [
        { kind: 'device-port-lost', at, until: until + random.between(-300, 300), device: 0, board: backup },
        { kind: random.pick(['kill', 'pause']), at: struckAt, until, board: primary },
      ];
    }
    // It is started anew in the meantime: only its journal can tell it that it was no backup any more.
    const backAt = struckAt + random.between(20, 200);
    return [
      { kind: 'device-port-lost', at, until: backAt, device: 0, board: backup },
      { kind: 'kill', at: struckAt + random.between(-15, 100), until: backAt, board: backup },
      {
        kind: 'kill',
        at: struckAt,
        until: backAt + numbers.waitForPeerMs + random.between(800, 1500),
        board: primary,
      },
    ];
  });
}

/** A device is restarted, and a moment later its controller is gone. */
export function restartThenTakeover(stage: Stage): Fault[] {
  const { random, numbers } = stage;
  return rounds(stage, 2200, (at) => {
    const device = random.below(numbers.devices.length);
    if (random.chance(0.4)) {
      // A copy that is made afterwards is given the counts of both sessions, and then needs them.
      const backup = otherBoard(likelyPrimary(random));
      const awayAt = at + random.between(250, 500);
      const goneAt = awayAt + random.between(500, 800);
      return [
        { kind: 'device-restart', at, device },
        { kind: 'kill', at: awayAt, until: awayAt + random.between(5, 50), board: backup },
        { kind: 'power', at: goneAt, until: goneAt + 700, board: otherBoard(backup), disk: 'kept' },
      ];
    }
    const struckAt = at + random.pick([random.between(-5, 15), random.between(0, 120)]);
    const until = struckAt + random.between(100, 700);
    const board = random.pick(boardNames);
    const blow = (): Fault => {
      if (random.chance(0.3)) return { kind: 'switchover', at: struckAt, board };
      const kind = random.pick(['kill', 'pause', 'power'] as const);
      const times = { at: struckAt, until, board };
      return kind === 'power' ? { kind, ...times, disk: 'kept' } : { kind, ...times };
    };
    return [{ kind: 'device-restart', at, device }, blow()];
  });
}

/**
 * A program that does not open the port of a restarted device again is begun afresh; just then somebody asks for a switchover that
 * a long turn holds up, or the backup is found to be silent.
 */
export function afreshMeanwhile(stage: Stage): Fault[] {
  const { random, numbers } = stage;
  const deadMs = silenceMs(stage);
  return rounds(stage, numbers.restartDelayMs + 2500, (at) => {
    const dueAt = at + numbers.restartDelayMs + random.between(0, 10);
    const device = random.below(numbers.devices.length);
    const restart: Fault = { kind: 'device-restart', at, device };
    if (random.chance(0.5)) {
      const silentAt = Math.max(
        stage.from,
        dueAt - deadMs - random.between(-5, numbers.heartbeatIntervalMs + 5),
      );
      const until = dueAt + random.between(50, 600);
      return [restart, { kind: 'pause', at: silentAt, until, board: otherBoard(likelyPrimary(random)) }];
    }
    const askedAt = dueAt - random.between(0, 30);
    const turnMs = random.between(10, 60);
    const slow = boardNames.map((board): Fault => {
      return { kind: 'slow-replica', at: askedAt - 30, until: dueAt + 60, board, turnMs };
    });
    return [restart, ...slow, { kind: 'switchover', at: askedAt, board: random.pick(boardNames) }];
  });
}

/** One board is gone, without a word, and nothing else is wrong. */
export function loneFailure(stage: Stage): Fault[] {
  const { random, from, to } = stage;
  const at = from + random.between(0, 300);
  const until = Math.min(to, at + silenceMs(stage) + random.between(400, 1500));
  const board = likelyPrimary(random);
  return [
    random.chance(0.5)
      ? { kind: 'pause', at, until, board }
      : { kind: 'power', at, until, board, disk: 'kept' },
  ];
}

/** No acknowledgement comes for nearly as long as a board may be silent. */
export function heldAcknowledgements(stage: Stage): Fault[] {
  const { random } = stage;
  const deadMs = silenceMs(stage);
  return rounds(stage, deadMs + 600, (at) => {
    const from = random.pick([...boardNames, null]);
    const until = at + deadMs * random.between(0.7, 0.95) - 40;
    return linkNames.map((link) => ({ kind: 'stall', at, until, link, from }));
  });
}

/** Who took over is killed while the other board is still gone: it goes on by what its own journal says. */
export function survivorRestarts(stage: Stage): Fault[] {
  const { random, numbers } = stage;
  const deadMs = silenceMs(stage);
  return rounds(stage, deadMs + numbers.waitForPeerMs + 3500, (at) => {
    const first = likelyPrimary(random);
    const secondAt = at + deadMs + random.between(100, 600);
    const upAt = secondAt + random.between(10, 100);
    const until = upAt + numbers.waitForPeerMs + random.between(300, 1200);
    return [
      { kind: 'kill', at, until, board: first },
      { kind: 'kill', at: secondAt, until: upAt, board: otherBoard(first) },
    ];
  });
}

/** A board that leads alone stands still until the device has given it up and the other one leads; no bus says so. */
export function stalePrimary(stage: Stage): Fault[] {
  const { random, numbers, from, to } = stage;
  const deadMs = silenceMs(stage);
  const primary = likelyPrimary(random);
  const pausedAt = from + deadMs + random.between(150, 400);
  const wakesAt = pausedAt + numbers.holdTimeMs + 2 * numbers.waitForPeerMs + random.between(300, 900);
  const killedAt = from + random.between(-20, 40);
  return [
    ...linkNames.map((link): Fault => ({ kind: 'cut', at: from, until: to, link, from: null })),
    {
      kind: 'kill',
      at: killedAt,
      until: killedAt + deadMs + random.between(20, 200),
      board: otherBoard(primary),
    },
    { kind: 'pause', at: pausedAt, until: Math.min(to, wakesAt), board: primary },
  ];
}

/** The power of both boards fails, and comes back to both. One of them may have been slow to write. */
export function blackout(stage: Stage): Fault[] {
  const { random } = stage;
  return rounds(stage, 2500, (at) => {
    const upAt = at + random.between(60, 300);
    const slow: Fault = {
      kind: 'slow-disk',
      at: at - random.between(50, 400),
      until: at + 20,
      board: likelyPrimary(random),
      ms: random.magnitude(5, 300),
    };
    const blows = boardNames.map(
      (board): Fault => ({
        kind: 'power',
        at: at + random.pick([0, random.between(0, 5), random.between(0, 50)]),
        until: upAt + random.between(0, 100),
        board,
        disk: 'kept',
      }),
    );
    return random.chance(0.7) ? [slow, ...blows] : blows;
  });
}

/** A board is back, and before it is a backup again the other one is gone. */
export function primaryGoneWhileJoining(stage: Stage): Fault[] {
  const { random, numbers } = stage;
  return rounds(stage, numbers.holdTimeMs + 2500, (at) => {
    const backup = random.pick(boardNames);
    const upAt = at + random.between(100, 400);
    const struckAt = upAt + random.between(2, 60);
    const until = struckAt + random.between(200, 1200);
    const primary = otherBoard(backup);
    return [
      { kind: 'kill', at, until: upAt, board: backup },
      random.chance(0.5)
        ? { kind: 'pause', at: struckAt, until, board: primary }
        : { kind: 'power', at: struckAt, until, board: primary, disk: 'kept' },
    ];
  });
}

/** A board stands still for longer than the other one would have to be silent. */
export function pausedBackup(stage: Stage): Fault[] {
  const { random } = stage;
  const deadMs = silenceMs(stage);
  return rounds(stage, deadMs + 900, (at) => [
    { kind: 'pause', at, until: at + deadMs + random.between(-20, 400), board: random.pick(boardNames) },
  ]);
}

/** The device forgets what it can forget just when its controller is gone and the one before that wakes. */
export function restartForTheOld(stage: Stage): Fault[] {
  const { random } = stage;
  const deadMs = silenceMs(stage);
  return rounds(stage, deadMs + 2500, (at) => {
    const old = likelyPrimary(random);
    const restartAt = at + deadMs + random.between(200, 500);
    const goneAt = restartAt - random.between(2, 20);
    const wakesAt = restartAt + random.between(-5, 40);
    return [
      { kind: 'pause', at, until: wakesAt, board: old },
      { kind: 'pause', at: goneAt, until: wakesAt + random.between(200, 600), board: otherBoard(old) },
      { kind: 'device-restart', at: restartAt, device: 0 },
    ];
  });
}

/** Outputs and inputs pile up while no acknowledgement comes, then go in one row over a noisy line. */
export function rowsOnNoisyLines(stage: Stage): Fault[] {
  const { random, from, to, numbers } = stage;
  const deadMs = silenceMs(stage);
  const faults: Fault[] = rounds(stage, deadMs + 150, (at) => {
    if (random.chance(0.2))
      return [{ kind: 'pause', at, until: at + deadMs + 300, board: random.pick(boardNames) }];
    const stalled = random.pick([...boardNames, null]);
    const until = at + deadMs * random.between(0.5, 0.9);
    return linkNames.map((link) => ({ kind: 'stall', at, until, link, from: stalled }));
  });
  for (let device = 0; device < numbers.devices.length; device++) {
    for (const board of boardNames) {
      const probability = random.pick([0.1, 0.2, 0.3]);
      faults.push({ kind: 'line-noise', at: from, until: to, device, board, probability });
    }
  }
  return faults;
}

/** Everything is said twice to a board that joins, or hears of a device's new count: its acknowledgements are late. */
export function heldJoins(stage: Stage): Fault[] {
  const { random, numbers } = stage;
  const deadMs = silenceMs(stage);
  return rounds(stage, deadMs + 1400, (at) => {
    const backup = random.pick(boardNames);
    const upAt = at + random.between(60, 200);
    const heldFrom = upAt + random.between(2, 40);
    const heldUntil = heldFrom + deadMs * random.between(0.4, 0.9);
    const goneAt = heldUntil + random.between(200, 700);
    const device = random.below(numbers.devices.length);
    const faults: Fault[] = linkNames.map((link) => ({
      kind: 'stall',
      at: heldFrom,
      until: heldUntil,
      link,
      from: backup,
    }));
    faults.push({ kind: 'kill', at, until: upAt, board: backup });
    if (random.chance(0.5))
      faults.push({ kind: 'device-restart', at: heldFrom - random.between(0, 300), device });
    faults.push({ kind: 'pause', at: goneAt, until: goneAt + deadMs + 300, board: otherBoard(backup) });
    return faults;
  });
}
