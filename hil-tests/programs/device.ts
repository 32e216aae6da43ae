/**
 * Builds the device that a program of the manifest needs: an Uno in front of the tank or of the bench. The bench has
 * every chip at its usual place; a program's `chips` say which of them it relies on, and what the bench must be told.
 */
import assert from 'node:assert';
import { Bench, type BenchOptions } from '../../boards/plants/bench.ts';
import { attachBenchParts } from '../../boards/plants/bench-parts.ts';
import { WaterTank } from '../../boards/plants/water-tank.ts';
import { SimulatedFirmata } from '../../boards/simulated/firmata.ts';
import { unoProfile } from '../../boards/uno/profile.ts';
import type { ProgramEntry } from './manifest.ts';

/** Parts of the bench that are there for everyone, by the names that the manifest uses. */
const alwaysThere = new Set([
  'adxl345@0x53',
  'bmp180@0x77',
  'hmc5883l@0x1e',
  'ht16k33@0x70',
  'mcp23017@0x20',
  'mpu6050@0x68',
  'pcf8574@0x27',
]);

/** Kinds that the bench has on any pin. */
const onAnyPin = new Set(['ds18b20', 'hcsr04']);

function benchOptions(chips: readonly string[]): BenchOptions {
  const options: BenchOptions = {};
  for (const chip of chips) {
    const [kind, at] = chip.split('@') as [string, string];
    if (kind === 'encoder') options.encoderPins = at.split('-').map(Number) as [number, number];
    else if (kind === 'keypad') options.keypadChannel = Number(at.replace('A', ''));
    else assert(alwaysThere.has(chip) || onAnyPin.has(kind), `the bench has no ${chip}`);
  }
  return options;
}

/** Throws for a program that has no Uno (`plant: 'none'`) and for a chip that the bench has not. */
export function deviceFor(entry: Pick<ProgramEntry, 'plant' | 'chips'>): SimulatedFirmata {
  assert(entry.plant !== 'none', 'the program has no Uno');
  if (entry.plant === 'tank') return new SimulatedFirmata({ profile: unoProfile, plant: new WaterTank() });
  const plant = new Bench(benchOptions(entry.chips ?? []));
  const device = new SimulatedFirmata({ profile: unoProfile, plant });
  attachBenchParts(device);
  return device;
}
