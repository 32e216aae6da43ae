/**
 * A USART of the ATmega2560 in asynchronous mode (datasheet, section 22), in place of avr8js's, which loses data.
 *
 *     line --> start edge --> shift register --> FIFO of two --> UDR
 *     UDR --> buffer --> shift register --> line
 *
 * What the rest of the emulator depends on, each with a test of its own:
 * - Three frames fit: two in the FIFO and one waiting in the shift register. The start bit of a fourth overwrites the
 *   waiting one and sets DOR, which stays until UDR is read. FE and UPE belong to their frame.
 * - UDRE and RXC are levels: an enabled interrupt whose cause is there is taken, whenever it was enabled.
 * - A write to UCSRA clears TXC where it has a one and touches no other status flag. A write to UCSRB that leaves the
 *   receiver on drops nothing. Turning the receiver off empties the FIFO; turning the transmitter off lets what is under way finish.
 * - A write to UDR with UDRE clear is ignored, as the hardware does.
 * - Bits take the time that UBRR and U2X say. A sender of another speed is read as it would be (serial-line.ts).
 *
 * Not modelled: nine data bits, synchronous and SPI mode, multi-processor mode. The firmware that sets them is complained of.
 */
import type { Chip } from './chip.ts';
import {
  endOf,
  frameOf,
  receptionCycles,
  type SampledFrame,
  type SerialFormat,
  type SerialFrame,
  type SerialLine,
} from './serial-line.ts';

const rxc = 0x80;
const txc = 0x40;
const udre = 0x20;
const fe = 0x10;
const dor = 0x08;
const upe = 0x04;
const u2x = 0x02;

const rxcie = 0x80;
const txcie = 0x40;
const udrie = 0x20;
const rxen = 0x10;
const txen = 0x08;
const size2 = 0x04;

const fifoFrames = 2;
const framesDefault = 0x06;

/** First register (UCSRnA) and first vector (USARTn_RX); UDRE and TX follow. */
export const usartPlaces = [
  { base: 0xc0, vector: 25 },
  { base: 0xc8, vector: 36 },
  { base: 0xd0, vector: 51 },
  { base: 0x130, vector: 54 },
] as const;

export interface UsartOptions {
  base: number;
  vector: number;
  /** What comes in, in machine cycles. */
  line: SerialLine;
  /** A frame has left, its last bit now; in machine cycles. */
  sent: (byte: number, frame: SerialFrame) => void;
}

export class Usart {
  readonly #chip: Chip;
  readonly #options: UsartOptions;
  readonly #receiveAlarm: number;
  readonly #transmitAlarm: number;
  #controlA = 0;
  #controlB = 0;
  #controlC = framesDefault;
  #divider = 0;
  #fifo: SampledFrame[] = [];
  /** Whole, but the FIFO is full. */
  #waiting: SampledFrame | null = null;
  #overrun = false;
  /** From here on the receiver looks for a start bit. Chip cycles. */
  #searchFrom = 0;
  /** The falling edge of the frame that is being received. */
  #fall: number | null = null;
  #shifting: { byte: number; frame: SerialFrame } | null = null;
  #buffered: number | null = null;
  #transmitComplete = false;

  constructor(chip: Chip, options: UsartOptions) {
    this.#chip = chip;
    this.#options = options;
    const { base, vector } = options;
    const { cpu, alarms, interrupts } = chip;
    this.#receiveAlarm = alarms.add((at) => this.#received(at));
    this.#transmitAlarm = alarms.add((at) => this.#transmitted(at));
    options.line.onFrame = () => {
      if (this.#fall === null) this.#awaitStart();
    };
    interrupts.onAcknowledge(vector + 2, () => {
      this.#transmitComplete = false;
      this.#request();
    });
    cpu.data[base + 2] = framesDefault;
    cpu.readHooks[base] = () => this.#status;
    cpu.writeHooks[base] = (value) => {
      if (value & txc) this.#transmitComplete = false;
      this.#controlA = value & (u2x | 1);
      if (value & 1) chip.complain('usart-mode-unsupported');
      this.#request();
      return true;
    };
    cpu.writeHooks[base + 1] = (value) => {
      cpu.data[base + 1] = value;
      this.#setControlB(value);
      return true;
    };
    cpu.writeHooks[base + 2] = (value) => {
      cpu.data[base + 2] = value;
      this.#controlC = value;
      if (value & 0xc0) chip.complain('usart-mode-unsupported');
      return true;
    };
    cpu.writeHooks[base + 4] = (value) => {
      cpu.data[base + 4] = value;
      this.#divider = (this.#divider & 0xf00) | value;
      return true;
    };
    cpu.writeHooks[base + 5] = (value) => {
      cpu.data[base + 5] = value & 0x0f;
      this.#divider = (this.#divider & 0xff) | ((value & 0x0f) << 8);
      return true;
    };
    cpu.readHooks[base + 6] = () => this.#readData();
    cpu.writeHooks[base + 6] = (value) => {
      this.#writeData(value);
      return true;
    };
  }

  /** Cycles of one bit, as UBRR and U2X stand. */
  get bitCycles(): number {
    return (this.#divider + 1) * (this.#controlA & u2x ? 8 : 16);
  }

  get isReceiving(): boolean {
    return (this.#controlB & rxen) !== 0;
  }

  get isTransmitting(): boolean {
    return (this.#controlB & txen) !== 0;
  }

  get #format(): SerialFormat {
    const size = (this.#controlC >> 1) & 3;
    const mode = (this.#controlC >> 4) & 3;
    return {
      dataBits: 5 + size,
      parity: mode === 2 ? 'even' : mode === 3 ? 'odd' : 'none',
      stopBits: this.#controlC & 0x08 ? 2 : 1,
    };
  }

  get #status(): number {
    const head = this.#fifo[0];
    return (
      (head === undefined ? 0 : rxc | (head.framingError ? fe : 0) | (head.parityError ? upe : 0)) |
      (this.#overrun ? dor : 0) |
      (this.#transmitComplete ? txc : 0) |
      (this.#buffered === null ? udre : 0) |
      this.#controlA
    );
  }

  #request(): void {
    const { interrupts } = this.#chip;
    const { vector } = this.#options;
    const control = this.#controlB;
    interrupts.request(vector, (control & rxcie) !== 0 && this.#fifo.length > 0);
    interrupts.request(vector + 1, (control & udrie) !== 0 && this.#buffered === null);
    interrupts.request(vector + 2, (control & txcie) !== 0 && this.#transmitComplete);
  }

  #setControlB(value: number): void {
    const before = this.#controlB;
    this.#controlB = value;
    if (value & size2) this.#chip.complain('usart-mode-unsupported');
    if (before & rxen && !(value & rxen)) {
      this.#fifo = [];
      this.#waiting = null;
      this.#overrun = false;
      this.#fall = null;
      this.#chip.alarms.set(this.#receiveAlarm, Number.POSITIVE_INFINITY);
    } else if (!(before & rxen) && value & rxen) {
      this.#searchFrom = this.#chip.cpu.cycles;
      this.#awaitStart();
    }
    this.#request();
  }

  // ---------------------------------------------------------------- receiver

  #awaitStart(): void {
    if (!this.isReceiving) return;
    const { alarms } = this.#chip;
    const fall = this.#options.line.nextFall(this.#chip.machineCycle(this.#searchFrom));
    if (fall === null) {
      this.#fall = null;
      return;
    }
    this.#fall = this.#chip.chipCycle(fall);
    // With a frame waiting, the start bit itself is what matters: it overwrites that frame.
    if (this.#waiting !== null) alarms.set(this.#receiveAlarm, Math.ceil(this.#fall));
    else this.#awaitEnd();
  }

  #awaitEnd(): void {
    const end = this.#fall! + receptionCycles(this.bitCycles, this.#format);
    this.#chip.alarms.set(this.#receiveAlarm, Math.ceil(end));
  }

  #received(at: number): void {
    const fall = this.#fall!;
    if (this.#waiting !== null && at <= Math.ceil(fall)) {
      this.#waiting = null;
      this.#overrun = true;
      this.#awaitEnd();
      return;
    }
    const { line } = this.#options;
    const frame = line.sample(this.#chip.machineCycle(fall), this.bitCycles, this.#format);
    this.#searchFrom = frame === null ? fall + this.bitCycles : at;
    if (frame !== null) {
      if (this.#fifo.length < fifoFrames) this.#fifo.push(frame);
      else this.#waiting = frame;
      this.#request();
    }
    this.#awaitStart();
  }

  #readData(): number {
    const frame = this.#fifo.shift();
    this.#overrun = false;
    if (this.#waiting !== null) {
      this.#fifo.push(this.#waiting);
      this.#waiting = null;
      // The alarm stood at the next start bit; it is to stand at that frame's end.
      if (this.#fall !== null) this.#awaitEnd();
    }
    this.#request();
    return frame?.byte ?? 0;
  }

  // ---------------------------------------------------------------- transmitter

  #writeData(byte: number): void {
    if (!this.isTransmitting || this.#buffered !== null) return;
    if (this.#shifting === null) this.#shift(byte, this.#chip.cpu.cycles);
    else this.#buffered = byte;
    this.#request();
  }

  #shift(byte: number, cycle: number): void {
    const frame = frameOf(byte, this.#chip.machineCycle(cycle), this.bitCycles, this.#format);
    this.#shifting = { byte, frame };
    const end = this.#chip.chipCycle(endOf(frame));
    this.#chip.alarms.set(this.#transmitAlarm, Math.ceil(end));
  }

  #transmitted(at: number): void {
    const { byte, frame } = this.#shifting!;
    this.#shifting = null;
    const next = this.#buffered;
    this.#buffered = null;
    if (next !== null) this.#shift(next, at);
    else this.#transmitComplete = true;
    this.#request();
    this.#options.sent(byte, frame);
  }
}
