/**
 * What a key means: `press(key, context) -> actions`. Pure; what is typed and asked is the state.
 *
 * ```
 *   watching --Ctrl-T--> menu --any key--> watching
 *      |  --w--> reason --Enter--> question --y--> watching   (a switchover is asked for with what was typed)
 *      |  --:--> command --Enter--> watching                  (the console asks back, if it changes something)
 *      +--p--> password --Enter--> watching
 * ```
 * Nothing that changes the pair happens on one key, and any key but `y` answers a question with no.
 */
import type { ConsoleRequest } from '../../firmware-host/console/console-schema.ts';
import { type Board, otherBoard } from './model.ts';

export const pages = ['pins', 'turns', 'why', 'line'] as const;
export type Page = (typeof pages)[number];

export type Mode =
  | { kind: 'watching' }
  | { kind: 'menu' }
  | { kind: 'help' }
  | { kind: 'prompt'; purpose: 'command' | 'reason' | 'password'; text: string }
  /** `board`: whose console gets the request when the answer is yes. */
  | { kind: 'question'; text: string; board: Board; request: ConsoleRequest };

export type Action =
  | { kind: 'quit' }
  | { kind: 'redraw' }
  | { kind: 'reconnect' }
  | { kind: 'log' }
  | { kind: 'hex' }
  | { kind: 'timestamps' }
  | { kind: 'scroll'; events: number }
  | { kind: 'page'; page: Page }
  | { kind: 'request'; board: Board; request: ConsoleRequest }
  | { kind: 'login'; password: string }
  | { kind: 'notice'; text: string };

/** What a key's meaning depends on. */
export interface KeyContext {
  leader: Board | null;
  /** Boards whose console listens to us. */
  reachable: readonly Board[];
  isLocked: boolean;
  page: Page;
}

const scrollPage = 10;
const promptCharactersMax = 500;

export const menuLines = [
  '?  this help, and the keys',
  'q  quit',
  'l  clear: draw the screen anew',
  'r  reconnect: close the ports and open them again',
  't  timestamps of the events: time of day, or how long ago',
  'o  line page: text or hex',
  'f  log to the file: on, off (--log FILE)',
  'x  send a command to a console',
] as const;

export const promptTitles = {
  command: 'command (begin with "a " or "b " to name the board)',
  reason: 'reason for the switchover (it is journalled)',
  password: 'password of the console',
} as const;

export class Keyboard {
  mode: Mode = { kind: 'watching' };

  press(key: string, context: KeyContext): Action[] {
    if (key === 'ctrl-c') return [{ kind: 'quit' }];
    const { mode } = this;
    switch (mode.kind) {
      case 'watching':
        return this.#watching(key, context);
      case 'menu':
        this.mode = { kind: 'watching' };
        return this.#menu(key, context);
      case 'help':
        this.mode = { kind: 'watching' };
        return key === 'q' ? [{ kind: 'quit' }] : key === 'ctrl-t' ? this.#enter({ kind: 'menu' }) : [];
      case 'prompt':
        return this.#prompt(mode, key, context);
      case 'question':
        this.mode = { kind: 'watching' };
        if (key !== 'y' && key !== 'Y') return [{ kind: 'notice', text: 'Nothing was done.' }];
        return [{ kind: 'request', board: mode.board, request: mode.request }];
    }
  }

  /** A console wants to be sure. */
  ask(board: Board, text: string): void {
    this.mode = { kind: 'question', text, board, request: { command: 'yes' } };
  }

  #enter(mode: Mode): Action[] {
    this.mode = mode;
    return [];
  }

  #watching(key: string, context: KeyContext): Action[] {
    switch (key) {
      case 'q':
        return [{ kind: 'quit' }];
      case '?':
        return this.#enter({ kind: 'help' });
      case 'ctrl-t':
        return this.#enter({ kind: 'menu' });
      case 'w':
        return this.#startSwitchover(context);
      case ':':
      case 'x':
        return this.#startCommand(context);
      case 'p':
        if (!context.isLocked) return [{ kind: 'notice', text: 'No console asks for a password.' }];
        return this.#enter({ kind: 'prompt', purpose: 'password', text: '' });
      case 'tab':
        return [{ kind: 'page', page: pages[(pages.indexOf(context.page) + 1) % pages.length]! }];
      case 'e':
        return [
          { kind: 'page', page: 'why' },
          ...context.reachable.map(
            (board): Action => ({ kind: 'request', board, request: { command: 'explain' } }),
          ),
        ];
      case 'up':
        return [{ kind: 'scroll', events: 1 }];
      case 'down':
        return [{ kind: 'scroll', events: -1 }];
      case 'page-up':
        return [{ kind: 'scroll', events: scrollPage }];
      case 'page-down':
        return [{ kind: 'scroll', events: -scrollPage }];
      case 'end':
        return [{ kind: 'scroll', events: Number.NEGATIVE_INFINITY }];
      default:
        return [];
    }
  }

  #menu(key: string, context: KeyContext): Action[] {
    switch (key.toLowerCase()) {
      case '?':
        return this.#enter({ kind: 'help' });
      case 'q':
        return [{ kind: 'quit' }];
      case 'l':
      case 'c':
        return [{ kind: 'redraw' }];
      case 'r':
        return [{ kind: 'reconnect' }];
      case 't':
        return [{ kind: 'timestamps' }];
      case 'o':
      case 'h':
        return [{ kind: 'hex' }];
      case 'f':
        return [{ kind: 'log' }];
      case 'x':
      case ':':
        return this.#startCommand(context);
      default:
        return [];
    }
  }

  #startSwitchover({ leader, reachable }: KeyContext): Action[] {
    if (leader === null)
      return [{ kind: 'notice', text: 'No board leads: there is nothing to switch over.' }];
    if (!reachable.includes(leader)) {
      return [
        { kind: 'notice', text: `Board ${leader.toUpperCase()} leads, and its console is not attached.` },
      ];
    }
    return this.#enter({ kind: 'prompt', purpose: 'reason', text: '' });
  }

  #startCommand({ reachable }: KeyContext): Action[] {
    if (reachable.length === 0) return [{ kind: 'notice', text: 'No console is attached.' }];
    return this.#enter({ kind: 'prompt', purpose: 'command', text: '' });
  }

  #prompt(mode: Extract<Mode, { kind: 'prompt' }>, key: string, context: KeyContext): Action[] {
    if (key === 'escape') {
      return [...this.#enter({ kind: 'watching' }), { kind: 'notice', text: 'Nothing was done.' }];
    }
    if (key === 'enter') return this.#entered(mode, context);
    const text =
      key === 'backspace'
        ? mode.text.slice(0, -1)
        : key === 'ctrl-u'
          ? ''
          : [...key].length === 1
            ? (mode.text + key).slice(0, promptCharactersMax)
            : mode.text;
    return this.#enter({ ...mode, text });
  }

  #entered({ purpose, text }: Extract<Mode, { kind: 'prompt' }>, context: KeyContext): Action[] {
    this.mode = { kind: 'watching' };
    if (purpose === 'password') return [{ kind: 'login', password: text }];
    if (purpose === 'reason') return this.#askForSwitchover(text.trim(), context);
    const named = /^([ab])\s+(.+)$/.exec(text.trim());
    const command = named?.[2] ?? text.trim();
    if (command === '') return [];
    const board = (named?.[1] as Board | undefined) ?? context.leader ?? context.reachable[0];
    if (board === undefined || !context.reachable.includes(board)) {
      const who = board === undefined ? 'No' : `Board ${board.toUpperCase()}'s`;
      return [{ kind: 'notice', text: `${who} console is not attached.` }];
    }
    return [{ kind: 'request', board, request: { command } }];
  }

  /** Who leads may have changed while a reason was typed. */
  #askForSwitchover(typed: string, { leader, reachable }: KeyContext): Action[] {
    if (leader === null || !reachable.includes(leader)) {
      return [{ kind: 'notice', text: 'The leader is another board now: nothing was done.' }];
    }
    const reason = typed === '' ? 'asked for at the monitor' : typed;
    const request: ConsoleRequest = { command: 'switchover', reason, yes: true };
    const [from, to] = [leader.toUpperCase(), otherBoard(leader).toUpperCase()];
    const text = `Switch over from board ${from} to board ${to} now?`;
    return this.#enter({ kind: 'question', text, board: leader, request });
  }
}
