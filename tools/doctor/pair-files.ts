/** What the configuration of a pair names on this machine. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { bundleProgram } from '../../firmware-host/bundle/bundler.ts';
import { type BoardName, type Config, ConfigError } from '../../firmware-host/config/config.ts';
import { readPairKey } from '../../firmware-host/config/pair-key.ts';
import { type Check, missing, ok, reasonOf, skipped, warning } from './check.ts';
import { checkListen, isLocal } from './network.ts';
import { checkPort, portSurroundings } from './ports.ts';

/**
 * Which of the two boards this machine is: the one that is named, else those whose Ethernet address is here. Both on a
 * machine that runs both; both too when nothing tells them apart.
 */
export function boardsHere(config: Config, named: BoardName | undefined): BoardName[] {
  if (named !== undefined) return [named];
  const both: BoardName[] = ['a', 'b'];
  const here = both.filter((board) => {
    const { ethernet } = config.boards[board];
    return ethernet !== null && isLocal(ethernet.listen.address);
  });
  return here.length > 0 ? here : both;
}

export async function checkPair(config: Config, boards: readonly BoardName[]): Promise<Check[]> {
  const checks: Check[] = [checkKey(config), await checkProgram(config)];
  const surroundings = portSurroundings();
  for (const board of boards) {
    const { serial, ethernet, state } = config.boards[board];
    if (serial === null) checks.push(noLink(board, 'serial'));
    else checks.push(checkPort(`serial link of board ${board}`, serial.path, surroundings));
    if (ethernet === null) checks.push(noLink(board, 'ethernet'));
    else checks.push(await checkListen(board, ethernet.listen));
    for (const { name, ports } of config.devices) {
      const path = ports[board];
      if (path === null) checks.push(skipped(`device:${name}`, `has no port on board ${board}`));
      else checks.push(checkPort(`device ${name} on board ${board}`, path, surroundings));
    }
    checks.push(checkDisk(board, state));
  }
  return checks;
}

function noLink(board: BoardName, link: string): Check {
  return warning(
    `link:${board}:${link}`,
    `board ${board} has no ${link} link`,
    'With one link only, one broken cable is a takeover or a pair without protection: connect both.',
  );
}

function checkKey(config: Config): Check {
  const { pairKey } = config;
  try {
    readPairKey(config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const remedy =
      error.code === 'CONFIG_KEY_EXPOSED' && pairKey.kind === 'file'
        ? `chmod 600 ${pairKey.path}`
        : 'Make one with "understudy key FILE" and copy it to the other board.';
    return missing('pair-key', `${error.code}: ${error.message}`, remedy);
  }
  if (pairKey.kind === 'file') return ok('pair-key', pairKey.path);
  return warning('pair-key', 'in the config itself', 'Keep it in a file of its own (pairKeyFile), mode 600.');
}

async function checkProgram(config: Config): Promise<Check> {
  try {
    const { hash } = await bundleProgram(config.program);
    return ok(
      'program',
      `${config.program}, bundle ${hash.slice(0, 12)}: must be the same on the other board`,
    );
  } catch (error) {
    return missing('program', reasonOf(error), 'The program must be readable and free of syntax errors.');
  }
}

const freeBytesMin = 256 * 1024 * 1024;

export function checkDisk(board: BoardName, state: string): Check {
  const id = `disk:${board}`;
  let existing = state;
  while (!existsSync(existing)) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
  } catch {
    return missing(id, `${state}: this user may not write to ${existing}`, `sudo chown $USER ${existing}`);
  }
  const { bavail, bsize } = statfsSync(existing);
  const found = `${state}: ${Math.floor((bavail * bsize) / 1024 ** 2)} MiB free for the journal`;
  if (bavail * bsize >= freeBytesMin) return ok(id, found);
  return warning(
    id,
    found,
    'A full disk stops no output, but then the pair does not survive a power loss of both.',
  );
}
