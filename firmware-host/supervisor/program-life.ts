/**
 * The program's life beyond its turns: it fails, hangs or exits, and is started again, or not, by policy.
 *
 *   replica fails on a protected primary -> the backup tries the same turn: it survives -> the fault was the board's
 *                                                                           it fails too -> the program's: `fault`
 *   replica fails on a backup -> no copy any more, joins again
 *   exit -> (gate lets it out) -> the last outputs are waited for, then both boards end
 *
 * The number of restarts is the pair's, not a board's: it travels with the history.
 */
import type { CoreState } from './core-state.ts';
import type { Parts } from './parts.ts';

/** A replica that fails within so many turns of a takeover failed on the turn that was handed over. */
const suspectTurns = 3;
/** After so long without a failure the restarts before it do not count any more. */
const undisturbedMs = 60_000;
/** What the other board is told as the exit code of a program that never came to exit. */
const failedProgramCode = 1;

type Others = Pick<
  Parts,
  'devices' | 'handover' | 'histories' | 'joining' | 'leaving' | 'messages' | 'reign'
>;

export class ProgramLife {
  readonly #core: CoreState;
  readonly #parts: Others;
  /** The program's `exit` has been run; it takes effect when the gate lets it out. */
  ended = false;
  /** The program is started again at this time, or null. */
  restartAt: number | null = null;
  /** Restarts of the program without undisturbed running between them, on whichever board. */
  restarts = 0;
  #restartedAt: number | null = null;
  #suspectUntilTurn: number | null = null;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  /** A new history. */
  reset(): void {
    this.#suspectUntilTurn = null;
    this.ended = false;
  }

  // ---------------------------------------------------------------- failures

  /** The other board's replica failed at this turn: if this one does too, the fault is the program's. */
  suspectFrom(turn: number): void {
    this.#suspectUntilTurn = turn + suspectTurns;
  }

  get isSuspect(): boolean {
    return this.#suspectUntilTurn !== null;
  }

  failWhenHanging(): void {
    const { now, runner } = this.#core;
    if (runner.deadline === null || runner.deadline > now) return;
    const text = `no answer from the program for ${runner.patienceMs} ms in turn ${runner.executedTurns}`;
    this.replicaFailed('PROGRAM_HANGS', text, '');
  }

  processEnded(reason: string): void {
    // After its last turn the process ends by itself: the exit is an output like any other.
    if (!this.ended) this.replicaFailed('REPLICA_EXITED', reason, '');
  }

  replicaFailed(code: string, text: string, stack: string): void {
    const { options, pair, role, runner } = this.#core;
    const { handover, histories, joining, messages, reign } = this.#parts;
    const turn = runner.executedTurns;
    const why = `${code}: ${text}`;
    this.#core.report('alarm', code, `${text} (turn ${turn})`, { turn, stack });
    this.#core.emit({ kind: 'replica-stop', reason: code });
    const suspect = this.#suspectUntilTurn !== null && turn <= this.#suspectUntilTurn;
    runner.reset();
    if (histories.resuming) return histories.resumeFailed(code === 'PROGRAM_THREW');
    switch (pair.role) {
      case 'primary':
      case 'contending':
        if (!reign.leading) role({ kind: 'copy-lost', reason: why });
        else if (pair.protected && !suspect) handover.replicaFailed(why);
        else this.fault(code, text);
        return;
      case 'backup':
      case 'joining':
        messages.say({ kind: 'not-eligible', reason: `${code} on board ${options.board}`, report: null });
        joining.postpone();
        role({ kind: 'copy-lost', reason: why });
        return;
      default:
        return;
    }
  }

  /** Both replicas fail on the same turn, or the only one there is: the fault is the program's. */
  fault(code: string, text: string): void {
    this.#core.report('alarm', 'PROGRAM_FAULT', `the program itself fails: ${code}: ${text}`, {
      cause: code,
    });
    this.#parts.devices.letGo();
    if (this.#core.options.programFailure === 'stop') this.#endPair();
    else this.#restartLater(code);
  }

  // ---------------------------------------------------------------- restarts

  /** The history that this board joins has seen so many. */
  restartsAre(restarts: number): void {
    this.restarts = restarts;
    this.#restartedAt = this.#core.now;
  }

  restartWhenDue(): void {
    const { now, pair } = this.#core;
    if (this.restartAt === null || this.restartAt > now || pair.role !== 'primary') return;
    this.restartAt = null;
    this.#parts.histories.restart('the program is started again');
  }

  steppedDown(): void {
    this.restartAt = null;
  }

  #restartLater(code: string): void {
    const { now, options } = this.#core;
    const undisturbed = now - (this.#restartedAt ?? now) - options.restartDelayMs;
    if (undisturbed >= undisturbedMs) this.restarts = 0;
    if (this.restarts >= options.restartsMax) {
      this.#core.report('alarm', 'RESTARTS_EXHAUSTED', `${this.restarts} restarts did not help (${code})`);
      this.#endPair();
      return;
    }
    this.restarts += 1;
    this.#restartedAt = now;
    this.restartAt = now + options.restartDelayMs;
  }

  /** The program cannot run: the other board, which would only try the same, ends as well. */
  #endPair(): void {
    this.#parts.messages.say({ kind: 'program-exit', code: failedProgramCode });
    this.#parts.messages.flush();
    this.#core.exit('PROGRAM_FAILED');
  }

  // ---------------------------------------------------------------- exit

  /** The gate has let the program's exit out. */
  exited(code: number): void {
    const text = `the program ended with code ${code}`;
    this.#core.report(code === 0 ? 'info' : 'warning', 'PROGRAM_EXITED', text, { code });
    // It ends because its device went away, as it would without us: it is started again once that is back.
    if (this.#parts.devices.restartAt !== null) return;
    if (this.#core.options.programExit === 'restart') this.#restartLater('PROGRAM_EXITED');
    else this.#parts.leaving.afterExit(code);
  }

  /** Nothing is left to be a copy of. */
  endedElsewhere(code: number): void {
    const text = 'the program has ended at the other board: nothing is left to be a copy of';
    this.#core.report(code === 0 ? 'info' : 'alarm', 'PROGRAM_ENDED', text);
    this.#core.exit(code === 0 ? 'PROGRAM_EXITED' : 'PROGRAM_FAILED');
  }
}
