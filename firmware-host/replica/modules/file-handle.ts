/** `FileHandle` of fs/promises over the mediated synchronous calls: each method acts at once and completes soon. */
import { EventEmitter } from 'node:events';
import type fs from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { Readable } from 'node:stream';
import { systemError } from './file-descriptors.ts';
import { readSpan, writeSpan } from './file-opened.ts';

/** The synchronous calls that a handle uses, as in `fs` without `Sync`. */
export type SynchronousCalls = Record<string, (...parameters: never[]) => unknown>;

export interface HandleWorld {
  calls: SynchronousCalls;
  later: <T>(action: () => T) => Promise<T>;
  createReadStream(path: null, options: object): fs.ReadStream;
  createWriteStream(path: null, options: object): fs.WriteStream;
  /** Collects what a program gives as content: text, bytes, or anything iterable of them. */
  collect(data: unknown, encoding: unknown): Promise<unknown>;
}

export class MediatedFileHandle extends EventEmitter {
  readonly #world: HandleWorld;
  #descriptor: number;

  constructor(world: HandleWorld, descriptor: number) {
    super();
    this.#world = world;
    this.#descriptor = descriptor;
  }

  get fd(): number {
    return this.#descriptor;
  }

  getAsyncId(): number {
    return 0;
  }

  #call(name: string, ...parameters: unknown[]): Promise<never> {
    return this.#world.later(() => {
      if (this.#descriptor < 0) throw systemError('EBADF', name);
      const call = this.#world.calls[name] as (...values: unknown[]) => never;
      return call(this.#descriptor, ...parameters);
    });
  }

  async read(...parameters: unknown[]): Promise<{ bytesRead: number; buffer: NodeJS.ArrayBufferView }> {
    const span = readSpan(parameters);
    return { bytesRead: await this.#call('read', span.buffer, span), buffer: span.buffer };
  }

  async write(...parameters: unknown[]): Promise<{ bytesWritten: number; buffer: unknown }> {
    const { bytes, position } = writeSpan(parameters);
    return {
      bytesWritten: await this.#call('write', bytes, 0, bytes.length, position),
      buffer: parameters[0],
    };
  }

  async readv(buffers: NodeJS.ArrayBufferView[], position?: number | null): Promise<object> {
    return { bytesRead: await this.#call('readv', buffers, position), buffers };
  }

  async writev(buffers: NodeJS.ArrayBufferView[], position?: number | null): Promise<object> {
    return { bytesWritten: await this.#call('writev', buffers, position), buffers };
  }

  readFile(options?: unknown): Promise<string | Buffer> {
    return this.#call('readFile', options);
  }

  async writeFile(data: unknown, options?: { encoding?: string } | string): Promise<void> {
    const encoding = typeof options === 'string' ? options : options?.encoding;
    await this.#call('writeFile', await this.#world.collect(data, encoding), options);
  }

  async appendFile(data: unknown, options?: { encoding?: string } | string): Promise<void> {
    await this.writeFile(data, options);
  }

  stat(options?: unknown): Promise<fs.Stats> {
    return this.#call('fstat', options);
  }
  truncate(length?: number): Promise<void> {
    return this.#call('ftruncate', length);
  }
  chmod(mode: fs.Mode): Promise<void> {
    return this.#call('fchmod', mode);
  }
  chown(user: number, group: number): Promise<void> {
    return this.#call('fchown', user, group);
  }
  utimes(accessed: fs.TimeLike, modified: fs.TimeLike): Promise<void> {
    return this.#call('futimes', accessed, modified);
  }
  sync(): Promise<void> {
    return this.#call('fsync');
  }
  datasync(): Promise<void> {
    return this.#call('fdatasync');
  }

  async close(): Promise<void> {
    if (this.#descriptor < 0) return;
    const closed = this.#call('close');
    this.#descriptor = -1;
    await closed;
    this.emit('close');
  }

  createReadStream(options: object = {}): fs.ReadStream {
    return this.#closing(this.#world.createReadStream(null, { ...options, fd: this.#descriptor }));
  }

  createWriteStream(options: object = {}): fs.WriteStream {
    return this.#closing(this.#world.createWriteStream(null, { ...options, fd: this.#descriptor }));
  }

  readLines(options: object = {}): Interface {
    return createInterface({ input: this.createReadStream(options), crlfDelay: Number.POSITIVE_INFINITY });
  }

  readableWebStream(): ReturnType<typeof Readable.toWeb> {
    return Readable.toWeb(this.createReadStream({ autoClose: false }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A stream that closes the descriptor closes the handle with it. */
  #closing<T extends fs.ReadStream | fs.WriteStream>(stream: T): T {
    const emitter: EventEmitter = stream;
    emitter.once('close', () => {
      if ((stream as unknown as { autoClose: boolean }).autoClose) this.#descriptor = -1;
    });
    return stream;
  }
}
