/**
 * One attached line: what comes in on it, what it is told, and what it has ordered. Pure but for the board behind its door
 * (`console-board.ts`): time is an input, and what is written goes through `write`, so a day at a console takes a test
 * no time.
 *
 *   keys --> LineEditor --line--> command --> board.status, events, ... --> item --> lines for people | NDJSON
 *   a program's whole lines -----^     \--> changes something: confirmed? a reason? --> board.order
 *
 * Whoever talks on the line is not trusted to be a person: noise, another computer's login prompt, a program that does not read
 * what it is told. So nothing is queued without bound, nothing changes without `yes`, and after a few lines that are no
 * commands the console falls silent instead of arguing with a machine.
 */
import {
  type CommandEntry,
  type CommandLine,
  commandNamed,
  completions,
  type LogLevel,
  logLevels,
  parseCommandLine,
} from './command-line.ts';
import { Confirmation } from './confirmation.ts';
import type { ConsoleBoard } from './console-board.ts';
import {
  type ConsoleErrorCode,
  type ConsoleItem,
  consoleSchema,
  type EventOnConsole,
  lineBytesMax,
} from './console-schema.ts';
import { itemLines } from './console-text.ts';
import { LineEditor } from './line-editor.ts';
import { Login, type Password } from './login.ts';
import { parseRequest } from './request.ts';
import { SessionCommands } from './session-commands.ts';
import type { Said, SessionLine } from './session-line.ts';
import { valuesOf } from './status-values.ts';
import { WatchedValues } from './watched-values.ts';

export interface SessionOptions {
  /** How this line is named where orders are written down. */
  name: string;
  board: ConsoleBoard;
  mode: 'text' | 'json';
  /** How often a status is told in JSON mode, unless the line says otherwise; 0: never. */
  statusIntervalMs: number;
  /** Null: whoever reaches this line may do everything. */
  password: Password | null;
  /**
   * Takes text, or returns false when the line is full: then nothing of it was taken. What nobody asked for may fill a line
   * only half, so that there is room for an answer.
   */
  write(text: string, isAsked: boolean): boolean;
}

const statusIntervalMsLimits = { least: 20, most: 3_600_000 };
const waitingLinesMax = 16;
/** Lines that are no commands, one after the other, after which there is no answer ... */
const strangeLinesMax = 8;
/** ... until the line was quiet for so long, or a command comes. */
const strangeQuietMs = 5000;

/** Reports that each level lets through, by the place of the level in `logLevels`. */
const neededLevel = { alarm: 1, warning: 2, info: 3 } as const;

export class ConsoleSession implements SessionLine {
  readonly name: string;
  readonly board: ConsoleBoard;
  mode: 'text' | 'json';
  now = 0;
  logLevel: LogLevel;
  readonly #options: SessionOptions;
  readonly #editor: LineEditor;
  readonly #watched: WatchedValues;
  readonly #confirmation: Confirmation;
  readonly #login: Login;
  readonly #commands: SessionCommands;
  #statusIntervalMs: number;
  #statusDueAt: number | null = null;
  #asksPassword = false;
  /** An answer is being worked on: these wait. */
  #busy = false;
  #waitingLines: { text: string; tooLong: boolean }[] = [];
  /** `id` of the request that is being answered. */
  #answers: number | string | undefined;
  #lastLineAt = 0;
  #strangeLines = 0;
  #dropped = 0;
  /** What is written now was asked for. */
  #isAsked = true;
  /** The prompt stands on the terminal, with nothing behind it but what is typed. */
  #prompted = false;
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.name = options.name;
    this.board = options.board;
    this.mode = options.mode;
    this.logLevel = options.mode === 'json' ? 'info' : 'warn';
    this.#statusIntervalMs = options.statusIntervalMs;
    this.#watched = new WatchedValues(this);
    this.#confirmation = new Confirmation(this);
    this.#login = new Login(this, options.password);
    const parts = { watched: this.#watched, confirmation: this.#confirmation };
    this.#commands = new SessionCommands(this, parts);
    this.#editor = new LineEditor({
      lineBytesMax,
      complete: (before) => completions(before, this.#login.locked ? [] : this.#valueNames()),
    });
    this.#editor.interactive = options.mode === 'text';
  }

  /** When `tick` has to be called, or null. */
  get nextTickAt(): number | null {
    const times = [
      this.#statusDueAt,
      this.#confirmation.expiresAt,
      this.#watched.dueAt,
      this.#login.locksAt(this.#lastLineAt),
    ].filter((at) => at !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  // ---------------------------------------------------------------- inputs

  /** Somebody may be there from here on. */
  open(now: number): void {
    this.now = now;
    this.#lastLineAt = now;
    if (this.mode === 'json') this.#beginJson();
    else this.#greet();
  }

  /** Nobody is: a late answer goes nowhere. */
  close(): void {
    this.#closed = true;
    this.#waitingLines = [];
    this.#watched.clear();
    this.#confirmation.forget();
  }

  /** Keys, one by one or many at once. */
  bytes(now: number, chunk: Uint8Array): void {
    this.now = now;
    this.#isAsked = true;
    for (const item of this.#editor.push(chunk)) {
      if (item.kind === 'show') this.#write(item.text);
      else if (item.kind === 'line') this.line(now, item.text, item.tooLong);
      else if (item.kind === 'cancel') this.#cancel();
      else this.line(now, 'logout');
    }
  }

  /** A whole line, without its end. */
  line(now: number, text: string, tooLong = false): void {
    this.now = now;
    this.#isAsked = true;
    if (now - this.#lastLineAt >= strangeQuietMs) this.#strangeLines = 0;
    this.#lastLineAt = now;
    this.#prompted = false;
    if (this.#busy) {
      if (this.#waitingLines.length < waitingLinesMax) this.#waitingLines.push({ text, tooLong });
      else this.#dropped += 1;
      return;
    }
    this.#take(text, tooLong);
    this.#prompt();
  }

  tick(now: number): void {
    this.now = now;
    this.#isAsked = false;
    this.#answers = undefined;
    this.#confirmation.expireWhenDue();
    const locksAt = this.#login.locksAt(this.#lastLineAt);
    if (locksAt !== null && now >= locksAt) this.#logout('logged out: nothing was typed for ten minutes');
    if (this.#statusDueAt !== null && now >= this.#statusDueAt) {
      this.#statusDueAt = now + this.#statusIntervalMs;
      if (!this.#login.locked) this.tell({ kind: 'status', ...this.board.status() });
    }
    this.#watched.tellWhenDue();
    this.#refreshPrompt();
  }

  /** The board has reported something. */
  event(now: number, event: EventOnConsole): void {
    this.now = now;
    this.#isAsked = false;
    const isWanted = logLevels.indexOf(this.logLevel) >= neededLevel[event.report.level];
    if (isWanted && !this.#login.locked) this.tell({ kind: 'report', ...event });
    this.#refreshPrompt();
  }

  // ---------------------------------------------------------------- lines

  #take(text: string, tooLong: boolean): void {
    this.#answers = undefined;
    if (tooLong) {
      const rule = `a line has at most ${lineBytesMax} bytes; nothing of this one was done`;
      this.#confirmation.forget();
      return this.error('LINE_TOO_LONG', rule);
    }
    if (this.#asksPassword) {
      this.#asksPassword = false;
      this.#editor.secret = false;
      return this.#login.try(text);
    }
    if (this.mode === 'text' || !text.trimStart().startsWith('{'))
      return this.#obey(parseCommandLine(text), text);
    const request = parseRequest(text);
    if (typeof request === 'string') {
      this.#confirmation.forget();
      return this.error('LINE_UNREADABLE', request);
    }
    this.#answers = request.id;
    const given = parseCommandLine(request.command);
    const yes = request.yes ?? given.yes;
    this.#obey({ ...given, reason: request.reason ?? given.reason, yes }, request.command);
  }

  #obey(given: CommandLine, text: string): void {
    const name = given.words[0] ?? '';
    if (this.#confirmation.answer(name) || text.trim() === '') return;
    const entry = commandNamed(name);
    if (entry === null) return this.#unknown(name, text);
    this.#strangeLines = 0;
    if (this.#login.locked && entry.unlocked !== true)
      return this.error('LOGIN_NEEDED', 'a password is needed: login');
    const unknown = [...given.options.keys()].find((option) => !entry.options.includes(option));
    if (unknown !== undefined) return this.usage(entry, `${unknown.slice(0, 40)} is not an option of it`);
    if (entry.changes) return this.#commands.order(entry, given);
    if (this.#commands.run(entry, given)) return;
    if (entry.name === 'json') this.#json(entry, given);
    else if (entry.name === 'login') this.#loginCommand(entry, given);
    else this.#logout('logged out');
  }

  #unknown(name: string, text: string): void {
    this.#strangeLines += 1;
    if (this.#strangeLines > strangeLinesMax) return;
    if (name === 'yes' || name === 'no')
      return this.error('CONFIRM_NOTHING', 'nothing waits to be confirmed');
    const isLast = this.#strangeLines === strangeLinesMax;
    const advice = isLast ? '; such lines are not answered any more' : ': try help';
    this.error('COMMAND_UNKNOWN', `${JSON.stringify(text.trim().slice(0, 40))} is not a command${advice}`);
  }

  // ---------------------------------------------------------------- JSON mode

  #json(entry: CommandEntry, given: CommandLine): void {
    const word = given.words[1];
    if (word !== 'on' && word !== 'off') return this.usage(entry, 'on or off');
    if (word === 'off') {
      this.mode = 'text';
      this.#editor.interactive = true;
      this.#statusDueAt = null;
      this.logLevel = 'warn';
      return this.#greet();
    }
    const { least, most } = statusIntervalMsLimits;
    const status = given.options.get('--status');
    if (status !== undefined) {
      const value = status !== null && /^\d{1,7}$/.test(status) ? Number(status) : -1;
      if (value !== 0 && (value < least || value > most))
        return this.usage(entry, `--status must be 0 or ${least}..${most} ms`);
      this.#statusIntervalMs = value;
    }
    if (this.mode === 'text') this.logLevel = 'info';
    this.mode = 'json';
    this.#editor.interactive = false;
    this.#beginJson();
  }

  #beginJson(): void {
    const { version, program, timing } = this.board;
    const status = this.board.status();
    const { role, wallTimeMs } = status;
    const statusIntervalMs = this.#statusIntervalMs;
    const { locked } = this.#login;
    const line = this.name;
    this.tell({ kind: 'hello', version, line, locked, role, wallTimeMs, statusIntervalMs, timing, program });
    this.#statusDueAt = statusIntervalMs === 0 ? null : this.now + statusIntervalMs;
    if (!locked) this.tell({ kind: 'status', ...status });
  }

  // ---------------------------------------------------------------- the password

  #loginCommand(entry: CommandEntry, given: CommandLine): void {
    const password = given.words[1];
    if (password !== undefined || !this.#login.locked) return this.#login.try(password ?? '');
    if (this.mode === 'json') return this.usage(entry, 'a program gives the password with it');
    this.#asksPassword = true;
    this.#editor.secret = true;
  }

  #logout(text: string): void {
    if (!this.#login.lock()) {
      this.tell({ kind: 'done', command: 'logout', text: 'this line has no password' });
      return;
    }
    this.#watched.clear();
    this.#confirmation.forget();
    this.#editor.reset();
    this.tell({ kind: 'done', command: 'logout', text });
  }

  #cancel(): void {
    this.#asksPassword = false;
    this.#editor.secret = false;
    this.#watched.clear();
    this.#confirmation.answer('no');
    this.#prompt();
  }

  // ---------------------------------------------------------------- an answer that takes a while

  wait(): void {
    this.#busy = true;
    // Typed ahead while a password is checked: it may be another one.
    this.#editor.secret = this.#login.locked;
  }

  goOn(): void {
    this.#busy = false;
    this.#isAsked = true;
    while (!this.#busy && !this.#closed) {
      const next = this.#waitingLines.shift();
      if (next === undefined) break;
      this.#take(next.text, next.tooLong);
    }
    if (!this.#busy) this.#editor.secret = this.#asksPassword;
    this.#prompt();
  }

  // ---------------------------------------------------------------- out

  usage(entry: CommandEntry, rule: string): void {
    this.error('COMMAND_USAGE', `${rule}. Usage: ${entry.usage}`);
  }

  error(code: ConsoleErrorCode, text: string): void {
    this.tell({ kind: 'error', code, text });
  }

  tell(said: Said): void {
    const isAnswer = this.#answers !== undefined && said.kind !== 'report' && said.kind !== 'dropped';
    const item = {
      schema: consoleSchema,
      board: this.board.board,
      monotonicMs: this.now,
      ...(isAnswer ? { answers: this.#answers } : {}),
      ...said,
    } as ConsoleItem;
    if (this.mode === 'text') return this.lines(itemLines(item));
    this.#tellDropped();
    if (!this.#write(`${JSON.stringify(item)}\n`)) this.#dropped += 1;
  }

  /** What is being typed is put below them again. */
  lines(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#tellDropped();
    const erase = this.#prompted ? '\r\u001b[K' : '';
    const text = `${erase}${lines.join('\r\n')}\r\n${this.#prompted ? this.#editor.redraw() : ''}`;
    if (!this.#write(text)) this.#dropped += 1;
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    const said = { kind: 'dropped', items: this.#dropped } as const;
    const item: ConsoleItem = {
      schema: consoleSchema,
      board: this.board.board,
      monotonicMs: this.now,
      ...said,
    };
    const text = this.mode === 'json' ? `${JSON.stringify(item)}\n` : `${itemLines(item).join('\r\n')}\r\n`;
    if (this.#write(text)) this.#dropped = 0;
  }

  #write(text: string): boolean {
    return !this.#closed && this.#options.write(text, this.#isAsked);
  }

  #greet(): void {
    const { board, version } = this.board;
    this.lines([
      `Understudy ${version}, board ${board}. help lists the commands.`,
      ...(this.#login.locked ? ['A password is needed: login'] : []),
    ]);
    if (!this.#prompted) this.#prompt();
  }

  #promptText(): string {
    if (this.#asksPassword) return 'password: ';
    const state = this.#login.locked ? '(locked)' : this.board.status().role;
    return `understudy ${this.board.board} ${state}> `;
  }

  #prompt(): void {
    if (this.mode !== 'text' || this.#busy || this.#closed) return;
    this.#editor.prompt = this.#promptText();
    this.#prompted = true;
    this.#write(this.#editor.redraw());
  }

  /** The role stands in the prompt. */
  #refreshPrompt(): void {
    if (this.#prompted && this.mode === 'text' && this.#editor.prompt !== this.#promptText()) this.#prompt();
  }

  #valueNames(): string[] {
    return [...valuesOf(this.board.status()).keys()];
  }
}
