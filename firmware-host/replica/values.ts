/**
 * Coding of the values that synchronous calls returned during one turn (`JournalRecord.values`).
 *
 * An entry is: text of the call, one byte (1: returned, 0: threw), length-prefixed `node:v8` serialisation.
 * The call's text is kept whole, for it is what a first-divergence report shows; calls are rare beside turns.
 */
import { deserialize, serialize } from 'node:v8';
import { ByteReader, ByteWriter } from '../../protocol/bytes.ts';

const noBytes = new Uint8Array(0);

interface RecordedError {
  name: string;
  message: string;
  properties: Record<string, unknown>;
}

const keptProperties = ['code', 'errno', 'syscall', 'path', 'dest'] as const;

function describeError(error: unknown): RecordedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), properties: {} };
  const properties: Record<string, unknown> = {};
  for (const key of keptProperties) {
    const value = (error as unknown as Record<string, unknown>)[key];
    if (value !== undefined) properties[key] = value;
  }
  return { name: error.name, message: error.message, properties };
}

const errorClasses: Record<string, ErrorConstructor> = { TypeError, RangeError, SyntaxError };

function rebuildError({ name, message, properties }: RecordedError): Error {
  const error = new (errorClasses[name] ?? Error)(message);
  if (error.name !== name)
    Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  return Object.assign(error, properties);
}

/** On the primary: carries calls out and keeps what came of them. */
export class ValueRecorder {
  #writer: ByteWriter | undefined;

  perform<T>(call: string, perform: () => T): T {
    let returned = true;
    let bytes: Uint8Array;
    try {
      bytes = serialize(perform());
    } catch (error) {
      returned = false;
      bytes = serialize(describeError(error));
    }
    this.#writer ??= new ByteWriter(256);
    this.#writer
      .text(call)
      .u8(returned ? 1 : 0)
      .bytes(bytes);
    // Both boards get what comes out of the coding, so that neither sees a prototype or an aliased buffer
    // that the other does not.
    if (returned) return deserialize(bytes) as T;
    throw rebuildError(deserialize(bytes) as RecordedError);
  }

  /** What was recorded since the last call. */
  take(): Uint8Array {
    const bytes = this.#writer?.finish() ?? noBytes;
    this.#writer = undefined;
    return bytes;
  }
}

export type ReplayedValue<T> = { matches: true; value: T } | { matches: false; expected: string };

/** On the backup: gives out what the record holds, in its order. */
export class ValueReplayer {
  readonly #reader: ByteReader;
  #nextCall: string | undefined;

  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes);
    this.#readCall();
  }

  /** The call that comes next in the record; undefined when none is left. */
  get nextCall(): string | undefined {
    return this.#nextCall;
  }

  /** Throws the recorded error when the call threw on the primary. */
  next<T>(call: string): ReplayedValue<T> {
    if (this.#nextCall !== call) return { matches: false, expected: this.#nextCall ?? 'no further call' };
    const returned = this.#reader.u8() === 1;
    // A copy at offset 0, as on the primary: the buffers within the value lie at the same offsets then.
    const value: unknown = deserialize(new Uint8Array(this.#reader.bytes()));
    this.#readCall();
    if (!returned) throw rebuildError(value as RecordedError);
    return { matches: true, value: value as T };
  }

  #readCall(): void {
    this.#nextCall = this.#reader.remaining === 0 ? undefined : this.#reader.text();
  }
}
