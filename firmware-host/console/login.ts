/** The lock of a line with a password: what is typed is checked beside the board's own work, and not too often. */
import type { LoginGate } from './login-gate.ts';
import type { SessionLine } from './session-line.ts';

export interface Password {
  gate: LoginGate;
  /** Calls back once, later. */
  check(password: string, done: (isRight: boolean) => void): void;
}

/** After so long without a line the password is asked for again. */
export const idleMsMax = 10 * 60_000;

export class Login {
  readonly #line: SessionLine;
  readonly #password: Password | null;
  locked: boolean;

  constructor(line: SessionLine, password: Password | null) {
    this.#line = line;
    this.#password = password;
    this.locked = password !== null;
  }

  /** When a line that was last used at that time is locked again, or null. */
  locksAt(lastLineAt: number): number | null {
    return this.#password === null || this.locked ? null : lastLineAt + idleMsMax;
  }

  try(text: string): void {
    const line = this.#line;
    const password = this.#password;
    if (password === null || !this.locked)
      return line.tell({ kind: 'done', command: 'login', text: 'no password is needed on this line' });
    const waitMs = password.gate.waitMs(line.now);
    if (waitMs > 0) {
      const text = `wrong passwords were given: the next try in ${Math.ceil(waitMs / 1000)} s`;
      return line.error('LOGIN_TOO_SOON', text);
    }
    line.wait();
    password.check(text, (isRight) => {
      if (isRight) {
        password.gate.succeeded();
        this.locked = false;
        line.tell({ kind: 'done', command: 'login', text: 'logged in' });
      } else {
        password.gate.failed(line.now);
        line.error('LOGIN_FAILED', 'that is not the password');
      }
      line.goOn();
    });
  }

  /** Returns false on a line without a password. */
  lock(): boolean {
    if (this.#password === null) return false;
    this.locked = true;
    return true;
  }
}
