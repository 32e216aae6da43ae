/**
 * The parts on the bench: every chip at its usual address, a thermometer on every digital pin, a GPS receiver
 * on the first software and the first hardware serial port, displays and a shift register on the pins that
 * johnny-five's own examples use. A part that a program does not talk to has no effect.
 */
import { Adxl345 } from '../chips/adxl345.ts';
import { Bh1750 } from '../chips/bh1750.ts';
import { Bmp180 } from '../chips/bmp180.ts';
import { Ds18b20 } from '../chips/ds18b20.ts';
import { GpsReceiver } from '../chips/gps-receiver.ts';
import { Hd44780, wireBackpack, wireParallel } from '../chips/hd44780.ts';
import { Hmc5883l } from '../chips/hmc5883l.ts';
import { Ht16k33 } from '../chips/ht16k33.ts';
import { Mcp9808 } from '../chips/mcp9808.ts';
import { Mcp23017 } from '../chips/mcp23017.ts';
import { Mpu6050 } from '../chips/mpu6050.ts';
import { Pca9685 } from '../chips/pca9685.ts';
import { Pcf8574 } from '../chips/pcf8574.ts';
import { ShiftRegister } from '../chips/shift-register.ts';
import type { Signal } from '../chips/signal.ts';
import { Tmp102 } from '../chips/tmp102.ts';
import { pinModes } from '../profile.ts';
import type { I2cChip } from '../simulated/i2c-bus.ts';
import type { OneWirePart } from '../simulated/one-wire-bus.ts';
import type { PinBank } from '../simulated/pins.ts';
import type { SerialPeer } from '../simulated/serial-ports.ts';

const backpackAddress = 0x27;
const plainExpanderAddress = 0x21;
const softwareSerialPort = 8;
const hardwareSerialPort = 1;

function sine(middle: number, swing: number, periodMs: number): Signal {
  return (now) => middle + swing * Math.sin((2 * Math.PI * now) / periodMs);
}

export interface BenchParts {
  imu: Mpu6050;
  accelerometer: Adxl345;
  compass: Hmc5883l;
  barometer: Bmp180;
  light: Bh1750;
  expander: Mcp23017;
  plainExpander: Pcf8574;
  servoDriver: Pca9685;
  matrix: Ht16k33;
  backpackDisplay: Hd44780;
  parallelDisplay: Hd44780;
  shiftRegister: ShiftRegister;
}

/** A device with places to put parts: the simulated one, and the emulated board. */
export interface BenchDevice {
  readonly pins: PinBank;
  readonly i2c: { attach(address: number, chip: I2cChip): void };
  readonly oneWire: { attach(pin: number, part: OneWirePart): void };
  readonly serial: { attach(port: number, part: SerialPeer): void };
}

export function attachBenchParts(device: BenchDevice): BenchParts {
  const celsius = sine(21, 2, 60_000);
  const parts: BenchParts = {
    imu: new Mpu6050({
      accelerationG: [sine(0, 0.3, 3_000), sine(0, 0.2, 5_000), 1],
      rateDegreesPerSecond: [sine(0, 20, 3_000), sine(0, 10, 5_000), 0],
      celsius,
    }),
    accelerometer: new Adxl345([sine(0, 0.5, 3_000), sine(0, 0.3, 4_000), 1]),
    compass: new Hmc5883l((now) => (now / 100) % 360),
    barometer: new Bmp180({ celsius, pascal: sine(101_325, 300, 60_000) }),
    light: new Bh1750(sine(400, 300, 8_000)),
    expander: new Mcp23017(),
    plainExpander: new Pcf8574(),
    servoDriver: new Pca9685(),
    matrix: new Ht16k33(),
    backpackDisplay: new Hd44780(),
    parallelDisplay: new Hd44780(),
    shiftRegister: new ShiftRegister(2),
  };
  const backpack = new Pcf8574();
  wireBackpack(backpack, parts.backpackDisplay);
  device.i2c.attach(Mpu6050.address, parts.imu);
  device.i2c.attach(Adxl345.address, parts.accelerometer);
  device.i2c.attach(Hmc5883l.address, parts.compass);
  device.i2c.attach(Bmp180.address, parts.barometer);
  device.i2c.attach(Bh1750.address, parts.light);
  device.i2c.attach(Mcp23017.address, parts.expander);
  device.i2c.attach(plainExpanderAddress, parts.plainExpander);
  device.i2c.attach(Pca9685.address, parts.servoDriver);
  device.i2c.attach(Ht16k33.address, parts.matrix);
  device.i2c.attach(Tmp102.address, new Tmp102(celsius));
  device.i2c.attach(Mcp9808.address, new Mcp9808(celsius));
  device.i2c.attach(backpackAddress, backpack);
  for (const pin of device.pins.all) {
    if (pin.supports(pinModes.oneWire))
      device.oneWire.attach(pin.number, new Ds18b20(0x1000 + pin.number, celsius));
  }
  device.serial.attach(softwareSerialPort, new GpsReceiver());
  device.serial.attach(hardwareSerialPort, new GpsReceiver());
  wireParallel(device.pins, parts.parallelDisplay, { registerSelect: 12, enable: 11, data: [5, 4, 3, 2] });
  parts.shiftRegister.wire(device.pins, { data: 2, clock: 3, latch: 4 });
  return parts;
}
