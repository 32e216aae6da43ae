/**
 * A board's consoles: the local socket, and every port that the config names. What the board reports goes to all of them;
 * what one of them orders, the board does (docs/console.md).
 */
import type { ConsolePortConfig } from '../config/config.ts';
import type { Report } from '../supervisor/effects.ts';
import type { BoardOnConsole } from './board-on-console.ts';
import { PortConsole } from './port-console.ts';
import { SocketConsole } from './socket-console.ts';

export interface ConsoleServerOptions {
  board: BoardOnConsole;
  /** Path of the local socket. */
  socket: string;
  ports: readonly ConsolePortConfig[];
  /** A console is not there, or not any more: worth a report, never the board's end. */
  onFault(report: Report): void;
}

export class ConsoleServer {
  readonly #socket: SocketConsole;
  readonly #ports: PortConsole[];
  readonly #board: BoardOnConsole;

  constructor({ board, socket, ports, onFault }: ConsoleServerOptions) {
    const fault = (code: string, text: string): void => onFault({ level: 'warning', code, text });
    this.#board = board;
    this.#socket = new SocketConsole(socket, board, (text) => fault('CONSOLE_UNAVAILABLE', text));
    this.#ports = ports.map((port) => new PortConsole({ ...port, board, onFault: fault }));
  }

  tell(report: Report): void {
    const event = this.#board.reported(report);
    this.#socket.event(event);
    for (const port of this.#ports) port.event(event);
  }

  async close(): Promise<void> {
    this.#socket.close();
    await Promise.all(this.#ports.map((port) => port.close()));
  }
}
