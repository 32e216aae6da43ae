/**
 * Promise 2 (DESIGN section 1), section 5: no live controller for the hold time, and the device drives its outputs to the
 * declared safe state.
 *
 * When the board that holds a device is down or stands still, and nobody else attaches, the device is safe at the latest
 * after its hold time, and what was on the line before.
 */
import type { BoardName } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';
import { BoardStates } from './board-states.ts';

/** What the kernel still has to write on a slow line when its process is killed. */
const lineMs = 1000;

interface Held {
  board: BoardName | null;
  /** Since when nobody can control it, or null. */
  uncontrolledSince: number | null;
}

class SafeInTime implements Checker {
  readonly name = 'safe-in-time';
  readonly promise = '2: one controller at a time; section 5: none for the hold time, and the device is safe';
  readonly #held: Held[];
  readonly #states = new BoardStates();
  readonly #withinMs: number;

  constructor(facts: LifeFacts) {
    this.#held = facts.devices.map(() => ({ board: null, uncontrolledSince: null }));
    this.#withinMs = facts.holdTimeMs + lineMs;
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'device-attached':
        this.#held[observed.device] = { board: observed.board, uncontrolledSince: null };
        return;
      case 'device-safe':
      case 'device-session':
        this.#held[observed.device] = { board: null, uncontrolledSince: null };
        return;
      case 'device-released':
        this.#held[observed.device]!.uncontrolledSince ??= observed.at;
        return;
      case 'board-down':
        this.#states.observe(observed);
        for (const held of this.#held) {
          if (held.board === observed.board) held.uncontrolledSince ??= observed.at;
        }
        return;
      case 'fault':
        this.#judge(observed.at);
        this.#states.observe(observed);
        if (observed.fault.kind === 'pause') this.#pauses(observed.fault.board, observed.at);
        return;
      case 'board-up':
        this.#states.observe(observed);
        return;
      case 'status':
        this.#judge(observed.at);
    }
  }

  end({ at }: { at: number }): void {
    this.#judge(at);
  }

  #pauses(board: BoardName, at: number): void {
    const { up, pauses } = this.#states.of(board);
    for (const held of this.#held) {
      if (held.board !== board) continue;
      if (pauses > 0) held.uncontrolledSince ??= at;
      else if (up) held.uncontrolledSince = null;
    }
  }

  #judge(at: number): void {
    this.#held.forEach(({ uncontrolledSince }, device) => {
      if (uncontrolledSince === null || at - uncontrolledSince <= this.#withinMs) return;
      throw new Violation(
        this.name,
        `device ${device} is not in its safe state ${Math.round(at - uncontrolledSince)} ms after its controller was gone`,
      );
    });
  }
}

export const safeInTime: CheckerFactory = (facts) => new SafeInTime(facts);
