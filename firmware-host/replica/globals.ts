/**
 * The complete table of Node's globals, as a program in a replica sees them, and the replacement of those that are
 * ours. A test asserts that no global of this Node is missing.
 *
 * The clock, timers, randomness, console and process are replaced by virtual-globals.ts (rows `by: 'world'`); this file
 * replaces what remains (rows `by: 'here'`).
 */
import { builtinModuleGetter, type ProgramRequire } from './builtins.ts';
import { type Refusal, refusedFunction } from './refusal.ts';
import type { TurnContext } from './turn-context.ts';

export type GlobalRow =
  | { global: string; kind: 'pure' }
  | { global: string; kind: 'mediated'; reason: string; by: 'here' | 'world' }
  | ({ global: string; kind: 'refused'; by: 'here' | 'world' } & Refusal);

const language = `Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Promise
  RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError SuppressedError globalThis
  JSON ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array BigUint64Array BigInt64Array
  Uint8ClampedArray Float16Array Float32Array Float64Array DataView Map BigInt Set Iterator WeakMap WeakSet Proxy Reflect
  decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN DisposableStack
  AsyncDisposableStack SharedArrayBuffer`;

/** Runs within the turn: on microtasks at most. */
const platform = `global Buffer URLSearchParams URLPattern DOMException AbortController EventTarget CustomEvent
  TextEncoder TextDecoder TransformStream TransformStreamDefaultController WritableStream
  WritableStreamDefaultController WritableStreamDefaultWriter ReadableStream ReadableStreamDefaultReader
  ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableByteStreamController ReadableStreamDefaultController
  ByteLengthQueuingStrategy CountQueuingStrategy TextEncoderStream TextDecoderStream queueMicrotask structuredClone atob
  btoa Headers MessageEvent CloseEvent Crypto CryptoKey SubtleCrypto Navigator PerformanceEntry PerformanceMark
  PerformanceMeasure PerformanceObserverEntryList PerformanceResourceTiming`;

const words = (text: string): string[] => text.trim().split(/\s+/);
const mediated = (by: 'here' | 'world', reason: string, names: string): GlobalRow[] =>
  words(names).map((global) => ({ global, kind: 'mediated', reason, by }));
const refused = (by: 'here' | 'world', refusal: Refusal, names: string): GlobalRow[] =>
  words(names).map((global) => ({ global, kind: 'refused', by, ...refusal }));

const network: Refusal = {
  reason: 'networking is refused for now: what arrives is not yet recorded for the other board.',
  remedy: 'Talk to devices over a serial port.',
};
const threads: Refusal = {
  reason: 'messages of another thread arrive when the machine pleases.',
  remedy: 'Use EventTarget or queueMicrotask.',
};
const background: Refusal = { reason: 'its content is read in the background.', remedy: 'Use Buffer.' };

export const globalTable: readonly GlobalRow[] = [
  ...words(`${language} ${platform}`).map((global): GlobalRow => ({ global, kind: 'pure' })),
  ...mediated(
    'world',
    'the clock is virtual.',
    'Date Intl performance Performance PerformanceObserver Atomics',
  ),
  ...mediated('world', 'random() is seeded.', 'Math'),
  ...mediated(
    'world',
    'time is virtual.',
    'setTimeout clearTimeout setInterval clearInterval setImmediate clearImmediate AbortSignal',
  ),
  ...mediated('world', 'it is the pair’s, not the board’s.', 'process console navigator'),
  ...mediated(
    'world',
    'garbage collection is not seen: a reference holds, a registry never calls.',
    'WeakRef FinalizationRegistry',
  ),
  ...mediated('world', 'compiling completes within the turn; streaming is refused.', 'WebAssembly'),
  ...mediated('here', 'randomness is the pair’s; subtle is refused.', 'crypto'),
  ...mediated('here', 'timeStamp is virtual.', 'Event'),
  ...mediated('here', 'lastModified is virtual; reading the content is refused.', 'File'),
  ...mediated('here', 'reading the content is refused.', 'Blob'),
  ...mediated('here', 'object URLs are refused.', 'URL'),
  ...mediated('here', 'a form is data; its files cannot be read.', 'FormData'),
  ...refused('world', network, 'fetch WebSocket EventSource'),
  ...refused('here', network, 'Request Response'),
  ...refused('world', threads, 'MessageChannel BroadcastChannel'),
  ...refused('here', threads, 'MessagePort Worker'),
  ...refused(
    'world',
    { reason: 'it completes on another thread.', remedy: 'Use zlib.' },
    'CompressionStream DecompressionStream',
  ),
  ...refused(
    'here',
    { reason: 'it is a database of one board.', remedy: 'Keep data in files written with fs.' },
    'localStorage sessionStorage Storage',
  ),
];

function define(target: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
}

/** Called once, before the program starts and after virtual-globals.ts. */
export function installGlobals(context: TurnContext, require: ProgramRequire): void {
  for (const row of globalTable) {
    if (row.kind === 'refused' && row.by === 'here' && row.global in globalThis)
      define(globalThis, row.global, refusedFunction(row.global, row));
  }
  const { webcrypto } = require('node:crypto') as typeof import('node:crypto');
  define(globalThis, 'crypto', webcrypto);
  installBlobs();
  installEventTime(context);
  const streaming: Refusal = { reason: network.reason, remedy: 'Use new WebAssembly.Module(bytes).' };
  for (const name of ['compileStreaming', 'instantiateStreaming'])
    define(
      Reflect.get(globalThis, 'WebAssembly') as object,
      name,
      refusedFunction(`WebAssembly.${name}`, streaming),
    );
  define(process, 'getBuiltinModule', builtinModuleGetter(require));
}

function installBlobs(): void {
  for (const name of ['arrayBuffer', 'bytes', 'stream', 'text'])
    define(Blob.prototype, name, refusedFunction(`Blob.prototype.${name}`, background));
  for (const name of ['createObjectURL', 'revokeObjectURL'])
    define(URL, name, refusedFunction(`URL.${name}`, background));
  const RealFile = File;
  class VirtualFile extends RealFile {
    constructor(parts: BlobPart[], name: string, options?: FilePropertyBag) {
      super(parts as never, name, { lastModified: Date.now(), ...options } as never);
    }
  }
  define(VirtualFile, 'name', 'File');
  define(globalThis, 'File', VirtualFile);
}

type BlobPart = string | ArrayBufferView | ArrayBuffer | Blob;
type FilePropertyBag = { lastModified?: number; type?: string };

/** An event's time is that of its first question: the real one is the board's own. */
function installEventTime(context: TurnContext): void {
  const startUs = context.nowUs();
  const times = new WeakMap<object, number>();
  Object.defineProperty(Event.prototype, 'timeStamp', {
    configurable: true,
    enumerable: true,
    get(this: object): number {
      const known = times.get(this);
      if (known !== undefined) return known;
      const timeMs = (context.nowUs() - startUs) / 1000;
      times.set(this, timeMs);
      return timeMs;
    },
  });
}
