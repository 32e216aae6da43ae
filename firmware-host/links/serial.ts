/**
 * The serial link: datagrams as frames (protocol/frame.ts) over a port of the real `serialport`.
 *
 * ```
 *   opening --open--> up --lost--> waiting --back-off over--> opening
 *      |                              ^
 *      +-- missing, locked, denied ---+
 * ```
 *
 * What serialport 13 demands of its user, measured:
 * - without a 'data' listener a lost port is never noticed, so there always is one;
 * - 'close' comes twice when a write finds the port lost, so a port object is used once and forgotten at the first
 *   sign; what it says later is not heard;
 * - `write` before a failed open never calls back, so nothing is written before 'open'.
 *
 * The kernel takes some 4 KB at once whatever the speed, a third of a second at 115200 baud. So the time that the line
 * needs is reckoned here, from the bytes and the baud rate, and a datagram that would wait longer than `queueMsMax`
 * is dropped: late heartbeats and acknowledgements are worse than none.
 */
import { encodeFrame, FrameDecoder, frameDelimiter, frameLineBytesMax } from '../../protocol/frame.ts';
import {
  Backoff,
  checkDatagram,
  type DatagramLink,
  type LinkDiscardReason,
  type LinkFault,
  type LinkFaultCode,
  LinkListeners,
  type LinkState,
} from './link.ts';
import { PromptSerialPort } from './prompt-serial-port.ts';

export interface SerialLinkOptions {
  /** Device file, such as /dev/ttyAMA0. */
  path: string;
  /** 1,200..4,000,000 bits a second, default 115,200. 8 data bits, no parity, 1 stop bit: 10 bits a byte. */
  baudRate?: number;
  /** 16..65,536 bytes, default 512: 45 ms of the line at 115,200. */
  datagramBytesMax?: number;
  /** Line time that may wait to be sent before datagrams are dropped. 1..10,000 ms, default 100. */
  queueMsMax?: number;
  /** First pause before opening again; doubles up to `reopenDelayMsMax`. Defaults 100 and 2,000 ms. */
  reopenDelayMs?: number;
  reopenDelayMsMax?: number;
  /** Monotonic clock in ms. */
  now?: () => number;
}

/** Start bit, 8 data bits, stop bit. */
const bitsPerByte = 10;

function openFault(path: string, error: Error): LinkFault {
  const text = error.message;
  const fault = (code: LinkFaultCode, remedy: string): LinkFault => ({
    code,
    message: `serial link ${path}: ${remedy} (${text})`,
  });
  if (/No such file|No such device|not a directory/i.test(text)) {
    return fault(
      'LINK_PORT_MISSING',
      'the port does not exist: is the adapter plugged in, the UART enabled?',
    );
  }
  if (/Cannot lock port|busy/i.test(text)) {
    return fault('LINK_PORT_LOCKED', 'another process has the port open: a login console, ModemManager?');
  }
  if (/Permission denied|not permitted/i.test(text)) {
    return fault('LINK_PORT_DENIED', 'this user may not open the port: add it to the group dialout');
  }
  return fault('LINK_PORT_FAILED', 'the port cannot be opened');
}

export class SerialLink implements DatagramLink {
  readonly name = 'serial';
  readonly bitsPerSecond: number;
  readonly datagramBytesMax: number;
  readonly #path: string;
  readonly #queueMsMax: number;
  readonly #now: () => number;
  readonly #listeners = new LinkListeners();
  readonly #decoder: FrameDecoder;
  readonly #backoff: Backoff;
  #port: PromptSerialPort | null = null;
  #opening: Promise<void> | null = null;
  #reopenTimer: NodeJS.Timeout | null = null;
  /** Clock at which the line will have sent everything that was written. */
  #lineFreeAtMs = 0;
  #closed: Promise<void> | null = null;

  constructor(options: SerialLinkOptions) {
    this.#path = options.path;
    this.bitsPerSecond = options.baudRate ?? 115_200;
    this.datagramBytesMax = options.datagramBytesMax ?? 512;
    this.#queueMsMax = options.queueMsMax ?? 100;
    this.#now = options.now ?? (() => performance.now());
    this.#decoder = new FrameDecoder({ frameBytesMax: this.datagramBytesMax });
    this.#backoff = new Backoff(options.reopenDelayMs ?? 100, options.reopenDelayMsMax ?? 2_000);
    this.#open();
  }

  get state(): LinkState {
    return this.#listeners.state;
  }

  onDatagram(callback: (datagram: Uint8Array) => void): void {
    this.#listeners.onDatagram(callback);
  }

  onState(callback: (state: LinkState, fault?: LinkFault) => void): void {
    this.#listeners.onState(callback);
  }

  /** Never called: a serial line does not know whether anyone listens. */
  onRefused(callback: () => void): void {
    this.#listeners.onRefused(callback);
  }

  onDiscarded(callback: (reason: LinkDiscardReason) => void): void {
    this.#listeners.onDiscarded(callback);
  }

  queuedMs(): number {
    const reckonedMs = Math.max(0, this.#lineFreeAtMs - this.#now());
    // What serialport itself still holds means that even the kernel is full: the line is slower than reckoned.
    const heldBytes = this.#port?.writableLength ?? 0;
    return Math.max(reckonedMs, this.#lineMs(heldBytes));
  }

  send(datagram: Uint8Array): void {
    checkDatagram(this, datagram);
    const port = this.#port;
    if (port === null) {
      this.#listeners.discarded('LINK_DOWN');
      return;
    }
    // A line that is free takes a datagram of any length, else a slow line could never send a long one.
    if (
      this.queuedMs() > 0 &&
      this.queuedMs() + this.#lineMs(frameLineBytesMax(datagram.length)) > this.#queueMsMax
    ) {
      this.#listeners.discarded('LINK_QUEUE_FULL');
      return;
    }
    this.#write(port, encodeFrame(datagram));
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    this.#listeners.silence();
    if (this.#reopenTimer !== null) clearTimeout(this.#reopenTimer);
    this.#reopenTimer = null;
    await this.#opening;
    const port = this.#port;
    this.#port = null;
    if (port?.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
  }

  #lineMs(bytes: number): number {
    return (bytes * bitsPerByte * 1_000) / this.bitsPerSecond;
  }

  #write(port: PromptSerialPort, line: Uint8Array): void {
    this.#lineFreeAtMs = Math.max(this.#lineFreeAtMs, this.#now()) + this.#lineMs(line.length);
    port.write(line, (error) => {
      if (error) this.#lost(port, error.message);
    });
  }

  #open(): void {
    this.#reopenTimer = null;
    const port = new PromptSerialPort({ path: this.#path, baudRate: this.bitsPerSecond });
    port.on('error', (error) => this.#lost(port, error.message));
    port.on('close', (reason?: Error | null) => this.#lost(port, reason?.message ?? 'closed'));
    port.on('data', (bytes: Buffer) => {
      if (port === this.#port) this.#receive(bytes);
    });
    this.#opening = new Promise((resolve) => {
      port.open((error) => {
        this.#opening = null;
        if (error) {
          this.#listeners.down(openFault(this.#path, error));
          this.#openLater();
        } else this.#opened(port);
        resolve();
      });
    });
  }

  #opened(port: PromptSerialPort): void {
    this.#port = port;
    if (this.#closed !== null) return;
    this.#backoff.reset();
    this.#decoder.reset();
    this.#lineFreeAtMs = 0;
    // Ends whatever half frame a crashed process before us left on the line.
    this.#write(port, frameDelimiter);
    this.#listeners.up();
  }

  #lost(port: PromptSerialPort, reason: string): void {
    if (port !== this.#port || this.#closed !== null) return;
    this.#port = null;
    if (port.isOpen) port.close(() => {});
    this.#listeners.down({
      code: 'LINK_PORT_LOST',
      message: `serial link ${this.#path}: the port went away: adapter unplugged? (${reason})`,
    });
    this.#openLater();
  }

  #openLater(): void {
    if (this.#closed !== null) return;
    this.#reopenTimer = setTimeout(() => this.#open(), this.#backoff.next());
  }

  #receive(bytes: Uint8Array): void {
    for (const item of this.#decoder.push(bytes)) {
      if (item.kind === 'frame') this.#listeners.datagram(item.payload);
      else this.#listeners.discarded(item.reason);
    }
  }
}

export function openSerialLink(options: SerialLinkOptions): DatagramLink {
  return new SerialLink(options);
}
