/**
 * `zlib` as the program sees it. Node compresses on its thread pool, so completions come when the machine pleases;
 * here everything is computed at the call and completes soon.
 *
 * The streams gather their input and give the whole output at the end: a decompressor gives nothing before
 * its input has ended, and `flush()` gives nothing in between.
 */
import { Transform, type TransformCallback } from 'node:stream';
import zlib from 'node:zlib';
import type { TurnContext } from '../turn-context.ts';
import { copyOfModule } from './module-copy.ts';

type Synchronous = (input: Uint8Array, options?: object) => Buffer;
type Callback = (error: unknown, result?: Buffer) => void;

/** Name of the class, of the call and of the creating call's rest: Gzip, gzip, createGzip. */
const kinds = [
  'Deflate',
  'Inflate',
  'Gzip',
  'Gunzip',
  'DeflateRaw',
  'InflateRaw',
  'Unzip',
  'BrotliCompress',
  'BrotliDecompress',
  'ZstdCompress',
  'ZstdDecompress',
] as const;

function compressorOf(kind: (typeof kinds)[number], synchronous: Synchronous): unknown {
  class Compressor extends Transform {
    readonly #parts: Uint8Array[] = [];
    readonly #options: object;
    bytesWritten = 0;

    constructor(options: object = {}) {
      super(options);
      this.#options = options;
    }

    override _transform(chunk: Uint8Array, _encoding: string, done: TransformCallback): void {
      this.#parts.push(chunk.slice());
      this.bytesWritten += chunk.length;
      done();
    }

    override _flush(done: TransformCallback): void {
      try {
        done(null, synchronous(Buffer.concat(this.#parts), this.#options));
      } catch (error) {
        done(error as Error);
      }
    }

    flush(kindOrCallback?: unknown, callback?: () => void): void {
      const done = typeof kindOrCallback === 'function' ? (kindOrCallback as () => void) : callback;
      if (done) process.nextTick(done);
    }

    params(_level: number, _strategy: number, callback: () => void): void {
      process.nextTick(callback);
    }

    reset(): void {
      this.#parts.length = 0;
    }

    close(callback?: () => void): void {
      if (callback) this.once('close', callback);
      this.destroy();
    }
  }
  function Callable(options?: object): object {
    return new Compressor(options);
  }
  Callable.prototype = Compressor.prototype;
  Object.defineProperty(Callable, 'name', { value: kind });
  return Callable;
}

export function createCompression(context: TurnContext): typeof zlib {
  const mediated = copyOfModule(zlib);
  for (const kind of kinds) {
    const name = kind[0]!.toLowerCase() + kind.slice(1);
    const synchronous = (zlib as unknown as Record<string, Synchronous>)[`${name}Sync`]!;
    const Compressor = compressorOf(kind, synchronous) as (options?: object) => object;
    mediated[kind] = Compressor;
    mediated[`create${kind}`] = (options?: object) => Compressor(options);
    mediated[name] = (input: Uint8Array, first: object | Callback, second?: Callback): void => {
      const callback = (typeof first === 'function' ? first : second) as Callback;
      if (typeof callback !== 'function') {
        const message = 'The "callback" argument must be of type function.';
        throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
      }
      try {
        const result = synchronous(input, typeof first === 'function' ? {} : first);
        context.completeSoon(() => callback(null, result));
      } catch (error) {
        if (String((error as { code?: unknown }).code).startsWith('ERR_INVALID_')) throw error;
        context.completeSoon(() => callback(error));
      }
    };
  }
  return mediated as unknown as typeof zlib;
}
