import { describe, expect, test } from 'vitest';
import { pinModes } from '../profile.ts';
import { PinBank } from '../simulated/pins.ts';
import { OutputTracer } from '../simulated/tracer.ts';
import { unoProfile } from '../uno/profile.ts';
import { Bench } from './bench.ts';
import { type Plant, plantStepMs } from './plant.ts';
import { WaterTank } from './water-tank.ts';

const pinsOfUno = () => new PinBank(unoProfile, new OutputTracer());

/** Steps a plant from `from` to `to`, both in ms of device time. */
function run(plant: Plant, pins: PinBank, from: number, to: number): void {
  for (let now = from + plantStepMs; now <= to; now += plantStepMs) plant.step(now, pins);
}

describe('the water tank', () => {
  const write = (pins: PinBank, pin: number, level: 0 | 1) => pins.writeDigital(0, pins.pin(pin), level);
  const level = (tank: WaterTank) => tank.state().levelMetres as number;

  test('keeps its balance: what came in went out, overflowed or is there', () => {
    const tank = new WaterTank({ initialLevelMetres: 0.5 });
    const pins = pinsOfUno();
    write(pins, 8, 1);
    let inflowLitres = 0;
    for (let now = 10; now <= 40_000; now += 10) {
      tank.step(now, pins);
      inflowLitres += (tank.state().inflowLitresPerSecond as number) * 0.01;
    }
    const state = tank.state();
    const stored = (level(tank) - 0.5) * 20;
    expect(inflowLitres).toBeCloseTo(
      stored + (state.consumedLitres as number) + (state.overflowLitres as number),
      6,
    );
    expect(state.overflowLitres).toBeGreaterThan(1);
    expect(level(tank)).toBeCloseTo(1, 2);
  });

  test('fills through the valve, empties through the pump, and the pump can run dry', () => {
    const tank = new WaterTank();
    const pins = pinsOfUno();
    write(pins, 8, 1);
    run(tank, pins, 0, 5_000);
    const filled = level(tank);
    expect(filled).toBeGreaterThan(0.65);
    write(pins, 8, 0);
    write(pins, 7, 1);
    run(tank, pins, 5_000, 15_000);
    expect(level(tank)).toBeLessThan(filled - 0.3);
    run(tank, pins, 15_000, 60_000);
    expect(level(tank)).toBeLessThan(0.001);
    expect(tank.state().pumpDryRunMs).toBeGreaterThan(10_000);
  });

  test('the sensor follows the level within its noise, the float switch closes to ground', () => {
    const tank = new WaterTank({ initialLevelMetres: 0.895 });
    const pins = pinsOfUno();
    run(tank, pins, 0, 100);
    expect(Math.abs(pins.analog(0).analogCounts / 1023 - level(tank))).toBeLessThan(0.003);
    expect(pins.pin(2).driven).toBe(1);
    write(pins, 8, 1);
    run(tank, pins, 100, 2_000);
    expect(pins.pin(2).driven).toBe(0);
  });

  test('the button is pressed for as long as asked', () => {
    const tank = new WaterTank();
    const pins = pinsOfUno();
    run(tank, pins, 0, 100);
    tank.pressButton(50);
    run(tank, pins, 100, 120);
    expect(pins.pin(4).driven).toBe(1);
    run(tank, pins, 120, 150);
    expect(pins.pin(4).driven).toBe(0);
  });

  test('the same seed gives the same readings, another one others', () => {
    const readings = (seed: number) => {
      const tank = new WaterTank({ seed });
      const pins = pinsOfUno();
      return Array.from({ length: 200 }, (_, index) => {
        tank.step((index + 1) * plantStepMs, pins);
        return pins.analog(0).analogCounts;
      });
    };
    expect(readings(7)).toEqual(readings(7));
    expect(readings(7)).not.toEqual(readings(8));
  });
});

describe('the bench', () => {
  test('presses each input by its wiring and leaves outputs alone', () => {
    const bench = new Bench();
    const pins = pinsOfUno();
    pins.setMode(0, pins.pin(2), pinModes.pullUp);
    pins.setMode(0, pins.pin(3), pinModes.input);
    const seen = new Map<number, Set<number | null>>([2, 3, 4].map((number) => [number, new Set()]));
    for (let now = 10; now <= 5_000; now += 10) {
      bench.step(now, pins);
      for (const [number, levels] of seen) levels.add(pins.pin(number).driven);
    }
    expect([...seen.get(2)!].sort()).toEqual([0, 1]);
    expect([...seen.get(3)!].sort()).toEqual([0, 1]);
    expect([...seen.get(4)!]).toEqual([null]);
    expect(bench.state().presses).toBeGreaterThan(6);
  });

  test('the encoder turns in quadrature: one line changes at a time', () => {
    const bench = new Bench({ encoderPins: [2, 3] });
    const pins = pinsOfUno();
    let before = [0, 0];
    let changes = 0;
    for (let now = 10; now <= 9_000; now += 10) {
      bench.step(now, pins);
      const lines = [pins.pin(2).driven ?? 0, pins.pin(3).driven ?? 0];
      const changed = lines.filter((line, index) => line !== before[index]).length;
      expect(changed).toBeLessThan(2);
      changes += changed;
      before = lines;
    }
    expect(changes).toBeGreaterThan(150);
  });

  test('analog inputs and the wall swing over most of their range', () => {
    const bench = new Bench();
    const pins = pinsOfUno();
    const counts: number[] = [];
    const echoes: number[] = [];
    for (let now = 10; now <= 10_000; now += 10) {
      bench.step(now, pins);
      counts.push(pins.analog(3).analogCounts);
      echoes.push(pins.pin(7).echoUs);
    }
    expect(Math.max(...counts) - Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.min(...echoes)).toBeCloseTo((0.2 * 2e6) / 343, -1);
    expect(Math.max(...echoes)).toBeCloseTo((1.5 * 2e6) / 343, -1);
  });
});
