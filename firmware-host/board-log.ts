/** The board's log: one line a report on standard error, the program's own console on standard output. */
import { exitCodeFor } from './exit-codes.ts';
import type { Report } from './supervisor/effects.ts';

/** The least important reports that each level of the config lets through. */
const shown: Record<'error' | 'warn' | 'info', readonly Report['level'][]> = {
  error: ['alarm'],
  warn: ['alarm', 'warning'],
  info: ['alarm', 'warning', 'info'],
};

export class BoardLog {
  level: keyof typeof shown = 'info';
  readonly #board: 'a' | 'b';
  readonly #json: boolean;

  constructor(board: 'a' | 'b', json: boolean) {
    this.#board = board;
    this.#json = json;
  }

  report(report: Report): void {
    if (!shown[this.level].includes(report.level)) return;
    const time = new Date().toISOString();
    if (this.#json) {
      const line = { schema: 1, kind: 'report', time, board: this.#board, ...report };
      process.stderr.write(`${JSON.stringify(line)}\n`);
      return;
    }
    process.stderr.write(`${time} ${this.#board} ${report.level.padEnd(7)} ${report.code} ${report.text}\n`);
    const stack = report.details?.stack;
    if (typeof stack === 'string' && stack !== '') process.stderr.write(`${stack}\n`);
  }

  program(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    (stream === 'stdout' ? process.stdout : process.stderr).write(bytes);
  }

  /** Reports why the board cannot run and gives the process's exit code for it. */
  fatal(code: string, text: string): number {
    this.report({ level: 'alarm', code, text });
    return exitCodeFor(code);
  }
}
