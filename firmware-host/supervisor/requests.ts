/**
 * Requests of the program that the supervisor carries out and answers with a `completed` event.
 *
 * Both boards keep the list of what was asked and not yet answered in a record. A board that takes over carries
 * out the whole list again: opening, closing and configuring a port twice does no harm.
 */
import type { RequestOutput } from '../../protocol/record.ts';

export interface OpenRequest extends RequestOutput {
  turn: number;
  /** For `drain`: the offset that the device has to confirm. */
  offset: number;
  /** The supervisor has begun to carry it out in this reign. */
  begun: boolean;
  /** Its completion waits in the event queue. */
  answered: boolean;
}

export interface PortSettings {
  path: string;
  [setting: string]: unknown;
}

export class Requests {
  readonly #open = new Map<number, OpenRequest>();
  /** Which device each of the program's ports was opened on. */
  readonly #deviceOfPort = new Map<number, number>();

  add(turn: number, request: RequestOutput, offset: number): OpenRequest {
    const entry: OpenRequest = { ...request, turn, offset, begun: false, answered: false };
    this.#open.set(request.request, entry);
    return entry;
  }

  bind(port: number, device: number): void {
    this.#deviceOfPort.set(port, device);
  }

  deviceOf(port: number): number | null {
    return this.#deviceOfPort.get(port) ?? null;
  }

  get(request: number): OpenRequest | undefined {
    return this.#open.get(request);
  }

  /** The answer is in a record. */
  completed(request: number): OpenRequest | undefined {
    const entry = this.#open.get(request);
    this.#open.delete(request);
    return entry;
  }

  *outstanding(): IterableIterator<OpenRequest> {
    for (const entry of this.#open.values()) if (!entry.answered) yield entry;
  }

  /** The port whose opening on this device has been granted, while the program has not heard of it; or null. */
  portBeingOpened(device: number): number | null {
    for (const { answered, begun, operation, port } of this.#open.values()) {
      if (operation === 'open' && begun && answered && this.deviceOf(port) === device) return port;
    }
    return null;
  }

  /** A new reign: whatever was begun elsewhere has to be done here. */
  restart(): void {
    for (const entry of this.#open.values()) {
      entry.begun = false;
      entry.answered = false;
    }
  }

  clear(): void {
    this.#open.clear();
    this.#deviceOfPort.clear();
  }
}

export function portSettingsOf(request: RequestOutput): PortSettings {
  const value: unknown = JSON.parse(request.argument);
  if (typeof value === 'object' && value !== null && 'path' in value && typeof value.path === 'string') {
    return value as PortSettings;
  }
  return { path: '' };
}
