/**
 * Reads the numbers of programs/counting-output.js from what a device accepted, and where one controller's reign of
 * output ends and another's begins.
 *
 * A reign begins with another origin (term, port), or when the numbers fall: then the same port has a program that began
 * anew. Numbers that were accepted after a fault but belong to the reign before it are no takeover; they were on their way.
 */
import { FirmataParser } from '../../../boards/simulated/parser.ts';
import type { AcceptedOutput } from '../../../hil-tests/rigs/local/rig-device.ts';

const analogMessage = 0xe0;
const sysexBytesMax = 512;
const lowPin = 9;
const highPin = 10;
const lowValues = 2 ** 14;

/** The first number of a new reign, beside the last one of the reign before. */
export interface Succession {
  atMs: number;
  last: number;
  first: number;
  /** CLOCK_MONOTONIC of the last number of the reign before. */
  lastAtMs: number;
}

/** What a succession did to the outputs: numbers that no one performed, and numbers that are performed again. */
export function judge({ last, first }: Pick<Succession, 'last' | 'first'>): {
  lost: number;
  repeated: number;
  isStateLost: boolean;
} {
  const isStateLost = first <= 1 && last > 1;
  return { lost: Math.max(0, first - last - 1), repeated: Math.max(0, last - first + 1), isStateLost };
}

/** Control that changes hands again so soon is two boards that both lead: one incident, not many takeovers. */
const incidentEndsAfterMs = 200;

/** Spells of changing hands, however many numbers of two boards alternated in each. */
export function incidentsOf(successions: readonly Pick<Succession, 'atMs'>[]): number {
  return successions.filter(({ atMs }, index) => {
    const before = successions[index - 1];
    return before === undefined || atMs - before.atMs > incidentEndsAfterMs;
  }).length;
}

interface Origin {
  parser: FirmataParser;
  high: number;
}

export class OutputWatch {
  readonly #origins = new Map<number, Origin>();
  readonly #watchers = new Set<() => void>();
  readonly successions: Succession[] = [];
  #reign = '';
  #last = 0;
  #lastAtMs = 0;
  /** Whose output was accepted last. */
  lastPort = 0;
  /** Numbers seen in all. */
  count = 0;

  take({ port, term, bytes, atMs }: AcceptedOutput): void {
    const origin = this.#originOf(port, term);
    this.lastPort = port;
    for (const message of origin.parser.push(bytes)) {
      if (message.kind !== 'short') continue;
      const value = message.first | (message.second << 7);
      if (message.command === (analogMessage | highPin)) origin.high = value;
      if (message.command === (analogMessage | lowPin)) {
        this.#number(`${port} ${term}`, origin.high * lowValues + value, atMs);
      }
    }
    for (const watcher of this.#watchers) watcher();
  }

  /** A port's stream is continuous over terms on a fenced device, whichever port it comes from: so is what is read of it. */
  #originOf(port: number, term: number): Origin {
    const key = term === 0 ? port : -1;
    const known = this.#origins.get(key) ?? { parser: new FirmataParser(sysexBytesMax), high: 0 };
    this.#origins.set(key, known);
    return known;
  }

  #number(reign: string, value: number, atMs: number): void {
    const isSuccession = this.count > 0 && (reign !== this.#reign || value < this.#last);
    if (isSuccession) {
      this.successions.push({ atMs, last: this.#last, first: value, lastAtMs: this.#lastAtMs });
    }
    this.count += 1;
    this.#reign = reign;
    this.#last = value;
    this.#lastAtMs = atMs;
  }

  /** Null: not within the time. Looked at with each output. */
  until<Value>(look: () => Value | null, timeoutMs: number): Promise<Value | null> {
    return new Promise((resolve) => {
      const end = (value: Value | null): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve(value);
      };
      const check = (): void => {
        const value = look();
        if (value !== null) end(value);
      };
      const timer = setTimeout(() => end(null), timeoutMs);
      this.#watchers.add(check);
      check();
    });
  }

  /** Resolves with whether so many further numbers came in time: somebody is in control. */
  async flows(numbers: number, timeoutMs: number): Promise<boolean> {
    const goal = this.count + numbers;
    return (await this.until(() => (this.count >= goal ? true : null), timeoutMs)) === true;
  }

  /** The first succession after a fault. */
  successionAfter(known: number, timeoutMs: number): Promise<Succession | null> {
    return this.until(() => this.successions[known] ?? null, timeoutMs);
  }
}
