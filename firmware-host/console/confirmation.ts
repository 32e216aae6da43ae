/** What changes something is done after `--yes`, or when the next line is `yes`. Any other line, or none, gives it up. */
import type { SessionLine } from './session-line.ts';

export const confirmMsMax = 30_000;

interface Pending {
  command: string;
  expiresAt: number;
  run(): void;
}

export interface Question {
  command: string;
  /** What it would do. */
  text: string;
  /** The answer was given with it. */
  yes: boolean;
}

export class Confirmation {
  readonly #line: SessionLine;
  #pending: Pending | null = null;

  constructor(line: SessionLine) {
    this.#line = line;
  }

  get expiresAt(): number | null {
    return this.#pending?.expiresAt ?? null;
  }

  forget(): void {
    this.#pending = null;
  }

  ask({ command, text, yes }: Question, run: () => void): void {
    if (yes) return run();
    this.#pending = { command, expiresAt: this.#line.now + confirmMsMax, run };
    this.#line.tell({ kind: 'confirm', command, text, expiresInMs: confirmMsMax });
  }

  /** `word`: a line's first. Returns whether it answered a question, so that it is no command of its own. */
  answer(word: string): boolean {
    const pending = this.#pending;
    this.#pending = null;
    if (pending === null || this.#line.now >= pending.expiresAt) return false;
    if (word === 'yes') {
      pending.run();
      return true;
    }
    const { command } = pending;
    this.#line.tell({ kind: 'done', command, text: `${command} is not done` });
    return word === '' || word === 'no' || word === 'n' || word === 'y';
  }

  expireWhenDue(): void {
    const pending = this.#pending;
    if (pending === null || this.#line.now < pending.expiresAt) return;
    this.#pending = null;
    const { command } = pending;
    this.#line.tell({ kind: 'done', command, text: `${command} is not done: nobody said yes` });
  }
}
