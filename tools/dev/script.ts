/**
 * What `understudy dev` plays when it is left alone: one fault after the other, each repaired before the next.
 *
 * It waits for what it wants to see, never for a time; the only pauses are there so that a person can follow. A key
 * press aborts it wherever it is (`signal`), with the pair as it then is.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type BoardName, boardNames, type CableName, otherBoard, type PairRig } from './pair-rig.ts';

export const scriptFaults = ['kill', 'freeze', 'cut-ethernet', 'cut-serial', 'switchover'] as const;
export type ScriptFault = (typeof scriptFaults)[number];

export interface ScriptTiming {
  /** To look at the picture between two faults. */
  lookMs: number;
  frozenMs: number;
  cutMs: number;
  /** Longer than any of its waits takes on a busy machine. */
  patienceMs: number;
}

export const scriptTiming: ScriptTiming = { lookMs: 2500, frozenMs: 1500, cutMs: 3000, patienceMs: 20_000 };

/** `stuck`: what was waited for did not come; the pair is broken. */
export type ScriptEnd = { kind: 'played' } | { kind: 'aborted' } | { kind: 'stuck'; what: string };

export interface ScriptOptions {
  faults: readonly ScriptFault[];
  timing?: ScriptTiming;
  signal: AbortSignal;
  onStep: (step: number, steps: number, text: string) => void;
}

class Stuck extends Error {}

export async function playScript(rig: PairRig, options: ScriptOptions): Promise<ScriptEnd> {
  const { faults, signal, timing = scriptTiming, onStep } = options;
  const player = new Player(rig, signal, timing);
  try {
    onStep(0, faults.length, 'both boards start and find each other');
    await player.untilProtected('the boards form a pair');
    onStep(0, faults.length, 'the program starts on both boards');
    await player.until(() => rig.device.acceptedBytes > 0, 'the program acts on the device');
    for (const [index, fault] of faults.entries()) {
      await player.look();
      await player.play(fault, (text) => onStep(index + 1, faults.length, text));
    }
    await player.look();
    return { kind: 'played' };
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    if (error instanceof Stuck) return { kind: 'stuck', what: error.message };
    throw error;
  }
}

class Player {
  readonly #rig: PairRig;
  readonly #signal: AbortSignal;
  readonly #timing: ScriptTiming;

  constructor(rig: PairRig, signal: AbortSignal, timing: ScriptTiming) {
    this.#rig = rig;
    this.#signal = signal;
    this.#timing = timing;
  }

  async play(fault: ScriptFault, say: (text: string) => void): Promise<void> {
    switch (fault) {
      case 'kill':
        return this.#kill(say);
      case 'freeze':
        return this.#freeze(say);
      case 'cut-ethernet':
        return this.#cut('ethernet', 'Ethernet', say);
      case 'cut-serial':
        return this.#cut('serial', 'serial', say);
      case 'switchover':
        return this.#switchover(say);
    }
  }

  look(): Promise<void> {
    return pause(this.#timing.lookMs, undefined, { signal: this.#signal });
  }

  /** A wait that a key press, or the death of both boards, ends. */
  async until(condition: () => boolean, what: string): Promise<void> {
    this.#signal.throwIfAborted();
    const bothEnded = (): boolean =>
      boardNames.every((name) => !this.#rig.boards[name].running && this.#rig.boards[name].exitCode !== null);
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(this.#signal.reason);
    this.#signal.addEventListener('abort', abort);
    const reached = this.#rig
      .until(() => condition() || bothEnded() || this.#signal.aborted, this.#timing.patienceMs, what)
      .catch(() => {
        throw new Stuck(what);
      });
    try {
      await Promise.race([reached, aborted.promise]);
    } finally {
      this.#signal.removeEventListener('abort', abort);
      // The race has one loser; its end interests no one.
      reached.catch(() => {});
    }
    if (!condition() && bothEnded()) throw new Stuck(`${what}: both boards have ended`);
  }

  untilProtected(what: string): Promise<void> {
    return this.until(() => this.#rig.isProtected(), what);
  }

  #primary(): BoardName {
    const primary = this.#rig.primary();
    if (primary === null) throw new Stuck('a primary');
    return primary;
  }

  #untilTakenOver(from: BoardName): Promise<void> {
    const to = otherBoard(from);
    return this.until(
      () => this.#rig.primary() === to && this.#rig.faults.at(-1)!.outputGapMs !== null,
      `board ${to.toUpperCase()} takes over`,
    );
  }

  async #kill(say: (text: string) => void): Promise<void> {
    const primary = this.#primary();
    const name = primary.toUpperCase();
    say(`board ${name} is killed: the other must take over`);
    this.#rig.kill(primary);
    await this.#untilTakenOver(primary);
    await this.look();
    await this.until(() => !this.#rig.boards[primary].running, `board ${name} is dead`);
    say(`board ${name} is switched on again and catches up`);
    this.#rig.restart(primary);
    await this.untilProtected(`board ${name} is backup again`);
  }

  async #freeze(say: (text: string) => void): Promise<void> {
    const primary = this.#primary();
    const name = primary.toUpperCase();
    say(`board ${name} is frozen: the other must take over`);
    this.#rig.freeze(primary);
    await this.#untilTakenOver(primary);
    await pause(this.#timing.frozenMs, undefined, { signal: this.#signal });
    say(`board ${name} wakes and must learn that it lost`);
    this.#rig.thaw(primary);
    await this.until(
      () => this.#rig.boards[primary].status?.role !== 'primary',
      `board ${name} steps down after it was frozen`,
    );
    await this.untilProtected(`board ${name} is backup again`);
  }

  async #cut(cable: CableName, name: string, say: (text: string) => void): Promise<void> {
    const other = cable === 'serial' ? 'Ethernet' : 'serial';
    say(`${name} is cut: ${other} carries everything`);
    this.#rig.cut(cable);
    await pause(this.#timing.cutMs, undefined, { signal: this.#signal });
    await this.untilProtected(`the pair is protected without its ${name} cable`);
    say(`the ${name} cable is plugged in again`);
    this.#rig.restore(cable);
    await this.until(
      () =>
        boardNames.every((each) => this.#rig.boards[each].status?.links.every((link) => link.up) === true),
      `both cables carry again`,
    );
    await this.untilProtected('the pair is protected');
  }

  async #switchover(say: (text: string) => void): Promise<void> {
    const primary = this.#primary();
    say(`board ${primary.toUpperCase()} hands over on request`);
    this.#rig.switchover();
    await this.#untilTakenOver(primary);
    await this.untilProtected('both boards have changed their places');
  }
}
