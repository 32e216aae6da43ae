/** Both ends of a console line in virtual time: a session, and whoever types and reads at the other end. */
import { FakeConsoleBoard } from './console-board.fake.ts';
import type { ConsoleItem, EventOnConsole } from './console-schema.ts';
import { ConsoleSession, type SessionOptions } from './console-session.ts';

const encoder = new TextEncoder();

export class Line {
  readonly board = new FakeConsoleBoard();
  readonly session: ConsoleSession;
  now = 1000;
  /** What the other end has received since it was last looked at. */
  text = '';
  full = false;
  /** For what nobody asked for. */
  halfFull = false;

  constructor(options: Partial<SessionOptions> = {}) {
    this.session = new ConsoleSession({
      name: '/dev/ttyS1',
      board: this.board,
      mode: 'text',
      statusIntervalMs: 0,
      password: null,
      write: (text, isAsked) => {
        const isRefused = this.full || (this.halfFull && !isAsked);
        if (!isRefused) this.text += text;
        return !isRefused;
      },
      ...options,
    });
    this.session.open(this.now);
  }

  /** As it is shown at last: what was drawn over is gone. */
  take(): string {
    const text = this.text
      .replace(/[^\n]*\r(?!\n)/g, '')
      .replaceAll('\u001b[K', '')
      .replaceAll('\r\n', '\n');
    this.text = '';
    return text;
  }

  items(): ConsoleItem[] {
    const lines = this.text.split('\n').filter((line) => line.startsWith('{'));
    this.text = '';
    return lines.map((line) => JSON.parse(line) as ConsoleItem);
  }

  type(text: string): string {
    this.take();
    this.session.bytes(this.now, encoder.encode(text));
    return this.take();
  }

  ask(request: object | string): ConsoleItem[] {
    this.items();
    this.session.line(this.now, typeof request === 'string' ? request : JSON.stringify(request));
    return this.items();
  }

  /** Lets time pass, tick by tick as the session asks for. */
  wait(durationMs: number): void {
    const until = this.now + durationMs;
    for (let at = this.session.nextTickAt; at !== null && at <= until; at = this.session.nextTickAt) {
      this.now = Math.max(this.now, at);
      this.session.tick(this.now);
    }
    this.now = until;
  }
}

export function event(index: number, level: 'info' | 'warning' | 'alarm', text: string): EventOnConsole {
  return { index, monotonicMs: 1, wallTimeMs: 1_700_000_000_000, report: { level, code: 'PEER_RED', text } };
}
