/**
 * Promise 2 (DESIGN section 1): a fenced device accepts outputs from one controller at a time, the newest.
 *
 * At the device: no term is ever held by two boards, the held term never goes down, and every output accepted is of
 * the board, term and session that attached last. On the boards: who believes to lead under a term is the board
 * to which the arbiter granted it. In the journals: each reign is named once.
 */
import type { BoardName } from '../simulator/fault.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeEnd,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';

interface DeviceHeld {
  term: number;
  board: BoardName | null;
  session: number | null;
  attached: boolean;
}

class OneTermOneBoard implements Checker {
  readonly name = 'one-term-one-board';
  readonly promise = '2: a fenced device accepts outputs from one controller at a time, the newest';
  readonly #held: DeviceHeld[];
  readonly #arbiter: number;
  readonly #grantedTo = new Map<number, BoardName>();

  constructor(facts: LifeFacts) {
    this.#held = facts.devices.map(() => ({ term: 0, board: null, session: null, attached: false }));
    this.#arbiter = facts.devices.findIndex((device) => device.arbiter);
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'device-output': {
        const { device, board, term, session } = observed;
        const held = this.#held[device]!;
        if (held.attached && held.board === board && held.term === term && held.session === session) return;
        return this.#fail(
          `device ${device} accepted an output of board ${board} under term ${term} in session ${session}, ` +
            `though ${describe(held)}`,
        );
      }
      case 'device-attached': {
        const { device, board, term, session } = observed;
        const held = this.#held[device]!;
        if (term < held.term) {
          this.#fail(`device ${device} attached term ${term} of board ${board} after term ${held.term}`);
        }
        if (term === held.term && held.board !== null && held.board !== board) {
          this.#fail(`device ${device} gave term ${term} to board ${board} and to board ${held.board}`);
        }
        if (held.session !== null && session < held.session) {
          this.#fail(`device ${device} went back from session ${held.session} to ${session}`);
        }
        this.#held[device] = { term, board, session, attached: true };
        if (device === this.#arbiter) this.#grantedTo.set(term, board);
        return;
      }
      case 'device-released':
        this.#held[observed.device]!.attached = false;
        return;
      case 'device-session': {
        const held = this.#held[observed.device]!;
        if (held.session === observed.session && held.attached) {
          this.#fail(`device ${observed.device} began session ${observed.session} a second time`);
        }
        held.attached = false;
        held.session = observed.session;
        return;
      }
      case 'role': {
        if (this.#arbiter < 0 || observed.status.role !== 'primary') return;
        const { board, status } = observed;
        const holder = this.#grantedTo.get(status.term);
        if (holder === board) return;
        this.#fail(
          `board ${board} leads term ${status.term}, which the device granted to ${holder ?? 'nobody'}`,
        );
      }
    }
  }

  /** A journal names each reign of its history once, the newest last: by that a board tells what it knows. */
  end(end: LifeEnd): void {
    for (const { historyId, terms } of end.histories) {
      let newest = 0;
      for (const term of terms) {
        if (term <= newest)
          this.#fail(`the journal of history ${historyId} names term ${term} after term ${newest}`);
        newest = term;
      }
    }
  }

  #fail(message: string): never {
    throw new Violation(this.name, message);
  }
}

function describe(held: DeviceHeld): string {
  if (!held.attached) return `nobody is attached in session ${held.session}`;
  return `board ${held.board} is attached under term ${held.term} in session ${held.session}`;
}

export const oneTermOneBoard: CheckerFactory = (facts) => new OneTermOneBoard(facts);
