/**
 * The diagnostic file that goes with a question to whoever maintains the pair: one JSON file, written whole or not at all.
 *
 * No secret is in it: the pair key and password hashes are left out, of the program's environment only the names are
 * told. One file a board, so that a console cannot fill the disk.
 */
import { open, rename } from 'node:fs/promises';
import { freemem, loadavg, release, totalmem, uptime } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { ConsoleBoard } from './console-board.ts';

export const bundleSchema = 1;
const eventsMax = 1000;
const journalLinesMax = 1000;

/** The config as others may read it. */
export function configWithoutSecrets(config: Config): Record<string, unknown> {
  const boards = Object.fromEntries(
    Object.entries(config.boards).map(([name, board]) => [
      name,
      {
        ...board,
        consolePorts: board.consolePorts.map(({ password, ...port }) => ({
          ...port,
          hasPassword: password !== null,
        })),
      },
    ]),
  );
  const pairKey = config.pairKey.kind === 'file' ? config.pairKey : { kind: 'hex' };
  return { ...config, pairKey, boards, environment: Object.keys(config.environment) };
}

export function bundleOf(board: ConsoleBoard, config: Config): Record<string, unknown> {
  const { version, node, program, programHash } = board;
  const status = board.status();
  return {
    schema: bundleSchema,
    kind: 'bundle',
    board: board.board,
    madeAt: new Date(status.wallTimeMs).toISOString(),
    versions: { understudy: version, node, system: release(), program, programHash },
    machine: {
      uptimeS: Math.round(uptime()),
      load: loadavg(),
      memoryBytes: totalmem(),
      memoryFreeBytes: freemem(),
      processMemoryBytes: process.memoryUsage.rss(),
    },
    config: configWithoutSecrets(config),
    status,
    incidents: board.incidents(),
    events: board.events(eventsMax),
    journalTail: board.journalTail(journalLinesMax),
  };
}

/** Returns where it lies. Rejects with the file system's error. */
export async function writeBundle(
  directory: string,
  bundle: Record<string, unknown>,
): Promise<{ path: string; bytes: number }> {
  const path = join(directory, `bundle-${String(bundle.board)}.json`);
  const text = `${JSON.stringify(bundle, null, 2)}\n`;
  const whole = await open(`${path}.new`, 'w', 0o600);
  try {
    await whole.writeFile(text);
    await whole.sync();
  } finally {
    await whole.close();
  }
  await rename(`${path}.new`, path);
  return { path, bytes: Buffer.byteLength(text) };
}
