/** File metadata as recorded values: what the program gets are instances of Node's own classes. */
import fs from 'node:fs';

/** A recorded `Stats`: its own fields in Node's order, numbers or bigints. */
export type RecordedStats = Record<string, number | bigint>;

const bigIntPrototype = Object.getPrototypeOf(fs.statSync('/', { bigint: true })) as object;

export function recordedStats(stats: fs.Stats | fs.BigIntStats): RecordedStats {
  return { ...stats } as unknown as RecordedStats;
}

export function statsOf(recorded: RecordedStats): fs.Stats {
  const prototype = typeof recorded.size === 'bigint' ? bigIntPrototype : fs.Stats.prototype;
  return Object.assign(Object.create(prototype), recorded) as fs.Stats;
}

/** Name and kind (UV_DIRENT_*) of a folder's entry. */
export type RecordedEntry = [name: string, kind: number];

export function kindOf(entry: fs.Stats): number {
  const constants = fs.constants as unknown as Record<`UV_DIRENT_${string}`, number>;
  if (entry.isFile()) return constants.UV_DIRENT_FILE!;
  if (entry.isDirectory()) return constants.UV_DIRENT_DIR!;
  if (entry.isSymbolicLink()) return constants.UV_DIRENT_LINK!;
  if (entry.isFIFO()) return constants.UV_DIRENT_FIFO!;
  if (entry.isSocket()) return constants.UV_DIRENT_SOCKET!;
  if (entry.isCharacterDevice()) return constants.UV_DIRENT_CHAR!;
  return constants.UV_DIRENT_BLOCK!;
}

/** `Dirent` has a constructor in Node that its types do not declare. */
const DirentOf = fs.Dirent as unknown as new (name: string, kind: number, parentPath: string) => fs.Dirent;

export function direntOf(name: string, kind: number, parentPath: string): fs.Dirent {
  return new DirentOf(name, kind, parentPath);
}
