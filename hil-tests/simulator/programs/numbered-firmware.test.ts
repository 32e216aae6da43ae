import { expect, test } from 'vitest';
import { Random } from '../random.ts';
import { createNumberedFirmware, numberedModulus } from './numbered-firmware.ts';
import type { SimulatedFirmware } from './simulated-firmware.ts';

const forMs = 30_000;

/** All that the firmware says, woken when it asks for it. */
function messagesOf(firmware: SimulatedFirmware, fromMs = 0): { at: number; bytes: Uint8Array }[] {
  const messages: { at: number; bytes: Uint8Array }[] = [];
  for (let now = fromMs; now <= fromMs + forMs; now = Math.max(now, firmware.nextWakeAt()!)) {
    for (const bytes of firmware.advance(now)) messages.push({ at: now, bytes });
  }
  return messages;
}

function numbersOf(messages: { bytes: Uint8Array }[]): number[] {
  return messages.flatMap(({ bytes }) => [...bytes]);
}

test('every byte is its own number, modulo 251, and a reset begins anew', () => {
  for (let seed = 0; seed < 20; seed++) {
    const firmware = createNumberedFirmware(new Random(seed).unit);
    const numbers = numbersOf(messagesOf(firmware));
    expect(numbers.length).toBeGreaterThan(10);
    expect(numbers).toEqual(numbers.map((_, index) => index % numberedModulus));
    firmware.reset();
    expect(numbersOf(messagesOf(firmware, forMs)).slice(0, 10)).toEqual([...Array(10).keys()]);
  }
});

test('equal seeds say the same at the same times, others do not', () => {
  const of = (seed: number) => messagesOf(createNumberedFirmware(new Random(seed).unit));
  expect(of(3)).toEqual(of(3));
  expect(of(3)).not.toEqual(of(4));
});

test('some answer what they are sent, at once', () => {
  const answering = Array.from({ length: 30 }, (_, seed) => {
    const firmware = createNumberedFirmware(new Random(seed).unit);
    firmware.advance(0);
    const dueAt = firmware.nextWakeAt()!;
    firmware.outputs(new Uint8Array(1000), dueAt / 2);
    return firmware.nextWakeAt()! < dueAt && firmware.advance(dueAt / 2).length > 0;
  });
  expect(new Set(answering)).toEqual(new Set([true, false]));
});

test('a device that stood still does not make up for all that it missed', () => {
  const firmware = createNumberedFirmware(new Random(1).unit);
  firmware.advance(0);
  const said = firmware.advance(3_600_000);
  expect(said.length).toBeGreaterThan(0);
  expect(said.length).toBeLessThan(150);
});
