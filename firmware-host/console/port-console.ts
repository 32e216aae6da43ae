/**
 * A console on a serial port or pseudo-terminal. The port may vanish and come back (a USB adapter, a terminal server):
 * each opening is a new session, and a password that was given is asked for again.
 *
 *   opening --open--> attached --hung up, error--> waiting --back-off over--> opening
 */
import { PromptSerialPort } from '../links/prompt-serial-port.ts';
import type { ConsoleBoard } from './console-board.ts';
import type { EventOnConsole } from './console-schema.ts';
import type { Password } from './login.ts';
import { LoginGate } from './login-gate.ts';
import { isPassword } from './password.ts';
import { SessionDriver } from './session-driver.ts';

export interface PortConsoleOptions {
  path: string;
  baudRate: number;
  /** Hash of the password, null for none. */
  password: string | null;
  board: ConsoleBoard;
  onFault(code: string, text: string): void;
}

const reopenMs = { least: 100, most: 2000 };
/** What may wait to be sent: three seconds of a line at 115200 baud. */
const unsentBytesMax = 32 * 1024;
/** A status of this size may take this share of the line. */
const statusBytes = 2500;
const statusShare = 0.25;
const bitsPerByte = 10;

export class PortConsole {
  readonly #options: PortConsoleOptions;
  readonly #password: Password | null;
  #port: PromptSerialPort | null = null;
  #session: SessionDriver | null = null;
  #reopenMs = reopenMs.least;
  #timer: NodeJS.Timeout | null = null;
  #lastFault = '';
  #closed = false;

  constructor(options: PortConsoleOptions) {
    this.#options = options;
    const { password } = options;
    this.#password = password === null ? null : this.#passwordOf(password);
    this.#open();
  }

  #passwordOf(hash: string): Password {
    return {
      gate: new LoginGate(),
      check: (text, done) => {
        isPassword(text, hash).then(done, () => done(false));
      },
    };
  }

  #open(): void {
    this.#timer = null;
    const { path, baudRate } = this.#options;
    const port = new PromptSerialPort({ path, baudRate });
    this.#port = port;
    port.on('data', (bytes: Buffer) => {
      if (port === this.#port) this.#session?.bytes(bytes);
    });
    port.on('error', (error) => this.#lost(port, 'CONSOLE_PORT_LOST', error.message));
    port.on('close', () => this.#lost(port, 'CONSOLE_PORT_LOST', 'the port went away'));
    port.open((error) => {
      if (port !== this.#port) {
        if (port.isOpen) port.close(() => {});
        return;
      }
      if (error) this.#lost(port, 'CONSOLE_PORT_UNAVAILABLE', error.message);
      else this.#attach(port);
    });
  }

  #attach(port: PromptSerialPort): void {
    const { board, baudRate, path } = this.#options;
    this.#reopenMs = reopenMs.least;
    this.#lastFault = '';
    const statusIntervalMs = Math.ceil((statusBytes * bitsPerByte * 1000) / (baudRate * statusShare));
    this.#session = new SessionDriver({
      name: path,
      board,
      mode: 'text',
      statusIntervalMs: Math.max(1000, statusIntervalMs),
      password: this.#password,
      write: (text, isAsked) => {
        const bytesMax = isAsked ? unsentBytesMax : unsentBytesMax / 2;
        if (port !== this.#port || port.writableLength > bytesMax) return false;
        port.write(text, (error) => {
          if (error) this.#lost(port, 'CONSOLE_PORT_LOST', error.message);
        });
        return true;
      },
    });
  }

  #lost(port: PromptSerialPort, code: string, reason: string): void {
    if (port !== this.#port || this.#closed) return;
    this.#port = null;
    this.#session?.close();
    this.#session = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (port.isOpen) port.close(() => {});
    // Once a reason, not once a try.
    if (this.#lastFault !== code) this.#options.onFault(code, `console ${this.#options.path}: ${reason}`);
    this.#lastFault = code;
    this.#timer = setTimeout(() => this.#open(), this.#reopenMs);
    this.#timer.unref();
    this.#reopenMs = Math.min(this.#reopenMs * 2, reopenMs.most);
  }

  event(event: EventOnConsole): void {
    this.#session?.event(event);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#session?.close();
    this.#session = null;
    const port = this.#port;
    this.#port = null;
    if (port?.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
  }
}
