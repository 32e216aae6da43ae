/**
 * A real terminal for tests: a program in a tmux server of its own, keys typed into it, its screen read back. Nothing is waited
 * for by time: `until` looks until the screen has what is wanted, and rejects with the screen when it never does.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Null: tmux is there. Otherwise why tests have to be skipped. */
export function tmuxMissing(): string | null {
  return spawnSync('tmux', ['-V']).status === 0 ? null : 'tmux is not installed (apt-get install tmux)';
}

const lookIntervalMs = 60;

export interface TmuxOptions {
  columns: number;
  rows: number;
  environment?: Record<string, string>;
}

export class TmuxScreen {
  /** Holds the server's socket, which tmux leaves behind. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'understudy-tmux-'));

  /** The program's window closes only with the server, so that what it leaves behind can be looked at. */
  constructor(words: readonly string[], { columns, rows, environment = {} }: TmuxOptions) {
    const size = ['-x', String(columns), '-y', String(rows)];
    const variables = Object.entries({ LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', NO_COLOR: '', ...environment });
    const assigned = variables.map(([name, value]) => `${name}=${value}`);
    const command = ['env', ...assigned, ...words]
      .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
      .join(' ');
    this.#tmux('new-session', '-d', '-s', 'test', ...size, `${command}; echo "ended with $?"; exec cat`);
  }

  #tmux(...words: string[]): string {
    // A server of its own has no configuration of the user, and ends with its only session.
    return execFileSync('tmux', ['-S', join(this.#folder, 'socket'), '-f', '/dev/null', ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Named keys as tmux names them: Enter, C-t, PPage. */
  keys(...keys: string[]): void {
    this.#tmux('send-keys', '-t', 'test', ...keys);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-t', 'test', '-l', text);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-t', 'test', '-x', String(columns), '-y', String(rows));
  }

  text(): string {
    return this.#tmux('capture-pane', '-p', '-t', 'test');
  }

  /** With colours, for a picture. */
  capture(): string {
    return this.#tmux('capture-pane', '-p', '-e', '-N', '-t', 'test');
  }

  /** What the program has left of the terminal's modes. */
  modes(): { alternateScreen: boolean; cursorShown: boolean } {
    const [alternate, cursor] = this.#tmux(
      'display-message',
      '-p',
      '-t',
      'test',
      '#{alternate_on} #{cursor_flag}',
    )
      .trim()
      .split(' ');
    return { alternateScreen: alternate === '1', cursorShown: cursor === '1' };
  }

  /** Process ids of the pane's shell and everything below it. */
  shellPid(): number {
    return Number(this.#tmux('display-message', '-p', '-t', 'test', '#{pane_pid}').trim());
  }

  async until(
    wanted: RegExp | ((text: string) => boolean),
    what: string,
    timeoutMs = 20_000,
  ): Promise<string> {
    const isWanted = typeof wanted === 'function' ? wanted : (text: string) => wanted.test(text);
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const text = this.text();
      if (isWanted(text)) return text;
      if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}\n${text}`);
      await pause(lookIntervalMs);
    }
  }

  close(): void {
    spawnSync('tmux', ['-S', join(this.#folder, 'socket'), 'kill-server']);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
