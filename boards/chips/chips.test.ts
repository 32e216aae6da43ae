import { describe, expect, test } from 'vitest';
import { PinBank } from '../simulated/pins.ts';
import { OutputTracer } from '../simulated/tracer.ts';
import { unoProfile } from '../uno/profile.ts';
import { Adxl345 } from './adxl345.ts';
import { Bh1750 } from './bh1750.ts';
import { Bmp180, celsiusOf, pascalOf } from './bmp180.ts';
import { Ds18b20 } from './ds18b20.ts';
import { GpsReceiver } from './gps-receiver.ts';
import { Hd44780 } from './hd44780.ts';
import { Hmc5883l } from './hmc5883l.ts';
import { Ht16k33 } from './ht16k33.ts';
import { Mcp9808 } from './mcp9808.ts';
import { Mcp23017 } from './mcp23017.ts';
import { Mpu6050 } from './mpu6050.ts';
import { Pca9685 } from './pca9685.ts';
import { Pcf8574 } from './pcf8574.ts';
import { ShiftRegister } from './shift-register.ts';
import { Tmp102 } from './tmp102.ts';

function int16(bytes: Uint8Array, offset = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt16(offset);
}

describe('registers', () => {
  test('the pointer goes on from read to read, and back by a write', () => {
    const chip = new Mcp9808(25);
    expect([...chip.read(5, 1, 0), ...chip.read(null, 1, 0)]).toEqual([0x01, 0x90]);
    chip.write(Uint8Array.of(5), 0);
    expect([...chip.read(null, 2, 0)]).toEqual([0x01, 0x90]);
  });
});

describe('BMP180', () => {
  test("computes the datasheet's worked example", () => {
    expect(celsiusOf(27898)).toBeCloseTo(15, 1);
    expect(pascalOf(23843, 27898, 0)).toBeCloseTo(69964, -1);
  });

  test('gives raw counts that lead back to what it senses, at every oversampling', () => {
    const chip = new Bmp180({ celsius: 32.4, pascal: 99_800 });
    chip.write(Uint8Array.of(0xf4, 0x2e), 0);
    const rawTemperature = int16(chip.read(0xf6, 2, 0));
    expect(celsiusOf(rawTemperature)).toBeCloseTo(32.4, 1);
    for (const oversampling of [0, 1, 2, 3]) {
      chip.write(Uint8Array.of(0xf4, 0x34 + (oversampling << 6)), 0);
      const [msb, lsb, xlsb] = chip.read(0xf6, 3, 0);
      const raw = ((msb! << 16) | (lsb! << 8) | xlsb!) >> (8 - oversampling);
      expect(Math.abs(pascalOf(raw, rawTemperature, oversampling) - 99_800)).toBeLessThan(8);
    }
  });
});

describe('motion sensors', () => {
  test('MPU6050 sleeps after power-on and scales by its configured range', () => {
    const chip = new Mpu6050({ accelerationG: [0, 0, 1] });
    expect(int16(chip.read(0x3f, 2, 0))).toBe(0);
    chip.write(Uint8Array.of(0x6b, 0), 0);
    expect(int16(chip.read(0x3f, 2, 0))).toBe(16384);
    chip.write(Uint8Array.of(0x1c, 0x08), 0);
    expect(int16(chip.read(0x3f, 2, 0))).toBe(8192);
    chip.reset();
    expect(chip.asleep).toBe(true);
  });

  test('ADXL345 measures only when told to, and saturates at 16 bits', () => {
    const chip = new Adxl345([1000, 0, 0]);
    expect([...chip.read(0x32, 2, 0)]).toEqual([0, 0]);
    chip.write(Uint8Array.of(0x2d, 8), 0);
    chip.write(Uint8Array.of(0x31, 8), 0);
    expect([...chip.read(0x32, 2, 0)]).toEqual([0xff, 0x7f]);
  });

  test('HMC5883L points where it is turned, in continuous mode only', () => {
    const chip = new Hmc5883l(180);
    expect(int16(chip.read(0x03, 6, 0))).toBe(0);
    chip.write(Uint8Array.of(0x02, 0), 0);
    const bytes = chip.read(0x03, 6, 0);
    expect(int16(bytes, 0)).toBe(-218);
    expect(Math.abs(int16(bytes, 4))).toBe(0);
  });
});

describe('other sensors', () => {
  test('TMP102 and an LM75 below zero', () => {
    expect(int16(new Tmp102(-10.0625).read(0, 2, 0)) / 256).toBe(-10.0625);
    expect(int16(new Tmp102(-10.3, 0.5).read(0, 2, 0)) / 256).toBe(-10.5);
  });

  test('BH1750 reads dark until it measures', () => {
    const chip = new Bh1750(1000);
    expect([...chip.read(null, 2, 0)]).toEqual([0, 0]);
    chip.write(Uint8Array.of(0x10));
    expect(int16(chip.read(null, 2, 0))).toBe(1200);
  });

  test('DS18B20 converts as fast as its resolution says', () => {
    const chip = new Ds18b20(1, 20.0625);
    chip.write(Uint8Array.of(0x4e, 0x4b, 0x46, 0x1f), 0);
    chip.resetPulse();
    chip.write(Uint8Array.of(0x44), 0);
    expect([...chip.read(1, 93)]).toEqual([0]);
    expect([...chip.read(1, 94)]).toEqual([0xff]);
    chip.resetPulse();
    chip.write(Uint8Array.of(0xbe), 94);
    // 9 bits: half degrees.
    expect([...chip.read(2, 94)]).toEqual([0x40, 0x01]);
  });

  test('DS18B20 goes on with a conversion under way when it is asked again', () => {
    const chip = new Ds18b20(1, 21);
    for (let now = 0; now < 750; now += 50) {
      chip.resetPulse();
      chip.write(Uint8Array.of(0x44), now);
    }
    chip.resetPulse();
    chip.write(Uint8Array.of(0xbe), 750);
    expect([...chip.read(2, 750)]).toEqual([0x50, 0x01]);
  });

  test('GPS sentences carry a valid checksum and move', () => {
    const gps = new GpsReceiver();
    const sentences = [1000, 31_000].flatMap((now) =>
      String.fromCharCode(...gps.transmit(now))
        .trim()
        .split('\r\n'),
    );
    for (const sentence of sentences) {
      const [body, checksum] = sentence.slice(1).split('*');
      const sum = [...body!].reduce((each, character) => each ^ character.charCodeAt(0), 0);
      expect(Number.parseInt(checksum!, 16)).toBe(sum);
    }
    expect(sentences[0]!.split(',')[3]).not.toBe(sentences[2]!.split(',')[3]);
    expect(gps.nextAt).toBe(32_000);
  });
});

describe('expanders and drivers', () => {
  test('MCP23017: latch, direction, pull-up, what the world drives', () => {
    const chip = new Mcp23017();
    chip.write(Uint8Array.of(0x00, 0xfe), 0);
    chip.write(Uint8Array.of(0x12, 0x01), 0);
    expect(chip.level(0)).toBe(1);
    chip.write(Uint8Array.of(0x0c, 0x02), 0);
    chip.driven[2] = 1;
    expect([...chip.read(0x12, 1, 0)]).toEqual([0b0000_0111]);
    chip.driven[1] = 0;
    expect([...chip.read(0x12, 1, 0)]).toEqual([0b0000_0101]);
  });

  test('PCF8574 reads its pins, which the world can pull low', () => {
    const chip = new Pcf8574();
    chip.write(Uint8Array.of(0xf0), 0);
    chip.pulledLow = 0x80;
    expect([...chip.read(null, 2, 0)]).toEqual([0x70, 0x70]);
  });

  test('PCA9685: duty, fully on and off, prescaler only while asleep', () => {
    const chip = new Pca9685();
    expect(chip.duty(3)).toBe(0);
    chip.write(Uint8Array.of(0xfe, 121), 0);
    chip.write(Uint8Array.of(0x00, 0x20), 0);
    chip.write(Uint8Array.of(0xfe, 3), 0);
    expect(chip.frequencyHz).toBeCloseTo(50, 0);
    chip.write(Uint8Array.of(0x06 + 12, 0, 0, 0x00, 0x08), 0);
    expect(chip.duty(3)).toBe(0.5);
    chip.write(Uint8Array.of(0x06 + 12, 0x00, 0x10, 0, 0), 0);
    expect(chip.duty(3)).toBe(1);
  });

  test('HT16K33 keeps rows and blink', () => {
    const chip = new Ht16k33();
    chip.write(Uint8Array.of(0x0e, 1, 2, 3));
    expect([chip.memory[14], chip.memory[15], chip.memory[0]]).toEqual([1, 2, 3]);
    chip.write(Uint8Array.of(0x85));
    expect([chip.displayOn, chip.blinkMode]).toEqual([true, 2]);
  });

  test('shift registers in a chain show only what was latched', () => {
    const pins = new PinBank(unoProfile, new OutputTracer());
    const chip = new ShiftRegister(2);
    chip.wire(pins, { data: 2, clock: 3, latch: 4 });
    const set = (pin: number, level: 0 | 1) => pins.writeDigital(0, pins.pin(pin), level);
    for (const bit of '1100000010000001') {
      set(2, bit === '1' ? 1 : 0);
      set(3, 1);
      set(3, 0);
    }
    expect(chip.values).toEqual([0, 0]);
    set(4, 1);
    expect(chip.values).toEqual([0b1000_0001, 0b1100_0000]);
  });
});

test('HD44780 wraps from line to line, shifts its window and clears', () => {
  const display = new Hd44780(8, 2);
  const nibbles = (registerSelect: 0 | 1, byte: number) => {
    display.latch(registerSelect, byte >> 4);
    display.latch(registerSelect, byte & 0x0f);
  };
  for (const nibble of [3, 3, 3, 2]) display.latch(0, nibble);
  for (const instruction of [0x28, 0x0c, 0x06, 0x80 + 38]) nibbles(0, instruction);
  for (const character of 'abcd') nibbles(1, character.charCodeAt(0));
  expect(display.lines[1]).toBe('cd      ');
  nibbles(0, 0x18);
  expect(display.lines[1]).toBe('d       ');
  nibbles(0, 0x01);
  expect(display.lines).toEqual(['        ', '        ']);
  expect(display.charactersWritten).toBe(4);
});
