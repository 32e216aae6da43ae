/** The board as its consoles see it: what it reported, why, what it journalled last, and its door to the operator. */
import type { BoardLog } from '../board-log.ts';
import type { Config } from '../config/config.ts';
import type { OperatorCommand, Report } from '../supervisor/effects.ts';
import type { HostStatus, JournalledEntry, SeenByReplica } from '../supervisor/host.ts';
import { bundleOf, writeBundle } from './bundle-file.ts';
import type { LogLevel } from './command-line.ts';
import type { ConsoleBoard } from './console-board.ts';
import type { EventOnConsole, Incident, JournalLine, StatusOnConsole } from './console-schema.ts';
import { DevicePins } from './device-pins.ts';
import { IncidentLog } from './incidents.ts';
import { JournalTail } from './journal-tail.ts';
import { monotonicMs } from './monotonic.ts';

export interface BoardOnConsoleOptions {
  board: 'a' | 'b';
  version: string;
  programHash: string;
  config: Config;
  log: BoardLog;
  host: {
    status(): HostStatus;
    command(command: OperatorCommand, reason: string, from: string): void;
  };
}

const eventsMax = 1000;

export class BoardOnConsole implements ConsoleBoard {
  readonly board: 'a' | 'b';
  readonly version: string;
  readonly node: string = process.version;
  readonly program: string;
  readonly programHash: string;
  readonly timing: ConsoleBoard['timing'];
  readonly #options: BoardOnConsoleOptions;
  readonly #events: EventOnConsole[] = [];
  readonly #incidents: IncidentLog;
  readonly #journal = new JournalTail();
  readonly #pins: DevicePins;
  /** Reports since an order was given, while it is carried out. */
  #ordered: Report[] | null = null;
  #eventCount = 0;
  #isWriting = false;

  constructor(options: BoardOnConsoleOptions) {
    this.#options = options;
    const { board, config, programHash, version } = options;
    const { heartbeatIntervalMs, detectionTimeoutMs, suspectTimeoutMs, lagMsMax } = config.timing;
    this.board = board;
    this.#pins = new DevicePins(config.devices.map((device) => device.name));
    this.version = version;
    this.program = config.program;
    this.programHash = programHash;
    this.timing = { heartbeatIntervalMs, detectionTimeoutMs, suspectTimeoutMs, lagMsMax };
    this.#incidents = new IncidentLog({ board, detectionTimeoutMs, suspectTimeoutMs });
  }

  /** The board has reported something: the event as consoles are told it. */
  reported(report: Report): EventOnConsole {
    this.#eventCount += 1;
    const event = { index: this.#eventCount, monotonicMs: monotonicMs(), wallTimeMs: Date.now(), report };
    this.#events.push(event);
    if (this.#events.length > eventsMax) this.#events.shift();
    this.#incidents.observe(event);
    this.#ordered?.push(report);
    return event;
  }

  journalled(entry: JournalledEntry): void {
    this.#journal.add(entry);
  }

  replicaSaw(seen: SeenByReplica): void {
    this.#pins.see(seen);
  }

  status(): StatusOnConsole {
    const { hostMs, monotonicMs: _at, ...status } = this.#options.host.status();
    const { devices } = this.#options.config;
    return {
      ...status,
      wallTimeMs: Date.now(),
      links: status.links.map((link) => ({
        ...link,
        silentForMs: link.lastHeardAt === null ? null : Math.max(0, hostMs - link.lastHeardAt),
      })),
      devices: status.devices.map((device, index) => ({
        ...device,
        arbiter: devices[index]?.arbiter ?? false,
        pins: this.#pins.of(device.name),
      })),
    };
  }

  events(count: number): EventOnConsole[] {
    return this.#events.slice(-count);
  }

  incidents(): readonly Incident[] {
    return this.#incidents.list;
  }

  journalTail(count: number): JournalLine[] {
    return this.#journal.lines(count);
  }

  order(command: OperatorCommand, reason: string, from: string): Report[] {
    const reports: Report[] = [];
    this.#ordered = reports;
    try {
      this.#options.host.command(command, reason, from);
    } finally {
      this.#ordered = null;
    }
    return reports;
  }

  setLogLevel(level: Exclude<LogLevel, 'off'>, reason: string, from: string): void {
    const { log, board } = this.#options;
    // Told at the old level or the new one, whichever lets it through.
    const text = `board ${board}'s log tells ${level} and worse, ordered on ${from}: ${reason}`;
    const report: Report = {
      level: 'info',
      code: 'OPERATOR_LOG_LEVEL',
      text,
      details: { level, reason, from },
    };
    if (log.level === 'info') log.report(report);
    log.level = level;
    this.reported(report);
  }

  writeBundle(done: (result: { path: string; bytes: number } | { fault: string }) => void): void {
    if (this.#isWriting) {
      setImmediate(() => done({ fault: 'another console’s bundle is being written' }));
      return;
    }
    this.#isWriting = true;
    const { board, config } = this.#options;
    writeBundle(config.boards[board].state, bundleOf(this, config))
      .catch((error: Error) => ({ fault: error.message }))
      .then((result) => {
        this.#isWriting = false;
        done(result);
      });
  }
}
