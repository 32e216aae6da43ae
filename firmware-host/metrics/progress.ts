/**
 * Does this board get on? Judged by what the supervisor's core does and by what its replica answers, never by a timer of our own: a
 * timer fires as long as the event loop turns, and an event loop turns happily around a core that no longer wakes or a
 * program that no longer answers.
 *
 * Asked from time to time ("since the last asking"):
 *
 *   loop      the core has been woken at the time that it asked for
 *   replica   the turn that is under way is not the one that was under way at the last asking
 *   due       as primary: a turn that was due at the last asking has been begun
 *
 * An idle board passes: nothing is under way, nothing is due. So does one whose program is being started again.
 */
import type { Role } from '../../protocol/pair-contract.ts';
import type { SupervisorEffect, SupervisorInput } from '../supervisor/effects.ts';

export type StandstillCode = 'LOOP_STANDS_STILL' | 'REPLICA_STANDS_STILL' | 'TURN_NOT_BEGUN';

export interface Standstill {
  code: StandstillCode;
  text: string;
}

export class Progress {
  /** Turns that the replica has been sent and has not answered, and since when it has worked on the oldest. */
  #turnsSent = 0;
  #workingSince: number | null = null;
  #bootingSince: number | null = null;
  /** When the program wants its next turn, by our clock. */
  #dueAt: number | null = null;
  #lastTickAt = Number.NEGATIVE_INFINITY;

  stepped(now: number, input: SupervisorInput, effects: readonly SupervisorEffect[]): void {
    if (input.kind === 'tick') this.#lastTickAt = now;
    if (input.kind === 'replica') this.#answered(now, input.message);
    if (input.kind === 'replica-exited') this.#replicaGone();
    for (const effect of effects) {
      if (effect.kind === 'replica-start') {
        this.#replicaGone();
        this.#bootingSince = now;
      } else if (effect.kind === 'replica-stop') this.#replicaGone();
      else if (effect.kind === 'replica-send' && effect.message.kind !== 'boot') {
        this.#turnsSent += 1;
        this.#workingSince ??= now;
        this.#dueAt = null;
      }
    }
  }

  #answered(now: number, message: Extract<SupervisorInput, { kind: 'replica' }>['message']): void {
    if (message.kind === 'ready') {
      this.#bootingSince = null;
      return;
    }
    // The replica works on one turn at a time: the next one has been under way only since this answer.
    this.#turnsSent -= 1;
    this.#workingSince = this.#turnsSent > 0 ? now : null;
    if (message.kind === 'done' && message.wakeAtUs !== null) {
      this.#dueAt = now + Math.max(0, message.wakeAtUs - message.endUs) / 1000;
    } else this.#dueAt = null;
  }

  #replicaGone(): void {
    this.#turnsSent = 0;
    this.#workingSince = null;
    this.#bootingSince = null;
    this.#dueAt = null;
  }

  /** How long the turn under way, or the replica's start, has been so; null: nothing is. */
  underWayMs(now: number): number | null {
    const since = this.#workingSince ?? this.#bootingSince;
    return since === null ? null : now - since;
  }

  /** What has not moved since `since`. */
  standstills(now: number, since: number, role: Role): Standstill[] {
    const found: Standstill[] = [];
    const tell = (code: StandstillCode, text: string): void => {
      found.push({ code, text });
    };
    if (this.#lastTickAt < since)
      tell('LOOP_STANDS_STILL', `the supervisor was not woken for ${ms(now - since)}`);
    const underWayMs = this.underWayMs(now);
    if (underWayMs !== null && now - underWayMs < since) {
      tell('REPLICA_STANDS_STILL', `the program has not answered for ${ms(underWayMs)}`);
    }
    const isIdle = underWayMs === null;
    if (role === 'primary' && isIdle && this.#dueAt !== null && this.#dueAt < since) {
      tell('TURN_NOT_BEGUN', `the program's next turn is due since ${ms(now - this.#dueAt)}`);
    }
    return found;
  }
}

function ms(duration: number): string {
  return `${Math.round(duration)} ms`;
}
