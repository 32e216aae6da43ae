/**
 * What a console may see of its board and do to it: the only door between the two. `board-on-console.ts` is the real one.
 */
import type { OperatorCommand, Report } from '../supervisor/effects.ts';
import type { LogLevel } from './command-line.ts';
import type {
  ConsoleItem,
  EventOnConsole,
  Incident,
  JournalLine,
  StatusOnConsole,
} from './console-schema.ts';

type Hello = Extract<ConsoleItem, { kind: 'hello' }>;

export interface ConsoleBoard {
  readonly board: 'a' | 'b';
  readonly version: string;
  readonly node: string;
  readonly program: string;
  readonly programHash: string;
  readonly timing: Hello['timing'];
  status(): StatusOnConsole;
  /** Newest last. */
  events(count: number): EventOnConsole[];
  /** Newest first. */
  incidents(): readonly Incident[];
  /** Newest last. */
  journalTail(count: number): JournalLine[];
  /** Carries an order out and returns the reports that came of it at once. `from` and `reason` are written down. */
  order(command: OperatorCommand, reason: string, from: string): Report[];
  /** The level of the board's own log. */
  setLogLevel(level: Exclude<LogLevel, 'off'>, reason: string, from: string): void;
  /** Writes the diagnostic file. Calls back once, later. */
  writeBundle(done: (result: { path: string; bytes: number } | { fault: string }) => void): void;
}
