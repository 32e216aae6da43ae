/**
 * A UART of the emulated Mega on a pseudo-terminal.
 *
 *     serialport <-- pseudo-terminal --bytes at the opener's speed--> line of the machine --> USART
 *                                    <--bytes as the USART sends them, when their last bit is out--
 *
 * The machine gives the bytes their time; nothing is paced here. As on a UART, what is sent while nobody has the port
 * open is lost. An opener at another speed is not told so by anyone: its bytes reach the firmware as the rubbish that
 * they would be, and what the firmware sends does not arrive as bytes that mean anything.
 */
import { rmSync, symlinkSync } from 'node:fs';
import type { Mega2560 } from '../../../boards/mega-2560/emulator/machine.ts';
import { openPseudoTerminal, type PseudoTerminal } from './pseudo-terminal.ts';

/** Bytes on the way to the firmware beyond which reading stops, as the kernel's own buffer would fill. */
const queuedBytesMax = 4096;
const bitsPerByte = 10;
/** Two UARTs lose the stop bit when their speeds differ by more (Maxim application note 2141). */
const speedToleranceRatio = 0.045;

export interface EmulatedUartOptions {
  machine: Mega2560;
  /** The machine's port: 1 for board a, 2 for board b. */
  port: number;
  linkPath?: string;
  /** A byte for the firmware, when its last bit has arrived. */
  carried: (byte: number, endCycle: number) => void;
  /** The opener's speed is not the firmware's. Once for each speed. */
  wrongSpeed: (baudRate: number) => void;
}

export class EmulatedUart {
  readonly #options: EmulatedUartOptions;
  #terminal: PseudoTerminal | null = null;
  #isPaused = false;
  #openerSpeed: number | null = null;
  #toOpener: number[] = [];

  constructor(options: EmulatedUartOptions) {
    this.#options = options;
    this.open();
  }

  /** What a program opens. Empty while the port is closed. */
  get path(): string {
    return this.#options.linkPath ?? this.#terminal?.path ?? '';
  }

  open(): void {
    if (this.#terminal !== null) return;
    const terminal = openPseudoTerminal();
    this.#terminal = terminal;
    this.#openerSpeed = null;
    const { linkPath } = this.#options;
    if (linkPath !== undefined) {
      rmSync(linkPath, { force: true });
      symlinkSync(terminal.path, linkPath);
    }
    terminal.onData((bytes) => {
      if (this.#terminal === terminal) this.#carry(bytes);
    });
  }

  /** The plug is pulled: the opener's port is lost, and what was on the way with it. */
  close(): void {
    const terminal = this.#terminal;
    this.#terminal = null;
    this.#toOpener = [];
    this.#isPaused = false;
    this.#options.machine.serialCut(this.#options.port);
    terminal?.close();
    if (this.#options.linkPath !== undefined) rmSync(this.#options.linkPath, { force: true });
  }

  /** From the firmware; reaches the opener at the next `flush`. */
  sent(byte: number): void {
    if (this.#openerSpeed !== null && this.#fits(this.#openerSpeed)) this.#toOpener.push(byte);
  }

  flush(): void {
    if (this.#toOpener.length > 0) {
      this.#terminal?.write(Uint8Array.from(this.#toOpener));
      this.#toOpener = [];
    }
    if (this.#isPaused && this.#queuedBytes < queuedBytesMax / 2) {
      this.#isPaused = false;
      this.#terminal?.resume();
    }
  }

  /** A pseudo-terminal does not tell when it is opened, but its opener sets a speed. */
  poll(): void {
    const speed = this.#terminal?.baudRate() ?? null;
    if (speed === null || speed === this.#openerSpeed) return;
    this.#openerSpeed = speed;
    if (!this.#fits(speed)) this.#options.wrongSpeed(speed);
  }

  #carry(bytes: Uint8Array): void {
    this.poll();
    const { machine, port, carried } = this.#options;
    const bitsPerSecond = this.#openerSpeed ?? machine.serialSpeed(port) ?? 115_200;
    for (const byte of bytes) carried(byte, machine.serialIn(port, byte, { bitsPerSecond }));
    if (this.#queuedBytes <= queuedBytesMax) return;
    this.#isPaused = true;
    this.#terminal?.pause();
  }

  get #queuedBytes(): number {
    const { machine, port } = this.#options;
    const bitsPerSecond = this.#openerSpeed ?? 115_200;
    const cycles = machine.serialFreeAt(port) - machine.cycle;
    return (cycles / machine.clockHz) * (bitsPerSecond / bitsPerByte);
  }

  #fits(speed: number): boolean {
    const firmwareSpeed = this.#options.machine.serialSpeed(this.#options.port);
    return firmwareSpeed === null || Math.abs(speed - firmwareSpeed) <= firmwareSpeed * speedToleranceRatio;
  }
}
