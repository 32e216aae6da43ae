/** What the pins of the emulated Mega did, as a logic analyser on the board's headers would have it, and what a program meant them to do. */
import { wireOfPin } from '../../../boards/mega-2560/emulator/arduino-pins.ts';
import type { Mega2560 } from '../../../boards/mega-2560/emulator/machine.ts';
import { moveBegin, pinsOfLetters, stepPin } from './lettering-program.ts';

export interface Letter {
  drawn: number;
  number: number;
  edges: number;
}

export interface LetterAtPins extends Letter {
  /** Of the machine's time. */
  atMs: number;
}

const letterPins = Array.from({ length: 24 }, (_, index) => pinsOfLetters.drawn + index);

/** Reads every letter at its strobe, counts every step and every change of the letters' pins. */
export class PinLedger {
  readonly letters: LetterAtPins[] = [];
  steps = 0;
  /** Of the letters' 24 pins: one that moved without need would show here. */
  changes = 0;
  /** When any output pin moved last. */
  movedAtMs = 0;
  readonly #machine: Mega2560;

  constructor(machine: Mega2560) {
    this.#machine = machine;
    const strobe = wireOfPin(pinsOfLetters.strobe);
    const step = wireOfPin(stepPin);
    const letterWires = new Set(letterPins.map(wireOfPin));
    machine.wires.listen((wire, level, cycle) => {
      const isLetter = letterWires.has(wire);
      if (isLetter) this.changes += 1;
      if (wire === step) this.steps += level;
      if (wire === strobe && level === 1) this.#read(cycle);
      if (isLetter || wire === step || wire === strobe) this.movedAtMs = (cycle / machine.clockHz) * 1000;
    });
  }

  /** True while any of the letters' pins is high. */
  get isShowing(): boolean {
    return letterPins.some((pin) => this.#machine.level(pin) === 1);
  }

  #read(cycle: number): void {
    const byteAt = (first: number): number => {
      let value = 0;
      for (let bit = 0; bit < 8; bit++) value |= this.#machine.level(first + bit) << bit;
      return value;
    };
    const { drawn, number, edges } = pinsOfLetters;
    this.letters.push({
      drawn: byteAt(drawn),
      number: byteAt(number),
      edges: byteAt(edges),
      atMs: (cycle / this.#machine.clockHz) * 1000,
    });
  }
}

export interface Intent {
  letters: Letter[];
  steps: number;
  changes: number;
}

/** What the bytes that a lettering program has written mean, whoever carried them out. */
export function intentOf(bytes: Uint8Array): Intent {
  const intent: Intent = { letters: [], steps: 0, changes: 0 };
  const ports = new Map<number, number>();
  const shownFrom = (firstPin: number): number => ports.get(firstPin >> 3) ?? 0;
  for (const message of messagesOf(bytes)) {
    const [first, second, third] = message as [number, number, number];
    if ((first & 0xf0) === 0x90) {
      const port = first & 0x0f;
      const value = second | (third << 7);
      intent.changes += ones((ports.get(port) ?? 0) ^ value);
      ports.set(port, value);
    } else if (first === 0xf5 && second === pinsOfLetters.strobe && third === 1) {
      const { drawn, number, edges } = pinsOfLetters;
      intent.letters.push({ drawn: shownFrom(drawn), number: shownFrom(number), edges: shownFrom(edges) });
    } else if (moveBegin.every((byte, index) => message[index] === byte)) {
      intent.steps += message[5]! | (message[6]! << 7) | (message[7]! << 14);
    }
  }
  return intent;
}

/** Firmata messages, each from its first byte on, sysexes without their end. */
export function messagesOf(bytes: Uint8Array): number[][] {
  const messages: number[][] = [];
  for (const byte of bytes) {
    if (byte === 0xf7) continue;
    if (byte >= 0x80) messages.push([byte]);
    else messages.at(-1)?.push(byte);
  }
  return messages;
}

function ones(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
