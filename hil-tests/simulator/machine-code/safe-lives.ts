/**
 * The device is left alone, bitten by its watchdog, or loses its supply, in mid-run: when its pins are safe, and how the pair and the
 * program come back. Nothing resumes silently: the program is told that its port was lost.
 */
import { boardNames, type Fault } from '../fault.ts';
import { committedFirmware, MachineCodePair, type PairOptions } from './machine-code-pair.ts';

export const silences = ['ports lost', 'boards frozen', 'boards killed'] as const;
export type Silence = (typeof silences)[number];

export interface SafeReport {
  what: string;
  /** From the primary's last whole frame, the loss of the supply, or the last pin that the hanging firmware moved, to the last pin's fall. */
  safeMs: number;
  /** From the end of the trouble to a protected pair whose letters are at the pins. */
  backMs: number;
  /** Turns in which the program was told that its port was lost; 0 where it was started afresh. */
  told: number;
  historiesBegun: number;
  sessionsBegun: number;
  /** Letters at the pins while the device was safe and nobody had attached. */
  lettersWhileSafe: number;
}

const awayMs = 1500;
const safeWithinMs = 1500;

/** Nobody speaks to the device any more, for longer than the hold time. */
export function liveSilences(options: PairOptions & { silences: readonly Silence[] }): SafeReport[] {
  const pair = new MachineCodePair(options);
  pair.start();
  return options.silences.map((silence) => {
    pair.run(pair.random.between(50, 250));
    return trouble(pair, silence, () => {
      const line = pair.device.lines[pair.primary!];
      const faults = boardNames.map((board) => pair.begin(faultOf(silence, board)));
      const from = pair.now;
      const safeMs = pair.untilSafe(safeWithinMs, () => pair.msOf(line.lastFrameCycle));
      pair.run(Math.max(0, awayMs - (pair.now - from)));
      const mend = (): void => {
        for (const fault of faults) pair.end(fault);
      };
      return { safeMs, mend };
    });
  });
}

function faultOf(silence: Silence, board: 'a' | 'b'): Fault {
  const [at, until] = [0, 0];
  switch (silence) {
    case 'ports lost':
      return { kind: 'device-port-lost', at, until, device: 0, board };
    case 'boards frozen':
      return { kind: 'pause', at, until, board };
    case 'boards killed':
      return { kind: 'kill', at, until, board };
  }
}

/** The supply fails for a moment. */
export function livePowerCycle(options: PairOptions): SafeReport {
  const pair = new MachineCodePair(options);
  pair.start();
  pair.run(pair.random.between(50, 250));
  return trouble(pair, 'power cycle', () => {
    pair.until('the pins show letters', () => pair.pins.isShowing);
    const at = pair.machine.timeMs;
    pair.begin({ kind: 'device-restart', at: 0, device: 0 });
    pair.until('safe pins', () => !pair.pins.isShowing, safeWithinMs);
    return { safeMs: pair.pins.movedAtMs - at, mend: () => {} };
  });
}

const vectorBytes = 4;
const unusedVector = 1;
const analogVector = 29;
const biteAtLetter = 30;

/** The converter's interrupt goes where unexpected ones go and never returns: the firmware hangs at its first conversion. */
export function liveBite(options: PairOptions): SafeReport {
  const firmware = committedFirmware().slice();
  const unused = firmware.slice(unusedVector * vectorBytes, (unusedVector + 1) * vectorBytes);
  firmware.set(unused, analogVector * vectorBytes);
  const pair = new MachineCodePair({
    ...options,
    firmware,
    program: { ...options.program, analogChannels: [0], analogFromLetter: biteAtLetter },
  });
  pair.start();
  return trouble(pair, 'watchdog bite', () => {
    let hangMs = 0;
    pair.until('the watchdog bites', () => {
      if (pair.machine.resets.at(-1)!.cause === 'watchdog') return true;
      hangMs = pair.pins.movedAtMs;
      return false;
    });
    // The reset itself lets go of every pin.
    pair.until('safe pins', () => !pair.pins.isShowing, safeWithinMs);
    return { safeMs: pair.pins.movedAtMs - hangMs, mend: () => {} };
  });
}

function trouble(
  pair: MachineCodePair,
  what: string,
  strike: () => { safeMs: number; mend: () => void },
): SafeReport {
  const told = pair.portsLost.length;
  const sessions = pair.sessions.length;
  const histories = pair.historiesBegun;
  const { safeMs, mend } = strike();
  const lettersBefore = pair.pins.letters.length;
  const attachments = pair.attachments.length;
  const from = pair.now;
  mend();
  pair.until('somebody attaches again', () => pair.attachments.length > attachments);
  const lettersWhileSafe = pair.pins.letters.length - lettersBefore;
  pair.awaitProtected();
  pair.until('the pins show letters', () => pair.pins.isShowing);
  return {
    what,
    safeMs,
    backMs: pair.now - from,
    told: pair.portsLost.length - told,
    historiesBegun: pair.historiesBegun - histories,
    sessionsBegun: pair.sessions.length - sessions,
    lettersWhileSafe,
  };
}
