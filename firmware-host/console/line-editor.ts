/**
 * Keys in, lines out: what makes a bare terminal program on a serial line usable. The other end sends every key as it is
 * pressed and shows what we send back, so echo, cursor, history and completion are ours.
 *
 *   bytes -> UTF-8 -> keys (control sequences are put together) -> the line that is edited -> `line`, when it is ended
 *                                                                \-> what the terminal has to show
 *
 * The line may carry anything else too: log and kernel messages, another computer's login prompt, a wrong baud rate. So
 * every state is bounded, what is no key of ours is dropped, and a line that was too long is never cut to a shorter one:
 * half a command is another command.
 *
 * A terminal of 80 columns is assumed, as nobody tells us its width; a longer line scrolls sideways within it.
 */

export type EditorItem =
  /** To the terminal. */
  | { kind: 'show'; text: string }
  /** A line was ended. `tooLong`: part of it was dropped. */
  | { kind: 'line'; text: string; tooLong: boolean }
  /** Ctrl-C: whatever was begun is not wanted. */
  | { kind: 'cancel' }
  /** Ctrl-D on an empty line. */
  | { kind: 'end' };

export interface EditorOptions {
  /** Longest line in UTF-8 bytes. */
  lineBytesMax: number;
  /** The words that may follow what stands before the cursor, each a whole word; for Tab. */
  complete(before: string): string[];
}

const columns = 80;
const historyMax = 50;
/** A control sequence that is longer than that is noise. */
const sequenceMax = 32;
/** So is a string sequence (a window title): it is read over up to this length. */
const stringSequenceMax = 256;
const bell = '\u0007';

type Sequence =
  | { kind: 'escape' }
  | { kind: 'csi'; text: string }
  | { kind: 'ss3' }
  | { kind: 'string'; length: number };

export class LineEditor {
  /** False for programs: nothing is echoed, nothing is completed. */
  interactive = true;
  prompt = '';
  /** What is typed is not shown, nor remembered: a password. */
  secret = false;
  readonly #options: EditorOptions;
  #decoder = new TextDecoder('utf-8');
  #sequence: Sequence | null = null;
  #afterReturn = false;
  #characters: string[] = [];
  #cursor = 0;
  #bytes = 0;
  #tooLong = false;
  #history: string[] = [];
  /** The line of the history that is shown, or null; and what was typed before. */
  #historyAt: number | null = null;
  #draft = '';
  #items: EditorItem[] = [];

  constructor(options: EditorOptions) {
    this.#options = options;
  }

  get text(): string {
    return this.#characters.join('');
  }

  /** A new user at the line: nothing of the last one's is left. */
  reset(): void {
    this.#decoder = new TextDecoder('utf-8');
    this.#sequence = null;
    this.#afterReturn = false;
    this.#clear();
    this.#history = [];
    this.secret = false;
  }

  /** One by one, so that what a line leads to is shown before what was typed behind it. */
  *push(chunk: Uint8Array): Generator<EditorItem> {
    for (const character of this.#decoder.decode(chunk, { stream: true })) {
      this.#items = [];
      this.#take(character);
      yield* this.#items;
    }
  }

  /** What shows the prompt and the line that is edited, on a line of their own. */
  redraw(): string {
    if (!this.interactive) return '';
    const room = Math.max(8, columns - 1 - this.prompt.length);
    const shown = this.secret ? [] : this.#characters;
    const cursor = this.secret ? 0 : this.#cursor;
    const from = Math.max(0, cursor - room);
    const window = shown.slice(from, from + room).join('');
    const back = Math.min(shown.length, from + room) - cursor;
    return `\r${this.prompt}${window}\u001b[K${back > 0 ? `\u001b[${back}D` : ''}`;
  }

  // ---------------------------------------------------------------- keys

  #take(character: string): void {
    const code = character.codePointAt(0)!;
    if (this.#sequence !== null && this.#inSequence(this.#sequence, character, code)) return;
    const afterReturn = this.#afterReturn;
    this.#afterReturn = code === 0x0d;
    if (code === 0x0a && afterReturn) return;
    if (code === 0x0d || code === 0x0a) return this.#enter();
    if (code === 0x1b) {
      this.#sequence = { kind: 'escape' };
      return;
    }
    if (code < 0x20 || code === 0x7f) return this.#control(code);
    // C1 controls, what was no UTF-8, and what would change the direction or the lines of the terminal.
    if (
      (code >= 0x80 && code < 0xa0) ||
      code === 0xfffd ||
      /[\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]/u.test(character)
    )
      return;
    this.#insert(character);
  }

  /** Returns false when the character does not belong to the sequence. */
  #inSequence(sequence: Sequence, character: string, code: number): boolean {
    // A line's end and Ctrl-C end everything: a torn sequence must not swallow a command.
    if (code === 0x0d || code === 0x0a || code === 0x03) {
      this.#sequence = null;
      return false;
    }
    if (sequence.kind === 'escape') {
      if (character === '[') this.#sequence = { kind: 'csi', text: '' };
      else if (character === 'O') this.#sequence = { kind: 'ss3' };
      else if (']PX^_'.includes(character)) this.#sequence = { kind: 'string', length: 0 };
      else if (code !== 0x1b) {
        this.#sequence = null;
        if (character === 'b') this.#move(this.#wordLeft());
        else if (character === 'f') this.#move(this.#wordRight());
      }
      return true;
    }
    if (sequence.kind === 'string') {
      sequence.length += 1;
      if (code === 0x07 || code === 0x9c || sequence.length > stringSequenceMax) this.#sequence = null;
      else if (code === 0x1b) this.#sequence = { kind: 'escape' };
      return true;
    }
    if (sequence.kind === 'ss3') {
      this.#sequence = null;
      this.#sequenceKey(character);
      return true;
    }
    if (code >= 0x40 && code <= 0x7e) {
      this.#sequence = null;
      this.#sequenceKey(`${sequence.text}${character}`);
      return true;
    }
    sequence.text += character;
    if (code < 0x20 || code > 0x7e || sequence.text.length > sequenceMax) this.#sequence = null;
    return true;
  }

  #sequenceKey(name: string): void {
    switch (name) {
      case 'A':
        return this.#recall(-1);
      case 'B':
        return this.#recall(1);
      case 'C':
        return this.#move(this.#cursor + 1);
      case 'D':
        return this.#move(this.#cursor - 1);
      case '1;5C':
        return this.#move(this.#wordRight());
      case '1;5D':
        return this.#move(this.#wordLeft());
      case 'H':
      case '1~':
      case '7~':
        return this.#move(0);
      case 'F':
      case '4~':
      case '8~':
        return this.#move(this.#characters.length);
      case '3~':
        return this.#remove(this.#cursor, this.#cursor + 1);
    }
  }

  #control(code: number): void {
    switch (code) {
      case 0x01:
        return this.#move(0);
      case 0x02:
        return this.#move(this.#cursor - 1);
      case 0x03:
        this.#show('^C\r\n');
        this.#clear();
        this.#items.push({ kind: 'cancel' });
        return;
      case 0x04:
        if (this.#characters.length > 0) return this.#remove(this.#cursor, this.#cursor + 1);
        this.#items.push({ kind: 'end' });
        return;
      case 0x05:
        return this.#move(this.#characters.length);
      case 0x06:
        return this.#move(this.#cursor + 1);
      case 0x08:
      case 0x7f:
        return this.#remove(this.#cursor - 1, this.#cursor);
      case 0x09:
        return this.#complete();
      case 0x0b:
        return this.#remove(this.#cursor, this.#characters.length);
      case 0x0c:
        return this.#show(`\u001b[2J\u001b[H${this.redraw()}`);
      case 0x0e:
        return this.#recall(1);
      case 0x10:
        return this.#recall(-1);
      case 0x15:
        return this.#remove(0, this.#cursor);
      case 0x17:
        return this.#remove(this.#wordLeft(), this.#cursor);
    }
  }

  // ---------------------------------------------------------------- the line

  #insert(character: string): void {
    const bytes = byteLength(character);
    if (this.#tooLong || this.#bytes + bytes > this.#options.lineBytesMax) {
      this.#tooLong = true;
      this.#show(bell);
      return;
    }
    this.#bytes += bytes;
    const atEnd = this.#cursor === this.#characters.length;
    this.#characters.splice(this.#cursor, 0, character);
    this.#cursor += 1;
    if (this.secret) return;
    const fits = this.prompt.length + this.#characters.length < columns - 1;
    this.#show(atEnd && fits ? character : this.redraw());
  }

  #remove(from: number, to: number): void {
    if (from < 0 || from >= to || to > this.#characters.length) return;
    for (const character of this.#characters.splice(from, to - from)) this.#bytes -= byteLength(character);
    this.#cursor = from;
    this.#show(this.redraw());
  }

  #move(to: number): void {
    const cursor = Math.min(Math.max(to, 0), this.#characters.length);
    if (cursor === this.#cursor) return;
    this.#cursor = cursor;
    this.#show(this.redraw());
  }

  #wordLeft(): number {
    let at = this.#cursor;
    while (at > 0 && this.#characters[at - 1] === ' ') at -= 1;
    while (at > 0 && this.#characters[at - 1] !== ' ') at -= 1;
    return at;
  }

  #wordRight(): number {
    let at = this.#cursor;
    while (at < this.#characters.length && this.#characters[at] === ' ') at += 1;
    while (at < this.#characters.length && this.#characters[at] !== ' ') at += 1;
    return at;
  }

  #enter(): void {
    const { text } = this;
    const tooLong = this.#tooLong;
    this.#show('\r\n');
    if (this.interactive && !this.secret && !tooLong) this.#remember(text);
    this.#clear();
    this.#items.push({ kind: 'line', text, tooLong });
  }

  #remember(text: string): void {
    // A password has no place in a history that the next one at the terminal can leaf through.
    if (text.trim() === '' || /^\s*login\b/.test(text) || this.#history.at(-1) === text) return;
    this.#history.push(text);
    if (this.#history.length > historyMax) this.#history.shift();
  }

  #clear(): void {
    this.#characters = [];
    this.#cursor = 0;
    this.#bytes = 0;
    this.#tooLong = false;
    this.#historyAt = null;
    this.#draft = '';
  }

  #setText(text: string): void {
    this.#characters = [...text];
    this.#bytes = byteLength(text);
    this.#cursor = this.#characters.length;
    this.#show(this.redraw());
  }

  #recall(step: -1 | 1): void {
    if (!this.interactive || this.secret || this.#history.length === 0) return;
    const newest = this.#history.length;
    const at = (this.#historyAt ?? newest) + step;
    if (at < 0 || at > newest) return;
    if (this.#historyAt === null) this.#draft = this.text;
    this.#historyAt = at === newest ? null : at;
    this.#setText(at === newest ? this.#draft : this.#history[at]!);
  }

  // ---------------------------------------------------------------- completion

  #complete(): void {
    if (!this.interactive || this.secret || this.#tooLong) return;
    const before = this.#characters.slice(0, this.#cursor).join('');
    const begun = /\S*$/.exec(before)![0];
    const words = this.#options.complete(before).filter((word) => word.startsWith(begun));
    if (words.length === 0) return this.#show(bell);
    const shared = sharedBeginning(words);
    const rest = [...shared.slice(begun.length), ...(words.length === 1 ? [' '] : [])];
    if (rest.length > 0) {
      for (const character of rest) this.#insert(character);
      return;
    }
    this.#show(`\r\n${words.join('  ')}\r\n${this.redraw()}`);
  }

  #show(text: string): void {
    if (this.interactive) this.#items.push({ kind: 'show', text });
  }
}

function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function sharedBeginning(words: readonly string[]): string {
  let shared = words[0] ?? '';
  for (const word of words) while (!word.startsWith(shared)) shared = shared.slice(0, -1);
  return shared;
}
