/**
 * The monitor's end of one console line: gets it open, gets it to speak JSON, keeps it so. Pure: time, bytes and what
 * becomes of the port are inputs, what is to be done with the port is an effect (docs/monitor.md, docs/console.md).
 *
 * ```
 *   waiting --wake--> opening --opened--> greeting --hello, or any item--> live <--items-- silent
 *      ^                 |                   |  ^                           |  nothing for 3 s  ^
 *      |               refused            locked | login                    +-------------------+
 *      +------ closed, refused (back-off 250 ms..2 s) ------- from everywhere
 * ```
 *
 * A cable has no word for "the board was restarted": the port stays, and whoever speaks on it speaks to people again. So
 * silence is answered with `json on` in any state, and a greeting is never held for an answer: only an item counts.
 *
 * Rejected: waiting for the prompt before anything is sent. Kernel messages look like anything, prompts included.
 */
import type { ConsoleItem, ConsoleRequest } from '../../firmware-host/console/console-schema.ts';
import { readItem } from './items.ts';
import { LineSplitter } from './line-splitter.ts';

export type AttachmentPhase =
  | 'waiting'
  | 'opening'
  /** The port is open; nothing of ours has been understood on it yet. */
  | 'greeting'
  /** The console wants a password first. */
  | 'locked'
  | 'live'
  /** Open, but nothing has come for `silentAfterMs`. */
  | 'silent'
  /** Left on purpose, or lost with `reconnect` off. */
  | 'ended';

export type AttachmentInput =
  | { kind: 'begin' }
  | { kind: 'opened' }
  /** The port could not be opened. */
  | { kind: 'refused'; text: string }
  | { kind: 'closed'; text: string }
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'tick' }
  /** The user's, or the watch's wish; without effect while nobody listens. */
  | { kind: 'request'; request: ConsoleRequest }
  | { kind: 'login'; password: string }
  /** Closes what is open and begins anew, without back-off. */
  | { kind: 'reconnect' }
  | { kind: 'leave' };

/** To be carried out in their order. */
export type AttachmentEffect =
  | { kind: 'open' }
  | { kind: 'close' }
  | { kind: 'write'; text: string }
  | { kind: 'item'; item: ConsoleItem }
  /** Nothing of ours: for the log and the raw view. */
  | { kind: 'noise'; line: string }
  | { kind: 'round-trip'; board: 'a' | 'b'; sentAtMs: number; boardMs: number; receivedAtMs: number }
  | { kind: 'phase'; phase: AttachmentPhase; text: string }
  /** Call again with `tick` at this time. The latest value wins. */
  | { kind: 'wake'; atMs: number };

export interface AttachmentOptions {
  /** A Unix socket speaks JSON from the start; a terminal line has to be asked. */
  kind: 'socket' | 'line';
  /** Open again after a loss. */
  reconnect: boolean;
  password: string | null;
}

const retryMs = 250;
const retryMsMax = 2000;
const greetMs = 1500;
const silentAfterMs = 3000;
/** How often a status is asked for, to measure the round trip: a question and an answer a second. */
const questionMs = 1000;
/** An answer that comes later belongs to a line that was lost meanwhile. */
const answerMsMax = 10_000;

/** Ctrl-U first: whatever someone left half typed on the line is not to be joined with ours. */
const greeting = '\u0015json on\r';
const farewell = 'json off\n';

export class Attachment {
  phase: AttachmentPhase = 'waiting';
  readonly #options: AttachmentOptions;
  readonly #lines = new LineSplitter();
  #retryMs = retryMs;
  #heardAtMs = 0;
  #greetAtMs = 0;
  #askAtMs = 0;
  #openAtMs = 0;
  #lastId = 0;
  readonly #asked = new Map<number, number>();
  /** One attempt with a password until it was right: a second one would only lock the console for longer. */
  #hasLoggedIn = false;
  /** A `hello` has come: without it (the line was in JSON mode already) the timing is not known, and `json on` brings it. */
  #isGreeted = false;

  constructor(options: AttachmentOptions) {
    this.#options = options;
  }

  step(now: number, input: AttachmentInput): AttachmentEffect[] {
    if (this.phase === 'ended') return [];
    switch (input.kind) {
      case 'begin':
        return this.#open();
      case 'opened':
        return this.#opened(now);
      case 'refused':
      case 'closed':
        return this.#lost(now, input.text);
      case 'bytes':
        return [...this.#heard(now, input.bytes), ...this.#wake()];
      case 'tick':
        return this.#tick(now);
      case 'request':
        return this.#isOpen() ? [this.#request(input.request)] : [];
      case 'login':
        return this.#isOpen() ? this.#login(now, input.password) : [];
      case 'reconnect':
        return this.#isOpen() ? [{ kind: 'close' }, ...this.#open()] : this.#open();
      case 'leave':
        return this.#leave();
    }
  }

  #isOpen(): boolean {
    return this.phase !== 'waiting' && this.phase !== 'opening' && this.phase !== 'ended';
  }

  #enter(phase: AttachmentPhase, text: string): AttachmentEffect[] {
    if (this.phase === phase) return [];
    this.phase = phase;
    return [{ kind: 'phase', phase, text }];
  }

  #open(): AttachmentEffect[] {
    this.#lines.reset();
    this.#asked.clear();
    this.#hasLoggedIn = false;
    this.#isGreeted = false;
    return [...this.#enter('opening', 'opens the port'), { kind: 'open' }];
  }

  #opened(now: number): AttachmentEffect[] {
    this.#heardAtMs = now;
    this.#askAtMs = now + questionMs;
    return [...this.#enter('greeting', 'the port is open'), ...this.#greet(now), ...this.#wake()];
  }

  #greet(now: number): AttachmentEffect[] {
    this.#greetAtMs = now + greetMs;
    return this.#options.kind === 'line' ? [{ kind: 'write', text: greeting }] : [];
  }

  #lost(now: number, text: string): AttachmentEffect[] {
    if (!this.#options.reconnect) return this.#enter('ended', text);
    // A port that was open was there a moment ago: look soon. One that is missing is looked for ever more seldom.
    this.#retryMs = this.#isOpen() ? retryMs : Math.min(retryMsMax, this.#retryMs * 2);
    this.#openAtMs = now + this.#retryMs;
    return [...this.#enter('waiting', text), ...this.#wake()];
  }

  #leave(): AttachmentEffect[] {
    const isOpen = this.#isOpen();
    const effects: AttachmentEffect[] = [];
    // Whoever comes next with a bare terminal program finds a prompt.
    if (isOpen && this.#options.kind === 'line') effects.push({ kind: 'write', text: farewell });
    if (isOpen || this.phase === 'opening') effects.push({ kind: 'close' });
    return [...effects, ...this.#enter('ended', 'left')];
  }

  #wake(): AttachmentEffect[] {
    switch (this.phase) {
      case 'waiting':
        return [{ kind: 'wake', atMs: this.#openAtMs }];
      case 'greeting':
      case 'silent':
      case 'locked':
        return [{ kind: 'wake', atMs: this.#greetAtMs }];
      case 'live':
        return [{ kind: 'wake', atMs: Math.min(this.#heardAtMs + silentAfterMs, this.#askAtMs) }];
      default:
        return [];
    }
  }

  #tick(now: number): AttachmentEffect[] {
    const effects: AttachmentEffect[] = [];
    if (this.phase === 'waiting' && now >= this.#openAtMs) return this.#open();
    if ((this.phase === 'greeting' || this.phase === 'silent') && now >= this.#greetAtMs) {
      effects.push(...this.#greet(now), ...this.#ask(now));
    } else if (this.phase === 'locked' && now >= this.#greetAtMs) {
      // Being locked out is no fault of the line: nothing is to be asked until someone knows the password.
      this.#greetAtMs = now + greetMs;
    } else if (this.phase === 'live') {
      if (now - this.#heardAtMs >= silentAfterMs) {
        this.#isGreeted = false;
        effects.push(...this.#enter('silent', 'the console says nothing'), ...this.#greet(now));
      } else if (now >= this.#askAtMs) {
        if (!this.#isGreeted) effects.push(...this.#greet(now));
        effects.push(...this.#ask(now));
      }
    }
    return [...effects, ...this.#wake()];
  }

  /** Also what finds a line that hung up: a lost serial port is noticed when it is written to. */
  #ask(now: number): AttachmentEffect[] {
    this.#askAtMs = now + questionMs;
    for (const [id, sentAtMs] of this.#asked) {
      if (now - sentAtMs > answerMsMax) this.#asked.delete(id);
    }
    const write = this.#request({ command: 'status' });
    this.#asked.set(this.#lastId, now);
    return [write];
  }

  #request(request: ConsoleRequest): AttachmentEffect {
    this.#lastId += 1;
    const line = JSON.stringify({ id: this.#lastId, ...request });
    return { kind: 'write', text: `${line}\n` };
  }

  #login(now: number, password: string): AttachmentEffect[] {
    this.#hasLoggedIn = true;
    this.#greetAtMs = now + greetMs;
    return [
      this.#request({ command: `login ${asOneWord(password)}` }),
      this.#request({ command: 'json on' }),
    ];
  }

  #heard(now: number, bytes: Uint8Array): AttachmentEffect[] {
    const effects: AttachmentEffect[] = [];
    for (const line of this.#lines.push(bytes)) {
      const reading = readItem(line);
      if (reading.kind === 'noise') effects.push({ kind: 'noise', line });
      else if (reading.kind === 'foreign') {
        const text = `the console speaks schema ${reading.schema}: use the monitor of its own version`;
        effects.push(...this.#enter('greeting', text), { kind: 'noise', line });
      } else effects.push(...this.#said(now, reading.item));
    }
    return effects;
  }

  #said(now: number, item: ConsoleItem): AttachmentEffect[] {
    this.#heardAtMs = now;
    this.#retryMs = retryMs;
    const effects: AttachmentEffect[] = [];
    if (item.kind === 'hello') effects.push(...this.#greeted(now, item.locked));
    else if (item.kind === 'error' && item.code === 'LOGIN_NEEDED') effects.push(...this.#greeted(now, true));
    else if (item.kind === 'status' || (this.phase !== 'locked' && item.kind !== 'error')) {
      effects.push(...this.#enter('live', 'attached'));
    }
    if (item.answers !== undefined && item.kind === 'status') {
      const sentAtMs = this.#asked.get(Number(item.answers));
      this.#asked.delete(Number(item.answers));
      if (sentAtMs !== undefined) {
        const { board, monotonicMs: boardMs } = item;
        effects.push({ kind: 'round-trip', board, sentAtMs, boardMs, receivedAtMs: now });
      }
    }
    return [...effects, { kind: 'item', item }];
  }

  #greeted(now: number, isLocked: boolean): AttachmentEffect[] {
    if (!isLocked) {
      this.#isGreeted = true;
      this.#hasLoggedIn = false;
      return [
        ...this.#enter('live', 'attached'),
        this.#request({ command: 'events' }),
        this.#request({ command: 'explain' }),
        ...this.#ask(now),
      ];
    }
    this.#greetAtMs = now + greetMs;
    const effects = this.#enter('locked', 'the console wants a password');
    const { password } = this.#options;
    if (password !== null && !this.#hasLoggedIn) effects.push(...this.#login(now, password));
    return effects;
  }
}

/** A password is one word of a command line, whatever is in it; not even the console can take one with both kinds of quotes. */
function asOneWord(text: string): string {
  if (!/[\s'"]|^--/.test(text)) return text;
  return text.includes('"') ? `'${text}'` : `"${text}"`;
}
