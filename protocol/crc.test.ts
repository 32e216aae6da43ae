import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc16, crc32 } from './crc.ts';

const digits = new TextEncoder().encode('123456789');

test('check values of the catalogue', () => {
  expect(crc32(digits)).toBe(0xcbf43926);
  expect(crc16(digits)).toBe(0x29b1);
  expect(crc32(new Uint8Array(0))).toBe(0);
  expect(crc16(new Uint8Array(0))).toBe(0xffff);
});

test('crc32 is the one of zlib', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => crc32(bytes) === zlibCrc32(bytes)));
});

test('a crc goes on from its seed', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (head, tail) => {
      const whole = Uint8Array.from([...head, ...tail]);
      expect(crc32(tail, crc32(head))).toBe(crc32(whole));
      expect(crc16(tail, crc16(head))).toBe(crc16(whole));
    }),
  );
});

test('no error within two adjacent bytes passes either check', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 8, maxLength: 80 }),
      fc.nat(),
      fc.integer({ min: 1, max: 0xffff }),
      (bytes, at, burst) => {
        const damaged = bytes.slice();
        const start = at % (bytes.length - 1);
        damaged[start]! ^= burst >>> 8;
        damaged[start + 1]! ^= burst & 0xff;
        expect(crc16(damaged)).not.toBe(crc16(bytes));
        expect(crc32(damaged)).not.toBe(crc32(bytes));
      },
    ),
  );
});
