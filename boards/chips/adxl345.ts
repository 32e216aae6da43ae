/** ADXL345 accelerometer (Analog Devices, rev. G): 4 mg a count in full resolution, low byte first. */
import { RegisterChip } from './register-chip.ts';
import { asSignal, int16Bytes, type Signal } from './signal.ts';

const deviceId = 0x00;
const powerControl = 0x2d;
const dataFormat = 0x31;
const dataStart = 0x32;
const measureBit = 0x08;
const fullResolutionBit = 0x08;

export class Adxl345 extends RegisterChip {
  static readonly address = 0x53;
  readonly #acceleration: readonly Signal[];

  /** @param accelerationG acceleration in g along x, y, z. */
  constructor(accelerationG: readonly [Signal | number, Signal | number, Signal | number] = [0, 0, 1]) {
    super();
    this.#acceleration = accelerationG.map(asSignal);
    this.powerOn();
  }

  protected powerOn(): void {
    this.registers[deviceId] = 0xe5;
  }

  protected refresh(now: number): void {
    if ((this.registers[powerControl]! & measureBit) === 0) return;
    const format = this.registers[dataFormat]!;
    const countsPerG = format & fullResolutionBit ? 256 : 256 / 2 ** (format & 3);
    this.#acceleration.forEach((signal, axis) => {
      const [high, low] = int16Bytes(signal(now) * countsPerG);
      this.put(dataStart + 2 * axis, [low, high]);
    });
  }
}
