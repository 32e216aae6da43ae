/**
 * Everything that watches a board and changes nothing: figures, health, systemd, the size of the journal. Put together
 * here, so that `main.ts` says in one line each what it is handed.
 */
import type { Config } from '../config/config.ts';
import type { JournalOptions } from '../journal/writer.ts';
import type { Report } from '../supervisor/effects.ts';
import type { BoardStatus } from '../supervisor/status.ts';
import { NotifySocket } from '../systemd/notify-socket.ts';
import { longestTurnMs, ServiceNotify, watchdogMsOf } from '../systemd/service-notify.ts';
import { BoardMetrics } from './board-metrics.ts';
import { healthOf } from './health.ts';
import { meteredJournalFile, SizeWarning } from './metered-journal.ts';
import { MetricsServer } from './metrics-server.ts';
import { Progress } from './progress.ts';
import { observeSteps, type Steppable } from './step-observer.ts';

export interface BoardWatchOptions {
  board: 'a' | 'b';
  config: Config;
  version: string;
  programHash: string;
  linkNames: string[];
  environment: NodeJS.ProcessEnv;
  report(report: Report): void;
}

/** The first turn of a program has this many times the patience of the others (supervisor/program-runner.ts). */
const firstTurnPatience = 5;
/** `/health` calls still what has not moved for longer than the longest turn may take, and this. */
const healthMarginMs = 1_000;

export class BoardWatch {
  readonly #options: BoardWatchOptions;
  readonly #progress = new Progress();
  readonly #metrics: BoardMetrics;
  readonly #sizeWarning: SizeWarning;
  #status: (() => BoardStatus) | null = null;
  #server: MetricsServer | null = null;
  #notify: ServiceNotify | null = null;
  #notifySocket: NotifySocket | null = null;

  constructor(options: BoardWatchOptions) {
    this.#options = options;
    const { board, version, programHash, linkNames, config } = options;
    this.#sizeWarning = new SizeWarning(config.journal.warnBytes);
    this.#metrics = new BoardMetrics({ board, version, programHash, linkNames, status: () => this.#now() });
  }

  #now(): BoardStatus {
    if (this.#status === null) throw new Error('the board is not watched yet');
    return this.#status();
  }

  /** The options of the config, measured and told. */
  journalOptions(): JournalOptions {
    const { config, report } = this.#options;
    return {
      ...config.journal,
      openFile: meteredJournalFile(
        {
          written: (bytes, endByte) => {
            this.#metrics.written(bytes, endByte);
            if (this.#sizeWarning.reached(endByte)) report(largeJournal(endByte));
          },
          synced: (seconds) => this.#metrics.synced(seconds),
          failed: () => this.#metrics.failed(),
        },
        () => performance.now(),
      ),
      onPastDropped: (result) => {
        if ('deleted' in result) {
          const text = `${result.deleted.length} files of past histories deleted to keep journal.keepBytes`;
          report({ level: 'info', code: 'JOURNAL_PAST_DELETED', text, details: { files: result.deleted } });
        } else {
          const text = `past histories could not be deleted: ${result.error.message}`;
          report({ level: 'warning', code: 'JOURNAL_PAST_NOT_DELETED', text });
        }
      },
    };
  }

  /** Watches the supervisor's steps; returns it. */
  observe<Core extends Steppable & { status(now: number): BoardStatus }>(core: Core): Core {
    this.#status = () => core.status(performance.now());
    return observeSteps(core, (now, input, effects) => {
      this.#progress.stepped(now, input, effects);
      this.#metrics.stepped(now, input, effects);
      this.#notify?.stepped(now);
    });
  }

  /** Opens what was asked for. `status` is the host's, which knows more of the links than the core does. */
  begin(status: () => BoardStatus): void {
    this.#status = status;
    this.#listen();
    this.#tellSystemd();
  }

  #listen(): void {
    const { board, config, report } = this.#options;
    const listen = config.boards[board].metrics;
    if (listen === null) return;
    const stillMs = firstTurnPatience * config.timing.turnTimeoutMs + healthMarginMs;
    this.#server = new MetricsServer(
      listen,
      {
        metrics: () => this.#metrics.text(),
        health: () => {
          const now = performance.now();
          const current = this.#now();
          return healthOf(current, this.#progress.standstills(now, now - stillMs, current.role));
        },
      },
      (text) => report({ level: 'warning', code: 'METRICS_UNAVAILABLE', text }),
    );
  }

  #tellSystemd(): void {
    const { environment, config, report } = this.#options;
    const address = environment.NOTIFY_SOCKET;
    if (address === undefined || address === '') return;
    const warn = (code: string, text: string): void => report({ level: 'warning', code, text });
    const opened = NotifySocket.open(address);
    if (!opened.ok) return warn(opened.code, opened.text);
    this.#notifySocket = opened.socket;
    const watchdogMs = watchdogMsOf(environment, process.pid);
    const turnMsMax = firstTurnPatience * config.timing.turnTimeoutMs;
    if (watchdogMs !== null && longestTurnMs(watchdogMs) < turnMsMax) {
      const text = `WatchdogSec is ${watchdogMs / 1000} s: systemd may kill this board in a first turn, which may take ${turnMsMax} ms`;
      warn('WATCHDOG_SHORT', text);
    }
    const progress = this.#progress;
    const status = (): BoardStatus => this.#now();
    this.#notify = new ServiceNotify({ sender: opened.socket, watchdogMs, progress, status, onFault: warn });
  }

  /** The host runs: its journal was read, its links and ports are being opened. */
  ready(): void {
    this.#notify?.ready(performance.now());
  }

  reported(report: Report): void {
    this.#metrics.reported(report);
  }

  /** The board was told to leave. */
  stopping(): void {
    this.#notify?.stopping();
  }

  close(): void {
    this.#server?.close();
    this.#notify = null;
    this.#notifySocket?.close();
    this.#notifySocket = null;
  }
}

function largeJournal(endByte: number): Report {
  const text =
    `the running journal has ${Math.round(endByte / 2 ** 20)} MiB: a join runs all of it again. ` +
    'A restart of the program begins a new history (docs/replay.md)';
  return { level: 'warning', code: 'JOURNAL_LARGE', text };
}
