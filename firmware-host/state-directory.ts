/** What a board writes into its state directory before anything runs. A disk that refuses is the user's, not ours. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BootOptions } from './ipc.ts';

export type StateErrorCode =
  /** No space, or over quota. */
  | 'STATE_DISK_FULL'
  /** Read-only, no permission, a file in the place of a directory: see the message. */
  | 'STATE_UNWRITABLE';

export class StateError extends Error {
  readonly code: StateErrorCode;
  constructor(code: StateErrorCode, message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'StateError';
    this.code = code;
  }
}

/** Makes the directories and leaves the bundle there for the replica's process. Throws StateError. */
export function writeBundle(
  state: string,
  filesRoot: string,
  program: string,
  bundle: { code: string; sourceMap: string },
): BootOptions {
  const bundleFile = join(state, 'program.bundle.js');
  try {
    mkdirSync(state, { recursive: true });
    mkdirSync(filesRoot, { recursive: true });
    writeFileSync(bundleFile, bundle.code);
    writeFileSync(`${bundleFile}.map`, bundle.sourceMap);
  } catch (error) {
    throw stateError(state, error as NodeJS.ErrnoException);
  }
  return { bundleFile, programFile: program, filesRoot };
}

function stateError(state: string, error: NodeJS.ErrnoException): StateError {
  const { code, message } = error;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new StateError('STATE_DISK_FULL', `no space left in the state directory ${state} (${message})`, error)
    : new StateError(
        'STATE_UNWRITABLE',
        `the state directory ${state} cannot be written (${message})`,
        error,
      );
}
