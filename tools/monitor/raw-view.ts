/**
 * The pass-through: what the port says goes to the screen, what is typed goes to the port, byte for byte. For when things are
 * odd: every byte can be seen as hex, every line can have the time at which it began. Ctrl-T is the way out, as in `tio`.
 *
 * Pure: bytes and keys come in, bytes for the screen, the port and the log go out.
 */
import { hexLines } from './hex.ts';
import { timeOfDay } from './words.ts';

export type RawEffect =
  /** Text of ours and bytes of the port, for the screen. */
  | { kind: 'screen'; bytes: Uint8Array }
  | { kind: 'port'; bytes: Uint8Array }
  /** A whole line that the port has said, in the clear or as hex. */
  | { kind: 'log'; line: string }
  | { kind: 'quit' }
  | { kind: 'reconnect' }
  | { kind: 'toggle-log' };

export interface RawOptions {
  label: string;
  isHex: boolean;
  hasTimestamps: boolean;
  /** False where nobody types: then every byte is for the port. */
  hasMenu: boolean;
}

const ctrlC = 0x03;
const ctrlT = 0x14;
const lineBytesMax = 4096;
const hexBytesPerLine = 16;

const menu = [
  'Ctrl-T ?  this help           Ctrl-T q  quit',
  'Ctrl-T l  clear the screen    Ctrl-T r  reconnect',
  'Ctrl-T t  timestamps on, off  Ctrl-T o  hex on, off',
  'Ctrl-T f  log on, off         Ctrl-T s  statistics',
  'Ctrl-T x  send a line         Ctrl-T Ctrl-T  send Ctrl-T',
];

export class RawView {
  readonly #options: RawOptions;
  readonly #encoder = new TextEncoder();
  #isHex: boolean;
  #hasTimestamps: boolean;
  #isInMenu = false;
  /** What is typed after Ctrl-T x; null: keys are for the port. */
  #typed: string | null = null;
  #isLineBegun = false;
  #line: number[] = [];
  #received = 0;
  #sent = 0;

  constructor(options: RawOptions) {
    this.#options = options;
    this.#isHex = options.isHex;
    this.#hasTimestamps = options.hasTimestamps;
  }

  received(wallTimeMs: number, bytes: Uint8Array): RawEffect[] {
    this.#received += bytes.length;
    const effects: RawEffect[] = [];
    for (const byte of bytes) {
      if (byte === 0x0a || byte === 0x0d || this.#line.length >= lineBytesMax)
        effects.push(...this.#logged());
      if (byte !== 0x0a && byte !== 0x0d) this.#line.push(byte);
    }
    effects.unshift({
      kind: 'screen',
      bytes: this.#isHex ? this.#shownAsHex(wallTimeMs, bytes) : this.#shown(wallTimeMs, bytes),
    });
    return effects;
  }

  #logged(): RawEffect[] {
    if (this.#line.length === 0) return [];
    const bytes = Uint8Array.from(this.#line);
    this.#line = [];
    if (this.#isHex) return hexLines(bytes, hexBytesPerLine).map((line) => ({ kind: 'log', line }));
    return [{ kind: 'log', line: new TextDecoder().decode(bytes) }];
  }

  #stamp(wallTimeMs: number): string {
    return this.#hasTimestamps ? `[${timeOfDay(wallTimeMs)}] ` : '';
  }

  #shown(wallTimeMs: number, bytes: Uint8Array): Uint8Array {
    if (!this.#hasTimestamps) {
      this.#isLineBegun = bytes.at(-1) !== 0x0a;
      return bytes;
    }
    const stamp = this.#encoder.encode(this.#stamp(wallTimeMs));
    const shown: number[] = [];
    for (const byte of bytes) {
      if (!this.#isLineBegun && byte !== 0x0a && byte !== 0x0d) {
        shown.push(...stamp);
        this.#isLineBegun = true;
      }
      shown.push(byte);
      if (byte === 0x0a) this.#isLineBegun = false;
    }
    return Uint8Array.from(shown);
  }

  #shownAsHex(wallTimeMs: number, bytes: Uint8Array): Uint8Array {
    const lines = hexLines(bytes, hexBytesPerLine).map((line) => `${this.#stamp(wallTimeMs)}${line}\r\n`);
    const begin = this.#isLineBegun ? '\r\n' : '';
    this.#isLineBegun = false;
    return this.#encoder.encode(begin + lines.join(''));
  }

  /** Words of ours: on a line of their own. */
  say(text: string): RawEffect {
    const begin = this.#isLineBegun ? '\r\n' : '';
    this.#isLineBegun = false;
    return { kind: 'screen', bytes: this.#encoder.encode(`${begin}[understudy] ${text}\r\n`) };
  }

  typed(bytes: Uint8Array): RawEffect[] {
    if (!this.#options.hasMenu) return this.#toPort([...bytes]);
    const effects: RawEffect[] = [];
    let forPort: number[] = [];
    for (const byte of bytes) {
      if (!this.#isInMenu && this.#typed === null && byte !== ctrlT) {
        forPort.push(byte);
        continue;
      }
      effects.push(...this.#toPort(forPort));
      forPort = [];
      effects.push(...this.#key(byte));
    }
    return [...effects, ...this.#toPort(forPort)];
  }

  #toPort(bytes: number[]): RawEffect[] {
    this.#sent += bytes.length;
    return bytes.length === 0 ? [] : [{ kind: 'port', bytes: Uint8Array.from(bytes) }];
  }

  #key(byte: number): RawEffect[] {
    if (this.#typed !== null) return this.#typing(byte);
    if (!this.#isInMenu) {
      this.#isInMenu = true;
      return [];
    }
    this.#isInMenu = false;
    if (byte === ctrlT) return this.#toPort([ctrlT]);
    if (byte === ctrlC) return [{ kind: 'quit' }];
    return this.#chosen(String.fromCharCode(byte).toLowerCase());
  }

  #chosen(key: string): RawEffect[] {
    switch (key) {
      case 'q':
        return [{ kind: 'quit' }];
      case 'r':
        return [this.say('reconnects'), { kind: 'reconnect' }];
      case 'l':
        this.#isLineBegun = false;
        return [{ kind: 'screen', bytes: this.#encoder.encode('\u001b[2J\u001b[H') }];
      case 't':
        this.#hasTimestamps = !this.#hasTimestamps;
        return [this.say(`timestamps ${this.#hasTimestamps ? 'on' : 'off'}`)];
      case 'o':
      case 'h':
        this.#isHex = !this.#isHex;
        return [this.say(`hex ${this.#isHex ? 'on' : 'off'}`)];
      case 'f':
        return [{ kind: 'toggle-log' }];
      case 's':
        return [this.say(`${this.#options.label}: ${this.#received} bytes in, ${this.#sent} bytes out`)];
      case 'x':
        this.#typed = '';
        return [this.say('line to send (Enter: send, Esc: not):')];
      default:
        return menu.map((line) => this.say(line));
    }
  }

  #typing(byte: number): RawEffect[] {
    const text = this.#typed ?? '';
    if (byte === 0x1b || byte === ctrlC) {
      this.#typed = null;
      return [this.say('nothing was sent')];
    }
    if (byte === 0x0d || byte === 0x0a) {
      this.#typed = null;
      return [this.say(`sent: ${text}`), ...this.#toPort([...this.#encoder.encode(`${text}\r`)])];
    }
    this.#typed = byte === 0x7f || byte === 0x08 ? text.slice(0, -1) : text + String.fromCharCode(byte);
    return [];
  }
}
