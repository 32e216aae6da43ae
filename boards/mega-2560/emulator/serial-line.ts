/**
 * One direction of a serial line as a waveform: frames of a sender with a bit time of its own, and the question that a
 * receiver asks of it, "what is the level at this moment". A receiver of another speed then reads what it would read on
 * the bench: at 2 % the right bytes, at 10 % wrong ones and framing errors, at a multiple mostly noise.
 */

export interface SerialFrame {
  /** When the start bit begins, in cycles. */
  startCycle: number;
  bitCycles: number;
  /** Start bit, data, parity and stop bits, the first to go in bit 0. */
  bits: number;
  bitCount: number;
}

export interface SerialFormat {
  dataBits: number;
  parity: 'none' | 'even' | 'odd';
  stopBits: number;
}

export const eightNone: SerialFormat = { dataBits: 8, parity: 'none', stopBits: 1 };

/** `share` of a bit: where in it a receiver looks, half a sample late because the start edge was seen late. */
const sampleShare = 0.5 + 1 / 32;

export function frameOf(
  byte: number,
  startCycle: number,
  bitCycles: number,
  format: SerialFormat = eightNone,
): SerialFrame {
  const { dataBits, parity, stopBits } = format;
  const data = byte & ((1 << dataBits) - 1);
  let bits = data << 1;
  let bitCount = 1 + dataBits;
  if (parity !== 'none') {
    bits |= parityOf(data, parity) << bitCount;
    bitCount += 1;
  }
  for (let stop = 0; stop < stopBits; stop++) {
    bits |= 1 << bitCount;
    bitCount += 1;
  }
  return { startCycle, bitCycles, bits, bitCount };
}

export function parityOf(data: number, parity: 'even' | 'odd'): 0 | 1 {
  let ones = 0;
  for (let rest = data; rest !== 0; rest &= rest - 1) ones += 1;
  return ((ones & 1) ^ (parity === 'odd' ? 1 : 0)) as 0 | 1;
}

export function endOf(frame: SerialFrame): number {
  return frame.startCycle + frame.bitCount * frame.bitCycles;
}

/** What a receiver makes of the line after a falling edge. */
export interface SampledFrame {
  byte: number;
  framingError: boolean;
  parityError: boolean;
}

export class SerialLine {
  #frames: SerialFrame[] = [];
  /** The receiver at the end of the line wants to know that there is something to wait for. */
  onFrame: (() => void) | null = null;

  /** The end of the last frame: when the line is free. */
  busyUntil = 0;

  /** Frames follow each other; one that would begin before the line is free begins then. */
  send(frame: SerialFrame): SerialFrame {
    const startCycle = Math.max(frame.startCycle, this.busyUntil);
    const placed = startCycle === frame.startCycle ? frame : { ...frame, startCycle };
    this.#frames.push(placed);
    this.busyUntil = endOf(placed);
    this.onFrame?.();
    return placed;
  }

  /** What has not gone by at `cycle` never will: the sender is gone. */
  cut(cycle: number): void {
    this.#frames = this.#frames.filter((frame) => frame.startCycle < cycle);
    this.busyUntil = Math.min(this.busyUntil, cycle);
  }

  /** Cycle of the first falling edge at or after `from`; null when the line stays as it is. */
  nextFall(from: number): number | null {
    this.#forgetBefore(from);
    for (const frame of this.#frames) {
      if (endOf(frame) < from) continue;
      if (frame.startCycle >= from) return frame.startCycle;
      for (let bit = 1; bit < frame.bitCount; bit++) {
        const at = frame.startCycle + bit * frame.bitCycles;
        const falls = ((frame.bits >> (bit - 1)) & 3) === 1;
        if (falls && at >= from) return at;
      }
    }
    return null;
  }

  /** An idle line is high. */
  levelAt(cycle: number): 0 | 1 {
    for (const frame of this.#frames) {
      if (cycle < frame.startCycle) return 1;
      if (cycle < endOf(frame)) {
        return ((frame.bits >> Math.floor((cycle - frame.startCycle) / frame.bitCycles)) & 1) as 0 | 1;
      }
    }
    return 1;
  }

  /** A receiver with its own bit time reads a frame that fell at `fall`; null: the start bit was gone at its middle. */
  sample(fall: number, bitCycles: number, format: SerialFormat): SampledFrame | null {
    const bitAt = (bit: number) => this.levelAt(fall + (bit + sampleShare) * bitCycles);
    if (bitAt(0) === 1) return null;
    let byte = 0;
    for (let bit = 0; bit < format.dataBits; bit++) byte |= bitAt(1 + bit) << bit;
    const { parity } = format;
    const afterData = 1 + format.dataBits;
    const parityError = parity !== 'none' && bitAt(afterData) !== parityOf(byte, parity);
    return { byte, framingError: bitAt(stopBitOf(format)) === 0, parityError };
  }

  #forgetBefore(cycle: number): void {
    let gone = 0;
    while (gone < this.#frames.length && endOf(this.#frames[gone]!) < cycle) gone += 1;
    if (gone > 0) this.#frames.splice(0, gone);
  }
}

function stopBitOf(format: SerialFormat): number {
  return 1 + format.dataBits + (format.parity === 'none' ? 0 : 1);
}

/** From the falling edge to the moment at which the stop bit is judged and the frame is whole. */
export function receptionCycles(bitCycles: number, format: SerialFormat): number {
  return (stopBitOf(format) + sampleShare) * bitCycles;
}
