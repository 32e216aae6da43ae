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
  #freeAt = 0;
  #held: ToReplica[] = [];

  constructor(board: Board, around: BoardSurroundings) {
    this.#board = board;
    this.#around = around;
  }

  start(): void {
    this.stop();
    const { generation } = this;
    const world = this.#board.random.stream(`replica ${this.#board.process}.${generation}`);
    this.#replica = this.#around.program.start(world.unit);
    this.#freeAt = 0;
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
    this.#held = [];
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
    const { now } = this.#around.time;
    this.#freeAt = Math.max(this.#freeAt, now) + this.turnMs;
    const { generation } = this;
    this.#board.later(this.#freeAt - now, () => {
      if (generation !== this.generation) return;
      // The replica's process is stopped together with its supervisor.
      if (this.#board.isPaused) this.#held.push(message);
      else this.#run(message);
    });
  }

  resume(): void {
    for (const message of this.#held.splice(0)) this.send(message);
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
