/**
 * Serial ports, looked at without opening them: opening toggles DTR, which resets many Arduinos, and this may be asked
 * while the pair runs. Whether somebody has a port open and locked, the kernel tells in /proc/locks (serialport takes
 * a flock).
 */
import { accessSync, constants, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type Check, missing, ok, reasonOf, warning } from './check.ts';

export interface PortSurroundings {
  /** Text of /proc/locks and /proc/consoles. */
  locks: string;
  consoles: string;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

export function portSurroundings(): PortSurroundings {
  return { locks: read('/proc/locks'), consoles: read('/proc/consoles') };
}

/** `what` says what for: "serial link of board a". */
export function checkPort(what: string, path: string, surroundings: PortSurroundings): Check {
  const id = `port:${path}`;
  let stats: Stats;
  let real: string;
  try {
    real = realpathSync(path);
    stats = statSync(real);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      return missing(id, `${what}: ${reasonOf(error)}`, 'Is the path right?');
    }
    const remedy = /tty(AMA|S)|serial\d/.test(path)
      ? 'Enable the UART: "enable_uart=1" in config.txt (raspi-config, Interface, Serial), then reboot.'
      : 'Is it plugged in? Names that stay are in /dev/serial/by-id and by-path.';
    return missing(id, `${what}: does not exist`, remedy);
  }
  if (!stats.isCharacterDevice()) return missing(id, `${what}: is no device`, 'Is the path right?');
  const console = consoleOn(real, surroundings.consoles);
  if (console) {
    return missing(
      id,
      `${what}: the kernel's console is on it`,
      'Remove "console=serial0,115200" from cmdline.txt (raspi-config, Serial: no login shell), then reboot.',
    );
  }
  try {
    accessSync(real, constants.R_OK | constants.W_OK);
  } catch {
    return missing(
      id,
      `${what}: this user may not open it`,
      'sudo usermod -aG dialout $USER, then log in again.',
    );
  }
  const holder = lockHolder(stats, surroundings.locks);
  if (holder !== null) {
    return warning(
      id,
      `${what}: locked by process ${holder}`,
      'Right if that is a running board. If not, end it: a terminal program, ModemManager, getty?',
    );
  }
  return ok(id, what);
}

/** /proc/consoles begins each line with the device's name: `ttyAMA0  -W- (EC p a)  204:64`. */
function consoleOn(path: string, consoles: string): boolean {
  return consoles.split('\n').some((line) => line.split(/\s+/)[0] === basename(path));
}

/** /proc/locks: `1: FLOCK  ADVISORY  WRITE 4711 00:05:812 0 EOF`; the file as major:minor:inode. */
export function lockHolder(stats: Pick<Stats, 'dev' | 'ino'>, locks: string): number | null {
  const major = (stats.dev >>> 8) & 0xfff;
  const minor = (stats.dev & 0xff) | ((stats.dev >>> 12) & 0xfff00);
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  const file = `${hex(major)}:${hex(minor)}:${stats.ino}`;
  for (const line of locks.split('\n')) {
    const words = line.trim().split(/\s+/);
    if (words[1] === 'FLOCK' && words[5] === file) return Number(words[4]);
  }
  return null;
}
