/**
 * Promise 3 (DESIGN section 1), section 8 "device restarts": its boot id changes, which is an event for the program; never
 * a silent resume.
 *
 * Before a history writes to a device's new session, the program has been told that the port is gone (or had closed it
 * itself) since it last wrote to the old one. What a device still accepts of a history that was given up a moment ago is
 * none of the new one's: that counts from the first turn on in which its program writes to that device.
 */

import type { Output } from '../../protocol/record.ts';
import {
  type Checker,
  type CheckerFactory,
  type LifeFacts,
  type Observed,
  Violation,
} from '../simulator/observation.ts';
import { BoardStates } from './board-states.ts';

class NoSilentResume implements Checker {
  readonly name = 'no-silent-resume';
  readonly promise =
    '3: the stream of one controller; section 8: a restarted device is never resumed silently';
  readonly #states = new BoardStates();
  /** By device and history: the session that it last wrote to, and the time of its last output there. */
  readonly #wrote: Map<string, { session: number; at: number }>[];
  /** By history: when its program last lost or closed a port. */
  readonly #portGoneAt = new Map<string, number>();
  /** By history and port: the device that its program opened there. */
  readonly #devices = new Map<string, string>();
  /** Histories and devices that they have written to. */
  readonly #writes = new Set<string>();
  readonly #names: string[];

  constructor(facts: LifeFacts) {
    this.#names = facts.devices.map(({ name }) => name);
    this.#wrote = facts.devices.map(() => new Map());
  }

  observe(observed: Observed): void {
    switch (observed.kind) {
      case 'turn': {
        if (observed.mode !== 'perform') return;
        const { historyId, event, outputs, at } = observed;
        const gone =
          event?.kind === 'port-lost' ||
          outputs.some((output) => output.kind === 'request' && output.operation === 'close');
        if (gone) this.#portGoneAt.set(historyId, at);
        for (const output of outputs) this.#note(historyId, output);
        return;
      }
      case 'device-output': {
        const { device, session, board, at } = observed;
        const { role, historyId } = this.#states.of(board);
        if (role !== 'primary' || historyId === null) return;
        if (!this.#writes.has(`${historyId} ${this.#names[device]}`)) return;
        const wrote = this.#wrote[device]!.get(historyId);
        if (wrote === undefined) {
          this.#wrote[device]!.set(historyId, { session, at });
          return;
        }
        if (wrote.session !== session && !((this.#portGoneAt.get(historyId) ?? -1) >= wrote.at)) {
          throw new Violation(
            this.name,
            `history ${historyId} went on from session ${wrote.session} of device ${device} to ${session} ` +
              'without a word to the program',
          );
        }
        wrote.session = session;
        wrote.at = at;
        return;
      }
      case 'role':
      case 'board-up':
      case 'board-down':
        this.#states.observe(observed);
    }
  }

  #note(historyId: string, output: Output): void {
    if (output.kind === 'write') {
      const device = this.#devices.get(`${historyId} ${output.port}`);
      if (device !== undefined) this.#writes.add(`${historyId} ${device}`);
    } else if (output.kind === 'request' && output.operation === 'open') {
      const { path } = JSON.parse(output.argument) as { path: string };
      this.#devices.set(`${historyId} ${output.port}`, path);
    }
  }

  end(): void {}
}

export const noSilentResume: CheckerFactory = (facts) => new NoSilentResume(facts);
