/**
 * One-wire parts on a pin, at the level of bits (Maxim application note 126, DS18B20 datasheet 19-7487, "1-Wire Bus System").
 *
 * Each part has an open drain on a wire that a resistor pulls up, and sees what the wire does: how long the master held it
 * low. So the wired AND of several parts answering at once, on which the search rests, needs no code of its own.
 *
 *     low >= 400 us          reset; the part answers with a presence pulse
 *     low, then high         a slot: a one when it was short, a zero when it was long
 *     a slot that is read    the part that has a zero to say holds the wire low beyond the master's pulse
 *
 * What a part means by its function commands is its own (boards/chips); only how many bytes follow a command must be known
 * here, because a part on a bus gets bits and its interface takes whole commands.
 */
import type { OneWirePart } from '../../simulated/one-wire-bus.ts';
import type { Mega2560 } from './machine.ts';
import type { Level } from './wires.ts';

const resetUsMin = 400;
const presenceAfterUs = 30;
const presenceUs = 120;
/** A part samples the wire so long after the falling edge. */
const sampleUs = 30;
/** A zero is held on the wire so long. */
const zeroUs = 30;

const readRom = 0x33;
const matchRom = 0x55;
const skipRom = 0xcc;
const searchRom = 0xf0;
const alarmSearch = 0xec;
/** Bytes that follow a function command of the DS18B20; all others have none. */
const parameterBytes = new Map([[0x4e, 3]]);
const convert = 0x44;
const codeBits = 64;
const answerBytes = 16;
const microsecondsPerSecond = 1_000_000;

type State =
  /** Waits for a reset. */
  | { kind: 'idle' }
  /** A ROM command, or after it the function command and its parameters. */
  | { kind: 'command'; isFunction: boolean; bits: number; bitCount: number; bytes: number[] }
  | { kind: 'match'; bit: number }
  /** Each bit: the part says it, says its complement, hears which one goes on. */
  | { kind: 'search'; bit: number; phase: 0 | 1 | 2 }
  | { kind: 'say'; bytes: Uint8Array | null; bit: number };

class PartOnWire {
  readonly #part: OneWirePart;
  #state: State = { kind: 'idle' };

  constructor(part: OneWirePart) {
    this.#part = part;
  }

  reset(): void {
    this.#part.resetPulse();
    this.#state = { kind: 'command', isFunction: false, bits: 0, bitCount: 0, bytes: [] };
  }

  /** A slot begins: the bit that the part says in it; 1 says nothing. */
  bitToSay(nowMs: number): Level {
    const state = this.#state;
    if (state.kind === 'search' && state.phase < 2) {
      const bit = codeBit(this.#part.code, state.bit);
      return state.phase === 0 ? bit : ((1 - bit) as Level);
    }
    if (state.kind !== 'say') return 1;
    // What is asked for while a conversion runs changes from bit to bit.
    const bytes = state.bytes ?? this.#part.read(1, nowMs);
    const index = state.bytes === null ? 0 : state.bit;
    return (((bytes[index >> 3] ?? 0xff) >> (index & 7)) & 1) as Level;
  }

  /** The slot is over; `bit`: what was on the wire when parts look. */
  slot(bit: Level, nowMs: number): void {
    const state = this.#state;
    switch (state.kind) {
      case 'idle':
        return;
      case 'say':
        state.bit += 1;
        return;
      case 'match':
        this.#matched(state, bit, state.bit);
        return;
      case 'search':
        if (state.phase < 2) state.phase = (state.phase + 1) as 1 | 2;
        else this.#matched(state, bit, state.bit);
        return;
      case 'command':
        state.bits |= bit << state.bitCount;
        state.bitCount += 1;
        if (state.bitCount === 8) this.#byte(state, nowMs);
    }
  }

  #matched(state: { kind: 'match' | 'search'; bit: number }, bit: Level, index: number): void {
    if (codeBit(this.#part.code, index) !== bit) this.#state = { kind: 'idle' };
    else if (index + 1 === codeBits) this.#awaitFunction();
    else this.#state = { kind: state.kind, bit: index + 1, phase: 0 } as State;
  }

  #awaitFunction(): void {
    this.#state = { kind: 'command', isFunction: true, bits: 0, bitCount: 0, bytes: [] };
  }

  #byte(state: State & { kind: 'command' }, nowMs: number): void {
    const byte = state.bits;
    state.bits = 0;
    state.bitCount = 0;
    if (state.isFunction) {
      state.bytes.push(byte);
      if (state.bytes.length <= (parameterBytes.get(state.bytes[0]!) ?? 0)) return;
      this.#part.write(Uint8Array.from(state.bytes), nowMs);
      const isStatus = state.bytes[0] === convert;
      const bytes = isStatus ? null : this.#part.read(answerBytes, nowMs);
      this.#state = { kind: 'say', bytes, bit: 0 };
      return;
    }
    switch (byte) {
      case skipRom:
        this.#awaitFunction();
        return;
      case matchRom:
        this.#state = { kind: 'match', bit: 0 };
        return;
      case readRom:
        this.#state = { kind: 'say', bytes: this.#part.code, bit: 0 };
        return;
      case searchRom:
        this.#state = { kind: 'search', bit: 0, phase: 0 };
        return;
      case alarmSearch:
        this.#state = this.#part.alarmed(nowMs) ? { kind: 'search', bit: 0, phase: 0 } : { kind: 'idle' };
        return;
      default:
        this.#state = { kind: 'idle' };
    }
  }
}

/** All parts on one wire. */
export class OneWireLine {
  readonly #machine: Mega2560;
  readonly #wire: number;
  readonly #parts: PartOnWire[] = [];
  #fellAt: number | null = null;
  #pulling = 0;
  #slots = 0;
  #lastResetMs = Number.NEGATIVE_INFINITY;

  /** The wire gets its pull-up resistor. */
  constructor(machine: Mega2560, wire: number) {
    this.#machine = machine;
    this.#wire = wire;
    machine.wires.pull(wire, 1, machine.cycle);
    machine.wires.listen((changed, level, cycle) => {
      if (changed === wire) this.#edge(level, cycle);
    });
  }

  attach(part: OneWirePart): void {
    this.#parts.push(new PartOnWire(part));
  }

  /** The firmware has used this wire as a bus within the last `ms`. */
  isBusy(ms: number): boolean {
    return this.#machine.timeMs - this.#lastResetMs < ms;
  }

  #edge(level: Level, cycle: number): void {
    if (level === 0) {
      // A presence pulse is ours; what the master pulls low is a slot, or a reset as we shall see.
      if (this.#pulling > 0 || !this.#machine.wires.isDriven(this.#wire)) return;
      this.#fellAt = cycle;
      this.#beginSlot(cycle);
    } else if (this.#fellAt !== null) {
      const lowUs = this.#usOf(cycle - this.#fellAt);
      this.#fellAt = null;
      if (lowUs >= resetUsMin) this.#presence(cycle);
    }
  }

  #beginSlot(cycle: number): void {
    this.#slots += 1;
    const slot = this.#slots;
    const nowMs = this.#machine.timeMs;
    const said = this.#parts.map((part) => part.bitToSay(nowMs));
    const zeros = said.filter((bit) => bit === 0).length;
    for (let each = 0; each < zeros; each++) this.#pull(cycle, zeroUs);
    this.#machine.at(cycle + this.#cyclesOf(sampleUs), () => {
      // The wire as the master left it: what a part itself holds low it knows.
      const bit = zeros > 0 ? 0 : this.#machine.wires.level(this.#wire);
      if (slot === this.#slots) for (const part of this.#parts) part.slot(bit, this.#machine.timeMs);
    });
  }

  #presence(cycle: number): void {
    // The pulse was a reset: the slot that it looked like has been undone by what follows.
    for (const part of this.#parts) part.reset();
    this.#lastResetMs = this.#machine.timeMs;
    if (this.#parts.length === 0) return;
    this.#machine.at(cycle + this.#cyclesOf(presenceAfterUs), () =>
      this.#pull(this.#machine.cycle, presenceUs),
    );
  }

  #pull(cycle: number, us: number): void {
    const { wires } = this.#machine;
    this.#pulling += 1;
    wires.openDrain(this.#wire, true, cycle);
    this.#machine.at(cycle + this.#cyclesOf(us), () => {
      wires.openDrain(this.#wire, false, this.#machine.cycle);
      this.#pulling -= 1;
    });
  }

  #usOf(cycles: number): number {
    return (cycles / this.#machine.clockHz) * microsecondsPerSecond;
  }

  #cyclesOf(us: number): number {
    return Math.round((us * this.#machine.clockHz) / microsecondsPerSecond);
  }
}

function codeBit(code: Uint8Array, index: number): Level {
  return ((code[index >> 3]! >> (index & 7)) & 1) as Level;
}
