import { describe, expect, test } from 'vitest';
import { assemble, machineWith } from './assembler.test-rig.ts';
import { parseIntelHex } from './intel-hex.ts';
import { Mega2560 } from './machine.ts';

const clockHz = 16_000_000;

/** Copies MCUSR and a counter in RAM that only a power-on loses. */
const counting = `
      in r20, 0x34
      sts 0x210, r20
      lds r21, 0x300
      inc r21
      sts 0x300, r21
      sbi 0x04, 0
      sbi 0x05, 0
`;

describe('reset', () => {
  test('power-on: PORF, the RAM holds nothing that was there, the pins were let go', () => {
    const machine = machineWith(`${counting}
end:  rjmp end`);
    machine.runForMs(1);
    expect(machine.peek(0x210)).toBe(0x01);
    const before = machine.peek(0x300);
    expect(machine.level(53)).toBe(1);
    machine.powerOff();
    expect([machine.level(53), machine.isOutput(53), machine.state]).toEqual([0, false, 'off']);
    machine.powerOn();
    machine.runForMs(1);
    expect(machine.peek(0x300)).not.toBe((before + 1) & 0xff);
    expect(machine.peek(0x210)).toBe(0x01);
  });

  test('the reset pin: EXTRF is added, RAM kept, peripherals as new, time goes on', () => {
    const machine = machineWith(`${counting}
end:  rjmp end`);
    machine.runForMs(1);
    const before = machine.peek(0x300);
    const at = machine.cycle;
    machine.reset('external');
    expect(machine.isOutput(53)).toBe(false);
    machine.runForMs(1);
    expect(machine.peek(0x300)).toBe((before + 1) & 0xff);
    expect(machine.peek(0x210)).toBe(0x03);
    expect(machine.cycle).toBeGreaterThan(at);
    expect(machine.level(53)).toBe(1);
  });

  test('watchdog: bites after its time, again and again until WDRF is cleared, and is fed by WDR', () => {
    // Armed with 16 ms at first; after its reset it is still on, as the datasheet says.
    const machine = machineWith(`${counting}
      ldi r16, 0x18
      sts 0x60, r16
      ldi r16, 0x08
      sts 0x60, r16
end:  rjmp end`);
    machine.runForMs(50);
    const bites = machine.resets.filter(({ cause }) => cause === 'watchdog');
    expect(bites).toHaveLength(3);
    expect(((bites[1]!.cycle - bites[0]!.cycle) / clockHz) * 1000).toBeCloseTo(16, 1);
    expect(machine.peek(0x210) & 0x08).toBe(0x08);

    const fed = machineWith(`
      ldi r16, 0x18
      sts 0x60, r16
      ldi r16, 0x08
      sts 0x60, r16
loop: wdr
      rjmp loop`);
    fed.runForMs(100);
    expect(fed.resets.map(({ cause }) => cause)).toEqual(['powerOn']);
  });

  test('watchdog bits cannot be changed outside the four cycles', () => {
    const machine = machineWith(`
      ldi r16, 0x18
      sts 0x60, r16
      ldi r16, 0x0f
      sts 0x60, r16
      nop
      ldi r16, 0x00
      sts 0x60, r16
      lds r17, 0x60
      sts 0x200, r17
loop: rjmp loop`);
    machine.runForMs(1);
    expect(machine.peek(0x200)).toBe(0x0f);
  });
});

/** Writes r17 to EEPROM address 5 and waits for the end; then PB0 goes high. */
const writeEeprom = (value: number): string => `
      ldi r16, 5
      out 0x21, r16
      ldi r16, 0
      out 0x22, r16
      ldi r17, ${value}
      out 0x20, r17
      sbi 0x1f, 2
      sbi 0x1f, 1
      sbi 0x04, 1
wait: sbic 0x1f, 1
      rjmp wait
      sbi 0x04, 0
      sbi 0x05, 0
end:  rjmp end`;

describe('EEPROM', () => {
  test('a byte takes 3.4 ms and outlives the machine', () => {
    const eeprom = new Uint8Array(4096).fill(0xff);
    const machine = new Mega2560({ program: assemble(writeEeprom(0x5a)), eeprom, startUpMs: 0 });
    expect(machine.runUntilTrue(() => machine.level(53) === 1, 10)).toBe(true);
    expect(machine.timeMs).toBeGreaterThan(3.4);
    expect(machine.timeMs).toBeLessThan(3.6);
    expect(eeprom[5]).toBe(0x5a);
  });

  test('the supply fails in the middle: neither the old nor the new byte', () => {
    const torn = [0.4, 1.2, 2.2, 3.0].map((ms) => {
      const eeprom = new Uint8Array(4096).fill(0xff);
      eeprom[5] = 0x00;
      const machine = new Mega2560({ program: assemble(writeEeprom(0x5a)), eeprom, startUpMs: 0 });
      machine.runForMs(ms);
      machine.powerOff();
      return eeprom[5]!;
    });
    expect(torn).not.toContain(0x5a);
    expect(torn.every((byte) => byte !== 0x00)).toBe(true);
  });

  test('a reset does not stop the write that has begun', () => {
    const eeprom = new Uint8Array(4096).fill(0xff);
    const machine = new Mega2560({ program: assemble(writeEeprom(0x5a)), eeprom, startUpMs: 0 });
    machine.runForMs(1);
    machine.reset('external');
    expect(eeprom[5]).toBe(0x5a);
  });

  test('without the master bit within four cycles nothing is written', () => {
    const eeprom = new Uint8Array(4096).fill(0xff);
    const late = writeEeprom(0x5a).replace('sbi 0x1f, 1', 'nop\nnop\nnop\nnop\nnop\nsbi 0x1f, 1');
    new Mega2560({ program: assemble(late), eeprom, startUpMs: 0 }).runForMs(10);
    expect(eeprom[5]).toBe(0xff);
  });
});

test('ADC: the voltage on A9 against the supply, after 25 ADC cycles', () => {
  const machine = machineWith(`
      ldi r16, 0x41        ; AVCC, channel 1, and MUX5: A9
      sts 0x7c, r16
      ldi r16, 0x08
      sts 0x7b, r16
      ldi r16, 0xc7        ; enabled, start, prescaler 128
      sts 0x7a, r16
wait: lds r17, 0x7a
      sbrc r17, 6
      rjmp wait
      lds r20, 0x78
      lds r21, 0x79
      sts 0x200, r20
      sts 0x201, r21
      sbi 0x04, 0
      sbi 0x05, 0
end:  rjmp end`);
  machine.setVolts(9, 1.25);
  machine.setVolts(1, 4);
  expect(machine.runUntilTrue(() => machine.level(53) === 1, 10, 0.01)).toBe(true);
  expect(machine.peek(0x200) | (machine.peek(0x201) << 8)).toBe(256);
  expect(machine.cycle).toBeGreaterThan(25 * 128);
  expect(machine.cycle).toBeLessThan(25 * 128 + 250);
});

describe('pins', () => {
  test('a wire follows the chip, else the world, else a resistor, else the pull-up; edges carry their cycle', () => {
    const machine = machineWith(`
      sbi 0x05, 0          ; pull-up of PB0
      ldi r18, 250
w1:   dec r18
      brne w1
      sbi 0x04, 0          ; drives high
      cbi 0x05, 0          ; drives low
end:  rjmp end`);
    const edges: [number, number][] = [];
    machine.wires.listen((_wire, level, cycle) => edges.push([level, cycle]));
    machine.runUntil(100);
    expect(machine.level(53)).toBe(1);
    machine.drive(53, 0);
    expect(machine.level(53)).toBe(0);
    machine.runForMs(1);
    expect(machine.level(53)).toBe(0);
    expect(machine.isOutput(53)).toBe(true);
    // Pull-up, the world's low, the chip's high and two cycles later its low.
    expect(edges.map(([level]) => level)).toEqual([1, 0, 1, 0]);
    expect(edges[3]![1] - edges[2]![1]).toBe(2);
  });

  test('a stopped clock leaves the pins as they are and hears nothing; afterwards it goes on', () => {
    const machine = machineWith(`
      ldi r16, 1
      out 0x04, r16
      ldi r16, 0x18
      sts 0xc9, r16
      ldi r16, 16
      sts 0xcc, r16
      ldi r16, 2
      sts 0xc8, r16
loop: out 0x03, r16
      ldi r16, 1
      lds r20, 0xc8
      sts 0x200, r20
      rjmp loop`);
    machine.runForMs(1);
    let edges = 0;
    machine.wires.listen(() => {
      edges += 1;
    });
    machine.stopClock();
    machine.serialIn(1, 0x55, { bitsPerSecond: 115_200 });
    machine.runForMs(100);
    expect(edges).toBe(0);
    expect(machine.state).toBe('stopped');
    machine.startClock();
    machine.runForMs(1);
    expect(edges).toBeGreaterThan(100);
    expect(machine.peek(0x200) & 0x80).toBe(0);
  });

  test('the same calls give the same run, to the cycle', () => {
    const run = (): string => {
      const machine = machineWith(`${counting}
loop: sbi 0x03, 0
      lds r20, 0xc8
      rjmp loop`);
      const edges: number[] = [];
      machine.wires.listen((wire, level, cycle) => edges.push(wire, level, cycle));
      machine.runForMs(0.5);
      machine.reset('external');
      machine.runForMs(0.5);
      return edges.join();
    };
    expect(run()).toBe(run());
  });
});

describe('Intel hex', () => {
  const good = ':0400000001020304F2\n:00000001FF\n';

  test('data lines at their addresses, the rest erased', () => {
    const result = parseIntelHex(good, 16);
    expect(result).toMatchObject({ kind: 'program', usedBytes: 4 });
    if (result.kind === 'program') expect([...result.bytes.subarray(0, 6)]).toEqual([1, 2, 3, 4, 0xff, 0xff]);
  });

  test.each([
    ['HEX_CHECKSUM', good.replace('F2', 'F3')],
    ['HEX_LINE_MALFORMED', good.replace(':04', ':05')],
    ['HEX_LINE_MALFORMED', `nonsense\n${good}`],
    ['HEX_NO_END', good.split('\n')[0]!],
    ['HEX_EMPTY', ':00000001FF\n'],
    ['HEX_TOO_LARGE', ':0400100001020304E2\n:00000001FF\n'],
    ['HEX_RECORD_TYPE', ':00000007F9\n'],
  ])('%s', (fault, text) => {
    expect(parseIntelHex(text, 16)).toMatchObject({ kind: 'fault', fault });
  });
});
