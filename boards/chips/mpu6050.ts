/** MPU-6050 accelerometer, gyroscope and thermometer (InvenSense RM-MPU-6000A register map). */
import { RegisterChip } from './register-chip.ts';
import { asSignal, int16Bytes, type Signal } from './signal.ts';

const dataStart = 0x3b;
const powerManagement = 0x6b;
const whoAmI = 0x75;
const gyroConfig = 0x1b;
const accelerometerConfig = 0x1c;
const sleepBit = 0x40;

export interface Mpu6050Inputs {
  /** Acceleration in g along x, y, z. At rest 0, 0, 1. */
  accelerationG?: readonly [Signal | number, Signal | number, Signal | number];
  /** Turning rate in degrees/s about x, y, z. */
  rateDegreesPerSecond?: readonly [Signal | number, Signal | number, Signal | number];
  celsius?: Signal | number;
}

export class Mpu6050 extends RegisterChip {
  static readonly address = 0x68;
  readonly #acceleration: readonly Signal[];
  readonly #rate: readonly Signal[];
  readonly #celsius: Signal;

  constructor(inputs: Mpu6050Inputs = {}) {
    super();
    this.#acceleration = (inputs.accelerationG ?? [0, 0, 1]).map(asSignal);
    this.#rate = (inputs.rateDegreesPerSecond ?? [0, 0, 0]).map(asSignal);
    this.#celsius = asSignal(inputs.celsius ?? 25);
    this.powerOn();
  }

  get asleep(): boolean {
    return (this.registers[powerManagement]! & sleepBit) !== 0;
  }

  protected powerOn(): void {
    this.registers[powerManagement] = sleepBit;
    this.registers[whoAmI] = 0x68;
  }

  /** Asleep the chip measures nothing: the data registers keep their last values. */
  protected refresh(now: number): void {
    if (this.asleep) return;
    const countsPerG = 16_384 / 2 ** ((this.registers[accelerometerConfig]! >> 3) & 3);
    const countsPerDegree = 131 / 2 ** ((this.registers[gyroConfig]! >> 3) & 3);
    this.#acceleration.forEach((signal, axis) => {
      this.put(dataStart + 2 * axis, int16Bytes(signal(now) * countsPerG));
    });
    this.put(dataStart + 6, int16Bytes((this.#celsius(now) - 36.53) * 340));
    this.#rate.forEach((signal, axis) => {
      this.put(dataStart + 8 + 2 * axis, int16Bytes(signal(now) * countsPerDegree));
    });
  }
}
