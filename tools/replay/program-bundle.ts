/**
 * Finds the program that a journal was made with. Another one would do something else at some turn, and the
 * difference would be blamed on the journal: so the bundle's hash decides, and there is no way around it.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stop as stopBundler } from 'esbuild';
import { BundleError } from '../../firmware-host/bundle/bundle-error.ts';
import { bundleProgram } from '../../firmware-host/bundle/bundler.ts';
import type { JournalHeader } from '../../firmware-host/journal/entry.ts';
import { keptBundleName } from '../../firmware-host/journal/past-journals.ts';
import { ReplayError } from './replay-error.ts';

export interface FoundProgram {
  code: string;
  sourceMap: string;
  /** The file it came from. */
  file: string;
}

interface Looked {
  file: string;
  found: FoundProgram | null;
  why: string;
}

const shortHash = (hash: string): string => hash.slice(0, 12);

/**
 * `named` is the user's choice: a program, or a bundle as boards keep it. Else the bundle that lies beside the journal, else the
 * program at the path that the journal names. Throws ReplayError; BundleError for a named program that cannot be bundled.
 */
export async function findProgram(
  journal: string,
  header: JournalHeader,
  named: string | undefined,
): Promise<FoundProgram> {
  if (named !== undefined) {
    const looked = asBundle(named, header.bundleHash) ?? (await asProgram(named, header.bundleHash));
    if (looked.found !== null) return looked.found;
    throw new ReplayError(
      'REPLAY_PROGRAM_DIFFERS',
      `${named} is not the program of this journal: ${looked.why}, the journal was made with ` +
        `${shortHash(header.bundleHash)} (${header.program}). Check out that version, with the packages of its lock file.`,
    );
  }
  const looked: string[] = [];
  const beside = [keptBundleName(header.bundleHash), 'program.bundle.js', join('..', 'program.bundle.js')];
  for (const name of beside) {
    const bundle = asBundle(join(dirname(journal), name), header.bundleHash);
    if (bundle?.found) return bundle.found;
    if (bundle !== null) looked.push(`${bundle.file}: ${bundle.why}`);
  }
  if (existsSync(header.program)) {
    const program = await asProgramIfAny(header.program, header.bundleHash);
    if (program.found !== null) return program.found;
    looked.push(`${program.file}: ${program.why}`);
  } else looked.push(`${header.program}: not on this machine`);
  throw new ReplayError(
    'REPLAY_PROGRAM_MISSING',
    `the program of this journal (bundle ${shortHash(header.bundleHash)}) was not found: ${looked.join('; ')}. ` +
      'Name it with --program, or copy the board’s program.bundle.js beside the journal.',
  );
}

/** Null when there is no file, or it is no bundle at all. */
function asBundle(file: string, hash: string): Looked | null {
  let code: string;
  try {
    code = readFileSync(file, 'utf8');
  } catch {
    // It may be a program that cannot be read: then the bundler says so.
    return null;
  }
  const own = createHash('sha256').update(code).digest('hex');
  if (own === hash) return { file, found: { code, sourceMap: mapBeside(file), file }, why: '' };
  return file.endsWith('.bundle.js') ? { file, found: null, why: `it is bundle ${shortHash(own)}` } : null;
}

function mapBeside(file: string): string {
  const map = `${file}.map`;
  return existsSync(map) ? readFileSync(map, 'utf8') : '';
}

async function asProgram(file: string, hash: string): Promise<Looked> {
  try {
    const bundle = await bundleProgram(file);
    if (bundle.hash !== hash) return { file, found: null, why: `its bundle is ${shortHash(bundle.hash)}` };
    return { file, found: { code: bundle.code, sourceMap: bundle.sourceMap, file }, why: '' };
  } finally {
    await stopBundler();
  }
}

/** A program that happens to lie where the board had its own need not be one that can be bundled here. */
async function asProgramIfAny(file: string, hash: string): Promise<Looked> {
  try {
    return await asProgram(file, hash);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    return { file, found: null, why: error.message };
  }
}
