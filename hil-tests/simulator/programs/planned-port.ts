/**
 * A port as a generated program uses it: opened through the real binding, read without pause into one buffer, written
 * through a queue of its own, as the binding takes one write at a time and waits for credit.
 */
import type { BindingPortInterface } from '@serialport/bindings-interface';
import type { ProgramWorld } from './in-process-replica.ts';
import { numberedModulus } from './numbered-firmware.ts';
import type { PortPlan } from './program-plan.ts';

const baudRate = 57_600;

export interface PortListener {
  /** A view of the read buffer: to be looked at, not kept. */
  received(bytes: Uint8Array): void;
  /** Opened, lost, drained, ...: something the program must not forget either. */
  happened(what: string): void;
}

export class PlannedPort {
  readonly #plan: PortPlan;
  readonly #world: ProgramWorld;
  readonly #listener: PortListener;
  readonly #buffer: Buffer;
  #port: BindingPortInterface | null = null;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #writing = false;
  #draining = false;
  #lastInput: number | null = null;
  /** Input bytes, and those that are not the number after the one before (numbered-firmware.ts). */
  inputs = 0;
  gaps = 0;
  /** Lines that found the queue full or the port closed. */
  dropped = 0;

  constructor(plan: PortPlan, world: ProgramWorld, listener: PortListener) {
    this.#plan = plan;
    this.#world = world;
    this.#listener = listener;
    this.#buffer = Buffer.alloc(plan.readBytesMax);
    this.#opened = world.guarded(this.#opened);
    this.#openingFailed = world.guarded(this.#openingFailed);
    this.#read = world.guarded(this.#read);
    this.#readFailed = world.guarded(this.#readFailed);
    const written = world.guarded(this.#written);
    this.#written = () => written(undefined);
  }

  begin(): void {
    if (this.#plan.openAfterMs === 0) this.#open();
    else this.#world.timers.setTimeout(() => this.#open(), this.#plan.openAfterMs);
  }

  /** True when a line of so many bytes would be taken. */
  takes(length: number): boolean {
    return this.#port !== null && this.#queuedBytes + length <= this.#plan.queueBytesMax;
  }

  /** Only what `takes` allows. */
  write(line: Buffer): void {
    this.#queue.push(line);
    this.#queuedBytes += line.length;
    if (!this.#writing) this.#writeNext();
  }

  drain(): void {
    const port = this.#port;
    if (port === null || this.#draining) return;
    this.#draining = true;
    this.#follow('drain', port.drain(), () => {
      this.#draining = false;
    });
  }

  configure(operation: 'set' | 'get' | 'update' | 'flush'): void {
    const port = this.#port;
    if (port === null) return;
    if (operation === 'set') this.#follow(operation, port.set({ dtr: true, rts: false }));
    else if (operation === 'update') this.#follow(operation, port.update({ baudRate }));
    else if (operation === 'flush') this.#follow(operation, port.flush());
    else this.#follow(operation, port.get());
  }

  #follow(what: string, done: Promise<unknown>, after: () => void = () => {}): void {
    const tell = (text: string) => {
      after();
      this.#listener.happened(text);
    };
    done.then(
      this.#world.guarded((result: unknown) => tell(`${what} ${JSON.stringify(result ?? null)}`)),
      this.#world.guarded((error: unknown) => tell(`${what} failed: ${String(error)}`)),
    );
  }

  #open(): void {
    this.#world.binding.open({ path: this.#plan.device, baudRate }).then(this.#opened, this.#openingFailed);
  }

  #opened = (port: BindingPortInterface): void => {
    this.#port = port;
    this.#lastInput = null;
    this.#listener.happened('opened');
    this.#readMore(port);
  };

  #openingFailed = (error: unknown): void => {
    this.#listener.happened(`opening failed: ${String(error)}`);
    this.#openAgain();
  };

  #openAgain(): void {
    const { reopenAfterMs } = this.#plan;
    if (reopenAfterMs !== null) this.#world.timers.setTimeout(() => this.#open(), reopenAfterMs);
  }

  #readMore(port: BindingPortInterface): void {
    port.read(this.#buffer, 0, this.#buffer.length).then(this.#read, this.#readFailed);
  }

  #read = ({ bytesRead }: { bytesRead: number }): void => {
    const bytes = this.#buffer.subarray(0, bytesRead);
    for (let index = 0; index < bytesRead; index++) {
      const byte = bytes[index]!;
      if (this.#lastInput !== null && (this.#lastInput + 1) % numberedModulus !== byte) this.gaps += 1;
      this.#lastInput = byte;
    }
    this.inputs += bytesRead;
    this.#listener.received(bytes);
    if (this.#port !== null) this.#readMore(this.#port);
  };

  /** The only way in which a generated program learns that its port is gone: it never closes one itself. */
  #readFailed = (error: unknown): void => {
    const port = this.#port;
    this.#port = null;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#writing = false;
    this.#listener.happened(`lost: ${String(error)}`);
    if (port !== null) this.#follow('close', port.close());
    this.#openAgain();
  };

  #writeNext(): void {
    const line = this.#queue.shift();
    if (line === undefined || this.#port === null) return;
    this.#writing = true;
    this.#queuedBytes -= line.length;
    // A failed write belongs to a lost port, of which the reading side learns.
    this.#port.write(line).then(this.#written, ignore);
  }

  #written = (): void => {
    this.#writing = false;
    this.#writeNext();
  };
}

function ignore(): void {}
