/**
 * What a monitor costs the pair that it watches: `node tools/monitor/measure-cost.ts [SECONDS]`.
 *
 * A whole pair on this computer, nobody on its consoles. Then phases without and with a monitor, and with a crowd, in turn, each `SECONDS`
 * (60) long, so that what else the machine does strikes both alike. The monitor runs as it costs most: full-screen on
 * 200 x 60, where it asks for the journal's end every second. Because one monitor's cost is smaller than what two phases on a busy
 * machine differ by, there is a third kind of phase: a crowd of ten listeners that ask what a monitor asks. A tenth of
 * what it costs is what one costs, with a tenth of the uncertainty. Told at the end, for each kind of phase:
 *
 * - processor time of the boards' processes, supervisors and replicas, from /proc/PID/stat, in percent of one core;
 * - reports of silence or of a late heartbeat in the boards' logs, and heartbeats that arrived a second on each link.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StatusOnConsole } from '../../firmware-host/console/console-schema.ts';
import { startLocalRig } from '../../hil-tests/rigs/local/local-rig.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const entry = join(repository, 'tools/understudy.js');
const seconds = Number(process.argv[2] ?? 60);
const rounds = 2;
const crowdSize = 10;
const kinds = ['nobody', 'monitor', 'crowd'] as const;
const ticksPerSecond = 100;
const lateCodes = new Set(['PEER_YELLOW', 'PEER_RED', 'LINK_SILENT']);

/** Ended from outside: what was started is ended first. */
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());
const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: ended.signal });

interface Board {
  child: ChildProcess;
  late: number;
}

function startBoard(name: 'a' | 'b', configFile: string): Board {
  const words = [entry, 'run', '--board', name, '--config', configFile, '--json', '--until-stdin-ends'];
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'ignore', 'pipe'] });
  const board: Board = { child, late: 0 };
  createInterface({ input: child.stderr! }).on('line', (line) => {
    if (lateCodes.has((JSON.parse(line) as { code: string }).code)) board.late += 1;
  });
  return board;
}

/** One status, from a connection that ends at once. */
async function statusOf(directory: string, name: 'a' | 'b'): Promise<StatusOnConsole> {
  const socket = createConnection(join(directory, `${name}.sock`));
  try {
    for await (const line of createInterface({ input: socket })) {
      const item = JSON.parse(line) as { kind: string } & StatusOnConsole;
      if (item.kind === 'status') return item;
    }
  } finally {
    socket.destroy();
  }
  throw new Error(`board ${name} ended its console without a status`);
}

function processorSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

interface Sample {
  atMs: number;
  processorSeconds: number;
  late: number;
  heartbeats: Record<string, number>;
}

async function sample(directory: string, boards: Record<'a' | 'b', Board>): Promise<Sample> {
  const taken: Sample = { atMs: 0, processorSeconds: 0, late: 0, heartbeats: {} };
  for (const name of ['a', 'b'] as const) {
    const status = await statusOf(directory, name);
    for (const pid of [status.pid, status.replicaPid]) {
      if (pid !== null) taken.processorSeconds += processorSeconds(pid);
    }
    taken.late += boards[name].late;
    for (const { name: link, received } of status.links) {
      taken.heartbeats[link] = (taken.heartbeats[link] ?? 0) + received;
    }
  }
  taken.atMs = performance.now();
  return taken;
}

async function protectedPair(directory: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const both = await Promise.all(
      (['a', 'b'] as const).map((name) => statusOf(directory, name).catch(() => null)),
    );
    if (both.every((status) => status?.protected === true)) return;
    await pause(100);
  }
  throw new Error('the pair is not protected after 20 s');
}

function monitorProcess(directory: string): { end: () => void; pid: number } {
  const socket = join(directory, 'tmux.sock');
  const command = `LANG=C.UTF-8 exec '${process.execPath}' '${entry}' monitor --directory '${directory}'`;
  const tmux = (...words: string[]) => spawnSync('tmux', ['-S', socket, '-f', '/dev/null', ...words]);
  tmux('new-session', '-d', '-s', 'cost', '-x', '200', '-y', '60', command);
  const pid = Number(tmux('display-message', '-p', '-t', 'cost', '#{pane_pid}').stdout.toString().trim());
  return { end: () => tmux('kill-server'), pid };
}

/** Listeners on both consoles that ask for a status and the journal's end once a second. */
function crowdOf(directory: string): { end: () => void } {
  const sockets = Array.from({ length: crowdSize }).flatMap(() =>
    ['a', 'b'].map((name) => createConnection(join(directory, `${name}.sock`)).resume()),
  );
  const timer = setInterval(() => {
    for (const socket of sockets)
      socket.write('{"command":"status","id":1}\n{"command":"journal tail 40"}\n');
  }, 1000);
  return {
    end: () => {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
}

const rig = await startLocalRig({
  program: join(repository, 'examples/tank.js'),
  plant: 'tank',
  start: false,
});
const boards = { a: startBoard('a', rig.configFile), b: startBoard('b', rig.configFile) };
let watcher: { end: () => void } | null = null;
const rows: { phase: string; processor: number; late: number; heartbeats: string; own: number }[] = [];
try {
  await protectedPair(rig.directory);
  for (const kind of Array.from({ length: rounds }, () => kinds).flat()) {
    const monitor = kind === 'monitor' ? monitorProcess(rig.directory) : null;
    watcher = monitor ?? (kind === 'crowd' ? crowdOf(rig.directory) : null);
    // What starting costs the machine is not what watching costs the pair.
    await pause(3000);
    const before = await sample(rig.directory, boards);
    const ownBefore = monitor === null ? 0 : processorSeconds(monitor.pid);
    await pause(seconds * 1000);
    const own = monitor === null ? 0 : processorSeconds(monitor.pid) - ownBefore;
    const after = await sample(rig.directory, boards);
    watcher?.end();
    watcher = null;
    const elapsed = (after.atMs - before.atMs) / 1000;
    const heartbeats = Object.entries(after.heartbeats)
      .map(([link, count]) => `${link} ${((count - before.heartbeats[link]!) / elapsed).toFixed(1)}/s`)
      .join(', ');
    const processor = (100 * (after.processorSeconds - before.processorSeconds)) / elapsed;
    const row = { late: after.late - before.late, heartbeats, processor, own: (100 * own) / elapsed };
    rows.push({ phase: kind, ...row });
    process.stdout.write(
      `${rows.at(-1)!.phase.padEnd(8)} boards ${processor.toFixed(2)} % of a core, late ${row.late}, received ${heartbeats}; monitor itself ${row.own.toFixed(2)} %\n`,
    );
  }
  const mean = (phase: (typeof kinds)[number]): number => {
    const those = rows.filter((row) => row.phase === phase);
    return those.reduce((total, { processor }) => total + processor, 0) / those.length;
  };
  const cost = mean('monitor') - mean('nobody');
  const share = (mean('crowd') - mean('nobody')) / crowdSize;
  process.stdout.write(
    `the monitor costs the pair ${cost.toFixed(2)} % of one core; by the crowd ${share.toFixed(2)} %\n`,
  );
} catch (error) {
  if (!ended.signal.aborted) throw error;
  process.exitCode = 130;
} finally {
  watcher?.end();
  for (const { child } of Object.values(boards)) child.stdin?.end();
  await rig.stop();
}
