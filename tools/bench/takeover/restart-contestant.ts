/**
 * One board and a service manager that starts the program again when it has ended, as systemd does with
 * `Restart=always`: at once, or after its default `RestartSec=100ms`. It knows nothing of a program that stands still.
 */
import type { ChildProcess } from 'node:child_process';
import { ended, PlainBench } from './bare-board.ts';
import { type Contestant, type ContestantEntry, type FaultId, workPhaseMs } from './contestant.ts';
import { countingProgram } from './counting-program.ts';

const inControlWithinMs = 20_000;

class RestartContestant implements Contestant {
  readonly #bench = new PlainBench();
  readonly watch = this.#bench.watch;
  readonly #restartDelayMs: number;
  #child: ChildProcess | null = null;
  #restartTimer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(restartDelayMs: number) {
    this.#restartDelayMs = restartDelayMs;
  }

  async start(): Promise<void> {
    await this.#bench.start();
    this.#startProgram();
    await this.#inControl();
  }

  #startProgram(): void {
    if (this.#isStopped) return;
    const child = this.#bench.spawn('a', countingProgram);
    this.#child = child;
    child.once('exit', () => {
      this.#bench.replug('a');
      if (this.#restartDelayMs === 0) this.#startProgram();
      else this.#restartTimer = setTimeout(() => this.#startProgram(), this.#restartDelayMs);
    });
  }

  async #inControl(): Promise<void> {
    if (!(await this.watch.flows(2, inControlWithinMs))) throw new Error('the program gives no output');
  }

  strike(fault: FaultId): void {
    this.#child!.kill(
      fault === 'switchover' ? 'SIGTERM' : fault === 'freeze' || fault === 'hang' ? 'SIGSTOP' : 'SIGKILL',
    );
  }

  async recover(fault: FaultId): Promise<void> {
    if (fault === 'freeze' || fault === 'hang') this.#child!.kill('SIGCONT');
    await this.#inControl();
  }

  async stop(): Promise<null> {
    this.#isStopped = true;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    if (this.#child !== null) {
      this.#child.kill('SIGKILL');
      await ended(this.#child);
    }
    await this.#bench.stop();
    return null;
  }
}

function entry(id: string, what: string, restartDelayMs: number): ContestantEntry {
  return {
    id,
    what,
    missing: () => null,
    refusal: (fault) => (fault === 'power-cut' ? 'one board: nobody is left' : null),
    phaseMs: () => workPhaseMs,
    lanes: () => 1,
    patienceMs: 5000,
    create: () => new RestartContestant(restartDelayMs),
  };
}

export const restartEntries: readonly ContestantEntry[] = [
  entry('restart-0', 'one board, restart at once', 0),
  entry('restart-100ms', 'one board, restart after 100 ms (systemd’s default)', 100),
];
