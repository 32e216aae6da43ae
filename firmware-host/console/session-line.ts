/** What the parts of a console session need of it: where answers go, and what time it is. `console-session.ts` is it. */
import type { CommandEntry, LogLevel } from './command-line.ts';
import type { ConsoleBoard } from './console-board.ts';
import type { ConsoleErrorCode, ConsoleItem } from './console-schema.ts';

/** An item before what every item has. */
export type Said = ConsoleItem extends infer Item
  ? Item extends ConsoleItem
    ? Omit<Item, 'schema' | 'board' | 'monotonicMs' | 'answers'>
    : never
  : never;

export interface SessionLine {
  readonly board: ConsoleBoard;
  /** How the line is named where orders are written down. */
  readonly name: string;
  readonly mode: 'text' | 'json';
  /** Monotonic, in milliseconds, of the input that is being dealt with. */
  readonly now: number;
  /** Which reports are told by themselves. */
  logLevel: LogLevel;
  tell(said: Said): void;
  error(code: ConsoleErrorCode, text: string): void;
  usage(entry: CommandEntry, rule: string): void;
  /** Lines for people. */
  lines(lines: readonly string[]): void;
  /** An answer takes a while: lines wait until `goOn`. */
  wait(): void;
  goOn(): void;
}
