/** Carries an attachment's effects out on a real port, and gives it the time. */
import {
  Attachment,
  type AttachmentEffect,
  type AttachmentInput,
  type AttachmentOptions,
} from './attachment.ts';
import { type ConsolePort, kindOf, type OpenPort } from './console-port.ts';
import type { Target } from './targets.ts';

export type DriverNews = Exclude<AttachmentEffect, { kind: 'open' | 'close' | 'write' | 'wake' }>;

export interface DriverOptions extends Omit<AttachmentOptions, 'kind'> {
  target: Target;
  open: OpenPort;
  /** Monotonic, ms. */
  now: () => number;
  onNews: (news: DriverNews, nowMs: number) => void;
}

export class LineDriver {
  readonly #options: DriverOptions;
  readonly #attachment: Attachment;
  #port: ConsolePort | null = null;
  /** Tells the port that is open from the ones before it. */
  #generation = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DriverOptions) {
    this.#options = options;
    const { reconnect, password, target } = options;
    this.#attachment = new Attachment({ kind: kindOf(target.path), reconnect, password });
  }

  get phase(): Attachment['phase'] {
    return this.#attachment.phase;
  }

  input(input: AttachmentInput): void {
    const now = this.#options.now();
    for (const effect of this.#attachment.step(now, input)) this.#carryOut(effect, now);
  }

  #carryOut(effect: AttachmentEffect, now: number): void {
    switch (effect.kind) {
      case 'open':
        return this.#open();
      case 'close':
        this.#port?.close();
        this.#port = null;
        this.#generation += 1;
        return;
      case 'write':
        return this.#port?.write(effect.text);
      case 'wake':
        clearTimeout(this.#timer);
        this.#timer = setTimeout(
          () => this.input({ kind: 'tick' }),
          Math.max(0, Math.ceil(effect.atMs - now)),
        );
        return;
      default:
        if (effect.kind === 'phase' && effect.phase === 'ended') clearTimeout(this.#timer);
        this.#options.onNews(effect, now);
    }
  }

  #open(): void {
    this.#generation += 1;
    const generation = this.#generation;
    const heard = (input: AttachmentInput): void => {
      if (generation === this.#generation) this.input(input);
    };
    this.#port = this.#options.open(this.#options.target, {
      opened: () => heard({ kind: 'opened' }),
      refused: (text) => heard({ kind: 'refused', text }),
      closed: (text) => heard({ kind: 'closed', text }),
      bytes: (bytes) => heard({ kind: 'bytes', bytes }),
    });
  }
}
