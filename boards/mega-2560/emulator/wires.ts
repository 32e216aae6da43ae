/**
 * The wires at the microcontroller's port pins, and who drives each: the chip, the world, a resistor, or parts with an
 * open drain (one-wire thermometers). They outlive a reset of the chip: the world goes on driving.
 *
 * A wire has the number 8 * port + bit, ports counted A, B, C, D, E, F, G, H, J, K, L; the Arduino Mega's own numbers of
 * its pins are translated at the door (arduino-pins.ts).
 */

export type Level = 0 | 1;

/** `cycle`: of the machine, when the level changed. */
export type WireListener = (wire: number, level: Level, cycle: number) => void;

export const portLetters = 'ABCDEFGHJKL';
export const wireCount = 8 * portLetters.length;

/** What the chip does to a wire. */
export const chipDrive = { low: 0, high: 1, released: 2, pullUp: 3 } as const;

const nothing = 2;

export class Wires {
  readonly #chip = new Uint8Array(wireCount).fill(chipDrive.released);
  readonly #world = new Uint8Array(wireCount).fill(nothing);
  readonly #resistor = new Uint8Array(wireCount).fill(nothing);
  readonly #openDrains = new Uint8Array(wireCount);
  readonly #levels = new Uint8Array(wireCount);
  readonly #listeners: WireListener[] = [];
  /** The chip's own input circuits; another after every reset. */
  onChipInput: ((wire: number, level: Level) => void) | null = null;

  /** Told of every change of a level, whoever made it, in order. Must not call back into the running chip. */
  listen(listener: WireListener): void {
    this.#listeners.push(listener);
  }

  level(wire: number): Level {
    return this.#levels[wire] as Level;
  }

  /** True while the chip drives the wire high or low. */
  isDriven(wire: number): boolean {
    return this.#chip[wire]! <= chipDrive.high;
  }

  hasPullUp(wire: number): boolean {
    return this.#chip[wire] === chipDrive.pullUp;
  }

  setChip(wire: number, drive: number, cycle: number): void {
    if (this.#chip[wire] === drive) return;
    this.#chip[wire] = drive;
    this.#settle(wire, cycle);
  }

  /** The world drives the wire; null lets go. A pin that the chip drives keeps the chip's level. */
  drive(wire: number, level: Level | null, cycle: number): void {
    this.#world[wire] = level ?? nothing;
    this.#settle(wire, cycle);
  }

  /** A resistor on the board pulls the wire; null: there is none. */
  pull(wire: number, level: Level | null, cycle: number): void {
    this.#resistor[wire] = level ?? nothing;
    this.#settle(wire, cycle);
  }

  /** A part with an open drain pulls the wire low, or lets go again; parts are counted. */
  openDrain(wire: number, pulls: boolean, cycle: number): void {
    this.#openDrains[wire] = this.#openDrains[wire]! + (pulls ? 1 : -1);
    this.#settle(wire, cycle);
  }

  #settle(wire: number, cycle: number): void {
    const level = this.#resolve(wire);
    if (level === this.#levels[wire]) return;
    this.#levels[wire] = level;
    this.onChipInput?.(wire, level);
    for (const listener of this.#listeners) listener(wire, level, cycle);
  }

  /** Strong before weak: the chip's push-pull stage, an open drain, the world, a resistor, the chip's own pull-up. */
  #resolve(wire: number): Level {
    const chip = this.#chip[wire]!;
    if (chip <= chipDrive.high) return chip as Level;
    if (this.#openDrains[wire]! > 0) return 0;
    if (this.#world[wire] !== nothing) return this.#world[wire] as Level;
    if (this.#resistor[wire] !== nothing) return this.#resistor[wire] as Level;
    return chip === chipDrive.pullUp ? 1 : 0;
  }
}
