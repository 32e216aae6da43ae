/** Damaged lines: what reaches the pins and the program is neither lost nor repeated nor wrong. */
import { expect, test } from 'vitest';
import { wireOfPin } from '../emulator/arduino-pins.ts';
import { startAttached } from './firmware.test-rig.ts';

/** Of every byte, each way: flipped, dropped, doubled by a stranger. */
const damageShare = 3e-3;
const outputs = 1000;

function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

test('1,000 outputs and every input edge come through lines that flip, drop and insert bytes', () => {
  const rig = startAttached();
  const random = randomFrom(7);
  let damaged = 0;
  rig.machine.drive(30, 0);
  rig.send(0, 0xf4, 22, 1, 0xf4, 23, 1, 0xf4, 30, 0, 0xd3, 1);
  rig.taken(0);
  const levels: number[] = [];
  rig.machine.wires.listen((wire, level) => {
    if (wire === wireOfPin(22) || wire === wireOfPin(23))
      levels.push(wire === wireOfPin(22) ? level : 2 + level);
  });
  rig.damage = (byte) => {
    if (random() >= damageShare) return [byte];
    damaged += 1;
    const what = Math.floor(random() * 3);
    if (what === 0) return [byte ^ (1 << Math.floor(random() * 8))];
    return what === 1 ? [] : [byte, Math.floor(random() * 256)];
  };
  const expected: number[] = [];
  const edges: number[] = [];
  for (let output = 1; output <= outputs; output++) {
    // Two pins take turns, so that an order that is wrong shows.
    const pin = 22 + (output & 1);
    const level = (output >> 1) & 1;
    if (output > 1) expected.push(pin === 22 ? level : 2 + level);
    rig.write(0, 0xf5, pin, output === 1 ? 0 : level);
    if (output % 10 === 0) {
      const input = (output / 10) & 1;
      rig.machine.drive(30, input as 0 | 1);
      edges.push(0x93, input === 1 ? 0x40 : 0, 0);
    }
    rig.run(3);
  }
  rig.damage = (byte) => [byte];
  rig.runUntil('all accepted', () => rig.sides[0].outputsAccepted === rig.sides[0].outputsWritten, 5000);
  rig.run(200);
  expect(damaged).toBeGreaterThan(50);
  expect(levels).toEqual(expected);
  expect(rig.taken(0)).toEqual(edges);
  expect(Number(rig.info().get('discarded_a'))).toBeGreaterThan(10);
});
