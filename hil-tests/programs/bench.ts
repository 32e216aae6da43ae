/**
 * The bench that the programs of the manifest stand on: an Uno with a knob that somebody turns, a thermometer, a third
 * axis, two contacts that somebody works, and the chips that a program asks for. All of it is a function of the
 * device's time, so that two runs see the same bench.
 *
 *   A0 knob, sine of 2 s      A1 LM35, 20..30 degrees C over 7 s      A2 sine of 3 s
 *   2, 4 contacts, 400 ms closed of 800 ms, 4 a quarter later than 2: as a pair they are a rotary encoder
 */
import assert from 'node:assert';
import { Adxl345 } from '../../boards/chips/adxl345.ts';
import { Bmp180 } from '../../boards/chips/bmp180.ts';
import { Ds18b20 } from '../../boards/chips/ds18b20.ts';
import { Hd44780, wireBackpack } from '../../boards/chips/hd44780.ts';
import { Hmc5883l } from '../../boards/chips/hmc5883l.ts';
import { Ht16k33 } from '../../boards/chips/ht16k33.ts';
import { Mcp23017 } from '../../boards/chips/mcp23017.ts';
import { Mpu6050 } from '../../boards/chips/mpu6050.ts';
import { Pcf8574 } from '../../boards/chips/pcf8574.ts';
import type { Plant } from '../../boards/plants/plant.ts';
import { SimulatedFirmata } from '../../boards/simulated/firmata.ts';
import type { PinBank } from '../../boards/simulated/pins.ts';
import { unoProfile } from '../../boards/uno/profile.ts';
import type { ProgramEntry } from './manifest.ts';

const contactPeriodMs = 800;

/** A swing around `middle`, in the unit of `middle`. */
function swing(middle: number, reach: number, periodMs: number): (now: number) => number {
  return (now) => middle + reach * Math.sin((2 * Math.PI * now) / periodMs);
}

const knobShare = swing(0.5, 0.49, 2000);
const celsius = swing(25, 5, 7000);
const thirdAxisShare = swing(0.5, 0.3, 3000);
const wallCentimetres = swing(60, 40, 5000);

function contactsClosed(now: number): [pin2: boolean, pin4: boolean] {
  const closed = (shiftMs: number) => (now + shiftMs) % contactPeriodMs < contactPeriodMs / 2;
  return [closed(contactPeriodMs / 4), closed(0)];
}

export class BenchPlant implements Plant {
  #now = 0;
  /** Parts beyond the pins that follow the time, such as the switches of an expander. */
  readonly #moves: ((now: number, pins: PinBank) => void)[] = [];

  /** Adds a part that is moved with every step of the plant. */
  onStep(move: (now: number, pins: PinBank) => void): void {
    this.#moves.push(move);
  }

  step(now: number, pins: PinBank): void {
    this.#now = now;
    pins.driveAnalog(0, knobShare(now));
    // 10 mV a degree.
    pins.driveAnalog(1, (celsius(now) * 0.01) / pins.profile.analogReferenceVolts);
    pins.driveAnalog(2, thirdAxisShare(now));
    const [pin2, pin4] = contactsClosed(now);
    pins.drive(2, pin2 ? 1 : 0);
    pins.drive(4, pin4 ? 1 : 0);
    for (const move of this.#moves) move(now, pins);
  }

  state(): Record<string, number | boolean> {
    const [contactOnPin2, contactOnPin4] = contactsClosed(this.#now);
    return {
      knobShare: knobShare(this.#now),
      temperatureCelsius: celsius(this.#now),
      contactOnPin2,
      contactOnPin4,
    };
  }
}

type AttachChip = (device: SimulatedFirmata, bench: BenchPlant, at: number) => void;

const tilt = swing(0, 0.7, 4000);

/** By the names that the manifest uses. `at` is the I2C address, or the pin for what is not on that bus. */
const chips: Record<string, AttachChip> = {
  adxl345: (device, _, at) => device.i2c.attach(at, new Adxl345([tilt, 0, 1])),
  bmp180: (device, _, at) => device.i2c.attach(at, new Bmp180({ celsius, pascal: swing(98_000, 400, 6000) })),
  ds18b20: (device, bench, at) => {
    // The bus has its own pin: the contact that the bench has there is taken off.
    device.oneWire.attach(at, new Ds18b20(0x00c0ffee, swing(20, 2, 3000)));
    bench.onStep((_, pins) => pins.drive(at, null));
  },
  hcsr04: (_, bench, at) => {
    // Sound takes 58 us there and back for each centimetre.
    bench.onStep((now, pins) => {
      pins.pin(at).echoUs = 58 * wallCentimetres(now);
    });
  },
  hmc5883l: (device, _, at) => device.i2c.attach(at, new Hmc5883l((now) => (now / 20) % 360)),
  ht16k33: (device, _, at) => device.i2c.attach(at, new Ht16k33()),
  mcp23017: (device, bench, at) => {
    const expander = new Mcp23017();
    device.i2c.attach(at, expander);
    bench.onStep((now) => {
      for (let pin = 8; pin < 12; pin++) expander.driven[pin] = Math.floor(now / 300) % 4 === pin - 8 ? 1 : 0;
    });
  },
  mpu6050: (device, _, at) => {
    const imu = new Mpu6050({ accelerationG: [tilt, 0, 1], rateDegreesPerSecond: [0, tilt, 0], celsius });
    device.i2c.attach(at, imu);
  },
  pcf8574: (device, _, at) => {
    const backpack = new Pcf8574();
    wireBackpack(backpack, new Hd44780());
    device.i2c.attach(at, backpack);
  },
};

/** The Uno that a program needs, with plant and chips. Throws for a program that needs none or an unknown chip. */
export function deviceFor(entry: Pick<ProgramEntry, 'plant' | 'chips'>): SimulatedFirmata {
  assert(entry.plant !== 'none', 'the program has no Uno');
  const bench = new BenchPlant();
  const device = new SimulatedFirmata({ profile: unoProfile, plant: bench });
  for (const chip of entry.chips ?? []) {
    const [kind, at] = chip.split('@') as [string, string];
    const attach = chips[kind];
    assert(attach !== undefined, `no chip ${kind} on the bench`);
    attach(device, bench, Number(at));
  }
  return device;
}
