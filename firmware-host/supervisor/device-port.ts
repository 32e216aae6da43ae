/**
 * A device's serial port on this board. It is held open from the start of the supervisor, on both boards: opening
 * a port toggles DTR, which resets many microcontrollers, and a takeover has no time for it.
 */
import { PromptSerialPort } from '../links/prompt-serial-port.ts';

export interface DevicePortListener {
  opened(): void;
  closed(
    code: 'DEVICE_PORT_MISSING' | 'DEVICE_PORT_LOCKED' | 'DEVICE_PORT_LOST' | 'DEVICE_PORT_FAILED',
    reason: string,
  ): void;
  bytes(bytes: Uint8Array): void;
  /** So many bytes more have been handed to the line. */
  written(bytes: number): void;
}

const reopenMsMin = 50;
const reopenMsMax = 2000;

export class DevicePort {
  readonly #path: string;
  readonly #listener: DevicePortListener;
  #baudRate: number;
  #port: PromptSerialPort | null = null;
  #open = false;
  #reopenMs = reopenMsMin;
  #timer: NodeJS.Timeout | null = null;
  #ended = false;
  #lastFault = '';

  constructor(path: string, baudRate: number, listener: DevicePortListener) {
    this.#path = path;
    this.#baudRate = baudRate;
    this.#listener = listener;
    this.#attempt();
  }

  #attempt(): void {
    this.#timer = null;
    const port = new PromptSerialPort({ path: this.#path, baudRate: this.#baudRate });
    this.#port = port;
    port.on('data', (bytes: Buffer) => {
      if (this.#port === port) this.#listener.bytes(new Uint8Array(bytes));
    });
    port.on('error', (error: Error) => this.#lost(port, error.message));
    port.on('close', () => this.#lost(port, 'the port went away'));
    port.open((error) => {
      if (this.#port !== port) return;
      if (error !== null && error !== undefined) {
        this.#failed(error.message);
        return;
      }
      this.#open = true;
      this.#reopenMs = reopenMsMin;
      this.#lastFault = '';
      this.#listener.opened();
    });
  }

  #failed(text: string): void {
    this.#port = null;
    const code = /No such file|No such device/i.test(text)
      ? 'DEVICE_PORT_MISSING'
      : /lock|busy/i.test(text)
        ? 'DEVICE_PORT_LOCKED'
        : 'DEVICE_PORT_FAILED';
    // Once a reason, not once a try.
    if (this.#lastFault !== code) {
      this.#lastFault = code;
      this.#listener.closed(code, `${this.#path}: ${text}`);
    }
    this.#again();
  }

  #lost(port: PromptSerialPort, reason: string): void {
    if (this.#port !== port) return;
    this.#port = null;
    if (port.isOpen) port.close(() => {});
    if (!this.#open) {
      this.#failed(reason);
      return;
    }
    this.#open = false;
    this.#lastFault = 'DEVICE_PORT_LOST';
    this.#listener.closed('DEVICE_PORT_LOST', `${this.#path}: ${reason}`);
    this.#again();
  }

  #again(): void {
    if (this.#ended || this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#attempt(), this.#reopenMs);
    this.#reopenMs = Math.min(this.#reopenMs * 2, reopenMsMax);
  }

  write(bytes: Uint8Array): void {
    const port = this.#port;
    if (port === null || !this.#open) return;
    port.write(Buffer.from(bytes), (error) => {
      if (error !== null && error !== undefined) this.#lost(port, error.message);
      else if (this.#port === port) this.#listener.written(bytes.length);
    });
  }

  /** Line settings that the program asked for. */
  configure(settings: Record<string, unknown>): void {
    const { baudRate } = settings;
    if (typeof baudRate === 'number' && baudRate !== this.#baudRate) {
      this.#baudRate = baudRate;
      if (this.#open) this.#port?.update({ baudRate }, () => {});
    }
    const lines: Record<string, boolean> = {};
    for (const line of ['dtr', 'rts', 'brk'] as const) {
      const value = settings[line];
      if (typeof value === 'boolean') lines[line] = value;
    }
    if (this.#open && Object.keys(lines).length > 0) this.#port?.set(lines, () => {});
  }

  close(): Promise<void> {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const port = this.#port;
    this.#port = null;
    if (port === null || !port.isOpen) return Promise.resolve();
    return new Promise((resolve) => port.close(() => resolve()));
  }
}
