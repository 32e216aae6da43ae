/**
 * A control program that writes Firmata by hand, made to be judged at the pins: everything that it does there can be told apart
 * and counted.
 *
 *     letter: 24..31 = a number that the performing board drew   32..39 = number of the letter   40..47 = input edges seen
 *             then one pulse on pin 22: at its rising edge a bystander reads 24 pins
 *     move:   so many pulses on pin 48 (a stepper's driver), the next one only after the device has said that this one is over
 *     input:  pin 12, every change of which the device reports; while pin 13 is high no letter is begun
 *
 * A letter that is lost, repeated, reordered or torn shows in its number, one of a board that should not act in what was drawn.
 */
import type { BindingPortInterface } from '@serialport/bindings-interface';
import { ProgramWorld, startInProcess } from '../programs/in-process-replica.ts';
import type { SimulatedProgram } from '../programs/replica-in-the-world.ts';

export const pinsOfLetters = { drawn: 24, number: 32, edges: 40, strobe: 22 } as const;
export const stepPin = 48;
const directionPin = 49;
export const inputPin = 12;
export const restPin = 13;
/** Of both. */
const inputPort = 1;
const inputBit = inputPin & 7;
const restBit = restPin & 7;

export interface LetteringOptions {
  device: string;
  letterMs: number;
  /** A move after so many letters, once the one before is over. */
  lettersPerMove: number;
  /** Channels that are reported, every `samplingMs`. */
  analogChannels?: readonly number[];
  samplingMs?: number;
  /** Instead of from the beginning: with this letter the reports of analog channels begin, and only once. */
  analogFromLetter?: number;
}

const baudRate = 57_600;
const reopenAfterMs = 20;
const outputMode = 1;
const inputMode = 0;

/** `F0 72 01`: device, direction, steps in 21 bits, speed in 0.01 rad/s in 14. */
export const moveBegin = [0xf0, 0x72, 1] as const;
const speed = [100, 6] as const;

class LetteringProgram {
  readonly #world: ProgramWorld;
  readonly #options: LetteringOptions;
  readonly #buffer = Buffer.alloc(256);
  #port: BindingPortInterface | null = null;
  #queue: Buffer[] = [];
  #writing = false;
  #letters = 0;
  #edges = 0;
  #moves = 0;
  #isMoving = false;
  #analogBegun = false;
  #isResting = false;
  /** Null: not reported yet since the port was opened. */
  #level: number | null = null;
  #message: number[] = [];
  readonly #opened;
  readonly #openFailed;
  readonly #read;
  readonly #lost;
  readonly #written;

  constructor(options: LetteringOptions, world: ProgramWorld) {
    this.#options = options;
    this.#world = world;
    this.#opened = world.guarded((port: BindingPortInterface) => this.#begun(port));
    this.#openFailed = world.guarded(() => this.#openAgain());
    this.#read = world.guarded(({ bytesRead }: { bytesRead: number }) => this.#received(bytesRead));
    this.#lost = world.guarded(() => this.#portLost());
    this.#written = world.guarded(() => {
      this.#writing = false;
      this.#writeNext();
    });
  }

  begin(): void {
    this.#open();
    this.#world.timers.setInterval(() => {
      if (this.#port !== null && !this.#isResting) this.#writeLetter();
    }, this.#options.letterMs);
  }

  #open(): void {
    this.#world.binding.open({ path: this.#options.device, baudRate }).then(this.#opened, this.#openFailed);
  }

  #openAgain(): void {
    this.#world.timers.setTimeout(() => this.#open(), reopenAfterMs);
  }

  #begun(port: BindingPortInterface): void {
    this.#port = port;
    this.#isMoving = false;
    this.#level = null;
    this.#message = [];
    const modes: number[] = [];
    for (let pin = pinsOfLetters.drawn; pin < pinsOfLetters.edges + 8; pin++)
      modes.push(0xf4, pin, outputMode);
    modes.push(0xf4, pinsOfLetters.strobe, outputMode);
    modes.push(0xf4, inputPin, inputMode, 0xf4, restPin, inputMode, 0xd0 | inputPort, 1);
    this.#write(...modes);
    // A driver of 200 steps a revolution.
    this.#write(0xf0, 0x72, 0, 0, 1, 72, 1, directionPin, stepPin, 0xf7);
    if (this.#options.analogFromLetter === undefined) this.#reportAnalog();
    this.#readMore(port);
  }

  #reportAnalog(): void {
    const { analogChannels = [], samplingMs = 10 } = this.#options;
    if (analogChannels.length === 0) return;
    this.#write(0xf0, 0x7a, samplingMs & 0x7f, samplingMs >> 7, 0xf7);
    for (const channel of analogChannels) this.#write(0xc0 | channel, 1);
  }

  #portLost(): void {
    const port = this.#port;
    this.#port = null;
    this.#queue = [];
    this.#writing = false;
    port?.close().catch(() => {});
    this.#openAgain();
  }

  // ---------------------------------------------------------------- outputs

  #writeLetter(): void {
    const drawn = this.#world.read('draw', (random) => Math.floor(random() * 256));
    this.#letters += 1;
    const port = (first: number, value: number) => [0x90 | (first >> 3), value & 0x7f, (value >> 7) & 1];
    this.#write(
      ...port(pinsOfLetters.drawn, drawn),
      ...port(pinsOfLetters.number, this.#letters & 0xff),
      ...port(pinsOfLetters.edges, this.#edges & 0xff),
      ...[0xf5, pinsOfLetters.strobe, 1, 0xf5, pinsOfLetters.strobe, 0],
    );
    const { lettersPerMove, analogFromLetter } = this.#options;
    if (!this.#isMoving && this.#letters % lettersPerMove === 0) this.#move();
    if (analogFromLetter === this.#letters && !this.#analogBegun) {
      this.#analogBegun = true;
      this.#reportAnalog();
    }
  }

  #move(): void {
    this.#moves += 1;
    this.#isMoving = true;
    const steps = 5 + (this.#moves % 9);
    this.#write(...moveBegin, 0, 1, steps, 0, 0, ...speed, 0xf7);
  }

  /** The binding takes one write at a time. */
  #write(...bytes: number[]): void {
    this.#queue.push(Buffer.from(bytes));
    if (!this.#writing) this.#writeNext();
  }

  #writeNext(): void {
    const next = this.#queue.shift();
    if (next === undefined || this.#port === null) return;
    this.#writing = true;
    // A failed write belongs to a lost port, of which the reading side learns.
    this.#port.write(next).then(this.#written, () => {});
  }

  // ---------------------------------------------------------------- inputs

  #readMore(port: BindingPortInterface): void {
    port.read(this.#buffer, 0, this.#buffer.length).then(this.#read, this.#lost);
  }

  #received(bytesRead: number): void {
    for (const byte of this.#buffer.subarray(0, bytesRead)) this.#receive(byte);
    if (this.#port !== null) this.#readMore(this.#port);
  }

  #receive(byte: number): void {
    const message = this.#message;
    if (byte >= 0x80 && byte !== 0xf7) message.length = 0;
    message.push(byte);
    const first = message[0]!;
    if (first === 0xf0) {
      if (byte === 0xf7 && message[1] === 0x72) this.#isMoving = false;
      return;
    }
    if (message.length === 3 && first === (0x90 | inputPort)) this.#inputReported(message[1]!, message[2]!);
  }

  #inputReported(low: number, high: number): void {
    const levels = low | (high << 7);
    this.#isResting = ((levels >> restBit) & 1) === 1;
    const level = (levels >> inputBit) & 1;
    if (this.#level !== null && level !== this.#level) this.#edges += 1;
    this.#level = level;
  }
}

export function letteringProgram(options: LetteringOptions): SimulatedProgram {
  return {
    name: 'lettering',
    summary: `a letter every ${options.letterMs} ms, a move every ${options.lettersPerMove} letters`,
    devices: [options.device],
    start(random) {
      const world = new ProgramWorld(random);
      const program = new LetteringProgram(options, world);
      return startInProcess(world, () => program.begin());
    },
  };
}
