/** What every machine needs, whatever it is to run: the runtime, the native parts, terminals, the clock. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { arch, platform, release } from 'node:os';
import { runtimeIdentity } from '../../firmware-host/bundle/runtime-identity.ts';
import { type PinnedNode, pinnedNode } from '../pinned-node.ts';
import { type Check, missing, ok, reasonOf, skipped, warning } from './check.ts';

export async function checkMachine(): Promise<Check[]> {
  return [
    checkArchitecture(arch(), platform(), pinnedNode()),
    checkNode(process.versions.node, pinnedNode()),
    checkFingerprint(),
    ...(await checkNativeParts()),
    await checkPseudoTerminals(),
    checkDialout(process.getuid!(), process.getgroups!(), readText('/etc/group')),
    checkClock(Date.now(), readText('/run/systemd/timesync/synchronized') !== null),
  ];
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

export function checkArchitecture(machine: string, system: string, pinned: PinnedNode): Check {
  const found = `${system} ${machine}, kernel ${release()}`;
  if (pinned.packageName !== null) return ok('architecture', found);
  return missing('architecture', found, 'Use 64-bit Linux on x64 or arm64 (Raspberry Pi OS, 64-bit).');
}

/** Both the Node that runs and the one that is installed: the boards' replicas get the latter. */
export function checkNode(running: string, pinned: PinnedNode): Check {
  if (pinned.binary === null) {
    return missing(
      'node-version',
      `the package with Node ${pinned.version} is not installed`,
      'Run "npm ci" without --omit=optional.',
    );
  }
  let answer: string;
  try {
    answer = execFileSync(pinned.binary, ['--version'], { encoding: 'utf8' }).trim();
  } catch (error) {
    const remedy = 'Is the system 64-bit, with glibc? Run "npm ci" again.';
    return missing('node-version', `the pinned Node does not run: ${reasonOf(error)}`, remedy);
  }
  if (answer !== `v${pinned.version}` || running !== pinned.version) {
    const found = `pinned ${pinned.version}, installed ${answer}, running ${running}`;
    return missing('node-version', found, 'Run "npm ci", and start through tools/understudy.js or npm.');
  }
  return ok('node-version', `${running}, the pinned one`);
}

/** All that the boards compare when they meet, so that a difference is found before they do. */
function checkFingerprint(): Check {
  const identity = runtimeIdentity();
  const print = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 12);
  const { icu, tz, timeZone, locale } = identity;
  return ok(
    'runtime-fingerprint',
    `${print} (ICU ${icu}, time zones ${tz}, zone ${timeZone}, locale ${locale}): must be the same on the other board`,
  );
}

const nativeParts: { name: string; use: () => Promise<string> }[] = [
  {
    name: 'serialport',
    use: async () => {
      await import('serialport');
      return 'loads';
    },
  },
  {
    name: 'esbuild',
    use: async () => {
      const esbuild = await import('esbuild');
      await esbuild.transform('let a: number = 1', { loader: 'ts' });
      return `${esbuild.version} translates`;
    },
  },
  {
    name: 'koffi',
    use: async () => {
      const { default: koffi } = await import('koffi');
      const getpid = koffi.load(null).func('int getpid()') as () => number;
      if (getpid() !== process.pid) throw new Error('a call into libc came back wrong');
      return 'calls libc';
    },
  },
];

async function checkNativeParts(): Promise<Check[]> {
  return Promise.all(
    nativeParts.map(async ({ name, use }) => {
      try {
        return ok(`native:${name}`, await use());
      } catch (error) {
        return missing(
          `native:${name}`,
          reasonOf(error),
          'Run "npm ci" on this machine: do not copy node_modules.',
        );
      }
    }),
  );
}

/** Only `understudy dev` and `simulate` need them. */
async function checkPseudoTerminals(): Promise<Check> {
  try {
    const { openPseudoTerminal } = await import('../../hil-tests/rigs/local/pseudo-terminal.ts');
    const terminal = openPseudoTerminal();
    const { path } = terminal;
    terminal.close();
    return ok('pseudo-terminals', `${path} opened and closed`);
  } catch (error) {
    return warning(
      'pseudo-terminals',
      reasonOf(error),
      'Needed by "understudy dev" and "simulate" only: mount devpts on /dev/pts (in a container: run it with a /dev).',
    );
  }
}

const dialoutGroups = ['dialout', 'uucp'];

/** Serial ports belong to a group; as root it does not matter. */
export function checkDialout(userId: number, groupIds: number[], groupFile: string | null): Check {
  if (userId === 0) return ok('group-dialout', 'not needed: running as root');
  if (groupFile === null) return skipped('group-dialout', '/etc/group cannot be read');
  for (const line of groupFile.split('\n')) {
    const [name, , id] = line.split(':');
    if (dialoutGroups.includes(name!) && groupIds.includes(Number(id)))
      return ok('group-dialout', `in ${name}`);
  }
  return warning(
    'group-dialout',
    'this user is not in the group that serial ports belong to',
    'sudo usermod -aG dialout $USER, then log in again.',
  );
}

/** When this was written: a clock that shows less was never set. Raspberry Pis have no battery for theirs. */
const clockAtLeastMs = Date.UTC(2026, 0, 1);

export function checkClock(nowMs: number, isSynchronized: boolean): Check {
  const shown = new Date(nowMs).toISOString();
  if (nowMs < clockAtLeastMs) {
    return warning(
      'clock',
      `shows ${shown}`,
      'Set it (timedatectl set-ntp true): programs begin with this time.',
    );
  }
  return ok('clock', `${shown}${isSynchronized ? ', synchronised' : ''}`);
}
