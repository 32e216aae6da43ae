/** A console's socket without a board: says what a test wants it to say, and keeps what it hears. */
import { existsSync, unlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { ConsoleItem, ConsoleRequest } from '../../firmware-host/console/console-schema.ts';

export class ConsoleSocket {
  readonly heard: ConsoleRequest[] = [];
  readonly #server;
  readonly #sockets = new Set<Socket>();

  private constructor(
    path: string,
    greeting: () => ConsoleItem[],
    answer: (request: ConsoleRequest) => ConsoleItem[],
  ) {
    if (existsSync(path)) unlinkSync(path);
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      for (const item of greeting()) socket.write(`${JSON.stringify(item)}\n`);
      createInterface({ input: socket })
        .on('error', () => {})
        .on('line', (line) => {
          const request = JSON.parse(line) as ConsoleRequest;
          this.heard.push(request);
          for (const item of answer(request)) {
            const { id } = request;
            socket.write(`${JSON.stringify({ ...item, ...(id === undefined ? {} : { answers: id }) })}\n`);
          }
        });
    });
  }

  static async listen(
    path: string,
    greeting: () => ConsoleItem[],
    answer: (request: ConsoleRequest) => ConsoleItem[] = () => [],
  ): Promise<ConsoleSocket> {
    const made = new ConsoleSocket(path, greeting, answer);
    await new Promise<void>((resolve, reject) => {
      made.#server.once('error', reject);
      made.#server.listen(path, resolve);
    });
    return made;
  }

  say(...items: ConsoleItem[]): void {
    for (const socket of this.#sockets) for (const item of items) socket.write(`${JSON.stringify(item)}\n`);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
