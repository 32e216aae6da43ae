/** stdin fed by events; stdout and stderr as outputs. */
import { Readable, Writable } from 'node:stream';

/** A program sees a pipe: no `isTTY`, no `columns`. Ending or destroying it does nothing, as in Node. */
export class ConsoleStream extends Writable {
  readonly fd: number;
  readonly _type = 'pipe';
  readonly _isStdio = true;
  readonly #emitBytes: (bytes: Uint8Array) => void;

  constructor(fd: 1 | 2, emitBytes: (bytes: Uint8Array) => void) {
    super({ decodeStrings: true, autoDestroy: false, emitClose: false });
    this.fd = fd;
    this.#emitBytes = emitBytes;
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    // A copy: the program may reuse its buffer before the turn ends.
    if (chunk.length > 0) this.#emitBytes(Uint8Array.from(chunk));
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    callback(error);
  }
}

/** Never ends unless an event says so: at end of file a johnny-five REPL leaves the program. */
export class StandardInput extends Readable {
  readonly fd = 0;
  readonly isTTY: boolean | undefined;
  isRaw = false;
  #referenced = true;
  #ended = false;

  constructor(isTerminal: boolean) {
    super({ autoDestroy: false, emitClose: false, read() {} });
    this.isTTY = isTerminal ? true : undefined;
  }

  /** Takes the bytes of a `stdin` event. */
  feed(bytes: Uint8Array): void {
    if (!this.#ended) this.push(Buffer.from(bytes));
  }

  /** Takes a `stdin-end` event. */
  feedEnd(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.push(null);
  }

  /** True while someone reads: what keeps a process alive in Node. */
  get listening(): boolean {
    if (this.readableEnded || this.destroyed || !this.#referenced) return false;
    return this.readableFlowing === true || this.listenerCount('readable') > 0;
  }

  setRawMode(raw: boolean): this {
    this.isRaw = raw;
    return this;
  }

  ref(): this {
    this.#referenced = true;
    return this;
  }

  unref(): this {
    this.#referenced = false;
    return this;
  }
}
