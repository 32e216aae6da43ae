import { expect, test } from 'vitest';
import type { Plant } from '../../plants/plant.ts';
import { WaterTank } from '../../plants/water-tank.ts';
import { pinModes } from '../../profile.ts';
import type { PinBank } from '../../simulated/pins.ts';
import { mega2560Profile } from '../profile.ts';
import { machineWith } from './assembler.test-rig.ts';
import { PlantLink } from './plant-link.ts';

/** Pin 7 (PH4) high, pin 8 (PH5, OC4C) as PWM of a quarter, pin 4 (PG5) with pull-up, A0 converted into 0x200 for ever. */
const controller = `
      ldi r16, 0x30
      sts 0x101, r16
      ldi r16, 0x10
      sts 0x102, r16
      ldi r16, 0
      sts 0xad, r16
      ldi r16, 63
      sts 0xac, r16
      ldi r16, 0x09
      sts 0xa0, r16
      ldi r16, 0x0b
      sts 0xa1, r16
      sbi 0x14, 5
      ldi r16, 0x40
      sts 0x7c, r16
loop: ldi r16, 0xc7
      sts 0x7a, r16
wait: lds r17, 0x7a
      sbrc r17, 6
      rjmp wait
      lds r18, 0x78
      sts 0x200, r18
      lds r18, 0x79
      sts 0x201, r18
      rjmp loop`;

class Probe implements Plant {
  readonly times: number[] = [];
  seen: { mode: number; duty: number }[] = [];

  step(now: number, pins: PinBank): void {
    this.times.push(now);
    this.seen = [7, 8, 4, 2].map((pin) => ({ mode: pins.pin(pin).mode, duty: pins.pin(pin).duty }));
    pins.driveAnalog(0, 0.5);
    pins.drive(2, 1);
  }

  state(): Record<string, number | boolean> {
    return {};
  }
}

test('a plant sees levels, duties and pull-ups, and what it drives arrives at pins and converter', () => {
  const machine = machineWith(controller);
  const probe = new Probe();
  new PlantLink(machine, mega2560Profile, probe);
  machine.runForMs(101);
  expect(probe.times).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  const [pump, valve, button, float] = probe.seen;
  expect(pump).toEqual({ mode: pinModes.output, duty: 1 });
  expect(valve!.mode).toBe(pinModes.pwm);
  expect(valve!.duty).toBeCloseTo(0.25, 2);
  expect(button!.mode).toBe(pinModes.pullUp);
  expect(float!.mode).toBe(pinModes.input);
  expect(machine.level(2)).toBe(1);
  expect(machine.peek(0x200) | (machine.peek(0x201) << 8)).toBe(Math.round(0.5 * 1023));
});

test('the water tank falls while the pump runs, and its level is what the converter reads', () => {
  const machine = machineWith(controller);
  const tank = new WaterTank({ valvePin: 9 });
  new PlantLink(machine, mega2560Profile, tank);
  machine.runForMs(2000);
  const { levelMetres, pumpLitresPerSecond } = tank.state();
  expect(pumpLitresPerSecond).toBeCloseTo(0.8, 2);
  expect(levelMetres).toBeLessThan(0.45);
  const counts = machine.peek(0x200) | (machine.peek(0x201) << 8);
  expect(Math.abs(counts / 1023 - (levelMetres as number))).toBeLessThan(0.01);
});
