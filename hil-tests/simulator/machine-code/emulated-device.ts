/**
 * A fenced device of a life whose firmware is machine code: the emulated Mega (boards/mega-2560/emulator), a UART to each board,
 * in the life's virtual time.
 *
 *     board a == line (noise) == UART1 \
 *                                        machine code == pins, told to the cycle
 *     board b == line (noise) == UART2 /
 *
 * A byte for the firmware has its start bit at the very moment at which the board hands it over, or when the line is free. The machine
 * goes on in steps of `stepMs`, so that a byte for a board comes by at most so much late, as through a real UART's driver.
 * What the device accepted and from whom is not asked of it: a tap on both lines tells (rigs/local/stream-tap.ts).
 */
import { Mega2560 } from '../../../boards/mega-2560/emulator/machine.ts';
import { assert } from '../../../protocol/assert.ts';
import type { DevicePort } from '../../../protocol/device-stream/device.ts';
import { StreamTap, type TapEvent } from '../../rigs/local/stream-tap.ts';
import type { DeviceInTheWorld, DeviceSurroundings, LineInTheWorld } from '../device-in-the-world.ts';
import { type BoardName, boardNames } from '../fault.ts';
import type { Random } from '../random.ts';

/** About a byte's time at 115200 baud. */
const stepMs = 0.08;
const consoleSerial = 0;
const consoleBitsPerSecond = 115_200;
const powerLossMs = 100;
const delimiter = 0;

/** What became of the bytes of a line, both ways, since the life began. */
export interface NoiseCounts {
  carried: number;
  flipped: number;
  dropped: number;
  inserted: number;
}

export class EmulatedLine implements LineInTheWorld {
  /** Probability, for every byte, of each: a bit is flipped, the byte is dropped, a stranger is inserted after it. */
  noise = 0;
  readonly counts: NoiseCounts = { carried: 0, flipped: 0, dropped: 0, inserted: 0 };
  /** When the last whole frame for the firmware came to its end, in cycles of the machine: at its delimiter (protocol/README.md §4). */
  lastFrameCycle = 0;
  readonly #machine: Mega2560;
  readonly #serial: number;
  readonly #random: Random;
  readonly #around: DeviceSurroundings;
  readonly #toBoard: (bytes: Uint8Array) => void;
  /** On the line toward the firmware, with the end of the last bit. */
  #arriving: { byte: number; endCycle: number }[] = [];
  #leaving: number[] = [];
  #isOpen = false;

  constructor(
    machine: Mega2560,
    serial: number,
    random: Random,
    around: DeviceSurroundings,
    toBoard: (bytes: Uint8Array) => void,
  ) {
    this.#machine = machine;
    this.#serial = serial;
    this.#random = random;
    this.#around = around;
    this.#toBoard = toBoard;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  set isOpen(isOpen: boolean) {
    if (this.#isOpen && !isOpen) {
      const now = this.#machine.cyclesOf(this.#around.time.now);
      this.#machine.serialCut(this.#serial);
      const byteCycles = (10 * this.#machine.clockHz) / this.#around.bitsPerSecond;
      this.#arriving = this.#arriving.filter(({ endCycle }) => endCycle - byteCycles < now);
      this.#leaving = [];
    }
    this.#isOpen = isOpen;
  }

  toDevice(bytes: Uint8Array): void {
    if (!this.#isOpen) return;
    const machine = this.#machine;
    const { bitsPerSecond, time } = this.#around;
    for (const sent of bytes) {
      for (const byte of this.#damaged(sent)) {
        const cycle = machine.cyclesOf(time.now);
        const endCycle = machine.serialIn(this.#serial, byte, { cycle, bitsPerSecond });
        this.#arriving.push({ byte, endCycle });
      }
    }
  }

  /** The firmware has sent a byte; it reaches the board with the next `flush`. */
  fromDevice(byte: number): void {
    if (this.#isOpen) this.#leaving.push(...this.#damaged(byte));
  }

  flush(): void {
    if (this.#leaving.length === 0) return;
    const bytes = Uint8Array.from(this.#leaving);
    this.#leaving = [];
    this.#toBoard(bytes);
  }

  /** Bytes whose end has come since the last call, whether or not the firmware was there to hear them. */
  arrived(): number[] {
    let count = 0;
    while (count < this.#arriving.length && this.#arriving[count]!.endCycle <= this.#machine.cycle)
      count += 1;
    if (count === 0) return [];
    const gone = this.#arriving.splice(0, count);
    this.lastFrameCycle = gone.findLast(({ byte }) => byte === delimiter)?.endCycle ?? this.lastFrameCycle;
    return gone.map(({ byte }) => byte);
  }

  #damaged(byte: number): number[] {
    this.counts.carried += 1;
    if (this.noise === 0) return [byte];
    const bytes: number[] = [];
    const isDropped = this.#random.chance(this.noise);
    const isFlipped = this.#random.chance(this.noise);
    if (isDropped) this.counts.dropped += 1;
    else if (isFlipped) {
      this.counts.flipped += 1;
      bytes.push(byte ^ (1 << this.#random.below(8)));
    } else bytes.push(byte);
    if (this.#random.chance(this.noise)) {
      this.counts.inserted += 1;
      bytes.push(this.#random.below(256));
    }
    return bytes;
  }
}

export class EmulatedDevice implements DeviceInTheWorld {
  readonly machine: Mega2560;
  readonly lines: Record<BoardName, EmulatedLine>;
  readonly #around: DeviceSurroundings;
  readonly #tap: StreamTap;
  readonly #consoleBytes: number[] = [];
  #session = 0;
  #outputs = 0;

  constructor(options: { program: Uint8Array; eeprom?: Uint8Array }, around: DeviceSurroundings) {
    this.#around = around;
    this.machine = new Mega2560(options);
    this.#tap = new StreamTap((event) => this.#tell(event));
    const line = (board: BoardName, serial: number): EmulatedLine =>
      new EmulatedLine(this.machine, serial, around.random.stream(`line ${board}`), around, (bytes) =>
        around.toBoard(board, bytes),
      );
    this.lines = { a: line('a', 1), b: line('b', 2) };
    this.machine.onReset(() => this.#tap.deviceReset());
    this.machine.onSerialOut((serial, byte) => this.#sent(serial, byte));
  }

  get msPerByte(): number {
    return 0;
  }

  set msPerByte(ms: number) {
    assert(ms === 0, 'machine code takes the time that it takes');
  }

  start(): void {
    this.#step();
  }

  restart(): void {
    this.machine.powerCycle(powerLossMs);
  }

  #step(): void {
    const { time } = this.#around;
    this.machine.runUntil(this.machine.cyclesOf(time.now));
    const isListening = this.machine.state === 'running';
    for (const name of boardNames) {
      const bytes = this.lines[name].arrived();
      if (bytes.length > 0 && isListening) this.#tap.fromBoard(portOf(name), Uint8Array.from(bytes));
    }
    for (const name of boardNames) this.lines[name].flush();
    time.after(stepMs, () => this.#step());
  }

  #sent(serial: number, byte: number): void {
    if (serial === consoleSerial) {
      this.#consoleBytes.push(byte);
      return;
    }
    const name = boardNames[serial - 1];
    if (name === undefined) return;
    // What the firmware has heard before it spoke comes first.
    const heard = this.lines[name].arrived();
    if (heard.length > 0) this.#tap.fromBoard(portOf(name), Uint8Array.from(heard));
    this.#tap.fromDevice(portOf(name), Uint8Array.of(byte));
    this.lines[name].fromDevice(byte);
  }

  /** Asks on the firmware's console: its counts by name. Time goes on meanwhile. */
  info(): Map<string, string> {
    const limitMs = 500;
    const { time } = this.#around;
    this.#consoleBytes.length = 0;
    const cycle = this.machine.cyclesOf(time.now);
    this.machine.serialIn(consoleSerial, 0x3f, { cycle, bitsPerSecond: consoleBitsPerSecond });
    const isAnswered = time.runUntil(time.now + limitMs, () => this.#consoleBytes.at(-1) === 0x0a);
    assert(isAnswered, `the console answers within ${limitMs} ms`);
    const fields = Buffer.from(this.#consoleBytes).toString('latin1').trim().split(' ').slice(1);
    return new Map(fields.map((field) => field.split('=') as [string, string]));
  }

  #tell(event: TapEvent): void {
    const { observe, index: device } = this.#around;
    switch (event.kind) {
      case 'session':
        this.#session = event.session;
        this.#outputs = 0;
        if (event.safe) observe({ kind: 'device-safe', device });
        return observe({ kind: 'device-session', device, session: event.session });
      case 'attached': {
        const { port, term, session } = event;
        return observe({ kind: 'device-attached', device, board: boardNames[port]!, term, session });
      }
      case 'released':
        return observe({ kind: 'device-released', device, board: boardNames[event.port]!, term: event.term });
      case 'output': {
        const { port, term, bytes } = event;
        const offset = this.#outputs;
        this.#outputs += bytes.length;
        const board = boardNames[port]!;
        return observe({ kind: 'device-output', device, session: this.#session, board, term, offset, bytes });
      }
      case 'rejected-stale': {
        const { port, term, bytes } = event;
        return observe({ kind: 'device-stale', device, board: boardNames[port]!, term, bytes });
      }
      case 'input-lost':
        return observe({ kind: 'device-input-lost', device, session: this.#session, bytes: event.bytes });
      case 'output-unseen':
        throw new Error(`the device accepted ${event.bytes} bytes at ${event.offset} that no board sent it`);
      case 'input':
      case 'discarded':
        return;
    }
  }
}

function portOf(board: BoardName): DevicePort {
  return board === 'a' ? 0 : 1;
}
