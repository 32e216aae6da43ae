/** A board for console tests: it looks like a primary at work, and remembers what it was told to do. */
import type { OperatorCommand, Report } from '../supervisor/effects.ts';
import type { LogLevel } from './command-line.ts';
import type { ConsoleBoard } from './console-board.ts';
import type { EventOnConsole, Incident, JournalLine, StatusOnConsole } from './console-schema.ts';

export interface FakeOrder {
  command: OperatorCommand;
  reason: string;
  from: string;
}

export class FakeConsoleBoard implements ConsoleBoard {
  readonly board = 'a';
  readonly version = '1.2.3';
  readonly node = 'v24.0.0';
  readonly program = '/etc/understudy/tank.js';
  readonly programHash = 'ab'.repeat(32);
  readonly timing = { heartbeatIntervalMs: 10, detectionTimeoutMs: 200, suspectTimeoutMs: 15, lagMsMax: 200 };
  readonly orders: FakeOrder[] = [];
  readonly levels: string[] = [];
  /** What an order is answered with at once. */
  answer: Report[] = [];
  role: StatusOnConsole['role'] = 'primary';
  turns = 1000;
  list: EventOnConsole[] = [];
  told: Incident[] = [];
  bundles = 0;
  /** Bundles that are being written, to be finished by the test. */
  readonly writing: ((result: { path: string; bytes: number } | { fault: string }) => void)[] = [];

  status(): StatusOnConsole {
    const link = {
      sent: 1,
      received: 1,
      bytesSent: 80,
      bytesReceived: 80,
      discarded: {},
      retransmitted: 0,
      duplicates: 0,
      roundTripMs: 1.25,
      lastHeardAt: 0,
      up: true,
      silentForMs: 4,
    };
    return {
      board: this.board,
      role: this.role,
      term: 3,
      protected: true,
      historyId: 'ab12',
      turns: this.turns,
      executedTurns: this.turns,
      releasedTurns: this.turns,
      lagTurns: 2,
      lagMs: 1,
      verdict: 'green',
      silentForMs: 4,
      virtualTimeUs: 1,
      divergences: 0,
      pid: 1,
      replicaPid: 2,
      wallTimeMs: 1_700_000_000_000,
      links: [
        { name: 'ethernet', ...link },
        { name: 'serial', ...link },
      ],
      devices: [
        {
          name: '/dev/ttyACM0',
          kind: 'fenced',
          arbiter: true,
          open: true,
          attached: true,
          session: 7,
          produced: 100,
          confirmed: 98,
          inputs: 50,
          inputsLost: 0,
          discarded: 0,
          pins: [{ name: 'D13', mode: 'OUTPUT', value: 1 }],
        },
      ],
    };
  }

  events(count: number): EventOnConsole[] {
    return this.list.slice(-count);
  }

  incidents(): readonly Incident[] {
    return this.told;
  }

  journalTail(count: number): JournalLine[] {
    return Array.from({ length: Math.min(count, 3) }, (_, turn) => ({ turn, kind: 'record', text: 'time' }));
  }

  order(command: OperatorCommand, reason: string, from: string): Report[] {
    this.orders.push({ command, reason, from });
    return this.answer;
  }

  setLogLevel(level: Exclude<LogLevel, 'off'>, reason: string, from: string): void {
    this.levels.push(`${level} ${reason} ${from}`);
  }

  writeBundle(done: (result: { path: string; bytes: number } | { fault: string }) => void): void {
    this.bundles += 1;
    this.writing.push(done);
  }
}
