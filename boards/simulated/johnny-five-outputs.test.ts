import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Hd44780, wireBackpack, wireParallel } from '../chips/hd44780.ts';
import { Ht16k33 } from '../chips/ht16k33.ts';
import { Mcp23017 } from '../chips/mcp23017.ts';
import { Pca9685 } from '../chips/pca9685.ts';
import { Pcf8574 } from '../chips/pcf8574.ts';
import { ShiftRegister } from '../chips/shift-register.ts';
import { mega2560Profile } from '../mega-2560/profile.ts';
import { unoProfile } from '../uno/profile.ts';
import { type Rig, reached, startRig } from './johnny-five.test-rig.ts';

describe('johnny-five drives', () => {
  let rig: Rig;
  let five: Rig['five'];
  beforeEach(async () => {
    rig = await startRig({ profile: unoProfile });
    five = rig.five;
  });
  afterEach(() => {
    expect(rig.device.malformedCount).toBe(0);
  });
  const pin = (number: number) => rig.device.pins.pin(number);

  test('a Led: on, off, blink, brightness, fade', async () => {
    const led = new five.Led(13);
    led.on();
    expect(pin(13).level).toBe(1);
    led.off();
    expect(pin(13).level).toBe(0);
    led.blink(10);
    const edges = pin(13).risingEdges;
    await reached(rig.device, () => pin(13).risingEdges >= edges + 3);
    led.stop();
    const dimmed = new five.Led(11);
    dimmed.brightness(128);
    expect(pin(11).duty).toBeCloseTo(128 / 255);
    dimmed.fadeOut(100);
    await reached(rig.device, () => pin(11).value === 0);
  });

  test('an RGB led', () => {
    const led = new five.Led.RGB([9, 10, 11]);
    led.color('#ff8000');
    expect([9, 10, 11].map((number) => pin(number).value)).toEqual([255, 128, 0]);
  });

  test('a Servo: range, angle, sweep', async () => {
    const servo = new five.Servo({ pin: 9, pwmRange: [600, 2300] });
    servo.to(90);
    expect(pin(9).servoMinUs).toBe(600);
    expect(pin(9).servoDegrees).toBeCloseTo(90, 0);
    servo.sweep({ range: [40, 60], interval: 100 });
    const writes = pin(9).writes;
    await reached(rig.device, () => pin(9).writes > writes + 5);
    servo.stop();
  });

  test('a Motor with direction', () => {
    const motor = new five.Motor({ pins: { pwm: 3, dir: 12 } });
    motor.forward(200);
    expect([pin(3).value, pin(12).level]).toEqual([200, 1]);
    motor.reverse(100);
    expect([pin(3).value, pin(12).level]).toEqual([100, 0]);
    motor.stop();
    expect(pin(3).duty).toBe(0);
  });

  test('a Relay, normally open and normally closed', () => {
    const open = new five.Relay(7);
    const closed = new five.Relay({ pin: 8, type: 'NC' });
    open.close();
    closed.close();
    expect([pin(7).level, pin(8).level]).toEqual([1, 0]);
    open.toggle();
    expect(pin(7).level).toBe(0);
  });

  test('a Stepper with a driver makes each step once and says when it is done', async () => {
    const stepper = new five.Stepper({
      type: five.Stepper.TYPE.DRIVER,
      stepsPerRev: 200,
      pins: { step: 3, dir: 2 },
    });
    await new Promise<void>((resolve) => stepper.rpm(600).cw().step(250, resolve));
    expect(rig.device.steppers.motion(0)?.position).toBe(250);
    expect(pin(3).risingEdges).toBe(250);
    await new Promise<void>((resolve) => stepper.ccw().accel(1600).decel(1600).step(50, resolve));
    expect(rig.device.steppers.motion(0)?.position).toBe(200);
    expect(pin(3).risingEdges).toBe(300);
    expect(pin(2).level).toBe(0);
  });

  test('a four-wire Stepper', async () => {
    const stepper = new five.Stepper({
      type: five.Stepper.TYPE.FOUR_WIRE,
      stepsPerRev: 100,
      pins: { motor1: 10, motor2: 11, motor3: 12, motor4: 13 },
    });
    await new Promise<void>((resolve) => stepper.step({ steps: 20, direction: 1, rpm: 600 }, resolve));
    expect(rig.device.steppers.motion(0)?.position).toBe(20);
    expect([10, 11, 12, 13].filter((number) => pin(number).level === 1)).toHaveLength(2);
  });

  test('AccelStepper messages of firmata-io, single and grouped', async () => {
    const { io, device } = rig;
    const driver = io.STEPPER.TYPE.DRIVER;
    io.accelStepperConfig({ deviceNum: 0, type: driver, stepPin: 3, directionPin: 4 });
    io.accelStepperConfig({ deviceNum: 1, type: driver, stepPin: 5, directionPin: 6, enablePin: 7 });
    io.accelStepperSpeed(0, 2000);
    io.accelStepperSpeed(1, 1500.5);
    io.accelStepperAcceleration(0, 20_000);
    const position = await new Promise((resolve) => io.accelStepperStep(0, -120, resolve));
    expect(position).toBe(-120);
    expect(await new Promise((resolve) => io.accelStepperTo(0, 30, resolve))).toBe(30);
    io.multiStepperConfig({ groupNum: 0, devices: [0, 1] });
    await new Promise<void>((resolve) => io.multiStepperTo(0, [100, -40], resolve));
    expect(device.steppers.accelMotion(0)?.position).toBe(100);
    expect(await new Promise((resolve) => io.accelStepperReportPosition(1, resolve))).toBe(-40);
    io.accelStepperEnable(1, true);
    io.accelStepperZero(0);
    expect(device.steppers.accelMotion(0)?.position).toBe(0);
  });

  test('a Piezo', async () => {
    const piezo = new five.Piezo(3);
    piezo.frequency(440, 50);
    await reached(rig.device, () => pin(3).risingEdges >= 10);
    piezo.off();
  });

  test('a parallel LCD', () => {
    const display = new Hd44780();
    wireParallel(rig.device.pins, display, { registerSelect: 7, enable: 8, data: [12, 11, 10, 9] });
    // johnny-five's order is register select, enable, then the data lines from D4 up.
    const lcd = new five.LCD({ pins: [7, 8, 12, 11, 10, 9] });
    lcd.cursor(0, 0).print('Understudy');
    lcd.cursor(1, 3).print('parallel');
    expect(display.lines).toEqual(['Understudy      ', '   parallel     ']);
    lcd.clear().print('x');
    expect(display.lines[0]).toBe('x'.padEnd(16));
  });

  test('an LCD on an I2C backpack, with an own character', () => {
    const backpack = new Pcf8574();
    const display = new Hd44780(20, 4);
    wireBackpack(backpack, display);
    rig.device.i2c.attach(0x27, backpack);
    const lcd = new five.LCD({ controller: 'PCF8574', rows: 4, cols: 20 });
    lcd.cursor(0, 0).print('Understudy');
    lcd.cursor(3, 0).print('fourth');
    expect(display.lines[0]).toBe('Understudy'.padEnd(20));
    expect(display.lines[3]).toBe('fourth'.padEnd(20));
    expect(display.displayOn).toBe(true);
    expect(display.backlight).toBe(true);
    lcd.createChar('level', [1, 2, 3, 4, 5, 6, 7, 8]);
    expect([0, 1, 2, 3, 4, 5, 6, 7].some((index) => display.glyph(index).join() === '1,2,3,4,5,6,7,8')).toBe(
      true,
    );
  });

  test('a ShiftRegister', () => {
    const chip = new ShiftRegister(1);
    chip.wire(rig.device.pins, { data: 2, clock: 3, latch: 4 });
    const register = new five.ShiftRegister({ pins: { data: 2, clock: 3, latch: 4 } });
    register.send(0b1010_0110);
    expect(chip.values).toEqual([0b1010_0110]);
    register.clear();
    expect(chip.values).toEqual([0]);
  });

  test('an LED matrix on an HT16K33', () => {
    const chip = new Ht16k33();
    rig.device.i2c.attach(Ht16k33.address, chip);
    const matrix = new five.Led.Matrix({
      addresses: [Ht16k33.address],
      controller: 'HT16K33',
      dims: '8x8',
      rotation: 0,
    });
    expect([chip.oscillatorOn, chip.displayOn, chip.brightness]).toEqual([true, true, 15]);
    matrix.led(0, 2, 3, 1);
    const lit = [...chip.memory].reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
    expect(lit).toBe(1);
    matrix.clear(0);
    expect(chip.memory.every((byte) => byte === 0)).toBe(true);
  });

  test('pins of an MCP23017 expander', () => {
    const chip = new Mcp23017();
    rig.device.i2c.attach(Mcp23017.address, chip);
    const virtual = new five.Board.Virtual({ io: new five.Expander('MCP23017') });
    const led = new five.Led({ pin: 9, board: virtual });
    led.on();
    expect(chip.level(9)).toBe(1);
    led.off();
    expect(chip.level(9)).toBe(0);
  });

  test('servos and leds of a PCA9685', () => {
    const chip = new Pca9685();
    rig.device.i2c.attach(Pca9685.address, chip);
    const servo = new five.Servo({ controller: 'PCA9685', pin: 0 });
    servo.to(90);
    expect(chip.asleep).toBe(false);
    const pulseMs = (chip.duty(0) * 1000) / chip.frequencyHz;
    expect(chip.frequencyHz).toBeCloseTo(50, 0);
    expect(pulseMs).toBeGreaterThan(1.3);
    expect(pulseMs).toBeLessThan(1.7);
  });

  test('strings both ways', async () => {
    rig.io.sendString('hello device');
    expect(rig.device.strings).toEqual(['hello device']);
    const heard = new Promise((resolve) => rig.io.once('string', resolve));
    rig.device.sendString('hello program');
    expect(await heard).toBe('hello program');
  });

  test('a pin state query', async () => {
    new five.Led(11).brightness(200);
    await new Promise<void>((resolve) => rig.io.queryPinState(11, resolve));
    expect(rig.io.pins[11]).toMatchObject({ mode: rig.io.MODES.PWM, state: 200 });
  });

  test('system reset', () => {
    new five.Led(13).on();
    rig.io.reset();
    expect(pin(13).level).toBe(0);
  });
});

test('johnny-five finds all pins of a Mega 2560 and drives one above 15 by PWM', async () => {
  const rig = await startRig({ profile: mega2560Profile });
  expect(rig.io.pins).toHaveLength(70);
  expect(rig.io.analogPins).toHaveLength(16);
  expect(rig.io.RESOLUTION).toMatchObject({ ADC: 1023, PWM: 255 });
  new rig.five.Led(44).brightness(77);
  expect(rig.device.pins.pin(44).value).toBe(77);
});
