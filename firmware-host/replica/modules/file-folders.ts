/** Calls of `fs` on whole folders, made of the simple ones: opendir, glob, cp. */
import fs from 'node:fs';
import path from 'node:path';
import { RefusedError } from '../refusal.ts';
import { callName, type FileHistory } from './file-history.ts';
import { type FileOptions, type fileReads, optionsOf } from './file-reads.ts';
import { direntOf, kindOf } from './file-stats.ts';
import type { fileWrites } from './file-writes.ts';

type Later = <T>(action: () => T) => Promise<T>;

/** An open folder: its entries are read when it is opened. */
export class MediatedDir {
  readonly path: string;
  readonly #entries: fs.Dirent[];
  readonly #later: Later;
  #closed = false;

  constructor(name: string, entries: fs.Dirent[], later: Later) {
    this.path = name;
    this.#entries = entries;
    this.#later = later;
  }

  #assertOpen(): void {
    if (this.#closed)
      throw Object.assign(new Error('Directory handle was closed'), { code: 'ERR_DIR_CLOSED' });
  }

  readSync(): fs.Dirent | null {
    this.#assertOpen();
    return this.#entries.shift() ?? null;
  }

  closeSync(): void {
    this.#assertOpen();
    this.#closed = true;
  }

  read(
    callback?: (error: Error | null, entry?: fs.Dirent | null) => void,
  ): Promise<fs.Dirent | null> | undefined {
    return answered(
      this.#later(() => this.readSync()),
      callback,
    );
  }

  close(callback?: (error: Error | null) => void): Promise<void> | undefined {
    return answered(
      this.#later(() => this.closeSync()),
      callback,
    );
  }

  async *entries(): AsyncGenerator<fs.Dirent> {
    try {
      for (let entry = await this.read(); entry; entry = await this.read()) yield entry;
    } finally {
      await this.close();
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<fs.Dirent> {
    return this.entries();
  }

  [Symbol.dispose](): void {
    if (!this.#closed) this.closeSync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await this.close();
  }
}

function answered<T>(
  promise: Promise<T>,
  callback: ((error: Error | null, value?: T) => void) | undefined,
): Promise<T> | undefined {
  if (callback === undefined) return promise;
  promise.then(
    (value) => callback(null, value),
    (error: Error) => callback(error),
  );
  return undefined;
}

export function folderCalls(
  history: FileHistory,
  reads: ReturnType<typeof fileReads>,
  writes: ReturnType<typeof fileWrites>,
  later: Later,
) {
  const { paths } = history;

  function cp(source: string, target: string, options: fs.CopySyncOptions): void {
    if (options.filter) {
      const wanted: unknown = options.filter(source, target);
      if (wanted instanceof Promise) {
        const remedy = 'Use a filter that answers at once.';
        throw new RefusedError('fs.cp with an asynchronous filter', 'a turn never waits.', remedy);
      }
      if (!wanted) return;
    }
    const entry = (options.dereference ? reads.stat(source) : reads.lstat(source))!;
    const { force = true, errorOnExist = false, mode = 0 } = options;
    if (entry.isDirectory()) {
      if (!options.recursive) {
        const message = `Recursive option not enabled, cannot copy a directory: ${source}`;
        throw Object.assign(new Error(message), { code: 'ERR_FS_EISDIR', path: source });
      }
      if (!reads.exists(target)) writes.mkdir(target, { recursive: true, mode: entry.mode & 0o777 });
      for (const name of reads.readdir(source) as string[])
        cp(path.join(source, name), path.join(target, name), options);
      return;
    }
    if (reads.exists(target) && !force) {
      if (!errorOnExist) return;
      throw Object.assign(new Error(`Target already exists: ${target}`), { code: 'ERR_FS_CP_EEXIST' });
    }
    const parent = path.dirname(target);
    if (!reads.exists(parent)) writes.mkdir(parent, { recursive: true });
    if (entry.isSymbolicLink()) {
      if (reads.exists(target)) writes.unlink(target);
      const link = reads.readlink(source) as string;
      writes.symlink(options.verbatimSymlinks ? link : path.resolve(path.dirname(source), link), target);
    } else {
      writes.copyFile(source, target, mode);
      if (options.preserveTimestamps) writes.utimes(target, entry.atime, entry.mtime);
    }
  }

  return {
    opendir(name: unknown, options?: FileOptions): MediatedDir {
      const absolute = paths.absolute(name);
      const { recursive = false } = optionsOf(options);
      const entries = reads.readdir(name, { withFileTypes: true, recursive }) as fs.Dirent[];
      return new MediatedDir(typeof name === 'string' ? name : absolute, entries, later);
    },

    /** Matching paths of both layers, sorted. */
    glob(pattern: string | string[], options?: FileOptions): (string | fs.Dirent)[] {
      const { cwd, exclude, withFileTypes } = optionsOf(options);
      if (typeof exclude === 'function') {
        const reason = 'it would be called on one board only.';
        throw new RefusedError(
          'fs.glob with a function as exclude',
          reason,
          'Give patterns to exclude, or filter the result.',
        );
      }
      const patterns = Array.isArray(pattern) ? pattern : [pattern];
      const folder = paths.absolute(cwd ?? '.');
      const found = history.read(callName('glob', JSON.stringify(patterns), folder), () => {
        const names = new Set<string>();
        const settings = exclude === undefined ? {} : { exclude: exclude as string[] };
        const search = (layer: (absolute: string) => string): void => {
          const real = patterns.map((each) => (path.isAbsolute(each) ? layer(each) : each));
          for (const name of fs.globSync(real, { cwd: layer(folder), ...settings }))
            names.add(paths.virtual(name));
        };
        search((absolute) => paths.upper(absolute));
        if (!paths.inPlace) search((absolute) => absolute);
        return [...names].filter((name) => paths.exists(path.resolve(folder, name))).sort();
      });
      if (withFileTypes !== true) return found;
      return found.map((name) => {
        const absolute = path.resolve(folder, name);
        return direntOf(path.basename(name), kindOf(reads.lstat(absolute)!), path.dirname(absolute));
      });
    },

    cp(from: unknown, to: unknown, options: fs.CopySyncOptions = {}): void {
      const source = paths.absolute(from, 'src');
      const target = paths.absolute(to, 'dest');
      if (source === target || target.startsWith(`${source}/`)) {
        const message = `Cannot copy ${source} to itself or a subdirectory of itself: ${target}`;
        throw Object.assign(new Error(message), { code: 'ERR_FS_CP_EINVAL' });
      }
      cp(source, target, options);
    },

    mkdtempDisposable(prefix: unknown, options?: FileOptions) {
      const made = writes.mkdtemp(prefix, options);
      const remove = (): void => writes.rm(made, { recursive: true, force: true });
      return { path: made, remove, [Symbol.dispose]: remove };
    },
  };
}

export type FolderCalls = ReturnType<typeof folderCalls>;
