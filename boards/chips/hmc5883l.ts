/** HMC5883L compass (Honeywell): x, z, y in this order, high byte first, 1090 counts a gauss at its default gain. */
import { RegisterChip } from './register-chip.ts';
import { asSignal, int16Bytes, type Signal } from './signal.ts';

const mode = 0x02;
const dataStart = 0x03;
const status = 0x09;
const identification = 0x0a;
const countsPerGauss = 1090;
/** Horizontal part of the earth's field in central Europe. */
const horizontalGauss = 0.2;
const verticalGauss = 0.44;

export class Hmc5883l extends RegisterChip {
  static readonly address = 0x1e;
  readonly #heading: Signal;

  /** @param headingDegrees direction of the chip's x axis, clockwise from magnetic north. */
  constructor(headingDegrees: Signal | number = 0) {
    super();
    this.#heading = asSignal(headingDegrees);
    this.powerOn();
  }

  protected powerOn(): void {
    this.registers[0x00] = 0x10;
    this.registers[0x01] = 0x20;
    this.registers[mode] = 0x01;
    this.registers.set([0x48, 0x34, 0x33], identification);
  }

  /** Only the continuous mode (0) measures; the others keep the last values. */
  protected refresh(now: number): void {
    if ((this.registers[mode]! & 0x03) !== 0) return;
    const radians = (this.#heading(now) * Math.PI) / 180;
    const strength = horizontalGauss * countsPerGauss;
    this.put(dataStart, int16Bytes(strength * Math.cos(radians)));
    this.put(dataStart + 2, int16Bytes(verticalGauss * countsPerGauss));
    this.put(dataStart + 4, int16Bytes(strength * Math.sin(radians)));
    this.registers[status] = 0x01;
  }
}
