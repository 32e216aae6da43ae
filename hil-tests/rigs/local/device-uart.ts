/**
 * A UART of a simulated device: a pseudo-terminal with the line's speed in both directions.
 *
 *     program's serialport <-- pseudo-terminal --> PacedLine --> receive
 *                                              <-- PacedLine <-- write
 *
 * As on a UART, what is sent while nobody has the port open is lost, and a wrong speed gives no bytes that mean anything.
 */
import { rmSync, symlinkSync } from 'node:fs';
import { PacedLine } from './paced-line.ts';
import { openPseudoTerminal, type PseudoTerminal } from './pseudo-terminal.ts';

/** Where the kernel's own buffer would be full too: reading stops and the opener's writes wait. */
const receiveBytesMax = 4096;
/** Two UARTs lose the stop bit when their speeds differ by more (Maxim application note 2141). */
const speedToleranceRatio = 0.045;

export interface DeviceUartOptions {
  baudRate: number;
  /** A symbolic link that always leads to the pseudo-terminal, over a close and a new opening too. */
  linkPath?: string;
  clock: () => number;
  receive: (bytes: Uint8Array) => void;
  /** Someone opened the port: its speed was set for the first time. Seen with their first byte or at `poll`. */
  opened: () => void;
  /** Bytes came at another speed; they are dropped. Once for each speed. */
  wrongSpeed: (baudRate: number) => void;
}

export class DeviceUart {
  readonly #options: DeviceUartOptions;
  readonly #toDevice: PacedLine;
  readonly #fromDevice: PacedLine;
  #terminal: PseudoTerminal | null = null;
  #paused = false;
  #speed: number | null = null;

  constructor(options: DeviceUartOptions) {
    this.#options = options;
    const { baudRate, clock } = options;
    this.#toDevice = new PacedLine({ baudRate, clock, deliver: (bytes) => this.#deliver(bytes) });
    this.#fromDevice = new PacedLine({ baudRate, clock, deliver: (bytes) => this.#terminal?.write(bytes) });
    this.open();
  }

  /** What a program opens. Empty while the port is closed. */
  get path(): string {
    return this.#options.linkPath ?? this.#terminal?.path ?? '';
  }

  /** A port that is open already stays as it is. */
  open(): void {
    if (this.#terminal !== null) return;
    const terminal = openPseudoTerminal();
    this.#terminal = terminal;
    this.#speed = null;
    const { linkPath } = this.#options;
    if (linkPath !== undefined) {
      rmSync(linkPath, { force: true });
      symlinkSync(terminal.path, linkPath);
    }
    terminal.onData((bytes) => {
      if (this.#terminal !== terminal) return;
      this.poll();
      if (!this.#speedFits()) return;
      this.#toDevice.push(bytes.slice());
      if (this.#toDevice.queuedBytes > receiveBytesMax) {
        this.#paused = true;
        terminal.pause();
      }
    });
  }

  /** The plug is pulled: the opener's port is lost. */
  close(): void {
    const terminal = this.#terminal;
    this.#terminal = null;
    this.clear();
    terminal?.close();
    if (this.#options.linkPath !== undefined) rmSync(this.#options.linkPath, { force: true });
  }

  /** The device restarted: what was on the way is lost. */
  clear(): void {
    this.#toDevice.clear();
    this.#fromDevice.clear();
    this.#resume();
  }

  write(bytes: Uint8Array): void {
    if (this.#terminal !== null && this.#speed !== null && this.#speedFits()) this.#fromDevice.push(bytes);
  }

  /** A pseudo-terminal does not tell when it is opened, but its opener sets a speed. */
  poll(): void {
    const speed = this.#terminal?.baudRate() ?? null;
    if (speed === null || speed === this.#speed) return;
    const first = this.#speed === null;
    this.#speed = speed;
    if (!this.#speedFits()) this.#options.wrongSpeed(speed);
    else if (first) this.#options.opened();
  }

  #speedFits(): boolean {
    const { baudRate } = this.#options;
    return this.#speed === null || Math.abs(this.#speed - baudRate) <= baudRate * speedToleranceRatio;
  }

  #deliver(bytes: Uint8Array): void {
    if (this.#toDevice.queuedBytes <= receiveBytesMax / 2) this.#resume();
    this.#options.receive(bytes);
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#terminal?.resume();
  }
}
