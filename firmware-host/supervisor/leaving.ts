/**
 * An orderly end of this board: it is shut down, or its program has come to its exit.
 *
 *   backup:             says that it cannot take over, ends
 *   protected primary:  hands over, ends when the other board has the reign
 *   alone, or at exit:  no new turn begins; what was released goes out to the devices, which are then given up
 */
import type { CoreState } from './core-state.ts';
import type { Parts } from './parts.ts';

/** It does not wait longer for the device. */
const leaveMsMax = 8000;

type Others = Pick<Parts, 'devices' | 'gate' | 'handover' | 'messages' | 'records'>;

export class Leaving {
  readonly #core: CoreState;
  readonly #parts: Others;
  /** The board is being shut down. */
  begun = false;
  /** Until when the last outputs are waited for, or null. */
  #drainsUntil: number | null = null;
  /** The program's exit code, while its last outputs are on their way. */
  #exitCode: number | null = null;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  /** The last outputs are on their way: no new turn begins. */
  get draining(): boolean {
    return this.#drainsUntil !== null;
  }

  leave(): void {
    const { now, pair } = this.#core;
    if (pair.role === 'backup' || pair.role === 'joining') {
      const reason = 'the backup is being shut down';
      this.#parts.messages.say({ kind: 'not-eligible', reason, report: null });
      this.#parts.messages.flush();
      this.#core.role({ kind: 'leave' });
      this.#core.exit('LEFT');
      return;
    }
    this.begun = true;
    if (pair.role === 'primary' && pair.protected)
      this.#parts.handover.operator('switchover', 'the primary is being shut down');
    else this.#drainsUntil = now + leaveMsMax;
  }

  /** A board that is being shut down ends as one that is alone. */
  cannotHandOver(): void {
    if (this.begun) this.#drainsUntil ??= this.#core.now + leaveMsMax;
  }

  afterExit(code: number): void {
    this.#exitCode = code;
    this.#drainsUntil = this.#core.now + leaveMsMax;
  }

  /** Whoever leads next runs the program's exit again. A shutdown of this board goes on. */
  steppedDown(): void {
    if (this.#exitCode !== null) this.#drainsUntil = null;
    this.#exitCode = null;
    this.cannotHandOver();
  }

  endWhenDrained(): void {
    const { exiting, now, runner, streams } = this.#core;
    const { devices, gate, messages, records } = this.#parts;
    if (this.#drainsUntil === null || exiting || runner.busy) return;
    records.cut();
    gate.release(gate.releasable());
    const pending = streams.some(
      (stream) =>
        (stream.controller === null ? stream.opened : stream.attached) && stream.confirmed < stream.produced,
    );
    if (pending && now < this.#drainsUntil) return;
    this.#drainsUntil = null;
    const code = this.#exitCode;
    if (code !== null) {
      messages.say({ kind: 'program-exit', code });
      messages.flush();
    }
    for (const stream of streams) if (stream.attached) devices.control(stream, { kind: 'release' });
    if (code === null) this.#core.exit('LEFT');
    else this.#core.exit(code === 0 ? 'PROGRAM_EXITED' : 'PROGRAM_FAILED');
  }
}
