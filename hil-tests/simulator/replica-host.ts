/** The replica's process of one board in a life: starts, takes its time over each turn, and can be broken. */

import type { FromReplica, ToReplica } from '../../firmware-host/ipc.ts';
import { decodeOutputs } from '../../protocol/record.ts';
import type { Board, BoardSurroundings } from './board.ts';
import type { SimulatedReplica } from './programs/replica-in-the-world.ts';

const startMs = { least: 10, most: 30 };

export class ReplicaHost {
  /** Milliseconds a turn takes. */
  turnMs = 0.05;
  /** Counts the processes: what one of them said does not concern the next. */
  generation = 0;
  readonly #board: Board;
  readonly #around: BoardSurroundings;
  #replica: SimulatedReplica | null = null;
  #isHanging = false;
  #divergesNext = false;
  #isBusy = false;
  #waiting: ToReplica[] = [];

  constructor(board: Board, around: BoardSurroundings) {
    this.#board = board;
    this.#around = around;
  }

  start(): void {
    this.stop();
    const { generation } = this;
    const world = this.#board.random.stream(`replica ${this.#board.process}.${generation}`);
    this.#replica = this.#around.program.start(world.unit);
    this.#board.later(world.between(startMs.least, startMs.most), () => {
      if (generation === this.generation) this.#board.input({ kind: 'replica', message: { kind: 'ready' } });
    });
  }

  stop(): void {
    this.generation += 1;
    this.#replica?.end();
    this.#replica = null;
    this.#isHanging = false;
    this.#divergesNext = false;
    this.#isBusy = false;
    this.#waiting = [];
  }

  /** A blow from outside. */
  strike(how: 'killed' | 'hangs' | 'diverges'): void {
    if (this.#replica === null) return;
    if (how === 'hangs') this.#isHanging = true;
    else if (how === 'diverges') this.#divergesNext = true;
    else {
      this.stop();
      this.#board.input({ kind: 'replica-exited', reason: 'signal SIGKILL' });
    }
  }

  send(message: ToReplica): void {
    if (this.#replica === null) return;
    this.#waiting.push(message);
    this.#next();
  }

  /** The replica's process is stopped and goes on together with its supervisor. */
  resume(): void {
    this.#next();
  }

  /** One message after the other, each in its time. */
  #next(): void {
    if (this.#isBusy || this.#waiting.length === 0 || this.#board.isPaused) return;
    this.#isBusy = true;
    const { generation } = this;
    this.#board.later(this.turnMs, () => {
      if (generation !== this.generation) return;
      this.#isBusy = false;
      if (this.#board.isPaused) return;
      const message = this.#waiting.shift()!;
      this.#run(message);
      if (generation === this.generation) this.#next();
    });
  }

  #run(message: ToReplica): void {
    const replica = this.#replica;
    if (replica === null || this.#isHanging) return;
    const answer = replica.answer(this.#maybeTampered(message));
    if (answer === null) {
      this.#isHanging = true;
      return;
    }
    this.#tell(message, answer);
    const { generation } = this;
    this.#board.input({ kind: 'replica', message: answer });
    // A program that ended or failed takes its process with it; so does a copy that diverged.
    const isOver = answer.kind === 'done' ? endsWith(answer.outputs) : answer.kind !== 'ready';
    if (!isOver || generation !== this.generation) return;
    this.#board.later(1, () => {
      if (generation !== this.generation) return;
      this.stop();
      this.#board.input({ kind: 'replica-exited', reason: 'exit code 1' });
    });
  }

  /** A bit of this copy's memory has tipped: from here on it has seen another time than the primary's. */
  #maybeTampered(message: ToReplica): ToReplica {
    if (!this.#divergesNext || message.kind !== 'turn' || message.mode !== 'replay') return message;
    this.#divergesNext = false;
    return { ...message, timeUs: message.timeUs + 777 };
  }

  #tell(message: ToReplica, answer: FromReplica): void {
    const { historyId, name: board } = this.#board;
    if (answer.kind !== 'done' || historyId === null || message.kind === 'boot') return;
    const isTurn = message.kind === 'turn';
    this.#around.observe({
      kind: 'turn',
      board,
      historyId,
      turn: message.turn,
      count: isTurn ? 1 : message.count,
      timeUs: message.timeUs,
      mode: isTurn ? message.mode : 'replay',
      event: isTurn ? message.event : null,
      digest: isTurn ? answer.digest : 0,
      outputs: answer.outputs.length === 0 ? [] : decodeOutputs(answer.outputs),
    });
  }
}

/** The program has ended in a turn with these outputs. */
function endsWith(outputs: Uint8Array): boolean {
  return outputs.length > 0 && decodeOutputs(outputs).at(-1)?.kind === 'exit';
}
