import { expect, test } from 'vitest';
import { wireOfPin } from '../../../boards/mega-2560/emulator/arduino-pins.ts';
import { Mega2560 } from '../../../boards/mega-2560/emulator/machine.ts';
import { chipDrive } from '../../../boards/mega-2560/emulator/wires.ts';
import { pinsOfLetters, stepPin } from './lettering-program.ts';
import { intentOf, messagesOf, PinLedger } from './pin-ledger.ts';

const letter = (drawn: number, number: number, edges: number): number[] => [
  ...[0x93, drawn & 0x7f, drawn >> 7, 0x94, number & 0x7f, number >> 7, 0x95, edges & 0x7f, edges >> 7],
  ...[0xf5, pinsOfLetters.strobe, 1, 0xf5, pinsOfLetters.strobe, 0],
];

test('the intent of written bytes: letters, steps, and how often a pin has to move for them', () => {
  const move = [0xf0, 0x72, 1, 0, 1, 7, 1, 0, 100, 6, 0xf7];
  const configuration = [0xf0, 0x72, 0, 0, 1, 72, 1, 49, stepPin, 0xf7, 0xf4, 24, 1];
  const bytes = Uint8Array.from([...configuration, ...letter(0x81, 1, 0), ...move, ...letter(0x80, 2, 255)]);
  expect(intentOf(bytes)).toEqual({
    letters: [
      { drawn: 0x81, number: 1, edges: 0 },
      { drawn: 0x80, number: 2, edges: 255 },
    ],
    steps: 7 + 128,
    // 2 + 1, then one bit less, two of the number, eight of the edges.
    changes: 3 + 1 + 2 + 8,
  });
});

test('messages are cut at their first bytes', () => {
  expect(messagesOf(Uint8Array.of(0x91, 1, 0, 0xf0, 0x72, 0, 0xf7, 0x91, 0, 0))).toEqual([
    [0x91, 1, 0],
    [0xf0, 0x72, 0],
    [0x91, 0, 0],
  ]);
});

test('the ledger reads a letter at the rising edge of the strobe, and counts steps and changes', () => {
  const machine = new Mega2560({ program: Uint8Array.of(0xff, 0xcf) });
  const ledger = new PinLedger(machine);
  let cycle = 16_000;
  const put = (pin: number, level: 0 | 1): void => {
    cycle += 16;
    machine.wires.setChip(wireOfPin(pin), level === 1 ? chipDrive.high : chipDrive.low, cycle);
  };
  put(pinsOfLetters.drawn + 7, 1);
  put(pinsOfLetters.number, 1);
  expect(ledger.isShowing).toBe(true);
  put(pinsOfLetters.strobe, 1);
  put(pinsOfLetters.strobe, 0);
  put(stepPin, 1);
  put(stepPin, 0);
  put(pinsOfLetters.drawn + 7, 0);
  put(pinsOfLetters.number, 0);
  expect(ledger.letters).toEqual([{ drawn: 0x80, number: 1, edges: 0, atMs: 1.003 }]);
  expect([ledger.steps, ledger.changes, ledger.isShowing]).toEqual([1, 4, false]);
  expect(ledger.movedAtMs).toBeCloseTo(1.008, 6);
});
