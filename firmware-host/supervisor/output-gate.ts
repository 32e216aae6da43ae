/**
 * The output gate: no output leaves before a record of the turn that made it is where a failure cannot lose it.
 *
 *   turn run -> hold -> [ bytes in DeviceStream, the rest here ] -> release -> device, console, end of the program
 *                                                                      ^
 *       `acknowledged` (protected): the backup has the record ---------+
 *       `open` (solo): this board's journal has it --------------------+
 *       `closed`: nothing goes
 *
 * On the backup the same outputs are held until the primary's heartbeat says that they are out. Which mode counts
 * is decided by `Pair`. Rejected alternative: to let the program wait for the gate instead of its outputs; every turn
 * would then cost a round trip on the bus.
 */
import type { GateMode } from '../../protocol/pair-contract.ts';
import type { Heartbeat } from '../../protocol/pair-message.ts';
import type { Output } from '../../protocol/record.ts';
import type { CoreState } from './core-state.ts';
import type { Parts } from './parts.ts';

export interface TurnOutputs {
  turn: number;
  outputs: Output[];
}

type Others = Pick<Parts, 'devices' | 'follower' | 'program' | 'requests' | 'turns'>;

export class OutputGate {
  readonly #core: CoreState;
  readonly #parts: Others;
  mode: GateMode = 'closed';
  /** Outputs of all turns before this one are out. */
  releasedTurns = 0;
  /** Records of all turns before this one are as durable as the fsync policy promises. */
  durableTurns = 0;
  /** Outputs other than writes that wait, by turn. */
  #held: TurnOutputs[] = [];

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  /** A new history: nothing is held, nothing is out. */
  reset(): void {
    this.#held = [];
    this.releasedTurns = 0;
    this.durableTurns = 0;
  }

  durable(turns: number): void {
    this.durableTurns = Math.max(this.durableTurns, turns);
  }

  hold(turn: number, outputs: Output[]): void {
    if (outputs.length === 0) return;
    const { requests, program } = this.#parts;
    const others: Output[] = [];
    for (const output of outputs) {
      if (output.kind === 'write') {
        requests.streamOf(output.port)?.append(turn, output.bytes);
        continue;
      }
      others.push(output);
      if (output.kind === 'exit') program.ended = true;
      if (output.kind === 'request') requests.asked(turn, output);
    }
    if (others.length > 0) this.#held.push({ turn, outputs: others });
  }

  /** Turns whose outputs may be out. */
  releasable(): number {
    const { log, options, pair } = this.#core;
    if (pair.role !== 'primary' && this.mode !== 'acknowledged') return this.releasedTurns;
    switch (this.mode) {
      case 'closed':
        return this.releasedTurns;
      case 'acknowledged':
        return this.#parts.follower.ackedTurns;
      case 'open': {
        // Solo: the journal is the only witness, so it comes first.
        const recorded = log.turns - (log.openSince === null ? 0 : log.openTurns);
        return options.fsync === 'always' ? Math.min(recorded, this.durableTurns) : recorded;
      }
    }
  }

  /** Lets out the outputs of all turns before `turns`. */
  release(turns: number): void {
    if (turns < this.releasedTurns) return;
    const news = turns > this.releasedTurns;
    this.releasedTurns = turns;
    const { devices } = this.#parts;
    for (const stream of this.#core.streams) {
      const safe = stream.inputsSafe(turns);
      // What a device is to get that is not held yet, or not any more, is reckoned when it is: by its own count.
      if (stream.controller !== null && !stream.attached) continue;
      for (const piece of stream.release(turns)) devices.write(stream, piece.offset, piece.bytes);
      if (safe !== null) devices.control(stream, { kind: 'inputs-stored', offset: safe });
    }
    if (!news) return;
    while (this.#held.length > 0 && this.#held[0]!.turn < turns) {
      for (const output of this.#held.shift()!.outputs) this.#letOut(output);
    }
    this.#parts.turns.pump();
  }

  #letOut(output: Output): void {
    if (output.kind === 'console') this.#core.emit(output);
    else if (output.kind === 'exit') this.#parts.program.exited(output.code);
  }

  /** Backup: what the primary reports as out need not be kept. */
  forgetReleased(heartbeat: Heartbeat): void {
    const { runner, streams } = this.#core;
    const released = Math.min(heartbeat.releasedTurns, runner.executedTurns);
    if (released > this.releasedTurns) this.releasedTurns = released;
    while (this.#held.length > 0 && this.#held[0]!.turn < released) this.#held.shift();
    for (const stream of streams) {
      const confirmed = heartbeat.confirmed[stream.index];
      // A count of another session says nothing of this one's outputs.
      if (confirmed !== undefined && stream.session !== null && confirmed.session === stream.session)
        stream.confirm(Math.min(confirmed.outputs, stream.produced));
      stream.inputsSafe(released);
    }
  }
}
