/**
 * Turns: on the board that leads, which event the program is given next and what becomes of its answer; on any other,
 * the recorded turns once more.
 *
 *   leads:    queued events, device inputs, time -> pump -> ProgramRunner -> replica -> executed -> RecordLog, gate
 *   follows:  batch of records -> replay ----------^
 *
 * A turn that was run has the same consequences on both boards (`#takeEffect`): ports open and close, input bytes are
 * counted. That is why a backup knows at a takeover what the dead primary knew.
 */
import { decodeOutputs, type RecordBatch, type ReplicaEvent, turnsOf } from '../../protocol/record.ts';
import type { CoreState } from './core-state.ts';
import type { DeviceStream } from './device-stream.ts';
import type { Parts } from './parts.ts';
import type { TurnDone } from './program-runner.ts';

const inputEventBytesMax = 4096;

type Others = Pick<
  Parts,
  | 'divergence'
  | 'follower'
  | 'gate'
  | 'handover'
  | 'histories'
  | 'leaving'
  | 'messages'
  | 'program'
  | 'reign'
  | 'requests'
>;

export class Turns {
  readonly #core: CoreState;
  readonly #parts: Others;

  constructor(core: CoreState, parts: Others) {
    this.#core = core;
    this.#parts = parts;
  }

  /** Time at which the program wants its next turn, or null. */
  get dueAt(): number | null {
    const { clock, runner } = this.#core;
    return this.#mayPerform() && runner.wakeAtUs !== null ? clock.whenMs(runner.wakeAtUs) : null;
  }

  #mayPerform(): boolean {
    const { exiting, log, pair, runner } = this.#core;
    const { follower, handover, histories, leaving, messages, program, reign } = this.#parts;
    if (!reign.leading || histories.resuming || !runner.ready || runner.busy) return false;
    if (pair.role !== 'primary' && pair.role !== 'contending') return false;
    if (runner.executedTurns < log.turns || handover.underWay) return false;
    if (program.restartAt !== null || leaving.draining || exiting || program.ended) return false;
    if (follower.live && !messages.writable) return false;
    return !(pair.protected && follower.lags);
  }

  /** Begins the next turn, if one is due and may begin. */
  pump(): void {
    if (!this.#mayPerform()) {
      this.#parts.handover.sendWhenRecorded();
      return;
    }
    this.#parts.requests.begin();
    const { clock, log, now, runner } = this.#core;
    runner.perform(now, log.turns, clock, this.#nextEvent());
  }

  #nextEvent(): ReplicaEvent | null {
    const { log, runner, streams } = this.#core;
    if (log.turns === 0) {
      // The start event comes first, whatever has been queued before it.
      const index = runner.events.findIndex((event) => event.kind === 'start');
      return index < 0 ? null : runner.events.splice(index, 1)[0]!;
    }
    const queued = runner.events.shift();
    if (queued !== undefined) return queued;
    for (const stream of streams) {
      if (stream.port === null) continue;
      const credit = stream.portOpen ? stream.takeCredit() : 0;
      if (credit > 0) return { kind: 'port-credit', port: stream.port, bytes: credit };
      if (stream.waitingInputBytes === 0) continue;
      return { kind: 'port-data', port: stream.port, bytes: stream.takeInput(inputEventBytesMax) };
    }
    return null;
  }

  /** Gives the replica a batch that came ready-made, from the bus or the own journal. Returns the turn after it. */
  replay(batch: RecordBatch, bytes: Uint8Array): number {
    const { clock, log, now, runner } = this.#core;
    let turn = batch.firstTurn;
    for (const record of batch.records) {
      runner.replay(now, turn, record);
      turn += turnsOf(record);
      clock.observe(now, record.timeUs);
    }
    log.adopt({ firstTurn: batch.firstTurn, endTurn: turn, bytes });
    return turn;
  }

  /** The replica has run a turn, or a row of idle ones. */
  executed(answer: TurnDone): void {
    const executed = this.#core.runner.done(this.#core.now, answer);
    const outputs = decodeOutputs(answer.outputs);
    if (executed.mode === 'replayed') {
      const { record, firstTurn } = executed;
      if (record.kind === 'turn') {
        this.#parts.gate.hold(firstTurn, outputs);
        this.#takeEffect(firstTurn, record.event);
      }
      this.#parts.histories.replayed();
      return;
    }
    const { event, turn } = executed;
    this.#core.log.append(this.#core.now, {
      kind: 'turn',
      timeUs: answer.startUs,
      event,
      values: answer.values,
      hasOutputs: outputs.length > 0,
      digest: outputs.length > 0 ? answer.digest : 0,
    });
    this.#core.clock.atLeast(answer.endUs);
    this.#parts.gate.hold(turn, outputs);
    this.#takeEffect(turn, event);
    if (this.#parts.follower.present && outputs.length > 0) this.#parts.divergence.keepTrace(turn, outputs);
    // A program with nothing left to wait for ends by itself: the replica says so with an `exit` output.
    if (!answer.alive && outputs.every((output) => output.kind !== 'exit')) {
      this.#core.report('info', 'PROGRAM_IDLE', 'the program waits for nothing any more');
    }
  }

  /** Consequences of an event that both boards draw alike, when its turn has run. */
  #takeEffect(turn: number, event: ReplicaEvent): void {
    const { requests } = this.#parts;
    switch (event.kind) {
      case 'completed':
        return requests.completed(event);
      case 'port-data': {
        const stream = requests.streamOf(event.port);
        stream?.recordInput(turn, event.bytes.length);
        if (stream?.lost === true && !stream.portOpen) this.#portLost(stream);
        return;
      }
      case 'port-credit':
        requests.streamOf(event.port)?.credited(event.bytes);
        return;
      case 'port-lost': {
        const stream = requests.streamOf(event.port);
        if (stream !== null) this.#portLost(stream);
        return;
      }
      default:
        return;
    }
  }

  /** The program knows now: its next counts are those of the device's new session, once that is known. */
  #portLost(stream: DeviceStream): void {
    stream.portOpen = false;
    if (!stream.lost) return;
    stream.lost = false;
    if (stream.session !== null) this.#parts.histories.noteDevice(stream);
  }
}
