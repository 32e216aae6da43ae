/**
 * What a supervisor and its replica say to each other, over one stream socket (file descriptor 3 of the
 * replica's process). This file is all that `supervisor/` and `replica/` share.
 *
 * A message is a little-endian u32 length, a type byte and a body; see `encode*`/`MessageSplitter` below.
 * One `turn` (or `idle`) is answered by exactly one `done`, or by `failed` or `diverged`, in order; the
 * supervisor may send several turns ahead. When the socket ends, the replica exits at once.
 */
import { ByteReader, ByteWriter } from '../protocol/bytes.ts';
import { decodeEvent, encodeEvent, eventTag, type ReplicaEvent } from '../protocol/record.ts';

export type ToReplica =
  | {
      kind: 'boot';
      /** JSON of BootOptions. */
      options: BootOptions;
    }
  | {
      kind: 'turn';
      /** perform: synchronous calls are carried out and their values returned; replay: `values` are used. */
      mode: 'perform' | 'replay';
      turn: number;
      timeUs: number;
      event: ReplicaEvent;
      values: Uint8Array;
      /** Replay: digest that the turn must end with; null: it must have no outputs. Without it nothing is compared. */
      expectedDigest?: number | null;
    }
  /** `count` turns started by `time`, at timeUs, timeUs + stepUs, ...: all replayed, one `done` for all. */
  | { kind: 'idle'; turn: number; timeUs: number; stepUs: number; count: number };

export interface BootOptions {
  /** File that holds the bundled program (CommonJS-like function body, see bundle/). */
  bundleFile: string;
  /** The program's path as the program shall see it in argv[1], __filename. */
  programFile: string;
  /** Directory under which the program's file writes go (see replica/file-system.ts). */
  filesRoot: string;
}

export type FromReplica =
  | { kind: 'ready' }
  | {
      kind: 'done';
      /** Number of the (last) turn done. */
      turn: number;
      /** Virtual time at which the turn really began: never before the end of the one before. */
      startUs: number;
      /** Virtual time after the last read of the clock in the turn. */
      endUs: number;
      values: Uint8Array;
      /** `encodeOutputs` of the turn's outputs. */
      outputs: Uint8Array;
      /** Chained over outputs, endUs and wakeAtUs of every turn so far. */
      digest: number;
      /** Virtual time of the next due timer or paced immediate; null: nothing is waiting for time. */
      wakeAtUs: number | null;
      /** True while something can still start a turn: a referenced timer, an open port, stdin, a request. */
      alive: boolean;
      /** True when some immediates wait to be run about 1 ms from now (wakeAtUs then says when). */
      paced: boolean;
    }
  /** The program threw and nothing caught it. `stack` is mapped to source lines. */
  | { kind: 'failed'; turn: number; name: string; message: string; stack: string }
  /** In replay, the turn had other outputs than the record's digest stands for. */
  | {
      kind: 'output-diverged';
      turn: number;
      /** `encodeOutputs` of what this replica did. */
      outputs: Uint8Array;
      /** For each output the program's stack where it was made, with source lines. */
      stacks: string[];
    }
  /** In replay, the program made another call than the record has. */
  | { kind: 'diverged'; turn: number; expected: string; actual: string; stack: string };

const performFlag = 1;
const noOutputsFlag = 2;
const digestGivenFlag = 4;

const boot = 1;
const turn = 2;
const idle = 3;
const ready = 16;
const done = 17;
const failed = 18;
const diverged = 19;
const outputDiverged = 20;

function framed(type: number, write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(128);
  writer.u32(0).u8(type);
  write(writer);
  const bytes = writer.finish();
  new DataView(bytes.buffer).setUint32(0, bytes.length - 4, true);
  return bytes;
}

export function encodeToReplica(message: ToReplica): Uint8Array {
  switch (message.kind) {
    case 'boot':
      return framed(boot, (w) => w.text(JSON.stringify(message.options)));
    case 'turn':
      return framed(turn, (w) => {
        const { expectedDigest } = message;
        const digestFlag =
          expectedDigest === undefined ? 0 : expectedDigest === null ? noOutputsFlag : digestGivenFlag;
        w.u8((message.mode === 'perform' ? performFlag : 0) | digestFlag);
        if (typeof expectedDigest === 'number') w.u32(expectedDigest);
        w.varint(message.turn).varint(message.timeUs).bytes(message.values).u8(eventTag(message.event));
        encodeEvent(w, message.event);
      });
    case 'idle':
      return framed(idle, (w) =>
        w.varint(message.turn).varint(message.timeUs).varint(message.stepUs).varint(message.count),
      );
  }
}

export function decodeToReplica(body: Uint8Array): ToReplica {
  const r = new ByteReader(body);
  const type = r.u8();
  if (type === boot) return { kind: 'boot', options: JSON.parse(r.text()) as BootOptions };
  if (type === turn) {
    const flags = r.u8();
    const mode = (flags & performFlag) !== 0 ? 'perform' : 'replay';
    const expected =
      (flags & digestGivenFlag) !== 0
        ? { expectedDigest: r.u32() }
        : (flags & noOutputsFlag) !== 0
          ? { expectedDigest: null }
          : {};
    const number = r.varint();
    const timeUs = r.varint();
    const values = r.bytes().slice();
    return { kind: 'turn', mode, turn: number, timeUs, values, event: decodeEvent(r.u8(), r), ...expected };
  }
  if (type === idle) {
    return { kind: 'idle', turn: r.varint(), timeUs: r.varint(), stepUs: r.varint(), count: r.varint() };
  }
  throw new Error(`message type ${type} is not one for a replica`);
}

export function encodeFromReplica(message: FromReplica): Uint8Array {
  switch (message.kind) {
    case 'ready':
      return framed(ready, () => {});
    case 'done':
      return framed(done, (w) => {
        w.varint(message.turn).varint(message.startUs).varint(message.endUs);
        w.bytes(message.values).bytes(message.outputs).u32(message.digest);
        w.varint(message.wakeAtUs === null ? 0 : message.wakeAtUs + 1);
        w.u8((message.alive ? 1 : 0) | (message.paced ? 2 : 0));
      });
    case 'failed':
      return framed(failed, (w) =>
        w.varint(message.turn).text(message.name).text(message.message).text(message.stack),
      );
    case 'output-diverged':
      return framed(outputDiverged, (w) => {
        w.varint(message.turn).bytes(message.outputs).text(JSON.stringify(message.stacks));
      });
    case 'diverged':
      return framed(diverged, (w) =>
        w.varint(message.turn).text(message.expected).text(message.actual).text(message.stack),
      );
  }
}

export function decodeFromReplica(body: Uint8Array): FromReplica {
  const r = new ByteReader(body);
  const type = r.u8();
  if (type === ready) return { kind: 'ready' };
  if (type === done) {
    const number = r.varint();
    const startUs = r.varint();
    const endUs = r.varint();
    const values = r.bytes().slice();
    const outputs = r.bytes().slice();
    const digest = r.u32();
    const wake = r.varint();
    const flags = r.u8();
    return {
      kind: 'done',
      turn: number,
      startUs,
      endUs,
      values,
      outputs,
      digest,
      wakeAtUs: wake === 0 ? null : wake - 1,
      alive: (flags & 1) !== 0,
      paced: (flags & 2) !== 0,
    };
  }
  if (type === failed) {
    return { kind: 'failed', turn: r.varint(), name: r.text(), message: r.text(), stack: r.text() };
  }
  if (type === outputDiverged) {
    const number = r.varint();
    const outputs = r.bytes().slice();
    return { kind: 'output-diverged', turn: number, outputs, stacks: JSON.parse(r.text()) as string[] };
  }
  if (type === diverged) {
    return { kind: 'diverged', turn: r.varint(), expected: r.text(), actual: r.text(), stack: r.text() };
  }
  throw new Error(`message type ${type} is not one from a replica`);
}

/** Cuts a byte stream into message bodies. */
export class MessageSplitter {
  #pending: Uint8Array = new Uint8Array(0);

  push(chunk: Uint8Array): Uint8Array[] {
    let bytes = chunk;
    if (this.#pending.length > 0) {
      bytes = new Uint8Array(this.#pending.length + chunk.length);
      bytes.set(this.#pending);
      bytes.set(chunk, this.#pending.length);
    }
    const bodies: Uint8Array[] = [];
    let position = 0;
    while (bytes.length - position >= 4) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + position, 4).getUint32(0, true);
      if (bytes.length - position - 4 < length) break;
      bodies.push(bytes.subarray(position + 4, position + 4 + length));
      position += 4 + length;
    }
    this.#pending = bytes.slice(position);
    return bodies;
  }
}
