/**
 * A real terminal for tests: a program in a tmux of its own, typed to by keys and read as the screen shows it. Ended with the
 * test; the tmux server's socket is its own, in a directory of its own.
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const lookIntervalMs = 50;

/** Null when the program is there, else why a test is skipped. */
export function missing(...programs: string[]): string | null {
  const absent = programs.filter((program) => spawnSync('which', [program]).status !== 0);
  return absent.length === 0 ? null : `not installed: ${absent.join(', ')} (Debian packages of these names)`;
}

export class TerminalScreen {
  readonly #directory = mkdtempSync(join(tmpdir(), 'understudy-tmux-'));
  readonly #server = join(this.#directory, 'socket');

  constructor(
    command: readonly string[],
    size: { columns: number; rows: number } = { columns: 80, rows: 24 },
  ) {
    const { columns, rows } = size;
    const words = ['-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows)];
    // Not exec'd by a shell of the user's: words stay words.
    execFileSync('tmux', ['-S', this.#server, ...words, command.map(quoted).join(' ')]);
  }

  /** Keys by tmux's names: `Enter`, `Up`, `C-c`; other words as they are. */
  async keys(...keys: string[]): Promise<void> {
    await run('tmux', ['-S', this.#server, 'send-keys', ...keys]);
  }

  /** A line, letter by letter, and Enter. */
  async line(text: string): Promise<void> {
    await run('tmux', ['-S', this.#server, 'send-keys', '-l', text]);
    await this.keys('Enter');
  }

  /** With what has scrolled away. */
  async screen(): Promise<string> {
    return await this.#capture('-S', '-2000');
  }

  async #capture(...words: string[]): Promise<string> {
    const { stdout } = await run('tmux', ['-S', this.#server, 'capture-pane', '-p', ...words]);
    return stdout;
  }

  /** Waits until what is shown holds `text`; rejects with the screen. */
  async shows(text: string | RegExp, timeoutMs = 20_000): Promise<string> {
    return await this.#until(() => this.screen(), text, timeoutMs);
  }

  async #until(look: () => Promise<string>, text: string | RegExp, timeoutMs: number): Promise<string> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const screen = await look();
      if (typeof text === 'string' ? screen.includes(text) : text.test(screen)) return screen;
      if (performance.now() > until) throw new Error(`not shown within ${timeoutMs} ms: ${text}\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, lookIntervalMs));
    }
  }

  /** Has the program redraw its screen (Ctrl-L) and forgets what was there, so that what comes next is told from it. */
  async clear(): Promise<void> {
    await this.keys('C-l');
    await this.#until(() => this.#capture(), /^\s*\S[^\n]*\s*$/, 20_000);
    await run('tmux', ['-S', this.#server, 'clear-history']);
  }

  close(): void {
    spawnSync('tmux', ['-S', this.#server, 'kill-server']);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
