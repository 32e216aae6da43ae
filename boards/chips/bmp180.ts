/**
 * BMP180 barometer and thermometer (Bosch BST-BMP180-DS000). The driver computes pressure and temperature from
 * raw counts and 11 calibration numbers; the chip must go the other way. As the datasheet's formulas only ever
 * rise with the counts, the counts are found by bisection.
 */
import { RegisterChip } from './register-chip.ts';
import { asSignal, type Signal } from './signal.ts';

const chipId = 0xd0;
const softReset = 0xe0;
const control = 0xf4;
const result = 0xf6;
const calibrationStart = 0xaa;
const measureTemperature = 0x2e;

/** The datasheet's own example (figure 4). */
const calibration = {
  ac1: 408,
  ac2: -72,
  ac3: -14383,
  ac4: 32741,
  ac5: 32757,
  ac6: 23153,
  b1: 6190,
  b2: 4,
  mb: -32768,
  mc: -8711,
  md: 2868,
};

/** The datasheet's b5, from which temperature follows and on which pressure depends. */
function b5Of(rawTemperature: number): number {
  const x1 = ((rawTemperature - calibration.ac6) * calibration.ac5) / 2 ** 15;
  return x1 + (calibration.mc * 2 ** 11) / (x1 + calibration.md);
}

/** Datasheet figure 4, in real numbers; exported for its worked example. */
export function celsiusOf(rawTemperature: number): number {
  return (b5Of(rawTemperature) + 8) / 16 / 10;
}

export function pascalOf(rawPressure: number, rawTemperature: number, oversampling: number): number {
  const { ac1, ac2, ac3, ac4, b1, b2 } = calibration;
  const b6 = b5Of(rawTemperature) - 4000;
  const square = (b6 * b6) / 2 ** 12;
  const b3 = ((ac1 * 4 + (b2 * square) / 2 ** 11 + (ac2 * b6) / 2 ** 11) * 2 ** oversampling + 2) / 4;
  const x3 = ((ac3 * b6) / 2 ** 13 + (b1 * square) / 2 ** 16 + 2) / 4;
  const b4 = (ac4 * (x3 + 32768)) / 2 ** 15;
  const p = ((rawPressure - b3) * (50000 / 2 ** oversampling) * 2) / b4;
  const x1 = ((p / 2 ** 8) ** 2 * 3038) / 2 ** 16;
  return p + (x1 - (7357 * p) / 2 ** 16 + 3791) / 16;
}

/** The smallest whole number in the range whose image reaches `wanted`. */
function bisect(lowest: number, highest: number, wanted: number, image: (raw: number) => number): number {
  let low = lowest;
  let high = highest;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (image(middle) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class Bmp180 extends RegisterChip {
  static readonly address = 0x77;
  readonly #celsius: Signal;
  readonly #pascal: Signal;

  constructor(inputs: { celsius?: Signal | number; pascal?: Signal | number } = {}) {
    super();
    this.#celsius = asSignal(inputs.celsius ?? 20);
    this.#pascal = asSignal(inputs.pascal ?? 101_325);
    this.powerOn();
  }

  protected powerOn(): void {
    this.registers[chipId] = 0x55;
    Object.values(calibration).forEach((value, index) => {
      this.put(calibrationStart + 2 * index, [(value >> 8) & 0xff, value & 0xff]);
    });
  }

  protected refresh(): void {}

  protected override written(register: number, value: number, now: number): void {
    if (register === softReset && value === 0xb6) this.reset();
    if (register !== control) return;
    this.registers[control] = value;
    const rawTemperature = bisect(20_000, 50_000, this.#celsius(now), celsiusOf);
    if (value === measureTemperature) {
      this.put(result, [rawTemperature >> 8, rawTemperature & 0xff]);
      return;
    }
    const oversampling = value >> 6;
    const highest = 2 ** (16 + oversampling) - 1;
    const raw = bisect(0, highest, this.#pascal(now), (each) => pascalOf(each, rawTemperature, oversampling));
    // The result is left-aligned in 24 bits.
    const aligned = raw * 2 ** (8 - oversampling);
    this.put(result, [(aligned >>> 16) & 0xff, (aligned >>> 8) & 0xff]);
    this.registers[result + 2] = aligned & 0xff;
  }
}
