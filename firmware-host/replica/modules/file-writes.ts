/** The synchronous writing calls of `fs` by path: done on both boards (see file-history.ts). */
import fs from 'node:fs';
import path from 'node:path';
import { RefusedError } from '../refusal.ts';
import { type FileDescriptors, openFlags, systemError } from './file-descriptors.ts';
import { baseBytesMax, callName, type FileHistory } from './file-history.ts';
import { descriptorOf, type FileOptions, named, optionsOf } from './file-reads.ts';

const { COPYFILE_EXCL, O_APPEND, O_EXCL, O_TRUNC } = fs.constants;
const nameLetters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const specialFiles = new Set(['/dev/stdout', '/dev/stderr', '/dev/null']);

/** Bytes of what a program may give as file content. */
export function contentBytes(data: unknown, encoding: unknown): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, (encoding ?? 'utf8') as BufferEncoding);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const message =
    'The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView.';
  throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
}

export function numericMode(mode: unknown, otherwise: number): number {
  if (mode === undefined || mode === null) return otherwise;
  return typeof mode === 'string' ? Number.parseInt(mode, 8) : Number(mode);
}

export function fileWrites(history: FileHistory, descriptors: FileDescriptors) {
  const { paths, context } = history;

  function writeFile(name: unknown, data: unknown, options: FileOptions, flag: string): void {
    const { encoding, mode, flag: asked = flag, flush } = optionsOf(options);
    const bytes = contentBytes(data, encoding);
    const descriptor = descriptorOf(name);
    const absolute = descriptor === null ? paths.absolute(name) : '';
    const flags = openFlags(asked);
    if (descriptor === null && !specialFiles.has(absolute) && flush !== true && (flags & O_EXCL) === 0) {
      const whole = (flags & O_TRUNC) !== 0;
      if (whole || (flags & O_APPEND) !== 0) {
        if (!whole) history.touch(absolute);
        const settings = { flag: flags as unknown as string, mode: numericMode(mode, 0o666) };
        const call = callName(whole ? 'writeFile' : 'appendFile', absolute, bytes.length);
        history.write(call, [absolute], () => {
          fs.writeFileSync(paths.upper(absolute), bytes, settings);
          return null;
        });
        history.overwritten(absolute);
        return;
      }
    }
    const opened = descriptor ?? descriptors.open(absolute, flags, numericMode(mode, 0o666));
    try {
      for (let done = 0; done < bytes.length; ) done += descriptors.write(opened, bytes.subarray(done), null);
      if (flush === true) descriptors.change('fsync', opened, fs.fsyncSync);
    } finally {
      if (descriptor === null) descriptors.close(opened);
    }
  }

  /** A change of an existing entry that needs it in the upper layer: chmod, utimes, truncate, ... */
  function change(call: string, absolute: string, perform: (real: string) => void): void {
    history.touch(absolute);
    history.write(callName(call, absolute), [absolute], () => {
      perform(paths.upper(absolute));
      return null;
    });
  }

  function remove(
    call: string,
    absolute: string,
    perform: (upper: string) => void,
    recursive: boolean,
  ): void {
    const upper = paths.upper(absolute);
    history.write(
      callName(call, absolute),
      [absolute],
      () => {
        // A folder that only looks empty in the upper layer, or lies only in the lower one.
        const lowerOnly = !fs.lstatSync(upper, { throwIfNoEntry: false }) && paths.exists(absolute);
        const folder = paths.exists(absolute) && fs.lstatSync(paths.readable(absolute, false)).isDirectory();
        if (call === 'rmdir' && folder && history.namesIn(absolute).length > 0)
          throw systemError('ENOTEMPTY', 'rmdir', absolute);
        if (!lowerOnly) perform(upper);
        else if (call === 'unlink' && folder) fs.unlinkSync(paths.readable(absolute, false));
        else if (call === 'rmdir' && !folder) fs.rmdirSync(paths.readable(absolute, false));
        return null;
      },
      () => {
        if (call !== 'rmdir') fs.rmSync(upper, { force: true, recursive });
        else if (fs.existsSync(upper)) fs.rmdirSync(upper);
      },
    );
    history.removed(absolute);
  }

  function mkdir(name: unknown, options?: unknown): string | undefined {
    const absolute = paths.absolute(name);
    const settings = (
      typeof options === 'object' && options !== null ? options : { mode: options }
    ) as fs.MakeDirectoryOptions;
    const recursive = settings.recursive === true;
    const mode = numericMode(settings.mode, 0o777);
    const made = history.write(
      callName('mkdir', absolute),
      recursive ? [] : [absolute],
      () => {
        if (!recursive && paths.exists(absolute)) throw systemError('EEXIST', 'mkdir', absolute);
        const first = recursive ? firstMissing(absolute) : undefined;
        fs.mkdirSync(paths.upper(absolute), { recursive: recursive, mode });
        return first ?? null;
      },
      () => fs.mkdirSync(paths.upper(absolute), { recursive: true, mode }),
    );
    return made ?? undefined;
  }

  /** The outermost folder that `mkdir` with `recursive` will make. */
  function firstMissing(absolute: string): string | undefined {
    let missing: string | undefined;
    for (let folder = absolute; !paths.exists(folder); folder = path.dirname(folder)) missing = folder;
    return missing;
  }

  function mkdtemp(prefix: unknown, options?: FileOptions): string | Buffer {
    const given = typeof prefix === 'string' ? prefix : paths.absolute(prefix, 'prefix');
    const letters = [...context.randomBytes(6)].map((byte) => nameLetters[byte % nameLetters.length]);
    const name = given + letters.join('');
    mkdir(name, { mode: 0o700 });
    return named(name, options);
  }

  function copyFile(from: unknown, to: unknown, mode = 0): void {
    const source = paths.absolute(from, 'src');
    const target = paths.absolute(to, 'dest');
    const call = callName('copyFile', source, target);
    if (history.isKnown(source)) {
      // Both boards have the source: each copies its own.
      if ((mode & COPYFILE_EXCL) !== 0) history.touch(target);
      history.write(
        call,
        [target],
        () => {
          fs.copyFileSync(paths.upper(source), paths.upper(target), mode);
          return null;
        },
        () => fs.copyFileSync(paths.upper(source), paths.upper(target)),
      );
    } else {
      const content = history.read(callName('copyFile source', source), () => {
        const real = paths.readable(source);
        const entry = fs.statSync(real);
        if (entry.size > baseBytesMax) {
          const reason = `it is larger than ${baseBytesMax} bytes, and the other board needs a copy.`;
          throw new RefusedError(
            `copying ${source}`,
            reason,
            'Install large files on both boards beforehand.',
          );
        }
        return { bytes: new Uint8Array(fs.readFileSync(real)), mode: entry.mode & 0o777 };
      });
      const flag = (mode & COPYFILE_EXCL) !== 0 ? 'wx' : 'w';
      const put = (how: string): void => {
        fs.writeFileSync(paths.upper(target), content.bytes, { flag: how });
        fs.chmodSync(paths.upper(target), content.mode);
      };
      history.write(
        call,
        [target],
        () => {
          if (flag === 'wx' && paths.exists(target)) throw systemError('EEXIST', 'copyfile', target);
          put(flag);
          return null;
        },
        () => put('w'),
      );
    }
    history.overwritten(target);
  }

  return {
    writeFile: (name: unknown, data: unknown, options?: FileOptions) => writeFile(name, data, options, 'w'),
    appendFile: (name: unknown, data: unknown, options?: FileOptions) => writeFile(name, data, options, 'a'),
    mkdir,
    mkdtemp,
    copyFile,

    rename(from: unknown, to: unknown): void {
      const source = paths.absolute(from, 'oldPath');
      const target = paths.absolute(to, 'newPath');
      history.touch(source, 'whole');
      history.write(callName('rename', source, target), [target], () => {
        fs.renameSync(paths.upper(source), paths.upper(target));
        return null;
      });
      if (source !== target) history.moved(source, target);
    },

    unlink(name: unknown): void {
      remove('unlink', paths.absolute(name), fs.unlinkSync, false);
    },

    rmdir(name: unknown, options?: fs.RmDirOptions): void {
      const absolute = paths.absolute(name);
      if (options?.recursive) remove('rm', absolute, (upper) => fs.rmSync(upper, { recursive: true }), true);
      else remove('rmdir', absolute, fs.rmdirSync, false);
    },

    rm(name: unknown, options: fs.RmOptions = {}): void {
      const { force = false, recursive = false } = options;
      const absolute = paths.absolute(name);
      remove('rm', absolute, (upper) => fs.rmSync(upper, { force, recursive }), recursive);
    },

    link(existing: unknown, name: unknown): void {
      const source = paths.absolute(existing, 'existingPath');
      const target = paths.absolute(name, 'newPath');
      history.touch(source);
      history.touch(target);
      history.write(callName('link', source, target), [target], () => {
        fs.linkSync(paths.upper(source), paths.upper(target));
        return null;
      });
    },

    symlink(target: unknown, name: unknown): void {
      const absolute = paths.absolute(name);
      const text = typeof target === 'string' ? target : paths.absolute(target, 'target');
      history.touch(absolute);
      history.write(callName('symlink', text, absolute), [absolute], () => {
        fs.symlinkSync(path.isAbsolute(text) ? paths.upper(text) : text, paths.upper(absolute));
        return null;
      });
    },

    chmod: (name: unknown, mode: fs.Mode) =>
      change('chmod', paths.absolute(name), (real) => fs.chmodSync(real, mode)),
    chown: (name: unknown, user: number, group: number) =>
      change('chown', paths.absolute(name), (real) => fs.chownSync(real, user, group)),
    lchown: (name: unknown, user: number, group: number) =>
      change('lchown', paths.absolute(name), (real) => fs.lchownSync(real, user, group)),
    utimes: (name: unknown, accessed: fs.TimeLike, modified: fs.TimeLike) =>
      change('utimes', paths.absolute(name), (real) => fs.utimesSync(real, accessed, modified)),
    lutimes: (name: unknown, accessed: fs.TimeLike, modified: fs.TimeLike) =>
      change('lutimes', paths.absolute(name), (real) => fs.lutimesSync(real, accessed, modified)),

    truncate(name: unknown, length = 0): void {
      if (typeof name === 'number')
        descriptors.change('ftruncate', name, (real) => fs.ftruncateSync(real, length));
      else change('truncate', paths.absolute(name), (real) => fs.truncateSync(real, length));
    },
  };
}
