/**
 * `fs` and `fs/promises` as the program sees them.
 *
 * Everything is made of synchronous calls (file-reads.ts, file-writes.ts, file-opened.ts, file-folders.ts): the
 * asynchronous forms act at the call and complete through the turn's completion queue, in order. So the order of
 * completions, which on a real system is the disk's, is the same on both boards. Node's own stream classes
 * run over the mediated calls.
 *
 * Not offered: watching files (`watch`, `watchFile`), `Utf8Stream`, `openAsBlob`.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { type Refusal, refusedFunction } from '../refusal.ts';
import type { TurnContext } from '../turn-context.ts';
import { FileDescriptors } from './file-descriptors.ts';
import { folderCalls, MediatedDir } from './file-folders.ts';
import { type HandleWorld, MediatedFileHandle, type SynchronousCalls } from './file-handle.ts';
import { type FileAlarm, FileHistory } from './file-history.ts';
import { openFiles, readSpan } from './file-opened.ts';
import { FilePaths } from './file-paths.ts';
import { fileReads } from './file-reads.ts';
import { fileWrites } from './file-writes.ts';

export interface FileSystemOptions {
  /** The program's current directory. */
  currentDirectory: () => string;
  /** Told when a backup could not repeat a write. */
  onAlarm: (alarm: FileAlarm) => void;
}

type AnyFunction = (...parameters: unknown[]) => unknown;

const watching: Refusal = {
  reason: 'changes to files are not events that both boards see.',
  remedy: 'Read the file, or its fs.statSync(...).mtimeMs, in a setInterval.',
};
const blobs: Refusal = {
  reason: 'a Blob is read in the background.',
  remedy: 'Use fs.readFileSync.',
};
const fastStream: Refusal = { reason: 'it writes in the background.', remedy: 'Use fs.createWriteStream.' };

export interface FileSystem {
  fs: typeof fs;
  promises: typeof fs.promises;
}

export function createFileSystem(context: TurnContext, options: FileSystemOptions): FileSystem {
  const paths = new FilePaths(context.boot.filesRoot, options.currentDirectory);
  const history = new FileHistory(context, paths, options.onAlarm);
  const descriptors = new FileDescriptors(history);

  const later = <T>(action: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      try {
        const value = action();
        context.completeSoon(() => resolve(value));
      } catch (error) {
        context.completeSoon(() => reject(error as Error));
      }
    });

  const reads = fileReads(history, descriptors);
  const writes = fileWrites(history, descriptors);
  const calls = {
    ...reads,
    ...writes,
    ...openFiles(history, descriptors),
    ...folderCalls(history, reads, writes, later),
  } as unknown as SynchronousCalls;

  const mediated: Record<string, unknown> = { constants: fs.constants, promises: undefined };
  for (const [name, call] of Object.entries(calls)) {
    mediated[`${name}Sync`] = call;
    mediated[name] = withCallback(context, name, call as AnyFunction);
  }
  delete mediated.mkdtempDisposable;
  addSpecialForms(mediated, context, calls);
  addStreams(mediated);
  const world: HandleWorld = {
    calls,
    later,
    createReadStream: mediated.createReadStream as HandleWorld['createReadStream'],
    createWriteStream: mediated.createWriteStream as HandleWorld['createWriteStream'],
    collect: contentOf,
  };
  mediated.promises = promisesOf(world);
  return { fs: mediated as unknown as typeof fs, promises: mediated.promises as typeof fs.promises };
}

function callbackOf(parameters: unknown[]): AnyFunction {
  const callback = parameters.at(-1);
  if (typeof callback === 'function') return callback as AnyFunction;
  const message = `The "cb" argument must be of type function. Received ${String(callback)}`;
  throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
}

/** Faults of the call itself are thrown at it, as Node does; faults of the file system go to the callback. */
function isFaultOfCall(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && (code.startsWith('ERR_INVALID_') || code === 'ERR_OUT_OF_RANGE');
}

/** The callback form of a synchronous call. `more` are further values for the callback. */
function withCallback(
  context: TurnContext,
  name: string,
  call: AnyFunction,
  more: (parameters: unknown[]) => unknown[] = () => [],
): AnyFunction {
  const form = (...parameters: unknown[]): void => {
    const callback = callbackOf(parameters);
    const own = parameters.slice(0, -1);
    try {
      const value = call(...own);
      context.completeSoon(() =>
        value === undefined ? callback(null) : callback(null, value, ...more(own)),
      );
    } catch (error) {
      if (isFaultOfCall(error)) throw error;
      context.completeSoon(() => callback(error));
    }
  };
  Object.defineProperty(form, 'name', { value: name });
  return form;
}

function addSpecialForms(
  mediated: Record<string, unknown>,
  context: TurnContext,
  calls: SynchronousCalls,
): void {
  const exists = (name: unknown, callback: AnyFunction): void => {
    callbackOf([callback]);
    const value = (calls.exists as AnyFunction)(name);
    context.completeSoon(() => callback(value));
  };
  const existsLater = (name: unknown): Promise<unknown> => new Promise((resolve) => exists(name, resolve));
  mediated.exists = Object.assign(exists, { [promisify.custom]: existsLater });

  // read(fd, [buffer | options], ...): the callback also gets the buffer, which may be made here.
  mediated.read = (descriptor: unknown, ...parameters: unknown[]): void => {
    const callback = callbackOf(parameters);
    const span = readSpan(parameters.slice(0, -1));
    withCallback(context, 'read', calls.read as AnyFunction, () => [span.buffer])(
      descriptor,
      span.buffer,
      span,
      callback,
    );
  };
  for (const name of ['write', 'readv', 'writev'] as const)
    mediated[name] = withCallback(context, name, calls[name] as AnyFunction, (own) => [own[1]]);
  const shapes = {
    read: 'bytesRead buffer',
    write: 'bytesWritten buffer',
    readv: 'bytesRead buffers',
    writev: 'bytesWritten buffers',
  };
  for (const [name, shape] of Object.entries(shapes)) {
    const [count, content] = shape.split(' ') as [string, string];
    const form = mediated[name] as AnyFunction;
    Object.defineProperty(form, promisify.custom, {
      value: (...parameters: unknown[]) =>
        new Promise((resolve, reject) => {
          form(...parameters, (error: unknown, done: unknown, data: unknown) =>
            error ? reject(error as Error) : resolve({ [count]: done, [content]: data }),
          );
        }),
    });
  }

  const close = mediated.close as AnyFunction;
  mediated.close = (descriptor: unknown, callback: unknown = () => {}) => close(descriptor, callback);
  const realpath = mediated.realpath as AnyFunction;
  mediated.realpath = Object.assign(realpath, { native: realpath });
  const realpathSync = mediated.realpathSync as AnyFunction;
  mediated.realpathSync = Object.assign(realpathSync, { native: realpathSync });
  mediated.watch = refusedFunction('fs.watch', watching);
  mediated.watchFile = refusedFunction('fs.watchFile', watching);
  mediated.unwatchFile = () => {};
  mediated.openAsBlob = refusedFunction('fs.openAsBlob', blobs);
  mediated.Utf8Stream = refusedFunction('fs.Utf8Stream', fastStream);
  mediated.lchmod = undefined; // As Node has it on Linux.
  mediated.lchmodSync = undefined;
  mediated._toUnixTimestamp = (fs as unknown as Record<string, unknown>)._toUnixTimestamp;
  mediated.Stats = fs.Stats;
  mediated.Dirent = fs.Dirent;
  mediated.Dir = MediatedDir;
  for (const name of ['F_OK', 'R_OK', 'W_OK', 'X_OK'] as const) mediated[name] = fs.constants[name];
}

/** Node's own stream classes, told to use the mediated calls. */
function addStreams(mediated: Record<string, unknown>): void {
  for (const kind of ['ReadStream', 'WriteStream'] as const) {
    const Real = fs[kind] as unknown as new (path: unknown, options: object) => object;
    function Stream(path: unknown, given?: unknown): object {
      const options = typeof given === 'string' ? { encoding: given } : { ...((given ?? {}) as object) };
      const { fd, fs: own } = options as { fd?: unknown; fs?: object };
      // A handle of fs/promises is ours, not the class that Node looks for.
      if (fd instanceof MediatedFileHandle)
        return kind === 'ReadStream'
          ? fd.createReadStream(without(options))
          : fd.createWriteStream(without(options));
      return new Real(path, { ...options, fs: own ?? mediated });
    }
    Stream.prototype = Real.prototype;
    Object.defineProperty(Stream, 'name', { value: kind });
    mediated[kind] = Stream;
    mediated[`File${kind}`] = Stream;
    mediated[`create${kind}`] = (path: unknown, options?: unknown) => Stream(path, options);
  }
}

function without(options: object): object {
  return { ...options, fd: undefined };
}

/** Content for writeFile: also from what is iterable, such as a stream. */
async function contentOf(data: unknown, encoding: unknown): Promise<unknown> {
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data)) return data;
  if (!(Symbol.iterator in data) && !(Symbol.asyncIterator in data)) return data;
  const parts: Uint8Array[] = [];
  for await (const part of data as AsyncIterable<string | Uint8Array>)
    parts.push(typeof part === 'string' ? Buffer.from(part, (encoding ?? 'utf8') as BufferEncoding) : part);
  return Buffer.concat(parts);
}

const promiseNames = [
  'access',
  'copyFile',
  'cp',
  'opendir',
  'rename',
  'truncate',
  'rm',
  'rmdir',
  'mkdir',
  'readdir',
  'readlink',
  'symlink',
  'lstat',
  'stat',
  'statfs',
  'link',
  'unlink',
  'chmod',
  'lchown',
  'chown',
  'utimes',
  'lutimes',
  'realpath',
  'mkdtemp',
  'readFile',
];

function promisesOf(world: HandleWorld): Record<string, unknown> {
  const { calls, later } = world;
  const promises: Record<string, unknown> = { constants: fs.constants };
  const call = (name: string, ...parameters: unknown[]): unknown =>
    (calls[name] as AnyFunction)(...parameters);
  for (const name of promiseNames) {
    const form = async (...parameters: unknown[]): Promise<unknown> => later(() => call(name, ...parameters));
    Object.defineProperty(form, 'name', { value: name });
    promises[name] = form;
  }
  for (const name of ['writeFile', 'appendFile']) {
    promises[name] = async (file: unknown, data: unknown, options?: { encoding?: string } | string) => {
      const encoding = typeof options === 'string' ? options : options?.encoding;
      const content = isIterable(data) ? await contentOf(data, encoding) : data;
      return later(() => call(name, file, content, options));
    };
  }
  promises.open = async (...parameters: unknown[]) =>
    later(() => new MediatedFileHandle(world, call('open', ...parameters) as number));
  promises.mkdtempDisposable = async (...parameters: unknown[]) => {
    const made = await later(
      () => call('mkdtempDisposable', ...parameters) as { path: string; remove: () => void },
    );
    const remove = (): Promise<void> => later(() => made.remove());
    return { path: made.path, remove, [Symbol.asyncDispose]: remove };
  };
  promises.glob = async function* (...parameters: unknown[]): AsyncGenerator<unknown> {
    yield* await later(() => call('glob', ...parameters) as unknown[]);
  };
  promises.watch = refusedFunction('fs.promises.watch', watching);
  promises.lchmod = async () => {
    throw Object.assign(new Error('The lchmod() method is not implemented'), {
      code: 'ERR_METHOD_NOT_IMPLEMENTED',
    });
  };
  return promises;
}

function isIterable(data: unknown): boolean {
  return typeof data === 'object' && data !== null && !ArrayBuffer.isView(data);
}
