/** A physical quantity over device time in ms. What a sensor senses is given to it as one of these. */
export type Signal = (now: number) => number;

export function asSignal(source: Signal | number): Signal {
  return typeof source === 'number' ? () => source : source;
}

/** Two's complement of 16 bits, high byte first; clipped to what the register can hold. */
export function int16Bytes(value: number): [high: number, low: number] {
  const clipped = Math.min(Math.max(Math.round(value), -0x8000), 0x7fff) & 0xffff;
  return [clipped >> 8, clipped & 0xff];
}
