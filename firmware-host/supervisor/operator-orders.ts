/**
 * What the operator orders at a board's console.
 *
 *   switchover  the backup leads from here on (`handover.ts`); asked at the backup it is passed on to the primary
 *   lead        a board that waits for the other one leads without it (protocol/README.md §10)
 *   isolate     a backup, or a board that joins, leaves the pair and says so, but its process stays: role `stopped`
 *   join        an isolated board is part of the pair again, as after a start
 *   safe        primary: the program is stopped, every fenced device is released and goes to its safe state when
 *               its hold time is over (§12.4 rules 8, 9), both boards end; asked at the backup it is passed on
 *
 * `safe` ends both boards because a backup that outlived its primary would take over, as is its duty. So the other board
 * is told first, while this one is still heard, and this one ends when that is acknowledged or has taken too long.
 *
 * An order from a console is reported and noted in this board's journal, with the line it came from and its reason.
 */
import type { CoreState } from './core-state.ts';
import type { OperatorCommand } from './effects.ts';
import type { Parts } from './parts.ts';

/** The other board is told to end; it is not waited for longer. */
const safeMsMax = 1000;

type Others = Pick<
  Parts,
  'devices' | 'handover' | 'histories' | 'joining' | 'messages' | 'peer' | 'program' | 'reign'
>;

export class OperatorOrders {
  readonly #core: CoreState;
  readonly #parts: Others;
  /** This board ends because of `safe`: with the message that has to be acknowledged, no later than `until`. */
  #ending: { sequence: number; until: number } | null = null;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  /** Nothing is claimed at a device any more. */
  get safe(): boolean {
    return this.#ending !== null;
  }

  /** Time at which this board ends, or null. */
  get dueAt(): number | null {
    return this.#core.exiting ? null : (this.#ending?.until ?? null);
  }

  given(command: OperatorCommand, reason: string, from: string | null): void {
    if (from !== null) this.#writeDown(command, reason, from);
    switch (command) {
      case 'switchover':
      case 'lead':
        return this.#parts.handover.operator(command, reason);
      case 'isolate':
        return this.#isolate(reason);
      case 'join':
        return this.#join();
      case 'safe':
        return this.#makeSafe(reason);
    }
  }

  /** The operator asked at the other board. */
  givenElsewhere(command: 'switchover' | 'safe'): void {
    const reason = 'asked at the other board';
    if (command === 'switchover') this.#parts.handover.operator(command, reason);
    else this.#makeSafe(reason);
  }

  #writeDown(command: OperatorCommand, reason: string, from: string): void {
    const { log, options, pair } = this.#core;
    const { histories } = this.#parts;
    const details = { command, reason, from };
    this.#core.report('info', 'OPERATOR_ORDER', `${command}, ordered on ${from}: ${reason}`, details);
    if (histories.id === null || histories.resuming) return;
    const { board } = options;
    histories.note({ kind: 'operator', term: pair.term, turn: log.turns, board, from, command, reason });
  }

  #refuse(command: OperatorCommand, rule: string): void {
    const { role } = this.#core.pair;
    this.#core.report('warning', 'OPERATOR_REFUSED', `${command} ${rule} (this board is ${role})`, {
      command,
    });
  }

  // ---------------------------------------------------------------- isolate, join

  #isolate(reason: string): void {
    const { options, pair, role, runner } = this.#core;
    const { joining, messages } = this.#parts;
    if (pair.role !== 'backup' && pair.role !== 'joining')
      return this.#refuse('isolate', 'needs a board that is backup or joins: order a switchover first');
    const why = `board ${options.board} is isolated by its operator: ${reason}`;
    messages.say({ kind: 'not-eligible', reason: why, report: null });
    messages.flush();
    joining.following = false;
    joining.copyGone();
    role({ kind: 'leave' });
    this.#core.emit({ kind: 'replica-stop', reason: 'ISOLATED' });
    runner.reset();
    this.#core.report('alarm', 'OPERATOR_ISOLATED', `${why}; it takes no part until join`, { reason });
  }

  #join(): void {
    const { exiting, pair, role } = this.#core;
    if (pair.role !== 'stopped' || exiting) return this.#refuse('join', 'needs a board that was isolated');
    role({ kind: 'return' });
    this.#parts.peer.introduceAgain();
  }

  // ---------------------------------------------------------------- safe

  #makeSafe(reason: string): void {
    const { now, pair } = this.#core;
    const { messages, peer, reign } = this.#parts;
    if (this.#ending !== null) return;
    if (!reign.leading || (pair.role !== 'primary' && pair.role !== 'contending')) {
      if (pair.role !== 'backup' && pair.role !== 'joining')
        return this.#refuse('safe', 'needs a board that leads, or one that follows it');
      messages.say({ kind: 'operator', command: 'safe' });
      messages.flush();
      return;
    }
    this.#core.report('alarm', 'OPERATOR_SAFE', `the device is let go and both boards end: ${reason}`, {
      reason,
    });
    this.#stopActing();
    const sequence = messages.say({ kind: 'program-exit', code: 0 });
    messages.flush();
    const isHeard = peer.connected && peer.verdict !== 'red';
    this.#ending = { sequence, until: now + (isHeard ? safeMsMax : 0) };
  }

  #stopActing(): void {
    const { devices, program, reign } = this.#parts;
    devices.letGo();
    reign.leading = false;
    program.restartAt = null;
    devices.restartAt = null;
    this.#core.emit({ kind: 'replica-stop', reason: 'OPERATOR_SAFE' });
    this.#core.runner.reset();
  }

  /** The other board has dealt with every message up to this one. */
  acknowledged(sequence: number): void {
    if (this.#ending !== null && sequence >= this.#ending.sequence) this.#ending.until = this.#core.now;
  }

  endWhenDue(): void {
    const { exiting, now } = this.#core;
    if (this.#ending !== null && !exiting && now >= this.#ending.until) this.#core.exit('OPERATOR_SAFE');
  }
}
