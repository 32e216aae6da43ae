/**
 * The terminal: alternate screen, raw keys, and the way back out of both.
 *
 * Whatever ends the process (the end of the run, a signal, a mistake of ours), the user's terminal must be as it was: an
 * `exit` listener writes the way back synchronously. Only what differs from the last picture is written, so that
 * a slow line (SSH from the bench) is not flooded at ten pictures a second.
 */
import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';

const control = '\u001b[';
const enter = `${control}?1049h${control}?25l${control}?7l${control}2J`;
const leave = `${control}0m${control}?7h${control}?25h${control}?1049l`;

export interface TerminalAbilities {
  /** Can draw at all: a terminal that is not `dumb`. */
  canDraw: boolean;
  color: boolean;
  unicode: boolean;
}

/** https://no-color.org; locale by the precedence of POSIX: LC_ALL, LC_CTYPE, LANG. */
export function terminalAbilities(environment: NodeJS.ProcessEnv, isTerminal: boolean): TerminalAbilities {
  const { TERM, NO_COLOR, LC_ALL, LC_CTYPE, LANG } = environment;
  const canDraw = isTerminal && TERM !== undefined && TERM !== '' && TERM !== 'dumb';
  const locale = [LC_ALL, LC_CTYPE, LANG].find((each) => each !== undefined && each !== '') ?? '';
  return {
    canDraw,
    color: canDraw && (NO_COLOR === undefined || NO_COLOR === ''),
    unicode: /utf-?8/i.test(locale),
  };
}

/** What must be written to turn one picture into the next. */
export function pictureChanges(before: readonly string[] | null, after: readonly string[]): string {
  let text = before === null ? `${control}2J` : '';
  for (const [row, line] of after.entries()) {
    if (before !== null && before[row] === line) continue;
    // Erased first: behind a full line the cursor still stands on the last character.
    text += `${control}${row + 1};1H${control}0m${control}K${line}`;
  }
  return text;
}

const sequences: Record<string, string> = {
  '[A': 'up',
  '[B': 'down',
  '[5~': 'page-up',
  '[6~': 'page-down',
  '[H': 'home',
  '[F': 'end',
};

/** One name a key, as it was typed; control sequences that are no keys of ours (pasted text in brackets) are left out. */
export function keysOf(chunk: string): string[] {
  const keys: string[] = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal sends for a key begins with one.
  for (const [found, sequence] of chunk.matchAll(/\u001b([[O][0-9;?]*[ -/]*[@-~])|./gsu)) {
    if (sequence !== undefined) {
      const name = sequences[sequence.replace('O', '[')];
      if (name !== undefined) keys.push(name);
    } else keys.push(keyName(found));
  }
  return keys;
}

function keyName(character: string): string {
  const code = character.codePointAt(0)!;
  if (code === 0x0d || code === 0x0a) return 'enter';
  if (code === 0x1b) return 'escape';
  if (code === 0x7f || code === 0x08) return 'backspace';
  if (code === 0x09) return 'tab';
  return code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x60)}` : character;
}

export class Terminal {
  readonly #output: WriteStream;
  readonly #input: ReadStream | null;
  readonly #onKey: (key: string) => void;
  #picture: string[] | null = null;
  #isOpen = false;
  readonly #onData = (chunk: Buffer): void => {
    for (const key of keysOf(chunk.toString())) this.#onKey(key);
  };
  readonly #onResize = (): void => {
    this.#picture = null;
  };
  readonly #onExit = (): void => {
    this.#wayBack();
  };

  /** `input`: null where standard input is no terminal; then there are no keys. */
  constructor(output: WriteStream, input: ReadStream | null, onKey: (key: string) => void) {
    this.#output = output;
    this.#input = input;
    this.#onKey = onKey;
  }

  get size(): { columns: number; rows: number } {
    // Some terminals (a serial console) report 0 x 0.
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 };
  }

  open(): void {
    this.#isOpen = true;
    process.on('exit', this.#onExit);
    this.#output.on('resize', this.#onResize);
    this.#output.write(enter);
    this.#input?.setRawMode(true);
    this.#input?.on('data', this.#onData);
    this.#input?.resume();
  }

  show(picture: string[]): void {
    // A terminal that has not taken the last picture (stopped with Ctrl-S, a slow line) gets the next one later.
    if (!this.#isOpen || this.#output.writableLength > 0) return;
    const changes = pictureChanges(this.#picture, picture);
    this.#picture = picture;
    if (changes !== '') this.#output.write(changes);
  }

  /** The next picture is drawn whole: someone else wrote onto the screen. */
  forget(): void {
    this.#picture = null;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#wayBack();
    process.off('exit', this.#onExit);
    this.#output.off('resize', this.#onResize);
    this.#input?.off('data', this.#onData);
    this.#input?.pause();
  }

  #wayBack(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      if (this.#input?.isRaw) this.#input.setRawMode(false);
      writeSync((this.#output as WriteStream & { fd: number }).fd, leave);
    } catch {
      // The terminal itself is gone (SIGHUP): nothing is left to be restored.
    }
  }
}
