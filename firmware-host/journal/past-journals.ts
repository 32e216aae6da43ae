/**
 * The flight recorder: journals of past histories, and the bundles of the programs that made them, in a bounded ring.
 *
 *   journal.usj                        the running history, whole
 *   program.bundle.js                  the running program
 *   past/20260501T120000Z-<history>.usj ...       histories that have ended, oldest deleted first
 *   past/program-<hash>.bundle.js, .map ...       a program of theirs, as long as one of them is there
 *
 * The ring is one of whole histories, not of entries within one. A history can be run from its first turn only: the
 * other board joins from there (docs/architecture.md, "Join"), a board resumes from there, and so does a replay. A ring that
 * dropped the beginning of the running journal would save bytes and leave nothing that can be run.
 */
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readJournal } from './reader.ts';

export const pastDirectoryName = 'past';
export const keepBytesDefault: number = 256 * 1024 * 1024;

const pastJournalName = /^\d{8}T\d{6}Z-[0-9a-f]+\.usj$/;
const bundleName = /^program-([0-9a-f]{16})\.bundle\.js(?:\.map)?$/;

/** Under which a bundle is kept beside the journals that it made. */
export function keptBundleName(bundleHash: string): string {
  return `program-${bundleHash.slice(0, 16)}.bundle.js`;
}

export interface PastJournal {
  file: string;
  bytes: number;
}

export function pastDirectory(directory: string): string {
  return join(directory, pastDirectoryName);
}

/** Oldest first: the names begin with the time at which the history began. */
export async function pastJournals(directory: string): Promise<PastJournal[]> {
  const past = pastDirectory(directory);
  const names = (await namesIn(past)).filter((name) => pastJournalName.test(name)).toSorted();
  const found: PastJournal[] = [];
  for (const name of names) {
    const file = join(past, name);
    found.push({ file, bytes: await sizeOf(file) });
  }
  return found;
}

/**
 * Puts the journal at `path` among the past ones of its directory, under the time and history of its header. A board that
 * has joined one history several times has as many journals of it: the longest is kept, or a link that comes and goes would
 * fill the ring with copies. False: it has no header, so nothing of it could be run again, and it is left where it is.
 */
export async function keepAsPast(path: string): Promise<boolean> {
  const header = await readJournal(path).then(
    async (reading) => {
      await reading.close();
      return reading.header;
    },
    () => null,
  );
  if (header === null) return false;
  const past = pastDirectory(dirname(path));
  await mkdir(past, { recursive: true });
  const startedAt = new Date(Number(header.startedAtMs));
  const time = (Number.isNaN(startedAt.getTime()) ? new Date(0) : startedAt).toISOString();
  const history = /^[0-9a-f]{1,64}$/.test(header.historyId) ? header.historyId : '0';
  const target = join(past, `${time.replace(/[-:]|\.\d+/g, '')}-${history}.usj`);
  if ((await sizeOf(target)) >= (await sizeOf(path))) await rm(path);
  else await rename(path, target);
  return true;
}

/** Keeps the running program's bundle, so that its histories can be run when the program has long been another one. */
export async function keepBundle(
  directory: string,
  bundle: { hash: string; code: string; sourceMap: string },
): Promise<void> {
  const past = pastDirectory(directory);
  const file = join(past, keptBundleName(bundle.hash));
  if ((await sizeOf(file)) === Buffer.byteLength(bundle.code)) return;
  await mkdir(past, { recursive: true });
  await writeFile(`${file}.map`, bundle.sourceMap);
  await writeFile(`${file}.new`, bundle.code);
  await rename(`${file}.new`, file);
}

/**
 * Deletes the oldest past journals until they and the bundles take `keepBytes` at most, and bundles that none of the
 * journals needs but the running one's. Returns the files that were deleted.
 */
export async function dropOldest(
  directory: string,
  keepBytes: number,
  runningBundleHash: string,
): Promise<string[]> {
  const past = pastDirectory(directory);
  const journals = await pastJournals(directory);
  const hashes = new Map<string, string>();
  for (const { file } of journals) hashes.set(file, await bundleHashOf(file));
  const deleted: string[] = [];
  const remove = async (file: string): Promise<void> => {
    await rm(file, { force: true });
    deleted.push(file);
  };
  for (;;) {
    const needed = new Set([...hashes.values(), runningBundleHash].map((hash) => hash.slice(0, 16)));
    let bundleBytes = 0;
    for (const name of await namesIn(past)) {
      const hash = bundleName.exec(name)?.[1];
      if (hash === undefined) continue;
      if (!needed.has(hash)) await remove(join(past, name));
      else bundleBytes += await sizeOf(join(past, name));
    }
    const bytes = journals.reduce((sum, journal) => sum + journal.bytes, bundleBytes);
    if (bytes <= keepBytes || journals.length === 0) return deleted;
    const oldest = journals.shift()!;
    hashes.delete(oldest.file);
    await remove(oldest.file);
  }
}

async function bundleHashOf(file: string): Promise<string> {
  try {
    const reading = await readJournal(file);
    await reading.close();
    return reading.header.bundleHash;
  } catch {
    // Damaged: it takes its turn in the ring like the others, and needs no bundle.
    return '';
  }
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
