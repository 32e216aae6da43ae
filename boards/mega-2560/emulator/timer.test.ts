import { describe, expect, test } from 'vitest';
import { machineWith } from './assembler.test-rig.ts';
import type { Mega2560 } from './machine.ts';

/** Cycles at which a pin changed, in order. */
function edgesOf(machine: Mega2560, pin: number): { level: number; cycle: number }[] {
  const edges: { level: number; cycle: number }[] = [];
  let before = machine.level(pin);
  machine.wires.listen((_wire, _level, cycle) => {
    const level = machine.level(pin);
    if (level !== before) edges.push({ level, cycle });
    before = level;
  });
  return edges;
}

/** Store constants: `[address, value]`, all through r16. */
const stores = (pairs: readonly (readonly [number, number])[]): string =>
  pairs.map(([address, value]) => `ldi r16, ${value}\nsts ${address}, r16`).join('\n');

const forever = `
end:  rjmp end`;

const ddrB = 0x24;
const ddrE = 0x2d;
const ddrH = 0x101;
const ddrL = 0x10a;

describe('PWM at the pin', () => {
  test.each([
    [63, 64 / 256],
    [0, 1 / 256],
    [254, 255 / 256],
  ])('fast PWM of 8 bits, OCR %i: high for OCR + 1 of 256 ticks', (compare, duty) => {
    // Timer 2, OC2A on PB4 (pin 10), mode 3, prescaler 64.
    const machine = machineWith(
      stores([
        [ddrB, 0x10],
        [0xb3, compare],
        [0xb0, 0x83],
        [0xb1, 0x04],
      ]) + forever,
    );
    const edges = edgesOf(machine, 10);
    machine.runForMs(10);
    const [rise, fall, again] = edges.slice(edges.findIndex(({ level }) => level === 1) + 2);
    expect(again!.cycle - rise!.cycle).toBe(256 * 64);
    expect((fall!.cycle - rise!.cycle) / (256 * 64)).toBeCloseTo(duty, 10);
    expect(machine.pwm(10)).toEqual({ duty, frequencyHz: 16_000_000 / 64 / 256 });
  });

  test('fast PWM with OCR at TOP is always high', () => {
    const machine = machineWith(
      stores([
        [ddrB, 0x10],
        [0xb3, 255],
        [0xb0, 0x83],
        [0xb1, 0x01],
      ]) + forever,
    );
    machine.runForMs(1);
    const edges = edgesOf(machine, 10);
    machine.runForMs(2);
    expect(edges).toEqual([]);
    expect(machine.level(10)).toBe(1);
    expect(machine.pwm(10)?.duty).toBe(1);
  });

  test('phase correct PWM: high for 2 OCR of 2 TOP ticks, symmetrical, off at 0', () => {
    // Timer 4, OC4A on PH3 (pin 6), mode 1 (8 bits), prescaler 64, OCR 100.
    const machine = machineWith(
      stores([
        [ddrH, 0x08],
        [0xa9, 0],
        [0xa8, 100],
        [0xa0, 0x81],
        [0xa1, 0x03],
      ]) + forever,
    );
    const edges = edgesOf(machine, 6);
    machine.runForMs(20);
    const [rise, fall, again] = edges.slice(edges.findIndex(({ level }) => level === 1) + 2);
    expect(again!.cycle - rise!.cycle).toBe(510 * 64);
    expect(fall!.cycle - rise!.cycle).toBe(200 * 64);
    expect(machine.pwm(6)).toEqual({ duty: 100 / 255, frequencyHz: 16_000_000 / 64 / 510 });
  });

  test('the third unit works like the others: OC3C on PE5, inverted', () => {
    // Timer 3, mode 14 (TOP = ICR = 999), prescaler 8, OCR3C 249, COM3C 3.
    const machine = machineWith(
      stores([
        [ddrE, 0x20],
        [0x97, 999 >> 8],
        [0x96, 999 & 0xff],
        [0x9d, 0],
        [0x9c, 249],
        [0x90, 0x0e],
        [0x91, 0x1a],
      ]) + forever,
    );
    const edges = edgesOf(machine, 3);
    machine.runForMs(5);
    const [rise, fall, again] = edges.slice(edges.findIndex(({ level }) => level === 1) + 2);
    expect(again!.cycle - rise!.cycle).toBe(8000);
    expect(fall!.cycle - rise!.cycle).toBe(750 * 8);
    expect(machine.pwm(3)).toEqual({ duty: 0.75, frequencyHz: 2000 });
  });

  test('a written OCR takes effect at the next BOTTOM, not in the middle of a period', () => {
    // OCR 200, then 50 while the count stands between them: the running period still ends at 200.
    const machine = machineWith(
      `${stores([
        [ddrL, 0x08],
        [0x129, 0],
        [0x128, 200],
        [0x120, 0x81],
        [0x121, 0x0b],
      ])}
wait: lds r17, 0x124
      cpi r17, 100
      brne wait
      ldi r16, 50
      sts 0x128, r16${forever}`,
    );
    const edges = edgesOf(machine, 46);
    machine.runForMs(4);
    const widths = edges
      .map(({ level, cycle }, index) =>
        level === 1 ? ((edges[index + 1]?.cycle ?? Number.NaN) - cycle) / 64 : 0,
      )
      .filter((width) => width > 0);
    expect(widths).toContain(51);
    expect(new Set(widths.slice(1))).toEqual(new Set([51]));
  });

  test('a timer gives the pin back to PORT when its unit is disconnected', () => {
    const machine = machineWith(
      stores([
        [ddrB, 0x10],
        [0xb3, 255],
        [0xb0, 0x83],
        [0xb1, 0x01],
        [0xb0, 0x03],
      ]) + forever,
    );
    machine.runForMs(1);
    expect(machine.level(10)).toBe(0);
    expect(machine.pwm(10)).toBeNull();
  });
});

describe('interrupts and counting', () => {
  test('CTC: the compare interrupt comes every (OCR + 1) * prescaler cycles, without drift', () => {
    // Timer 0, mode 2, OCR 249, prescaler 64, COMPA toggles PB0.
    const machine = machineWith(`
      jmp start
      .org 42
      jmp tick
      .org 114
start:${stores([
      [ddrB, 0x01],
      [0x44, 0x02],
      [0x47, 249],
      [0x6e, 0x02],
      [0x45, 0x03],
    ])}
      ldi r17, 1
      out 0x33, r17
      sei
loop: sleep
      rjmp loop
tick: out 0x03, r17
      reti`);
    const edges = edgesOf(machine, 53);
    machine.runForMs(1000);
    expect(edges.length).toBeGreaterThanOrEqual(998);
    const gaps = edges.slice(1).map(({ cycle }, index) => cycle - edges[index]!.cycle);
    expect(new Set(gaps)).toEqual(new Set([16_000]));
    expect(machine.sleptCycles / machine.cycle).toBeGreaterThan(0.99);
  });

  test('COMPC has its flag and its vector, and a flag is cleared by writing a one to it', () => {
    // Timer 1 free running, OCR1C 100: vector 19 stores 1, the main loop sees OCF1A set and clears it.
    const machine = machineWith(`
      jmp start
      .org 38
      jmp third
      .org 114
start:${stores([
      [0x8d, 0],
      [0x8c, 100],
      [0x89, 0],
      [0x88, 50],
      [0x6f, 0x08],
      [0x81, 0x01],
    ])}
      sei
      ldi r18, 200
wait: dec r18
      brne wait
      in r20, 0x16
      ldi r21, 2
      out 0x16, r21
      in r22, 0x16
      sts 0x201, r20
      sts 0x202, r22
end:  rjmp end
third: ldi r19, 7
      sts 0x200, r19
      reti`);
    machine.runForMs(1);
    expect(machine.peek(0x200)).toBe(7);
    expect(machine.peek(0x201) & 0x0a).toBe(0x02);
    expect(machine.peek(0x202) & 0x0a).toBe(0);
  });

  test('the count is right whenever it is read, and 16 bits are read in one piece', () => {
    const machine = machineWith(`${stores([[0x81, 0x01]])}
      ldi r18, 255
wait: dec r18
      brne wait
      lds r20, 0x84
      lds r21, 0x85
      lds r22, 0x84
      lds r23, 0x85
      sts 0x200, r20
      sts 0x201, r21
      sts 0x202, r22
      sts 0x203, r23${forever}`);
    machine.runForMs(1);
    const first = machine.peek(0x200) | (machine.peek(0x201) << 8);
    const second = machine.peek(0x202) | (machine.peek(0x203) << 8);
    // ldi, 255 turns of dec and brne (the last not taken), and two cycles each of two loads.
    expect(second - first).toBe(4);
    expect(first).toBeGreaterThan(255 * 3 - 4);
    expect(first).toBeLessThan(255 * 3 + 8);
  });

  test('sei and sleep are one: the interrupt that was waiting wakes the sleeper', () => {
    // The overflow is pending before sei: taken between sei and sleep it would be missed and the firmware sleep on.
    const machine = machineWith(`
      jmp start
      .org 46
      jmp tick
      .org 114
start:${stores([
      [0x6e, 0x01],
      [0x46, 0xff],
      [0x45, 0x01],
    ])}
      ldi r17, 1
      out 0x33, r17
      nop
      nop
      nop
      sei
      sleep
      ldi r18, 9
      sts 0x200, r18
      cli
end:  rjmp end
tick: ldi r19, 0
      sts 0x45, r19
      reti`);
    machine.runForMs(1);
    expect(machine.peek(0x200)).toBe(9);
  });
});
