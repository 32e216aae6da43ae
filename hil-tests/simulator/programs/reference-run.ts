/**
 * Promise 3 (DESIGN section 1): the output stream of one controller that never failed. That controller is a fresh replica
 * of the program, which replays the records of a history from its first turn, with every digest checked.
 */

import type { FromReplica, ToReplica } from '../../../firmware-host/ipc.ts';
import { portSettingsOf } from '../../../firmware-host/supervisor/requests.ts';
import { assert } from '../../../protocol/assert.ts';
import { decodeOutputs, type JournalRecord, turnsOf } from '../../../protocol/record.ts';
import type { SimulatedProgram, SimulatedReplica } from './replica-in-the-world.ts';

export interface DeviceBytes {
  turn: number;
  device: string;
  bytes: Uint8Array;
}

export interface ReferenceRun {
  /** Turns run, the one in which the program ended or diverged included. */
  turns: number;
  writes: DeviceBytes[];
  /** Input bytes that the records gave to the program. */
  inputs: DeviceBytes[];
  /** First turn that is not as the record says; null: all are. */
  divergedAtTurn: number | null;
  /** Last word of a replica that could not do the turn that it diverged at. A record stands for a turn that was done. */
  ending: Exclude<FromReplica, { kind: 'done' | 'ready' }> | null;
}

/** `records`: those of turn 0 and all that follow. */
export function referenceRun(program: SimulatedProgram, records: Iterable<JournalRecord>): ReferenceRun {
  const replica = program.start(performsNothing);
  try {
    const ready = replica.answer({
      kind: 'boot',
      options: { bundleFile: '', programFile: '', filesRoot: '' },
    });
    assert(ready?.kind === 'ready', 'a fresh replica is ready');
    return new Reference(replica).run(records);
  } finally {
    replica.end();
  }
}

function performsNothing(): number {
  throw new Error('a reference run performs no call of the outside world');
}

class Reference {
  readonly #replica: SimulatedReplica;
  readonly #deviceOfPort = new Map<number, string>();
  readonly #run: ReferenceRun = { turns: 0, writes: [], inputs: [], divergedAtTurn: null, ending: null };

  constructor(replica: SimulatedReplica) {
    this.#replica = replica;
  }

  run(records: Iterable<JournalRecord>): ReferenceRun {
    const run = this.#run;
    for (const record of records) {
      const firstTurn = run.turns;
      run.turns += turnsOf(record);
      const answer = this.#replica.answer(messageOf(firstTurn, record));
      this.#takeInput(firstTurn, record);
      if (answer === null) {
        // The program had ended, but the record says that it went on.
        run.divergedAtTurn = firstTurn;
        return run;
      }
      assert(answer.kind !== 'ready', 'a turn is not answered with ready');
      if (answer.kind !== 'done') {
        run.ending = answer;
        run.divergedAtTurn = answer.turn;
        run.turns = answer.turn + 1;
        return run;
      }
      this.#takeOutputs(answer.turn, answer.outputs);
    }
    return run;
  }

  #takeInput(turn: number, record: JournalRecord): void {
    if (record.kind !== 'turn' || record.event.kind !== 'port-data') return;
    const { port, bytes } = record.event;
    this.#run.inputs.push({ turn, device: this.#deviceOf(port), bytes });
  }

  #takeOutputs(turn: number, encoded: Uint8Array): void {
    if (encoded.length === 0) return;
    for (const output of decodeOutputs(encoded)) {
      if (output.kind === 'request' && output.operation === 'open') {
        this.#deviceOfPort.set(output.port, portSettingsOf(output).path);
      } else if (output.kind === 'write') {
        this.#run.writes.push({ turn, device: this.#deviceOf(output.port), bytes: output.bytes });
      }
    }
  }

  #deviceOf(port: number): string {
    const device = this.#deviceOfPort.get(port);
    assert(device !== undefined, `port ${port} was never opened`);
    return device;
  }
}

function messageOf(turn: number, record: JournalRecord): ToReplica {
  if (record.kind === 'idle') {
    const { timeUs, stepUs, count } = record;
    return { kind: 'idle', turn, timeUs, stepUs, count };
  }
  const { timeUs, event, values } = record;
  const expectedDigest = record.hasOutputs ? record.digest : null;
  return { kind: 'turn', mode: 'replay', turn, timeUs, event, values, expectedDigest };
}
