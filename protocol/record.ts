/**
 * Records: what makes one turn of the replica replayable (protocol/README.md §9).
 *
 * A turn is the run of the control program from one event until its microtasks and immediates are drained.
 * Only the order of events and the values of a few synchronous calls can differ between two replicas, so a
 * record is: event + values + digest of the outputs. The journal on disk, the bus and the memory of the
 * supervisor hold records in this one encoding.
 *
 * Times are integers in microseconds of the pair's virtual clock (since the Unix epoch).
 */
import { ByteReader, ByteWriter, WireError } from './bytes.ts';

/** What starts a turn. Ports are numbered by the program's order of opening, from 0, never reused. */
export type ReplicaEvent =
  | StartEvent
  /** Time reached: whatever is due (timers, paced immediates) runs. */
  | { kind: 'time' }
  /** Bytes from a serial port. */
  | { kind: 'port-data'; port: number; bytes: Uint8Array }
  /** A request (see RequestOutput) was carried out. `result` is JSON. */
  | { kind: 'completed'; request: number; ok: boolean; result: string }
  /** The port went away without being asked to. */
  | { kind: 'port-lost'; port: number; reason: string }
  /** The supervisor took `bytes` more of this port's output into its keeping: more may be written. */
  | { kind: 'port-credit'; port: number; bytes: number }
  | { kind: 'stdin'; bytes: Uint8Array }
  | { kind: 'stdin-end' }
  | { kind: 'signal'; signal: string };

/** The first event of a history. All that the program can ask about its surroundings is in here. */
export interface StartEvent {
  kind: 'start';
  /** 128 bits, hex: seeds Math.random, crypto randomness and every id. */
  seed: string;
  /** argv beyond [node, program], JSON array of strings. */
  argv: string[];
  env: Record<string, string>;
  hostname: string;
  /** Serial ports that `SerialPort.list()` shows: paths as the program knows them. */
  ports: string[];
  /** True when stdin is a terminal for the program. */
  stdinIsTerminal: boolean;
}

/** What a turn wants done in the world. Performed by the primary's supervisor behind the output gate. */
export type Output =
  | { kind: 'write'; port: number; bytes: Uint8Array }
  | RequestOutput
  | { kind: 'console'; stream: 'stdout' | 'stderr'; bytes: Uint8Array }
  | { kind: 'exit'; code: number };

/** Something whose completion comes back as a `completed` event. */
export interface RequestOutput {
  kind: 'request';
  /** Numbered from 0 in the order of asking. */
  request: number;
  operation: 'open' | 'close' | 'update' | 'set' | 'get' | 'flush' | 'drain' | 'list';
  port: number;
  /** JSON. For `open`: {path, baudRate, dataBits, stopBits, parity, ...}. */
  argument: string;
}

/** One turn, or a run of `count` turns that had no effect, `stepUs` apart, each started by `time`. */
export type JournalRecord =
  | {
      kind: 'turn';
      timeUs: number;
      event: ReplicaEvent;
      /** Values returned by synchronous calls, in the replica's own coding. Empty for most turns. */
      values: Uint8Array;
      /** Chained digest after this turn; 0 and not sent when the turn had no outputs. */
      digest: number;
      hasOutputs: boolean;
    }
  | { kind: 'idle'; timeUs: number; stepUs: number; count: number };

/** Number of turns that a record stands for. */
export function turnsOf(record: JournalRecord): number {
  return record.kind === 'idle' ? record.count : 1;
}

/** Virtual time of the last turn of a record. */
export function lastTimeOf(record: JournalRecord): number {
  return record.kind === 'idle' ? record.timeUs + record.stepUs * (record.count - 1) : record.timeUs;
}

/** Records that follow each other. `firstTurn` is the number of the first one's first turn. */
export interface RecordBatch {
  firstTurn: number;
  records: JournalRecord[];
}

/** The place of a kind is its tag. */
export const eventKinds = [
  'start',
  'time',
  'port-data',
  'completed',
  'port-lost',
  'port-credit',
  'stdin',
  'stdin-end',
  'signal',
] as const;
const idleTag = 15;
/** A replica runs a run of idle turns without looking up: a damaged count must not keep it for ever. */
export const idleTurnsMax = 1_000_000;
const hasValuesFlag = 0x10;
const hasOutputsFlag = 0x20;

export function encodeEvent(writer: ByteWriter, event: ReplicaEvent): void {
  switch (event.kind) {
    case 'start': {
      const { kind: _, ...rest } = event;
      writer.text(JSON.stringify(rest));
      return;
    }
    case 'time':
    case 'stdin-end':
      return;
    case 'port-data':
      writer.varint(event.port).bytes(event.bytes);
      return;
    case 'completed':
      writer.varint(event.request * 2 + (event.ok ? 1 : 0)).text(event.result);
      return;
    case 'port-lost':
      writer.varint(event.port).text(event.reason);
      return;
    case 'port-credit':
      writer.varint(event.port).varint(event.bytes);
      return;
    case 'stdin':
      writer.bytes(event.bytes);
      return;
    case 'signal':
      writer.text(event.signal);
      return;
  }
}

export function eventTag(event: ReplicaEvent): number {
  return eventKinds.indexOf(event.kind);
}

export function decodeEvent(tag: number, reader: ByteReader): ReplicaEvent {
  const kind = eventKinds[tag];
  switch (kind) {
    case 'start':
      return { kind, ...parseStart(reader.text()) };
    case 'time':
    case 'stdin-end':
      return { kind };
    case 'port-data':
      return { kind, port: reader.varint(), bytes: reader.bytes().slice() };
    case 'completed': {
      const coded = reader.varint();
      return { kind, request: Math.floor(coded / 2), ok: coded % 2 === 1, result: reader.text() };
    }
    case 'port-lost':
      return { kind, port: reader.varint(), reason: reader.text() };
    case 'port-credit':
      return { kind, port: reader.varint(), bytes: reader.varint() };
    case 'stdin':
      return { kind, bytes: reader.bytes().slice() };
    case 'signal':
      return { kind, signal: reader.text() };
    default:
      throw new WireError('BAD_VALUE', `event kind ${tag} is unknown`);
  }
}

function parseStart(text: string): Omit<StartEvent, 'kind'> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Falls through to the one error below: the reason JSON gives names no place in our format.
  }
  if (typeof value === 'object' && value !== null) {
    const { seed, argv, env, hostname, ports, stdinIsTerminal } = value as Partial<StartEvent>;
    if (
      typeof seed === 'string' &&
      areTexts(argv) &&
      typeof env === 'object' &&
      env !== null &&
      areTexts(Object.values(env)) &&
      typeof hostname === 'string' &&
      areTexts(ports) &&
      typeof stdinIsTerminal === 'boolean'
    ) {
      return { seed, argv, env, hostname, ports, stdinIsTerminal };
    }
  }
  throw new WireError('BAD_VALUE', 'start event is not the JSON of what a program is told at its start');
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

export function encodeBatch(batch: RecordBatch): Uint8Array {
  const writer = new ByteWriter(256);
  let previousUs = batch.records[0]?.timeUs ?? 0;
  writer.varint(batch.firstTurn).varint(batch.records.length).varint(previousUs);
  for (const record of batch.records) {
    if (record.kind === 'idle') {
      writer
        .u8(idleTag)
        .signed(record.timeUs - previousUs)
        .varint(record.stepUs)
        .varint(record.count);
    } else {
      const flags = (record.values.length > 0 ? hasValuesFlag : 0) | (record.hasOutputs ? hasOutputsFlag : 0);
      writer.u8(eventTag(record.event) | flags).signed(record.timeUs - previousUs);
      encodeEvent(writer, record.event);
      if (record.values.length > 0) writer.bytes(record.values);
      if (record.hasOutputs) writer.u32(record.digest);
    }
    previousUs = lastTimeOf(record);
  }
  return writer.finish();
}

/** Throws WireError on anything that `encodeBatch` cannot have written. */
export function decodeBatch(bytes: Uint8Array): RecordBatch {
  const reader = new ByteReader(bytes);
  const firstTurn = reader.varint();
  const count = reader.varint();
  let previousUs = reader.varint();
  const records: JournalRecord[] = [];
  let turns = firstTurn;
  for (let index = 0; index < count; index++) {
    const tag = reader.u8();
    const timeUs = previousUs + reader.signed();
    if (tag === idleTag) {
      const record = { kind: 'idle' as const, timeUs, stepUs: reader.varint(), count: reader.varint() };
      if (record.count === 0 || record.count > idleTurnsMax) {
        throw new WireError('BAD_VALUE', `an idle run of ${record.count} turns`);
      }
      records.push(record);
    } else {
      const hasOutputs = (tag & hasOutputsFlag) !== 0;
      const event = decodeEvent(tag & 0x0f, reader);
      const values = (tag & hasValuesFlag) !== 0 ? reader.bytes().slice() : new Uint8Array(0);
      records.push({
        kind: 'turn',
        timeUs,
        event,
        values,
        hasOutputs,
        digest: hasOutputs ? reader.u32() : 0,
      });
    }
    const last = records.at(-1)!;
    turns += turnsOf(last);
    previousUs = lastTimeOf(last);
    if (timeUs < 0 || !Number.isSafeInteger(previousUs) || !Number.isSafeInteger(turns)) {
      throw new WireError('BAD_VALUE', `record ${index} has a time or a turn that nothing can count`);
    }
  }
  reader.end();
  return { firstTurn, records };
}

const operations = ['open', 'close', 'update', 'set', 'get', 'flush', 'drain', 'list'] as const;

/** The encoding over which the digest of a turn runs. */
export function encodeOutputs(outputs: readonly Output[]): Uint8Array {
  const writer = new ByteWriter(64);
  for (const output of outputs) {
    switch (output.kind) {
      case 'write':
        writer.u8(0).varint(output.port).bytes(output.bytes);
        break;
      case 'request':
        writer.u8(1).varint(output.request).u8(operations.indexOf(output.operation));
        writer.varint(output.port).text(output.argument);
        break;
      case 'console':
        writer.u8(output.stream === 'stdout' ? 2 : 3).bytes(output.bytes);
        break;
      case 'exit':
        writer.u8(4).signed(output.code);
        break;
    }
  }
  return writer.finish();
}

export function decodeOutputs(bytes: Uint8Array): Output[] {
  const reader = new ByteReader(bytes);
  const outputs: Output[] = [];
  while (reader.remaining > 0) {
    const tag = reader.u8();
    if (tag === 0) outputs.push({ kind: 'write', port: reader.varint(), bytes: reader.bytes().slice() });
    else if (tag === 1) {
      const request = reader.varint();
      const operation = operations[reader.u8()];
      if (operation === undefined) throw new WireError('BAD_VALUE', 'unknown operation in an output');
      outputs.push({ kind: 'request', request, operation, port: reader.varint(), argument: reader.text() });
    } else if (tag === 2 || tag === 3) {
      outputs.push({
        kind: 'console',
        stream: tag === 2 ? 'stdout' : 'stderr',
        bytes: reader.bytes().slice(),
      });
    } else if (tag === 4) outputs.push({ kind: 'exit', code: reader.signed() });
    else throw new WireError('BAD_VALUE', `output kind ${tag} is unknown`);
  }
  return outputs;
}
