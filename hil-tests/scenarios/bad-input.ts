/** What the scenarios of bad input have in common: which reports came, and that none shows the inside of this software. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import type { LocalRig } from '../rigs/local/local-rig.ts';
import type { BoardName, RigEvent } from '../rigs/local/rig-contract.ts';

export const faultyProgram = fileURLToPath(new URL('../programs/faulty/faulty.js', import.meta.url));
export const ledPin = '13';

/** These scenarios are about input, not about a busy machine: a late heartbeat is not to be taken for a death. */
export const patientTiming = { detectionTimeoutMs: 2000, turnTimeoutMs: 10_000 };

const ownRooms = /(?:firmware-host|protocol|boards|tools|hil-tests\/(?:rigs|scenarios))\/[\w./-]+\.ts:\d+/;
const stackFrame = /^\s*at .+:\d+:\d+\)?$/m;

/** All that the boards reported, a line each: for a failure's message. */
export function told(rig: LocalRig): string {
  return rig.events.map(({ source, code, text }) => `${source} ${code} ${text}`).join('\n');
}

/** Everything that a board told which holds a place in our sources, or a stack that is not the program's. */
export function innardsShown(rig: LocalRig): string[] {
  return rig.events
    .filter((event) => event.source === 'a' || event.source === 'b')
    .filter((event) => {
      const shown = `${event.text}\n${JSON.stringify(event.details ?? {})}`;
      return ownRooms.test(shown) || stackFrame.test(event.text) || event.code === 'BOARD_NOISE';
    })
    .map((event) => `${event.source} ${event.code} ${event.text} ${JSON.stringify(event.details ?? {})}`);
}

export function reports(rig: LocalRig, code: string, source?: BoardName | 'device'): RigEvent[] {
  return rig.events.filter(
    (event) => event.code === code && (source === undefined || event.source === source),
  );
}

export function untilReported(
  rig: LocalRig,
  code: string,
  source?: BoardName | 'device',
  count = 1,
): Promise<void> {
  const where = source === undefined ? '' : ` from ${source}`;
  return rig.until(
    (each) => reports(each, code, source).length >= count,
    15_000,
    `${code}${where}, ${count} times`,
  );
}

/** Waits until the board has ended, and its last line has been read. */
export async function exitCodeOf(rig: LocalRig, board: BoardName): Promise<number | null> {
  await rig.until((each) => !each.boards[board].running, 20_000, `board ${board} ends`);
  return rig.boards[board].exitCode;
}

type Section = Record<string, unknown>;

/** A copy of the rig's configuration with a change; returns the file. */
export function changedConfig(rig: LocalRig, name: string, change: (config: Section) => void): string {
  const config = parse(readFileSync(rig.configFile, 'utf8')) as Section;
  change(config);
  const file = join(rig.directory, name);
  writeFileSync(file, stringify(config));
  return file;
}

export function boardSection(config: Section, board: BoardName): Section {
  return (config.boards as Record<BoardName, Section>)[board];
}
