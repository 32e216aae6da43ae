import { describe, expect, test } from 'vitest';
import { Bh1750 } from '../../chips/bh1750.ts';
import { Ds18b20 } from '../../chips/ds18b20.ts';
import { Mcp9808 } from '../../chips/mcp9808.ts';
import { wireOfPin } from './arduino-pins.ts';
import { machineWith } from './assembler.test-rig.ts';
import type { Mega2560 } from './machine.ts';
import { OneWireLine } from './one-wire-line.ts';

/** Bit rate 72: 100 kHz. Each step of the bus: control, wait for TWINT, status to X+. */
const twiStart = `
      ldi r26, 0
      ldi r27, 2
      ldi r16, 72
      sts 0xb8, r16
`;
const step = (control: number): string => `
      ldi r16, ${control}
      call operate`;
const withData = (byte: number, control: number): string => `
      ldi r16, ${byte}
      sts 0xbb, r16${step(control)}`;
const operate = `
operate:
      sts 0xbc, r16
wait: lds r17, 0xbc
      sbrs r17, 7
      rjmp wait
      lds r18, 0xb9
      andi r18, 0xf8
      stx r18
      ret`;
const start = step(0xa4);
const stop = `
      ldi r16, 0x94
      sts 0xbc, r16`;
const keepByte = `
      lds r18, 0xbb
      stx r18`;

const bytesAt = (machine: Mega2560, count: number): number[] =>
  Array.from({ length: count }, (_, index) => machine.peek(0x200 + index));

describe('two-wire interface', () => {
  test('a register is read with a repeated start, each step with its status and in its time', () => {
    const machine = machineWith(`
      jmp start
      .org 114
start:${twiStart}${start}${withData(0x30, 0x84)}${withData(0x05, 0x84)}${start}${withData(0x31, 0x84)}
      ${step(0xc4)}${keepByte}${step(0x84)}${keepByte}${stop}
      sbi 0x04, 0
      sbi 0x05, 0
end:  rjmp end
${operate}`);
    machine.i2c.attach(Mcp9808.address, new Mcp9808(25.5));
    expect(machine.runUntilTrue(() => machine.level(53) === 1, 20, 0.01)).toBe(true);
    // 25.5 degrees are 0x0198 sixteenths.
    expect(bytesAt(machine, 9)).toEqual([0x08, 0x18, 0x28, 0x10, 0x40, 0x50, 0x01, 0x58, 0x98]);
    // Two starts and five bytes of nine bits at 160 cycles each.
    expect(machine.cycle).toBeGreaterThan((2 + 5 * 9) * 160);
    expect(machine.cycle).toBeLessThan((2 + 5 * 9) * 160 + 700);
  });

  test('nobody at the address: not acknowledged; a chip without registers answers a read as a whole', () => {
    const machine = machineWith(`
      jmp start
      .org 114
start:${twiStart}${start}${withData(0x46, 0x84)}${withData(0x10, 0x84)}${stop}${start}${withData(0x47, 0x84)}
      ${step(0xc4)}${keepByte}${step(0x84)}${keepByte}${stop}${start}${withData(0x90, 0x84)}${stop}
      sbi 0x04, 0
      sbi 0x05, 0
end:  rjmp end
${operate}`);
    machine.i2c.attach(Bh1750.address, new Bh1750(1000));
    expect(machine.runUntilTrue(() => machine.level(53) === 1, 20)).toBe(true);
    const all = bytesAt(machine, 11);
    expect(all.slice(0, 9)).toEqual([0x08, 0x18, 0x28, 0x08, 0x40, 0x50, 1200 >> 8, 0x58, 1200 & 0xff]);
    expect(all.slice(9)).toEqual([0x08, 0x20]);
  });

  test('a bus that hangs never answers', () => {
    const machine = machineWith(`
      jmp start
      .org 114
start:${twiStart}${start}
      sbi 0x04, 0
      sbi 0x05, 0
end:  rjmp end
${operate}`);
    machine.isI2cStuck = true;
    machine.runForMs(20);
    expect(machine.level(53)).toBe(0);
  });
});

describe('one-wire', () => {
  /** A master in virtual time, driving the wire as a firmware's pin would. */
  class WireMaster {
    readonly machine: Mega2560;
    readonly wire = wireOfPin(22);

    constructor(machine: Mega2560) {
      this.machine = machine;
    }

    #low(us: number): void {
      this.machine.wires.setChip(this.wire, 0, this.machine.cycle);
      this.machine.runForMs(us / 1000);
      this.machine.wires.setChip(this.wire, 2, this.machine.cycle);
    }

    /** True: somebody is there. */
    reset(): boolean {
      this.#low(480);
      this.machine.runForMs(0.07);
      const isPresent = this.machine.wires.level(this.wire) === 0;
      this.machine.runForMs(0.41);
      return isPresent;
    }

    write(...bytes: number[]): void {
      for (const byte of bytes) for (let bit = 0; bit < 8; bit++) this.writeBit((byte >> bit) & 1);
    }

    writeBit(bit: number): void {
      this.#low(bit === 1 ? 6 : 60);
      this.machine.runForMs(bit === 1 ? 0.064 : 0.01);
    }

    readBit(): number {
      this.#low(6);
      this.machine.runForMs(0.006);
      const bit = this.machine.wires.level(this.wire);
      this.machine.runForMs(0.058);
      return bit;
    }

    read(count: number): number[] {
      return Array.from({ length: count }, () =>
        Array.from({ length: 8 }, (_, bit) => this.readBit() << bit).reduce((sum, each) => sum | each, 0),
      );
    }

    /** Maxim application note 187: all codes on the wire. */
    search(): number[][] {
      const found: number[][] = [];
      const walk = (prefix: number[]): void => {
        if (!this.reset()) return;
        this.write(0xf0);
        const bits: number[] = [];
        for (let index = 0; index < 64; index++) {
          const [direct, complement] = [this.readBit(), this.readBit()];
          if (direct === 1 && complement === 1) return;
          const isFork = direct === 0 && complement === 0;
          const bit = prefix[index] ?? (isFork ? 0 : direct);
          if (isFork && index >= prefix.length) forks.push([...bits, 1]);
          bits.push(bit);
          this.writeBit(bit);
        }
        found.push(
          Array.from({ length: 8 }, (_, byte) =>
            bits.slice(8 * byte, 8 * byte + 8).reduce((sum, bit, place) => sum | (bit << place), 0),
          ),
        );
      };
      const forks: number[][] = [[]];
      for (let fork = forks.pop(); fork !== undefined; fork = forks.pop()) walk(fork);
      return found;
    }
  }

  function wireWith(...parts: Ds18b20[]): WireMaster {
    const machine = machineWith(`
end:  rjmp end`);
    const line = new OneWireLine(machine, wireOfPin(22));
    for (const part of parts) line.attach(part);
    return new WireMaster(machine);
  }

  test('no part, no presence; an idle wire is high', () => {
    const wire = wireWith();
    expect(wire.reset()).toBe(false);
    expect(wire.read(2)).toEqual([0xff, 0xff]);
  });

  test('a thermometer converts in its 750 ms and gives its temperature with a valid scratchpad', () => {
    const wire = wireWith(new Ds18b20(7, 21.5));
    expect(wire.reset()).toBe(true);
    wire.write(0xcc, 0x44);
    expect(wire.readBit()).toBe(0);
    wire.machine.runForMs(760);
    expect(wire.readBit()).toBe(1);
    wire.reset();
    wire.write(0xcc, 0xbe);
    const scratchpad = wire.read(9);
    expect(scratchpad[0]! | (scratchpad[1]! << 8)).toBe(21.5 * 16);
    expect(scratchpad.slice(2, 5)).toEqual([0x4b, 0x46, 0x7f]);
  });

  test('three on a wire are found by their answers, and each is addressed alone', () => {
    const parts = [new Ds18b20(0x1234, 10), new Ds18b20(0x1235, 20), new Ds18b20(0xf00d, 30)];
    const wire = wireWith(...parts);
    const codes = wire.search();
    expect(new Set(codes.map(String))).toEqual(new Set(parts.map(({ code }) => String([...code]))));
    wire.reset();
    wire.write(0x55, ...parts[1]!.code, 0x4e, 0x11, 0x22, 0x3f);
    const third = parts.map(({ code }) => {
      wire.reset();
      wire.write(0x55, ...code, 0xbe);
      return wire.read(9).slice(2, 5);
    });
    expect(third).toEqual([
      [0x4b, 0x46, 0x7f],
      [0x11, 0x22, 0x3f],
      [0x4b, 0x46, 0x7f],
    ]);
  });
});
