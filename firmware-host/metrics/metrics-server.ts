/**
 * `/metrics` and `/health` over HTTP, on a loopback address: whoever is on the machine may read them, and only read. A
 * scraper elsewhere comes through a reverse proxy, which has the means to keep others out.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { SocketAddress } from '../config/schema.ts';
import type { Health } from './health.ts';

export interface MetricsSource {
  metrics(): Promise<{ contentType: string; body: string }>;
  health(): Health;
}

/** A client that does not get on must not keep the board busy. */
const requestMsMax = 5_000;
const connectionsMax = 16;

export class MetricsServer {
  readonly #server: Server;
  readonly #source: MetricsSource;

  constructor(listen: SocketAddress, source: MetricsSource, onFault: (text: string) => void) {
    this.#source = source;
    this.#server = createServer(
      { requestTimeout: requestMsMax, headersTimeout: requestMsMax },
      (request, response) => {
        this.#answer(request, response).catch((error: Error) => {
          onFault(`a request failed: ${error.message}`);
          response.destroy();
        });
      },
    );
    this.#server.maxConnections = connectionsMax;
    this.#server.on('error', (error) =>
      onFault(`metrics at ${listen.address}:${listen.port}: ${error.message}`),
    );
    this.#server.listen(listen.port, listen.address);
    // A board that has ended is not kept alive by those who watch it.
    this.#server.unref();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const path = (request.url ?? '').split('?')[0];
    const isHead = request.method === 'HEAD';
    if (!isHead && request.method !== 'GET') {
      send(response, 405, { allow: 'GET, HEAD' }, 'only GET and HEAD\n', isHead);
    } else if (path === '/metrics') {
      const { contentType, body } = await this.#source.metrics();
      send(response, 200, { 'content-type': contentType }, body, isHead);
    } else if (path === '/health') {
      const health = this.#source.health();
      const body = `${JSON.stringify(health)}\n`;
      send(response, health.healthy ? 200 : 503, { 'content-type': 'application/json' }, body, isHead);
    } else send(response, 404, {}, 'there are /metrics and /health\n', isHead);
  }

  /** The port that it listens on; null while it does not. */
  get port(): number | null {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? null : address.port;
  }

  /** Resolves when it listens. For tests, which have any free port chosen. */
  listening(): Promise<void> {
    return this.#server.listening
      ? Promise.resolve()
      : new Promise((resolve) => this.#server.once('listening', resolve));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function send(
  response: ServerResponse,
  code: number,
  headers: Record<string, string>,
  body: string,
  isHead: boolean,
): void {
  const bytes = Buffer.from(body);
  const type = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
  response.writeHead(code, { ...type, 'content-length': bytes.length, ...headers });
  response.end(isHead ? undefined : bytes);
}
