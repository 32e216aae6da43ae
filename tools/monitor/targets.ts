/**
 * From what the user typed to the consoles that are meant: a path is a port; `a` and `b` are the boards of a configuration.
 *
 * The configuration is looked for where it lies most likely: given by name; `pair.yaml` here; the pair that
 * `understudy dev` runs on this computer just now.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadConfig } from '../../firmware-host/config/config.ts';
import type { PortAddress } from './console-port.ts';
import type { Board } from './model.ts';

export interface Target extends PortAddress {
  /** As it is shown. */
  label: string;
  /** The board that should be there. */
  board: Board | null;
}

export interface TargetOptions {
  config?: string;
  /** That of `understudy dev --directory`. */
  directory?: string;
  baudRate: number;
}

export class MonitorError extends Error {
  readonly code:
    | 'USAGE_PORTS'
    | 'USAGE_LOG_UNWRITABLE'
    | 'USAGE_PASSWORD_FILE'
    | 'CONSOLE_NOT_FOUND'
    | 'CONSOLE_LOST';

  constructor(code: MonitorError['code'], message: string) {
    super(message);
    this.name = 'MonitorError';
    this.code = code;
  }
}

/** Throws ConfigError, MonitorError. `words`: as typed; none: both boards. */
export function resolveTargets(words: readonly string[], options: TargetOptions): Target[] {
  if (words.length > 2) {
    throw new MonitorError('USAGE_PORTS', `at most two ports, one a board (got ${words.length})`);
  }
  const wanted = words.length === 0 ? ['a', 'b'] : words;
  const { baudRate } = options;
  const needsConfig = wanted.some((word) => word === 'a' || word === 'b');
  const config = needsConfig ? loadConfig(findConfig(options)) : null;
  const targets = wanted.map((word): Target => {
    if (word !== 'a' && word !== 'b') return { label: word, path: resolve(word), baudRate, board: null };
    const path = config!.boards[word].console;
    return { label: path, path, baudRate, board: word };
  });
  if (targets.length === 2 && targets[0]!.path === targets[1]!.path) {
    throw new MonitorError('USAGE_PORTS', `both ports are ${targets[0]!.path}`);
  }
  return targets;
}

function findConfig({ config, directory }: TargetOptions): string {
  if (config !== undefined) return config;
  if (directory !== undefined) return join(directory, 'pair.yaml');
  if (existsSync('pair.yaml')) return 'pair.yaml';
  const running = runningDevPairs()[0];
  if (running !== undefined) return running;
  throw new MonitorError(
    'CONSOLE_NOT_FOUND',
    'which consoles? Give one or two ports (--list shows them), --config pair.yaml, or run where pair.yaml lies; no `understudy dev` is running here',
  );
}

/** Configurations of pairs that `understudy dev` runs as this user, the newest first. */
export function runningDevPairs(folder: string = tmpdir()): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('understudy-dev-'))
    .map((name) => join(folder, name))
    .filter(
      (path) =>
        existsSync(join(path, 'pair.yaml')) &&
        ['a.sock', 'b.sock'].some((name) => existsSync(join(path, name))),
    )
    .map((path) => ({ path, found: statSync(path) }))
    .filter(({ found }) => found.uid === process.getuid?.())
    .toSorted((left, right) => right.found.mtimeMs - left.found.mtimeMs)
    .map(({ path }) => join(path, 'pair.yaml'));
}
