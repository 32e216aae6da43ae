/**
 * Runs a journal's turns again, in their order, and compares: the board's own replica runtime does both (replica/turn-runner.ts).
 *
 *   journal -> turn (event, values, digest) -> replica's process -> outputs -> words, signals
 *                                                   |
 *                                                   +-> the first difference, and no turn after it
 *
 * A digest is in the journal for turns with outputs only, and is chained over all turns before. So where it differs the
 * cause lies in that turn or in one since the last turn whose digest was equal: the difference names both.
 */
import { assert } from '../../protocol/assert.ts';
import {
  decodeOutputs,
  type JournalRecord,
  type Output,
  type ReplicaEvent,
  turnsOf,
} from '../../protocol/record.ts';
import type { PlacedRecord } from './journal-records.ts';
import type { Answer, ReplayProcess } from './replay-process.ts';

export interface ReplayedTurn {
  /** The last one, for a run of idle turns. */
  turn: number;
  turns: number;
  timeUs: number;
  /** Null for idle turns, which had neither. */
  event: ReplicaEvent | null;
  outputs: Output[];
}

export interface Difference {
  turn: number;
  timeUs: number;
  event: ReplicaEvent;
  /** outputs: other ones; call: another call for a value; failed: the program threw; ended, hung: the process did. */
  kind: 'outputs' | 'call' | 'failed' | 'ended' | 'hung';
  expected: string;
  actual: string;
  /** What the program did in that turn; null where it did not come to its end. */
  outputs: Output[] | null;
  /** Where in the program's sources. */
  stacks: string[];
  /** The last turn whose digest was compared and equal; null: none was. */
  lastEqualTurn: number | null;
}

export interface ReplayResult {
  /** Turns that ran. */
  turns: number;
  /** Turns whose digest was in the journal and equal. */
  digestsCompared: number;
  /** The program ended itself. */
  exitCode: number | null;
  difference: Difference | null;
  /** The journal has turns after the last one that was asked for. */
  hasMore: boolean;
}

/** Turns sent ahead: the replica's process works while the journal is read. */
const sentAheadMax = 256;

interface Sent extends PlacedRecord {
  lastTurn: number;
}

export class ReplayRun {
  readonly #replica: ReplayProcess;
  readonly #onTurn: (turn: ReplayedTurn) => Promise<void>;
  readonly #sent: Sent[] = [];
  readonly #result: ReplayResult = {
    turns: 0,
    digestsCompared: 0,
    exitCode: null,
    difference: null,
    hasMore: false,
  };
  #lastEqualTurn: number | null = null;

  constructor(replica: ReplayProcess, onTurn: (turn: ReplayedTurn) => Promise<void>) {
    this.#replica = replica;
    this.#onTurn = onTurn;
  }

  /** Runs all turns up to `untilTurn`, which is the last one. Throws what reading the journal throws. */
  async run(records: AsyncIterable<PlacedRecord>, untilTurn: number): Promise<ReplayResult> {
    const ready = await this.#replica.next();
    if (ready.kind !== 'ready')
      throw new Error(`the replica's process did not begin: ${JSON.stringify(ready)}`);
    for await (const placed of records) {
      if (placed.turn > untilTurn) {
        this.#result.hasMore = true;
        break;
      }
      for (const part of split(placed, untilTurn)) {
        while (this.#sent.length >= sentAheadMax) if (!(await this.#take())) return this.#result;
        this.#send(part);
      }
      if (placed.turn + turnsOf(placed.record) - 1 > untilTurn) this.#result.hasMore = true;
    }
    while (this.#sent.length > 0) if (!(await this.#take())) return this.#result;
    return this.#result;
  }

  #send({ turn, record, atByte }: PlacedRecord): void {
    this.#sent.push({ turn, record, atByte, lastTurn: turn + turnsOf(record) - 1 });
    if (record.kind === 'idle') {
      const { timeUs, stepUs, count } = record;
      this.#replica.send({ kind: 'idle', turn, timeUs, stepUs, count });
      return;
    }
    const { timeUs, event, values } = record;
    const expectedDigest = record.hasOutputs ? record.digest : null;
    this.#replica.send({ kind: 'turn', mode: 'replay', turn, timeUs, event, values, expectedDigest });
  }

  /** Takes the answer to the oldest turn. False: nothing follows. */
  async #take(): Promise<boolean> {
    const answer = await this.#replica.next();
    const sent = this.#sent[0]!;
    if (answer.kind === 'done') {
      this.#sent.shift();
      return await this.#done(sent, answer);
    }
    this.#result.difference = this.#differenceOf(sent, answer);
    return false;
  }

  async #done(sent: Sent, answer: Extract<Answer, { kind: 'done' }>): Promise<boolean> {
    assert(answer.turn === sent.lastTurn, `turn ${answer.turn} was answered, not ${sent.lastTurn}`);
    const { record } = sent;
    const outputs = decodeOutputs(answer.outputs);
    this.#result.turns = sent.lastTurn + 1;
    if (record.kind === 'turn' && record.hasOutputs) {
      this.#result.digestsCompared += 1;
      this.#lastEqualTurn = sent.lastTurn;
    }
    await this.#onTurn({
      turn: sent.lastTurn,
      turns: turnsOf(record),
      timeUs: answer.startUs,
      event: record.kind === 'turn' ? record.event : null,
      outputs,
    });
    const exit = outputs.find((output) => output.kind === 'exit');
    if (exit === undefined) return true;
    this.#result.exitCode = exit.code;
    const next = this.#sent[0];
    if (next === undefined) return true;
    const actual = `the program ended itself with exit code ${exit.code} in turn ${sent.lastTurn}`;
    this.#result.difference = this.#difference(next, next.turn, 'ended', 'a program that runs on', actual);
    return false;
  }

  #differenceOf(sent: Sent, answer: Exclude<Answer, { kind: 'done' }>): Difference {
    const { record } = sent;
    switch (answer.kind) {
      case 'output-diverged': {
        const outputs = decodeOutputs(answer.outputs);
        const hadOutputs = record.kind === 'turn' && record.hasOutputs;
        const expected = hadOutputs
          ? `outputs with digest ${record.digest.toString(16).padStart(8, '0')} (a journal keeps digests, not outputs)`
          : 'no outputs';
        const actual = outputs.length === 0 ? 'no outputs' : `${outputs.length} outputs, listed below`;
        const difference = this.#difference(sent, answer.turn, 'outputs', expected, actual);
        return { ...difference, outputs, stacks: answer.stacks };
      }
      case 'diverged': {
        const difference = this.#difference(sent, answer.turn, 'call', answer.expected, answer.actual);
        return { ...difference, stacks: [answer.stack] };
      }
      case 'failed': {
        const actual = `the program threw ${answer.name}: ${answer.message}`;
        const difference = this.#difference(sent, answer.turn, 'failed', 'a turn that ends', actual);
        return { ...difference, stacks: [answer.stack] };
      }
      case 'hung':
        return this.#difference(
          sent,
          sent.turn,
          'hung',
          'a turn that ends',
          `no end within ${answer.afterMs} ms`,
        );
      case 'gone': {
        const noise = this.#replica.noise.trim();
        const actual = `the replica's process ended (${answer.reason})${noise === '' ? '' : `: ${noise}`}`;
        return this.#difference(sent, sent.turn, 'ended', 'a turn that ends', actual);
      }
      case 'ready':
        throw new Error('the replica began twice');
    }
  }

  #difference(
    sent: Sent,
    turn: number,
    kind: Difference['kind'],
    expected: string,
    actual: string,
  ): Difference {
    const { record } = sent;
    const event: ReplicaEvent = record.kind === 'turn' ? record.event : { kind: 'time' };
    const timeUs =
      record.kind === 'turn' ? record.timeUs : record.timeUs + (turn - sent.turn) * record.stepUs;
    const lastEqualTurn = this.#lastEqualTurn;
    return { turn, timeUs, event, kind, expected, actual, outputs: null, stacks: [], lastEqualTurn };
  }
}

/** The last turn that is asked for stands alone, so that it can be shown, and stopped at. */
function split(placed: PlacedRecord, untilTurn: number): PlacedRecord[] {
  const { turn, record, atByte } = placed;
  if (record.kind === 'turn' || turn + record.count - 1 < untilTurn) return [placed];
  const before = untilTurn - turn;
  const { timeUs, stepUs } = record;
  const last: JournalRecord = {
    kind: 'turn',
    timeUs: timeUs + before * stepUs,
    event: { kind: 'time' },
    values: new Uint8Array(0),
    digest: 0,
    hasOutputs: false,
  };
  const parts: PlacedRecord[] = [{ turn: untilTurn, record: last, atByte }];
  if (before > 0) parts.unshift({ turn, record: { kind: 'idle', timeUs, stepUs, count: before }, atByte });
  return parts;
}
