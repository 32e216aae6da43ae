/** Gives a console session its time: the real clock, and a timer that is set to when the session wants to be called. */
import type { EventOnConsole } from './console-schema.ts';
import { ConsoleSession, type SessionOptions } from './console-session.ts';
import { monotonicMs } from './monotonic.ts';

export class SessionDriver {
  readonly #session: ConsoleSession;
  #timer: NodeJS.Timeout | null = null;
  #timerAt: number | null = null;
  #closed = false;

  constructor(options: SessionOptions) {
    this.#session = new ConsoleSession(options);
    this.#do((now) => this.#session.open(now));
  }

  bytes(chunk: Uint8Array): void {
    this.#do((now) => this.#session.bytes(now, chunk));
  }

  line(text: string, tooLong = false): void {
    this.#do((now) => this.#session.line(now, text, tooLong));
  }

  event(event: EventOnConsole): void {
    this.#do((now) => this.#session.event(now, event));
  }

  #do(run: (now: number) => void): void {
    if (this.#closed) return;
    run(monotonicMs());
    this.#schedule();
  }

  #schedule(): void {
    const at = this.#session.nextTickAt;
    if (at === this.#timerAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAt = at;
    if (at === null) return;
    this.#timer = setTimeout(
      () => {
        this.#timerAt = null;
        this.#do((now) => this.#session.tick(now));
      },
      Math.max(1, at - monotonicMs()),
    );
    // A console keeps no board alive.
    this.#timer.unref();
  }

  close(): void {
    this.#closed = true;
    this.#session.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
