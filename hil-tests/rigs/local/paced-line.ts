/**
 * One direction of a UART, for a device behind a pseudo-terminal, which itself has no speed.
 *
 * A byte takes 10 bit times. Node has no timer finer than 1 ms, so bytes go on in quanta: each time all whose last bit
 * would have arrived by then, reckoned from when the first began, so that a late timer never slows the line down.
 */
const bitsPerByte = 10;
const millisecondsPerSecond = 1000;

export class PacedLine {
  readonly #byteMs: number;
  readonly #clock: () => number;
  readonly #deliver: (bytes: Uint8Array) => void;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #carriedBytes = 0;
  #busySince = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `clock`: monotonic milliseconds. */
  constructor(options: { baudRate: number; clock: () => number; deliver: (bytes: Uint8Array) => void }) {
    this.#byteMs = (bitsPerByte * millisecondsPerSecond) / options.baudRate;
    this.#clock = options.clock;
    this.#deliver = options.deliver;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#queuedBytes === 0) {
      this.#busySince = this.#clock();
      this.#carriedBytes = 0;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#timer ??= setTimeout(() => this.#tick(), 1);
  }

  /** What has not arrived is lost: the device restarted, or the line was unplugged. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
  }

  #tick(): void {
    this.#timer = null;
    const arrived = Math.floor((this.#clock() - this.#busySince) / this.#byteMs) - this.#carriedBytes;
    const quantum = this.#take(Math.min(arrived, this.#queuedBytes));
    this.#carriedBytes += quantum.length;
    if (this.#queuedBytes > 0) this.#timer = setTimeout(() => this.#tick(), 1);
    if (quantum.length > 0) this.#deliver(quantum);
  }

  #take(count: number): Uint8Array {
    const taken = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const head = this.#queue[0]!;
      const part = head.subarray(0, count - filled);
      taken.set(part, filled);
      filled += part.length;
      if (part.length === head.length) this.#queue.shift();
      else this.#queue[0] = head.subarray(part.length);
    }
    this.#queuedBytes -= count;
    return taken;
  }
}
