/** Where and with what a measurement was made: without it a figure says nothing. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface MachineStatement {
  processor: string;
  cores: number;
  memoryMebibytes: number;
  kernel: string;
  system: string;
  /** Average number of processes that wanted a processor in the last minute: before the first measurement. */
  loadBefore: number;
  isRoot: boolean;
  versions: Record<string, string>;
  /** `abc1234`, with `+` when the work tree differs from it; `unknown` outside a clone. */
  commit: string;
  date: string;
}

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Null where the program is missing or refuses. */
function firstLineOf(command: string, words: readonly string[]): string | null {
  try {
    const said = execFileSync(command, words, {
      cwd: repository,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return said.split('\n')[0]!.trim();
  } catch {
    return null;
  }
}

function systemName(): string {
  try {
    const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
    return name ?? process.platform;
  } catch {
    return process.platform;
  }
}

function commitOf(): string {
  const commit = firstLineOf('git', ['rev-parse', '--short', 'HEAD']);
  if (commit === null) return 'unknown';
  return firstLineOf('git', ['status', '--porcelain']) === '' ? commit : `${commit}+`;
}

function packageVersion(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

export function stateMachine(): MachineStatement {
  return {
    processor: cpus()[0]?.model.trim() ?? process.arch,
    cores: cpus().length,
    memoryMebibytes: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    system: systemName(),
    loadBefore: loadavg()[0]!,
    isRoot: process.geteuid?.() === 0,
    versions: {
      node: process.versions.node,
      v8: process.versions.v8,
      johnnyFive: packageVersion('johnny-five'),
      serialport: packageVersion('serialport'),
    },
    commit: commitOf(),
    date: new Date().toISOString(),
  };
}
