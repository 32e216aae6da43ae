/**
 * keepalived (real): two boards in network namespaces of their own, VRRP between them; who becomes master starts the bare
 * program through `notify_master`, who ceases to be master ends it.
 *
 * As its manual has it for a service that must run where the master is: both begin as BACKUP with `nopreempt`, and a
 * `vrrp_script` looks every second (its shortest interval) whether the master's program is still there.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BoardName, other } from '../../../hil-tests/rigs/local/rig-contract.ts';
import { ended, PlainBench, signalQuietly } from './bare-board.ts';
import type { Contestant, ContestantEntry, FaultId } from './contestant.ts';
import { countingProgram } from './counting-program.ts';
import { addresses, boardInterface, Namespaces, namespacesMissing } from './namespaces.ts';
import { programFound } from './program-found.ts';

const stateWithinMs = 30_000;
/**
 * At the fastest interval a daemon that starts alone is backup, then master, within milliseconds, and keepalived runs the scripts
 * for both side by side. When they end in the wrong order nobody is in control: then both are started once more.
 */
const startWithinMs = 10_000;
const startTriesMax = 5;
const lookIntervalMs = 20;
const priorities: Record<BoardName, number> = { a: 150, b: 100 };
const virtualAddress = '10.77.0.1';
/** keepalived's own; the shortest that VRRP version 3 can say is a hundredth of a second. */
const advertisementIntervalsS = { default: 1, fastest: 0.01 } as const;

/** `directory`: of the scripts. */
export function keepalivedConfig(
  board: BoardName,
  directory: string,
  advertisementIntervalS: number,
  networkInterface = boardInterface,
): string {
  const script = (name: string): string => `"/bin/sh ${join(directory, `${name}-${board}.sh`)}"`;
  return `global_defs {
  router_id ${board}
  script_user root
  enable_script_security
  vrrp_version 3
}
vrrp_script program {
  script ${script('check')}
  interval 1
  fall 1
  rise 1
}
vrrp_instance pair {
  state BACKUP
  nopreempt
  interface ${networkInterface}
  virtual_router_id 77
  priority ${priorities[board]}
  advert_int ${advertisementIntervalS}
  unicast_src_ip ${addresses[board]}
  unicast_peer {
    ${addresses[other(board)]}
  }
  virtual_ipaddress {
    ${virtualAddress}/24
  }
  track_script {
    program
  }
  notify_master ${script('master')}
  notify_backup ${script('backup')}
  notify_fault ${script('backup')}
  notify_stop ${script('backup')}
}
`;
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

class KeepalivedContestant implements Contestant {
  readonly #bench = new PlainBench();
  readonly watch = this.#bench.watch;
  readonly #namespaces = new Namespaces();
  readonly #advertisementIntervalS: number;
  readonly #daemons = new Map<BoardName, ChildProcess>();
  /** Boards whose program has opened its port since the port was new. */
  readonly #portsUsed = new Set<BoardName>();
  readonly #portWatch = setInterval(() => this.#renewPorts(), lookIntervalMs);
  #struck: BoardName = 'a';
  #noise = '';

  constructor(advertisementIntervalS: number) {
    this.#advertisementIntervalS = advertisementIntervalS;
  }

  #file(name: string, board: BoardName): string {
    return join(this.#bench.directory, `${name}-${board}`);
  }

  async start(): Promise<void> {
    await this.#bench.start();
    this.#namespaces.open();
    for (const board of ['a', 'b'] as const) this.#writeFiles(board);
    for (let tries = 1; ; tries++) {
      this.#startDaemon('a');
      this.#startDaemon('b');
      try {
        await this.#inOrder(startWithinMs);
        return;
      } catch (error) {
        if (tries === startTriesMax) throw error;
      }
      for (const board of ['a', 'b'] as const) await this.#clear(board);
      this.#renewPorts();
    }
  }

  #writeFiles(board: BoardName): void {
    const directory = this.#bench.directory;
    const pidFile = quoted(this.#file('pid', board));
    const stateFile = quoted(this.#file('state', board));
    const assigned = Object.entries(this.#bench.environment(board))
      .map(([name, value]) => `${name}=${quoted(value)}`)
      .join(' ');
    const words = [process.execPath, ...this.#bench.words(countingProgram)].map(quoted).join(' ');
    const write = (name: string, text: string): void =>
      writeFileSync(join(directory, `${name}-${board}.sh`), text);
    write(
      'master',
      `${assigned} ${words} </dev/null >/dev/null 2>&1 &\necho $! > ${pidFile}\necho master > ${stateFile}\n`,
    );
    write(
      'backup',
      `if [ -f ${pidFile} ]; then kill -KILL "$(cat ${pidFile})"; rm -f ${pidFile}; fi\necho backup > ${stateFile}\n`,
    );
    write('check', `if [ -f ${pidFile} ]; then kill -0 "$(cat ${pidFile})"; fi\n`);
    writeFileSync(
      this.#file('conf', board),
      keepalivedConfig(board, directory, this.#advertisementIntervalS),
    );
  }

  #startDaemon(board: BoardName): void {
    rmSync(this.#file('state', board), { force: true });
    const words = ['--dont-fork', '--log-console', '--vrrp', '--use-file', this.#file('conf', board)];
    const files = ['--pid', this.#file('daemon.pid', board), '--vrrp_pid', this.#file('vrrp.pid', board)];
    const child = spawn(
      'ip',
      [
        ...['netns', 'exec', this.#namespaces.nameOf(board)],
        ...['setpriv', '--pdeathsig', 'KILL', 'keepalived', ...words, ...files],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const hear = (chunk: Buffer): void => {
      this.#noise = (this.#noise + chunk.toString()).slice(-3000);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    this.#daemons.set(board, child);
  }

  async #waitFor(condition: () => boolean, withinMs: number, what: string): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    while (!condition()) {
      if (performance.now() > deadlineMs)
        throw new Error(`keepalived: not so in time: ${what}\n${this.#noise}`);
      await sleep(lookIntervalMs);
    }
  }

  /** keepalived starts and ends programs by itself, for false alarms too: a port whose program has ended is made new. */
  #renewPorts(): void {
    for (const board of ['a', 'b'] as const) {
      if (existsSync(this.#file('pid', board))) this.#portsUsed.add(board);
      else if (this.#portsUsed.delete(board)) this.#bench.replug(board);
    }
  }

  #stateOf(board: BoardName): string {
    const file = this.#file('state', board);
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  }

  /** One master, one backup, and somebody in control. */
  async #inOrder(withinMs = stateWithinMs): Promise<void> {
    await this.#waitFor(
      () => [this.#stateOf('a'), this.#stateOf('b')].sort().join(' ') === 'backup master',
      withinMs,
      'one master and one backup',
    );
    if (!(await this.watch.flows(2, withinMs))) throw new Error(`keepalived: no output\n${this.#noise}`);
  }

  #programPid(board: BoardName): number | null {
    const file = this.#file('pid', board);
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) : null;
  }

  /** The daemon and its VRRP process: the child first, which else would say goodbye when its parent dies. */
  #daemonPids(board: BoardName): number[] {
    const pid = this.#daemons.get(board)?.pid;
    if (pid === undefined) return [];
    const file = `/proc/${pid}/task/${pid}/children`;
    const children = existsSync(file)
      ? readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number)
      : [];
    return [...children, pid];
  }

  strike(fault: FaultId): void {
    const board = this.watch.lastPort === 0 ? 'a' : 'b';
    this.#struck = board;
    const program = this.#programPid(board);
    const programs = program === null ? [] : [program];
    const all = [...this.#daemonPids(board), ...programs];
    switch (fault) {
      case 'kill':
        for (const pid of all) signalQuietly(pid, 'SIGKILL');
        return;
      case 'power-cut':
        for (const pid of all) signalQuietly(pid, 'SIGKILL');
        this.#namespaces.cut(board);
        return;
      case 'freeze':
        for (const pid of all) signalQuietly(pid, 'SIGSTOP');
        return;
      case 'kill-program':
        for (const pid of programs) signalQuietly(pid, 'SIGKILL');
        return;
      case 'hang':
        for (const pid of programs) signalQuietly(pid, 'SIGSTOP');
        return;
      case 'switchover':
        this.#daemons.get(board)!.kill('SIGTERM');
        return;
    }
  }

  async recover(fault: FaultId): Promise<void> {
    const struck = this.#struck;
    if (fault === 'hang') {
      const pid = this.#programPid(struck);
      if (pid !== null) signalQuietly(pid, 'SIGCONT');
    } else if (fault !== 'kill-program') {
      await this.#clear(struck);
      this.#renewPorts();
      if (fault === 'power-cut') this.#namespaces.restore(struck);
      this.#startDaemon(struck);
    }
    await this.#inOrder();
  }

  async #clear(board: BoardName): Promise<void> {
    const program = this.#programPid(board);
    const child = this.#daemons.get(board);
    for (const pid of this.#daemonPids(board)) signalQuietly(pid, 'SIGKILL');
    if (program !== null) signalQuietly(program, 'SIGKILL');
    // A new daemon would take the old one's VRRP process, dead but not yet reaped, for a running one.
    for (const name of ['pid', 'state', 'daemon.pid', 'vrrp.pid'])
      rmSync(this.#file(name, board), { force: true });
    if (child !== undefined) await ended(child);
  }

  async stop(): Promise<null> {
    clearInterval(this.#portWatch);
    for (const board of ['a', 'b'] as const) await this.#clear(board);
    this.#namespaces.close();
    await this.#bench.stop();
    return null;
  }
}

function entry(id: string, advertisementIntervalS: number, lanes: number): ContestantEntry {
  return {
    id,
    what: `keepalived, advertisements every ${advertisementIntervalS} s, bare program`,
    missing: () => namespacesMissing() ?? programFound('keepalived') ?? programFound('setpriv'),
    refusal: () => null,
    phaseMs: () => 1000,
    lanes: () => lanes,
    patienceMs: 10_000,
    create: () => new KeepalivedContestant(advertisementIntervalS),
  };
}

export const keepalivedEntries: readonly ContestantEntry[] = [
  entry('keepalived-1s', advertisementIntervalsS.default, 4),
  entry('keepalived-10ms', advertisementIntervalsS.fastest, 1),
];
