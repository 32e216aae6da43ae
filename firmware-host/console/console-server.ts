/**
 * A board's local console: NDJSON over a Unix socket. Whoever connects gets every report of the board and its
 * status ten times a second, and may give commands, one JSON object a line:
 *
 *   {"command":"switchover","reason":"maintenance"}   {"command":"lead","reason":"..."}   {"command":"status"}
 *
 * The socket is reachable for the board's own user only (mode 0600).
 */
import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { ReadlineParser } from '@serialport/parser-readline';
import type { OperatorCommand, Report } from '../supervisor/effects.ts';
import type { BoardStatus } from '../supervisor/status.ts';

export const consoleSchema = 1;
const statusIntervalMs = 100;
const lineBytesMax = 4096;

export interface ConsoleHost {
  status(): BoardStatus & { pid: number; replicaPid: number | null; monotonicMs: number };
  command(command: OperatorCommand, reason: string): void;
}

export type ConsoleItem =
  | ({ schema: 1; kind: 'status' } & ReturnType<ConsoleHost['status']>)
  | { schema: 1; kind: 'report'; board: 'a' | 'b'; monotonicMs: number; report: Report }
  | { schema: 1; kind: 'error'; text: string };

export class ConsoleServer {
  readonly #host: ConsoleHost;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #path: string;
  readonly #timer: NodeJS.Timeout;

  constructor(path: string, host: ConsoleHost, onError: (message: string) => void) {
    this.#host = host;
    this.#path = path;
    // A socket file without a server behind it is left by a board that was killed.
    if (existsSync(path)) unlinkSync(path);
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.on('error', (error) => onError(error.message));
    this.#server.listen(path, () => chmodSync(path, 0o600));
    this.#timer = setInterval(() => this.#tellStatus(), statusIntervalMs);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const lines = socket.pipe(new ReadlineParser({ delimiter: '\n' }));
    lines.on('data', (line: string) => this.#obey(socket, line));
    this.#send(socket, this.#status());
  }

  #status(): ConsoleItem {
    return { schema: consoleSchema, kind: 'status', ...this.#host.status() };
  }

  #tellStatus(): void {
    if (this.#sockets.size > 0) this.tell(this.#status());
  }

  #obey(socket: Socket, line: string): void {
    if (line.trim() === '') return;
    let order: { command?: unknown; reason?: unknown };
    try {
      if (line.length > lineBytesMax) throw new Error(`a line has at most ${lineBytesMax} characters`);
      order = JSON.parse(line) as typeof order;
    } catch (error) {
      this.#send(socket, {
        schema: consoleSchema,
        kind: 'error',
        text: `not a JSON object: ${(error as Error).message}`,
      });
      return;
    }
    const reason = typeof order?.reason === 'string' ? order.reason : 'no reason given';
    if (order?.command === 'switchover' || order?.command === 'lead')
      this.#host.command(order.command, reason);
    else if (order?.command === 'status') this.#send(socket, this.#status());
    else {
      const text = 'command must be one of switchover, lead, status';
      this.#send(socket, { schema: consoleSchema, kind: 'error', text });
    }
  }

  #send(socket: Socket, item: ConsoleItem): void {
    // A reader that does not read must not make the board hoard.
    if (socket.writableLength < 256 * 1024) socket.write(`${JSON.stringify(item)}\n`);
  }

  tell(item: ConsoleItem): void {
    if (this.#sockets.size === 0) return;
    for (const socket of this.#sockets) this.#send(socket, item);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    if (existsSync(this.#path)) unlinkSync(this.#path);
  }
}
