/**
 * The local console: a Unix socket that the board's own user alone can reach (mode 0600), in JSON mode from the start. Programs
 * send whole lines, so they are parsed with @serialport/parser-readline; a line that never ends is cut off before
 * the parser, which would keep all of it.
 */
import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { ReadlineParser } from '@serialport/parser-readline';
import type { ConsoleBoard } from './console-board.ts';
import { type EventOnConsole, lineBytesMax } from './console-schema.ts';
import { SessionDriver } from './session-driver.ts';

const statusIntervalMs = 100;
/** A reader that does not read must not make the board hoard. */
const unreadBytesMax = 256 * 1024;
const connectionsMax = 16;
const newline = 0x0a;

export class SocketConsole {
  readonly #board: ConsoleBoard;
  readonly #path: string;
  readonly #server: Server;
  readonly #connections = new Map<Socket, SessionDriver>();

  constructor(path: string, board: ConsoleBoard, onFault: (text: string) => void) {
    this.#board = board;
    this.#path = path;
    // A socket file without a server behind it is left by a board that was killed.
    if (existsSync(path)) unlinkSync(path);
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = connectionsMax;
    this.#server.on('error', (error) => onFault(`${path}: ${error.message}`));
    this.#server.listen(path, () => chmodSync(path, 0o600));
  }

  #accept(socket: Socket): void {
    const session = new SessionDriver({
      name: 'socket',
      board: this.#board,
      mode: 'json',
      statusIntervalMs,
      password: null,
      write: (text, isAsked) => {
        const bytesMax = isAsked ? unreadBytesMax : unreadBytesMax / 2;
        if (socket.destroyed || socket.writableLength > bytesMax) return false;
        socket.write(text);
        return true;
      },
    });
    this.#connections.set(socket, session);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#connections.delete(socket);
      session.close();
    });
    const parser = new ReadlineParser({ delimiter: '\n' });
    parser.on('data', (line: string) => session.line(line.replace(/\r$/, '')));
    const guard = new LineGuard(() => session.line('', true));
    socket.on('data', (chunk: Buffer) => {
      for (const part of guard.pass(chunk)) parser.write(part);
    });
  }

  event(event: EventOnConsole): void {
    for (const session of this.#connections.values()) session.event(event);
  }

  close(): void {
    for (const [socket, session] of this.#connections) {
      session.close();
      socket.destroy();
    }
    this.#connections.clear();
    this.#server.close();
    if (existsSync(this.#path)) unlinkSync(this.#path);
  }
}

/** Lets lines of at most `lineBytesMax` bytes through, whole; of a longer one nothing but word that it came. */
export class LineGuard {
  readonly #onTooLong: () => void;
  /** What has come of a line that has not ended. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #tooLong = false;

  constructor(onTooLong: () => void) {
    this.#onTooLong = onTooLong;
  }

  /** Whole lines with their ends. */
  pass(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      this.#hold(chunk.subarray(from, at + 1));
      from = at + 1;
      if (this.#tooLong) this.#onTooLong();
      else lines.push(Buffer.concat(this.#held));
      this.#held = [];
      this.#heldBytes = 0;
      this.#tooLong = false;
    }
    this.#hold(chunk.subarray(from));
    return lines;
  }

  #hold(part: Buffer): void {
    this.#heldBytes += part.length;
    // One more for the line's end.
    if (this.#heldBytes > lineBytesMax + 1) {
      this.#tooLong = true;
      this.#held = [];
    } else if (part.length > 0) this.#held.push(part);
  }
}
