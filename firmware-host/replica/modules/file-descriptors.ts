/**
 * Open files. Their numbers are the program's own, given in order of opening and never reused, and their positions
 * are kept here: so the backup holds the same open files at a takeover.
 *
 * A file open for writing is open on both boards. One open only for reading is opened by a backup when it first has
 * to read after a takeover; if the file is gone by then, that read fails with the error of opening it.
 * Device files that a read could wait for are refused: a turn never waits.
 */
import fs from 'node:fs';
import { RefusedError } from '../refusal.ts';
import { callName, type FileHistory, recordedReadBytesMax } from './file-history.ts';

const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_TRUNC } = fs.constants;
const accessMask = 3;
const firstNumber = 10;
const readableDevices = new Set(['/dev/null', '/dev/zero', '/dev/urandom', '/dev/random']);
const consoles: Record<string, number> = { '/dev/stdout': 1, '/dev/stderr': 2 };

interface OpenFile {
  absolute: string;
  flags: number;
  /** Where the next read or write without a position happens. */
  position: number;
  /** This board's descriptor; null until it is needed. */
  real: number | null;
  /** A console that writes go to, or `null` device: nothing real is open. */
  sink: 1 | 2 | 'null' | null;
}

const flagsByName: Record<string, number> = {
  r: O_RDONLY,
  'r+': O_RDWR,
  w: O_TRUNC | O_CREAT | fs.constants.O_WRONLY,
  'w+': O_TRUNC | O_CREAT | O_RDWR,
  a: O_APPEND | O_CREAT | fs.constants.O_WRONLY,
  'a+': O_APPEND | O_CREAT | O_RDWR,
};

/** Numeric open flags; `s` (synchronous) adds O_SYNC, `x` adds O_EXCL. */
export function openFlags(flag: unknown): number {
  if (flag === undefined || flag === null) return O_RDONLY;
  if (typeof flag === 'number') return flag;
  const text = String(flag);
  const plain = flagsByName[text.replace(/[sx]/g, '')];
  if (plain === undefined) {
    const message = `The argument 'flags' is invalid. Received '${text}'`;
    throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' });
  }
  return plain | (text.includes('x') ? O_EXCL : 0) | (text.includes('s') ? fs.constants.O_SYNC : 0);
}

export function systemError(code: 'EBADF' | 'ENOTEMPTY' | 'EEXIST', syscall: string, path?: string): Error {
  const [errno, words] = {
    EBADF: [-9, 'bad file descriptor'] as const,
    ENOTEMPTY: [-39, 'directory not empty'] as const,
    EEXIST: [-17, 'file already exists'] as const,
  }[code];
  const message = `${code}: ${words}, ${syscall}${path === undefined ? '' : ` '${path}'`}`;
  return Object.assign(new Error(message), { code, errno, syscall, ...(path === undefined ? {} : { path }) });
}

export class FileDescriptors {
  readonly #history: FileHistory;
  readonly #open = new Map<number, OpenFile>();
  #next = firstNumber;

  constructor(history: FileHistory) {
    this.#history = history;
  }

  open(absolute: string, flags: number, mode: number): number {
    const { paths } = this.#history;
    const file: OpenFile = {
      absolute,
      flags,
      position: 0,
      real: null,
      sink: consoles[absolute] as 1 | 2 | null,
    };
    file.sink ??= absolute === '/dev/null' ? 'null' : null;
    const writes = (flags & accessMask) !== O_RDONLY || (flags & (O_CREAT | O_TRUNC)) !== 0;
    const call = callName('open', absolute, flags);
    if (file.sink !== null) {
      // Nothing of this board's is opened.
    } else if (writes) {
      if ((flags & O_TRUNC) === 0 || (flags & O_EXCL) !== 0) this.#history.touch(absolute);
      const openNow = (real: number): number => fs.openSync(paths.upper(absolute), real, mode);
      this.#history.write(
        call,
        [absolute],
        () => {
          refuseDevices(absolute, paths.readable(absolute));
          file.real = openNow(flags);
          return null;
        },
        () => {
          file.real = openNow(flags & ~O_EXCL);
        },
      );
      this.#history.overwritten(absolute);
    } else {
      this.#history.read(call, () => {
        const readable = paths.readable(absolute);
        refuseDevices(absolute, readable);
        file.real = fs.openSync(readable, flags, mode);
        return null;
      });
    }
    const number = this.#next++;
    this.#open.set(number, file);
    return number;
  }

  close(number: number): void {
    if (number <= 2) return;
    const file = this.#file(number, 'close');
    this.#open.delete(number);
    if (file.real !== null) this.#history.repeat(callName('close', number), () => fs.closeSync(file.real!));
  }

  /** Bytes read at the position given, or at the file's own, which then advances. */
  read(number: number, length: number, position: number | bigint | null): Uint8Array {
    if (number <= 2) throw consoleRead(number);
    const file = this.#file(number, 'read');
    if (file.sink !== null) return new Uint8Array(0);
    const at = position === null || position < 0 ? null : Number(position);
    const bytes = this.#history.read(callName('read', number, length, at), () => {
      const buffer = new Uint8Array(Math.min(length, recordedReadBytesMax));
      const from = readableDevices.has(file.absolute) ? null : (at ?? file.position);
      return buffer.slice(0, fs.readSync(this.real(number), buffer, 0, buffer.length, from));
    });
    if (at === null) file.position += bytes.length;
    return bytes;
  }

  /** Number of bytes written. */
  write(number: number, bytes: Uint8Array, position: number | null): number {
    const console = number <= 2 ? number : this.#file(number, 'write').sink;
    if (console === 'null') return bytes.length;
    if (console !== null) {
      if (console === 0) throw systemError('EBADF', 'write');
      const stream = console === 1 ? 'stdout' : 'stderr';
      this.#history.context.output({ kind: 'console', stream, bytes: bytes.slice() });
      return bytes.length;
    }
    const file = this.#file(number, 'write');
    const appends = (file.flags & O_APPEND) !== 0;
    const at = appends ? null : (position ?? file.position);
    const written = this.#history.write(
      callName('write', number, bytes.length, at),
      [],
      () => fs.writeSync(this.real(number), bytes, 0, bytes.length, at),
      () => {},
    );
    if (this.#history.context.mode === 'replay') {
      const own = bytes.subarray(0, written);
      this.#history.repeat(callName('write', number), () => this.#writeAll(number, own, at));
    }
    if (appends && (file.flags & accessMask) === O_RDWR) {
      file.position = this.#history.read(callName('end', number), () => fs.fstatSync(this.real(number)).size);
    } else if (position === null) file.position += written;
    return written;
  }

  /** A write to the open file other than of bytes: truncate, chmod, sync. */
  change(name: string, number: number, perform: (real: number) => void): void {
    if (number > 2) this.#file(number, name);
    this.#history.write(callName(name, number), [], () => {
      perform(this.real(number));
      return null;
    });
  }

  /** This board's descriptor. Throws the error of opening when the file is not there (any more). */
  real(number: number): number {
    if (number <= 2) return number;
    const file = this.#file(number, 'fstat');
    if (file.sink === 'null') file.real ??= fs.openSync('/dev/null', 'r+');
    else if (file.sink !== null) return file.sink;
    if (file.real !== null) return file.real;
    const { paths } = this.#history;
    const again = file.flags & ~(O_EXCL | O_TRUNC);
    const writes = (file.flags & accessMask) !== O_RDONLY;
    file.real = fs.openSync(writes ? paths.upper(file.absolute) : paths.readable(file.absolute), again);
    return file.real;
  }

  /** The program's path of an open file. */
  pathOf(number: number): string {
    return this.#file(number, 'fstat').absolute;
  }

  #writeAll(number: number, bytes: Uint8Array, at: number | null): void {
    for (let done = 0; done < bytes.length; ) {
      const from = at === null ? null : at + done;
      done += fs.writeSync(this.real(number), bytes, done, bytes.length - done, from);
    }
  }

  #file(number: unknown, syscall: string): OpenFile {
    if (typeof number !== 'number' || !Number.isInteger(number) || number < 0) {
      const message = `The "fd" argument must be a non-negative integer. Received ${String(number)}`;
      throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    const file = this.#open.get(number);
    if (file === undefined) throw systemError('EBADF', syscall);
    return file;
  }
}

function consoleRead(number: number): Error {
  return new RefusedError(
    `reading file descriptor ${number} with fs`,
    'a turn never waits for the console.',
    "Use process.stdin.on('data', ...) or readline.",
  );
}

/** Refuses what a read could wait for: FIFOs, sockets, serial lines, input devices. */
export function refuseDevices(absolute: string, real: string): void {
  const entry = fs.statSync(real, { throwIfNoEntry: false });
  if (entry === undefined || entry.isFile() || entry.isDirectory() || readableDevices.has(absolute)) return;
  throw new RefusedError(
    `opening ${absolute}`,
    'it is a device, FIFO or socket, whose data come at a time of their own.',
    'Open serial ports with the package serialport.',
  );
}
