/** The machine code keeps up with full lines: nothing overruns, and the figures are printed. */
import { expect, test } from 'vitest';
import { startAttached } from './firmware.test-rig.ts';

const channels = [0, 1, 2, 3];
const samplingIntervalMs = 10;
const outputsPerSecond = 200;
const seconds = 5;

test('four analog channels at 10 ms beside 200 outputs a second, with no overrun', () => {
  const rig = startAttached();
  rig.send(0, 0xf0, 0x7a, samplingIntervalMs, 0, 0xf7, 0xf4, 22, 1);
  for (const channel of channels) rig.send(0, 0xc0 | channel, 1);
  rig.taken(0);
  let edges = 0;
  let level = rig.machine.level(22);
  rig.machine.wires.listen(() => {
    if (rig.machine.level(22) === level) return;
    level = rig.machine.level(22);
    edges += 1;
  });
  const sleptBefore = rig.machine.sleptCycles;
  const from = rig.machine.cycle;
  const outputs = outputsPerSecond * seconds;
  for (let output = 1; output <= outputs; output++) {
    rig.write(0, 0xf5, 22, output & 1);
    rig.run(1000 / outputsPerSecond);
  }
  const asleep = (rig.machine.sleptCycles - sleptBefore) / (rig.machine.cycle - from);
  rig.runUntil('all accepted', () => rig.sides[0].outputsAccepted === rig.sides[0].outputsWritten);
  rig.run(5);
  const samples = rig.taken(0).length / 3 / channels.length;
  const info = rig.info();
  console.log(
    `firmware under load: ${edges} outputs and ${samples} samples of ${channels.length} channels in ${seconds} s, ` +
      `processor asleep ${Math.round(100 * asleep)} %, overruns ${info.get('overruns_a')}`,
  );
  expect(edges).toBe(outputs);
  expect(samples).toBeGreaterThan((1000 / samplingIntervalMs) * seconds - 5);
  const trouble = ['overruns_a', 'overruns_b', 'discarded_a', 'untransmitted_a', 'malformed'];
  expect(trouble.map((key) => info.get(key))).toEqual(['0', '0', '0', '0', '0']);
  expect(asleep).toBeGreaterThan(0.4);
});

test('both lines full at once: the fenced-off board floods, the other one loses nothing', () => {
  const rig = startAttached();
  rig.send(0, 0xf4, 22, 1);
  // Board b floods its line with frames of zero bytes and noise, as a controller gone mad would.
  const flood = () => {
    for (let i = 0; i < 400; i++) rig.machine.serialIn(2, (i * 73) & 0xff, { bitsPerSecond: 115_200 });
  };
  let level = rig.machine.level(22);
  let edges = 0;
  rig.machine.wires.listen(() => {
    if (rig.machine.level(22) === level) return;
    level = rig.machine.level(22);
    edges += 1;
  });
  for (let burst = 0; burst < 20; burst++) {
    flood();
    for (let output = 0; output < 50; output++) rig.write(0, 0xf5, 22, (output + 1) & 1);
    rig.run(35);
  }
  rig.runUntil('all accepted', () => rig.sides[0].outputsAccepted === rig.sides[0].outputsWritten, 5000);
  rig.run(5);
  expect(edges).toBe(1000);
  const info = rig.info();
  expect([info.get('overruns_a'), info.get('overruns_b'), info.get('discarded_a')]).toEqual(['0', '0', '0']);
  expect(Number(info.get('discarded_b'))).toBeGreaterThan(0);
});
