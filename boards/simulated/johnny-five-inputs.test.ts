import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Adxl345 } from '../chips/adxl345.ts';
import { Bh1750 } from '../chips/bh1750.ts';
import { Bmp180 } from '../chips/bmp180.ts';
import { Ds18b20 } from '../chips/ds18b20.ts';
import { GpsReceiver } from '../chips/gps-receiver.ts';
import { Hmc5883l } from '../chips/hmc5883l.ts';
import { Mcp9808 } from '../chips/mcp9808.ts';
import { Mcp23017 } from '../chips/mcp23017.ts';
import { Mpu6050 } from '../chips/mpu6050.ts';
import { Tmp102 } from '../chips/tmp102.ts';
import { Bench } from '../plants/bench.ts';
import { WaterTank } from '../plants/water-tank.ts';
import { unoProfile } from '../uno/profile.ts';
import { event, type Rig, startRig } from './johnny-five.test-rig.ts';

describe('johnny-five reads', () => {
  let rig: Rig;
  let five: Rig['five'];
  beforeEach(async () => {
    rig = await startRig({ profile: unoProfile });
    five = rig.five;
  });
  afterEach(() => {
    expect(rig.device.malformedCount).toBe(0);
  });

  /** Drives a pin from outside and lets the device see it. */
  function drive(pin: number, level: 0 | 1): void {
    rig.device.pins.drive(pin, level);
    rig.device.tick(performance.now());
  }

  test('a Button: press and release, with and without pull-up', async () => {
    const button = new five.Button(2);
    const pulledUp = new five.Button({ pin: 3, isPullup: true });
    const pressed = event(button, 'press');
    drive(2, 1);
    await pressed;
    const released = event(button, 'release');
    drive(2, 0);
    await released;
    expect(rig.device.pins.pin(3).level).toBe(1);
    const pressedLow = event(pulledUp, 'press');
    drive(3, 0);
    await pressedLow;
  });

  test('a Switch that was closed before the program looked', async () => {
    rig.device.pins.drive(4, 0);
    await event(new five.Switch(4), 'close');
  });

  test('an analog Sensor, on data and on change', async () => {
    rig.device.pins.driveAnalog(0, 0.25);
    const sensor = new five.Sensor({ pin: 'A0', freq: 20 });
    await event(sensor, 'data', () => sensor.raw === 256);
    rig.device.pins.driveAnalog(0, 0.75);
    await event(sensor, 'change', () => sensor.raw === 767);
  });

  test('a digital pin read through the board', async () => {
    const read = new Promise((resolve) => {
      rig.board.pinMode(6, five.Pin.INPUT);
      rig.board.digitalRead(6, (value: number) => {
        if (value === 1) resolve(value);
      });
    });
    drive(6, 1);
    expect(await read).toBe(1);
  });

  test('DS18B20 thermometers, two on one wire, after their conversion', async () => {
    rig.device.oneWire.attach(10, new Ds18b20(0x0001, 23.5));
    rig.device.oneWire.attach(10, new Ds18b20(0x0002, 4.25));
    const first = new five.Thermometer({ controller: 'DS18B20', pin: 10, address: 0x0001, freq: 50 });
    const second = new five.Thermometer({ controller: 'DS18B20', pin: 10, address: 0x0002, freq: 50 });
    await Promise.all([
      event(first, 'data', () => first.celsius === 23.5),
      event(second, 'data', () => second.celsius === 4.25),
    ]);
  });

  test('I2C thermometers TMP102 and MCP9808', async () => {
    rig.device.i2c.attach(Tmp102.address, new Tmp102(-3.5));
    rig.device.i2c.attach(Mcp9808.address, new Mcp9808(37.25));
    const cold = new five.Thermometer({ controller: 'TMP102', freq: 20 });
    const warm = new five.Thermometer({ controller: 'MCP9808', freq: 20 });
    await event(cold, 'data', () => cold.celsius === -3.5);
    await event(warm, 'data', () => warm.celsius === 37.25);
  });

  test('an MPU6050: acceleration, turning rate, temperature', async () => {
    // johnny-five's IMU is silent until each of its components has changed once.
    const shaken = (middle: number, by: number) => (now: number) => middle + by * Math.sin(now / 50);
    const chip = new Mpu6050({
      accelerationG: [0.5, -0.25, shaken(1, 0.1)],
      rateDegreesPerSecond: [shaken(0, 60), shaken(0, 60), shaken(0, 60)],
      celsius: shaken(30, 2),
    });
    rig.device.i2c.attach(Mpu6050.address, chip);
    const imu = new five.IMU({ controller: 'MPU6050', freq: 20 });
    await event(imu, 'data', () => imu.accelerometer.x === 0.5);
    expect(imu.accelerometer.y).toBeCloseTo(-0.25, 2);
    expect(Math.abs(imu.accelerometer.z - 1)).toBeLessThan(0.15);
    expect(Math.abs(imu.thermometer.celsius - 30)).toBeLessThan(2.5);
    const turning = event(imu.gyro, 'change', () => imu.gyro.rate.x !== 0);
    await turning;
  });

  test('an ADXL345', async () => {
    rig.device.i2c.attach(Adxl345.address, new Adxl345([0.5, 0, -1]));
    const accelerometer = new five.Accelerometer({ controller: 'ADXL345' });
    await event(accelerometer, 'data', () => accelerometer.x === 0.5);
    expect(accelerometer.z).toBeCloseTo(-1, 1);
  });

  test('an analog accelerometer', async () => {
    for (const channel of [0, 1, 2]) rig.device.pins.driveAnalog(channel, 0.5);
    const accelerometer = new five.Accelerometer({ pins: ['A0', 'A1', 'A2'] });
    await event(accelerometer, 'data');
    expect(Math.abs(accelerometer.x)).toBeLessThan(0.5);
  });

  test('a compass HMC5883L', async () => {
    let heading = 90;
    rig.device.i2c.attach(Hmc5883l.address, new Hmc5883l(() => heading));
    const compass = new five.Compass({ controller: 'HMC5883L' });
    await event(compass, 'data', () => Math.abs(compass.heading - 90) <= 1);
    heading = 225;
    await event(compass, 'change', () => Math.abs(compass.heading - 225) <= 1);
    expect(compass.bearing.name).toBe('SouthWest');
  });

  test('a barometer BMP180 with its thermometer', async () => {
    rig.device.i2c.attach(Bmp180.address, new Bmp180({ celsius: 18.5, pascal: 98_000 }));
    const barometer = new five.Barometer({ controller: 'BMP180', freq: 20 });
    const thermometer = new five.Thermometer({ controller: 'BMP180', freq: 20 });
    await event(barometer, 'data', () => Math.abs(barometer.pressure - 98) < 0.02);
    await event(thermometer, 'data', () => Math.abs(thermometer.celsius - 18.5) <= 0.1);
  });

  test('a light sensor BH1750', async () => {
    rig.device.i2c.attach(Bh1750.address, new Bh1750(520));
    const light = new five.Light({ controller: 'BH1750', freq: 20 });
    await event(light, 'data', () => light.lux === 520);
  });

  test('a HC-SR04, in centimetres', async () => {
    rig.device.pins.pin(7).echoUs = 1166;
    const proximity = new five.Proximity({ controller: 'HCSR04', pin: 7, freq: 20 });
    await event(proximity, 'data', () => Math.abs(proximity.cm - 20) < 0.5);
  });

  test('a button on an MCP23017', async () => {
    const chip = new Mcp23017();
    rig.device.i2c.attach(Mcp23017.address, chip);
    chip.driven[3] = 0;
    const virtual = new five.Board.Virtual({ io: new five.Expander('MCP23017') });
    const button = new five.Button({ pin: 3, board: virtual });
    chip.driven[3] = 1;
    await event(button, 'press');
  });

  test('a GPS receiver on software serial', async () => {
    rig.device.serial.attach(8, new GpsReceiver());
    const gps = new five.GPS({ pins: { rx: 11, tx: 10 } });
    await event(gps, 'change', () => Math.abs(gps.latitude - 48.137) < 0.01);
    expect(gps.longitude).toBeCloseTo(11.575, 2);
    expect(rig.device.serial.baudRateOf(8)).toBe(9600);
  });

  test('an absent chip is reported, not invented', async () => {
    const complaint = new Promise((resolve) => rig.io.once('string', resolve));
    rig.io.i2cConfig();
    rig.io.i2cReadOnce(0x55, 0x00, 2, () => {});
    expect(await complaint).toBe('I2C: Too few bytes received');
  });
});

describe('johnny-five with a plant', () => {
  test('the bench presses buttons, swings sensors and types', async () => {
    const rig = await startRig({
      profile: unoProfile,
      plant: new Bench({ keypadChannel: 1, keypadKeys: 4 }),
    });
    const button = new rig.five.Button({ pin: 2, isPullup: true });
    const sensor = new rig.five.Sensor({ pin: 'A0', freq: 20 });
    const keypad = new rig.five.Keypad({ pin: 'A1', keys: ['a', 'b', 'c', 'd'], controller: 'ANALOG' });
    await Promise.all([
      event(button, 'press'),
      event(sensor, 'change'),
      event<[{ which: string[] }]>(keypad, 'press', (data) => data.which[0] === 'b'),
    ]);
  });

  test('the tank fills while the valve is open, and the button can be pressed', async () => {
    const tank = new WaterTank({ initialLevelMetres: 0.3 });
    const rig = await startRig({ profile: unoProfile, plant: tank });
    const sensor = new rig.five.Sensor({ pin: 'A0', freq: 20 });
    const button = new rig.five.Button(4);
    await event(sensor, 'data', () => sensor.raw > 290 && sensor.raw < 320);
    new rig.five.Relay(8).close();
    await event(sensor, 'data', () => sensor.raw > 340);
    const pressed = event(button, 'press');
    tank.pressButton();
    await pressed;
  });
});
