/**
 * A bare warm standby: two boards, an MQTT broker (mosquitto, real) that both reach, and a last will (warm-standby.ts).
 *
 * The broker hears of a killed process at once, because its kernel closes the connection; of a frozen one or of a power
 * cut only by silence, after one and a half keep-alive intervals. To the broker both look the same: so a power cut is a
 * process that stops and is killed when all is over.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BoardName, other } from '../../../hil-tests/rigs/local/rig-contract.ts';
import { ended, PlainBench } from './bare-board.ts';
import {
  type Contestant,
  type ContestantEntry,
  type FaultId,
  silentFaults,
  workPhaseMs,
} from './contestant.ts';
import { countingProgram } from './counting-program.ts';
import { programFound } from './program-found.ts';

const script = fileURLToPath(new URL('./warm-standby.ts', import.meta.url));
const readyWithinMs = 20_000;
/** The shortest that MQTT can say. */
const keepAliveS = 1;
/** mosquitto 2.0 looks for silent clients at intervals of seconds, not at the moment when the time is over. */
const brokerLooksEveryMs = 5000;

async function freeTcpPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port');
  return address.port;
}

class WillContestant implements Contestant {
  readonly #bench = new PlainBench();
  readonly watch = this.#bench.watch;
  readonly #children = new Map<BoardName, ChildProcess>();
  #broker: ChildProcess | null = null;
  #port = 0;
  #primary: BoardName = 'a';

  async start(): Promise<void> {
    await this.#bench.start();
    await this.#startBroker();
    await this.#startBoard('a', 'primary');
    await this.#startBoard('b', 'backup');
    if (!(await this.watch.flows(2, readyWithinMs))) throw new Error('the program gives no output');
  }

  async #startBroker(): Promise<void> {
    this.#port = await freeTcpPort();
    const file = join(this.#bench.directory, 'mosquitto.conf');
    writeFileSync(
      file,
      `listener ${this.#port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n`,
    );
    this.#broker = spawn('setpriv', ['--pdeathsig', 'KILL', 'mosquitto', '-c', file], { stdio: 'ignore' });
    const deadlineMs = performance.now() + readyWithinMs;
    while (!(await this.#answers())) {
      if (performance.now() > deadlineMs || this.#broker.exitCode !== null) {
        throw new Error(`mosquitto does not answer on port ${this.#port}`);
      }
      await sleep(20);
    }
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createConnection(this.#port, '127.0.0.1');
      const tell = (does: boolean): void => {
        socket.destroy();
        resolve(does);
      };
      socket.once('connect', () => tell(true)).once('error', () => tell(false));
    });
  }

  async #startBoard(board: BoardName, role: 'primary' | 'backup'): Promise<void> {
    const child = this.#bench.spawn(board, script, {
      STANDBY_BOARD: board,
      STANDBY_ROLE: role,
      STANDBY_BROKER_PORT: String(this.#port),
      STANDBY_KEEP_ALIVE_S: String(keepAliveS),
      STANDBY_PROGRAM: countingProgram,
    });
    this.#children.set(board, child);
    let noise = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      noise = (noise + chunk.toString()).slice(-2000);
    });
    await new Promise<void>((resolve, reject) => {
      child.stdout!.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`the standby script ended with code ${code}: ${noise}`)));
    });
  }

  strike(fault: FaultId): void {
    const child = this.#children.get(this.#primary)!;
    const signals: Record<FaultId, NodeJS.Signals> = {
      kill: 'SIGKILL',
      'kill-program': 'SIGKILL',
      freeze: 'SIGSTOP',
      'power-cut': 'SIGSTOP',
      hang: 'SIGSTOP',
      switchover: 'SIGUSR2',
    };
    child.kill(signals[fault]);
  }

  async recover(): Promise<void> {
    const struck = this.#primary;
    const child = this.#children.get(struck)!;
    child.kill('SIGKILL');
    await ended(child);
    this.#bench.replug(struck);
    this.#primary = other(struck);
    if (!(await this.watch.flows(2, readyWithinMs))) throw new Error('the standby gives no output');
    await this.#startBoard(struck, 'backup');
  }

  async stop(): Promise<null> {
    for (const child of [...this.#children.values(), this.#broker]) {
      if (child === null) continue;
      child.kill('SIGKILL');
      await ended(child);
    }
    await this.#bench.stop();
    return null;
  }
}

export const willEntry: ContestantEntry = {
  id: 'mqtt-will',
  what: `bare warm standby, MQTT last will (keep-alive ${keepAliveS} s)`,
  missing: () => programFound('mosquitto') ?? programFound('setpriv'),
  refusal: () => null,
  phaseMs: (fault) => (silentFaults.includes(fault) ? brokerLooksEveryMs : workPhaseMs),
  lanes: (fault) => (silentFaults.includes(fault) ? 4 : 1),
  patienceMs: 15_000,
  create: () => new WillContestant(),
};
