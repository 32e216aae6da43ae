/** The synchronous reading calls of `fs`: each is recorded (see file-history.ts). */
import fs from 'node:fs';
import path from 'node:path';
import { RefusedError } from '../refusal.ts';
import { type FileDescriptors, openFlags, refuseDevices } from './file-descriptors.ts';
import { callName, type FileHistory, recordedReadBytesMax } from './file-history.ts';
import { direntOf, kindOf, type RecordedEntry, recordedStats, statsOf } from './file-stats.ts';

/** What a file call takes as options, as a name of an encoding or an object. */
export type FileOptions = string | Record<string, unknown> | null | undefined;

export function optionsOf(options: FileOptions): Record<string, unknown> {
  if (typeof options === 'string') return { encoding: options };
  return options ?? {};
}

function decoded(bytes: Uint8Array, options: FileOptions): string | Buffer {
  const encoding = optionsOf(options).encoding as BufferEncoding | 'buffer' | null | undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer;
}

/** A path as a result: text, or bytes when the program asked for `buffer`. */
export function named(name: string, options: FileOptions): string | Buffer {
  const encoding = optionsOf(options).encoding as BufferEncoding | 'buffer' | undefined;
  if (encoding === undefined || encoding === null || encoding === 'utf8') return name;
  return encoding === 'buffer' ? Buffer.from(name) : Buffer.from(name).toString(encoding);
}

/** A descriptor's number, from a number or a FileHandle. */
export function descriptorOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  const fd = typeof value === 'object' && value !== null ? (value as { fd?: unknown }).fd : undefined;
  return typeof fd === 'number' ? fd : null;
}

export function fileReads(history: FileHistory, descriptors: FileDescriptors) {
  const { paths } = history;

  function stat(call: 'stat' | 'lstat', name: unknown, options: FileOptions): fs.Stats | undefined {
    const absolute = paths.absolute(name);
    const { bigint = false, throwIfNoEntry = true } = optionsOf(options);
    const recorded = history.read(callName(call, absolute), () => {
      const real = paths.readable(absolute, call === 'stat');
      const check = { bigint: bigint as boolean, throwIfNoEntry: throwIfNoEntry as boolean };
      const stats = call === 'stat' ? fs.statSync(real, check) : fs.lstatSync(real, check);
      return stats === undefined ? null : recordedStats(stats);
    });
    return recorded === null ? undefined : statsOf(recorded);
  }

  function readAll(descriptor: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const part = descriptors.read(descriptor, 1 << 16, null);
      if (part.length === 0) return new Uint8Array(Buffer.concat(parts));
      size += part.length;
      if (size > recordedReadBytesMax) throw tooLarge(`file descriptor ${descriptor}`);
      parts.push(part);
    }
  }

  function entriesIn(absolute: string, recursive: boolean): RecordedEntry[] {
    const entries: RecordedEntry[] = [];
    for (const name of history.namesIn(absolute)) {
      const child = path.join(absolute, name);
      const entry = fs.lstatSync(paths.readable(child, false), { throwIfNoEntry: false });
      if (entry === undefined) continue;
      entries.push([name, kindOf(entry)]);
      if (recursive && entry.isDirectory()) {
        for (const [below, kind] of entriesIn(child, true)) entries.push([path.join(name, below), kind]);
      }
    }
    return entries;
  }

  return {
    access(name: unknown, mode: number = fs.constants.F_OK): void {
      const absolute = paths.absolute(name);
      history.read(callName('access', absolute, mode), () => {
        fs.accessSync(paths.readable(absolute), mode);
        return null;
      });
    },

    exists(name: unknown): boolean {
      let absolute: string;
      try {
        absolute = paths.absolute(name);
      } catch {
        return false; // As Node does: what is no path does not exist.
      }
      return history.read(callName('exists', absolute), () => fs.existsSync(paths.readable(absolute)));
    },

    stat: (name: unknown, options?: FileOptions) => stat('stat', name, options),
    lstat: (name: unknown, options?: FileOptions) => stat('lstat', name, options),

    fstat(descriptor: number, options?: FileOptions): fs.Stats {
      if (descriptor > 2) descriptors.pathOf(descriptor);
      const { bigint = false } = optionsOf(options) as { bigint?: boolean };
      return statsOf(
        history.read(callName('fstat', descriptor), () =>
          recordedStats(fs.fstatSync(descriptors.real(descriptor), { bigint })),
        ),
      );
    },

    statfs(name: unknown, options?: FileOptions): fs.StatsFs {
      const absolute = paths.absolute(name);
      const { bigint = false } = optionsOf(options) as { bigint?: boolean };
      return history.read(callName('statfs', absolute), () => ({
        ...fs.statfsSync(paths.readable(absolute), { bigint }),
      })) as unknown as fs.StatsFs;
    },

    readFile(name: unknown, options?: FileOptions): string | Buffer {
      const descriptor = descriptorOf(name);
      if (descriptor !== null) return decoded(readAll(descriptor), options);
      const absolute = paths.absolute(name);
      const flags = openFlags(optionsOf(options).flag);
      if ((flags & (fs.constants.O_CREAT | fs.constants.O_TRUNC)) !== 0) {
        const opened = descriptors.open(absolute, flags, 0o666);
        try {
          return decoded(readAll(opened), options);
        } finally {
          descriptors.close(opened);
        }
      }
      const bytes = history.read(callName('readFile', absolute), () => {
        const real = paths.readable(absolute);
        refuseDevices(absolute, real);
        const entry = fs.statSync(real, { throwIfNoEntry: false });
        if (entry?.isCharacterDevice())
          throw new RefusedError(`reading all of ${absolute}`, 'it has no end.');
        if (entry && entry.size > recordedReadBytesMax) throw tooLarge(absolute);
        return new Uint8Array(fs.readFileSync(real));
      });
      return decoded(bytes, options);
    },

    readdir(name: unknown, options?: FileOptions): (string | Buffer | fs.Dirent)[] {
      const absolute = paths.absolute(name);
      const { recursive = false, withFileTypes = false } = optionsOf(options);
      const entries = history.read(callName('readdir', absolute), () => {
        if (!fs.statSync(paths.readable(absolute)).isDirectory()) fs.readdirSync(paths.readable(absolute));
        return entriesIn(absolute, recursive === true);
      });
      if (withFileTypes !== true) return entries.map(([entry]) => named(entry, options));
      const given = typeof name === 'string' ? name : absolute;
      return entries.map(([entry, kind]) =>
        direntOf(path.basename(entry), kind, path.join(given, path.dirname(entry))),
      );
    },

    readlink(name: unknown, options?: FileOptions): string | Buffer {
      const absolute = paths.absolute(name);
      const target = history.read(callName('readlink', absolute), () =>
        paths.virtual(fs.readlinkSync(paths.readable(absolute, false))),
      );
      return named(target, options);
    },

    realpath(name: unknown, options?: FileOptions): string | Buffer {
      const absolute = paths.absolute(name);
      const real = history.read(callName('realpath', absolute), () =>
        paths.virtual(fs.realpathSync(paths.readable(absolute))),
      );
      return named(real, options);
    },
  };
}

function tooLarge(what: string): RefusedError {
  return new RefusedError(
    `reading all of ${what}`,
    `it is larger than ${recordedReadBytesMax} bytes, and what is read is sent to the other board.`,
    'Read the part that is needed with fs.createReadStream or fs.read.',
  );
}
