/**
 * The real johnny-five on the real firmata-io against the machine code, through the fenced stream. The machine's time follows the
 * program's: johnny-five spins on the clock, so that virtual time would not do. Tests wait for what they are about, with a deadline.
 */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Ds18b20 } from '../../chips/ds18b20.ts';
import { Mcp23017 } from '../../chips/mcp23017.ts';
import { wireOfPin } from '../emulator/arduino-pins.ts';
import { OneWireLine } from '../emulator/one-wire-line.ts';
import { FirmwareRig } from './firmware.test-rig.ts';

const require = createRequire(import.meta.url);
const deadlineMs = 20_000;
/** Between two looks at the real clock; the program's own work comes in between. */
const sliceMs = 2;
/** A machine that fell behind the clock does not make up for more: its time just stops meanwhile. */
const behindMsMax = 20;

/** What firmata-io wants of a serial port, with the fenced machine code at the other end. */
class FencedTransport extends EventEmitter {
  readonly #rig: FirmwareRig;
  readonly #timer: NodeJS.Timeout;
  #lastMs = performance.now();

  static list(): Promise<{ path: string }[]> {
    return Promise.resolve([]);
  }

  constructor(rig: FirmwareRig) {
    super();
    this.#rig = rig;
    setImmediate(() => this.emit('open'));
    this.#timer = setInterval(() => this.#follow(), sliceMs);
  }

  write(bytes: Uint8Array, callback?: () => void): void {
    this.#rig.write(0, ...bytes);
    if (callback !== undefined) setImmediate(callback);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #follow(): void {
    const now = performance.now();
    this.#rig.run(Math.min(now - this.#lastMs, behindMsMax));
    this.#lastMs = now;
    const bytes = this.#rig.taken(0);
    if (bytes.length > 0) this.emit('data', Buffer.from(bytes));
  }
}

const rig = new FirmwareRig();
let transport: FencedTransport;
// biome-ignore lint/suspicious/noExplicitAny: untyped packages; tests use what their documentation names
let five: any;

/** Resolves when `condition` holds, looked at each time the machine has moved. */
function reached(what: string, condition: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    const timer = setInterval(() => {
      if (!condition() && performance.now() - begin < deadlineMs) return;
      clearInterval(timer);
      if (condition()) resolve();
      else reject(new Error(`not within ${deadlineMs} ms: ${what}`));
    }, sliceMs);
  });
}

beforeAll(async () => {
  new OneWireLine(rig.machine, wireOfPin(28)).attach(new Ds18b20(0x55_4433, 23.5));
  rig.machine.i2c.attach(0x20, new Mcp23017());
  rig.runUntil('hello', () => rig.sides[0].session !== null);
  rig.attach(0, 1);
  rig.runUntil('announcement', () => rig.sides[0].inputs.length > 3);
  five = require('johnny-five');
  const Firmata = require('firmata-io')(FencedTransport);
  transport = new FencedTransport(rig);
  const io = new Firmata(transport, {});
  io.name = 'Firmata';
  const board = new five.Board({ io, repl: false, debug: false, sigint: false });
  let ready = false;
  board.on('ready', () => {
    ready = true;
  });
  await reached('board ready', () => ready);
}, deadlineMs);

afterAll(() => transport?.stop());

test(
  'a Led blinks and dims',
  async () => {
    const led = new five.Led(22);
    let rises = 0;
    rig.machine.wires.listen((wire, level) => {
      if (wire === wireOfPin(22) && level === 1) rises += 1;
    });
    led.blink(20);
    await reached('five flashes', () => rises >= 5);
    led.stop();
    new five.Led(45).brightness(128);
    await reached('half duty', () => Math.abs((rig.machine.pwm(45)?.duty ?? 0) - 0.5) < 0.01);
  },
  deadlineMs,
);

test(
  'a Button and a Sensor are heard',
  async () => {
    const button = new five.Button({ pin: 30, isPullup: true, debounce: 1 });
    rig.machine.drive(30, 1);
    let presses = 0;
    button.on('press', () => {
      presses += 1;
    });
    const sensor = new five.Sensor({ pin: 'A3', freq: 20, threshold: 5 });
    let value = -1;
    sensor.on('data', () => {
      value = sensor.value;
    });
    rig.machine.setVolts(3, 2);
    await reached('the sensor shows 2 V', () => Math.abs(value - 410) <= 2);
    rig.machine.drive(30, 0);
    await reached('press', () => presses === 1);
  },
  deadlineMs,
);

test(
  'a Servo moves, a Stepper steps and calls back',
  async () => {
    const servo = new five.Servo({ pin: 40, range: [0, 180], startAt: 90 });
    let widthUs = 0;
    let rise = 0;
    let steps = 0;
    rig.machine.wires.listen((wire, level, cycle) => {
      if (wire === wireOfPin(40) && level === 1) rise = cycle;
      else if (wire === wireOfPin(40)) widthUs = (cycle - rise) / 16;
      if (wire === wireOfPin(33) && level === 1) steps += 1;
    });
    servo.to(45);
    // johnny-five asks for 600..2400 us unless told.
    await reached('45 degrees', () => Math.abs(widthUs - 1050) < 30);
    const stepper = new five.Stepper({
      type: five.Stepper.TYPE.DRIVER,
      stepsPerRev: 200,
      pins: { step: 33, dir: 34 },
    });
    let done = false;
    stepper
      .rpm(300)
      .ccw()
      .step(120, () => {
        done = true;
      });
    await reached('the steps are made', () => done);
    expect(steps).toBe(120);
  },
  deadlineMs,
);

test(
  'a thermometer on one wire and an expander on I2C answer',
  async () => {
    const thermometer = new five.Thermometer({ controller: 'DS18B20', pin: 28, freq: 100 });
    let celsius = Number.NaN;
    thermometer.on('data', () => {
      celsius = thermometer.celsius;
    });
    await reached('temperature', () => Math.abs(celsius - 23.5) < 0.1);
    const expander = new five.Expander({ controller: 'MCP23017', address: 0x20 });
    const written: number[][] = [];
    rig.machine.i2c.onWrite = (address, bytes) => written.push([address, ...bytes]);
    expander.pinMode(0, expander.MODES.OUTPUT);
    expander.digitalWrite(0, 1);
    await reached('the expander was written', () =>
      written.some((bytes) => bytes[0] === 0x20 && bytes[2] === 1),
    );
  },
  2 * deadlineMs,
);

test('nothing was malformed or lost', () => {
  transport.stop();
  const info = rig.info();
  expect(['malformed', 'overruns_a', 'discarded_a', 'untransmitted_a'].map((key) => info.get(key))).toEqual([
    '0',
    '0',
    '0',
    '0',
  ]);
  expect(rig.machine.resets).toHaveLength(1);
  // What the emulator cannot promise to do as the chip does was not asked of it.
  expect([...rig.machine.complaints]).toEqual([]);
});
