/** The Arduino Mega's numbers of its pins, as printed on the board, and the wires behind them (Arduino Mega 2560 rev. 3 schematic). */
import { portLetters } from './wires.ts';

/** In the order of the pins: port letter and bit. A0..A15 are 54..69. */
const portOfPin =
  'E0 E1 E4 E5 G5 E3 H3 H4 H5 H6 B4 B5 B6 B7 J1 J0 H1 H0 D3 D2 D1 D0 ' +
  'A0 A1 A2 A3 A4 A5 A6 A7 C7 C6 C5 C4 C3 C2 C1 C0 D7 G2 G1 G0 L7 L6 L5 L4 L3 L2 L1 L0 B3 B2 B1 B0 ' +
  'F0 F1 F2 F3 F4 F5 F6 F7 K0 K1 K2 K3 K4 K5 K6 K7';

/** `E4` -> number of the wire. */
export function wireOf(portAndBit: string): number {
  const port = portLetters.indexOf(portAndBit[0]!);
  const bit = Number(portAndBit[1]);
  if (port < 0 || !(bit >= 0 && bit <= 7)) throw new RangeError(`no such port pin: ${portAndBit}`);
  return 8 * port + bit;
}

const wires: readonly number[] = portOfPin.split(' ').map(wireOf);
const pins = new Map(wires.map((wire, pin) => [wire, pin]));

export const arduinoPinCount = wires.length;

export function wireOfPin(pin: number): number {
  const wire = wires[pin];
  if (wire === undefined) throw new RangeError(`pins are 0..${arduinoPinCount - 1} (got ${pin})`);
  return wire;
}

/** Null for the port pins that the board does not bring out. */
export function pinOfWire(wire: number): number | null {
  return pins.get(wire) ?? null;
}
