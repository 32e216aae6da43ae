/** Full work for the pair and the machine code: analog channels, outputs and input edges at once, at 115200 baud. */

import { judge } from './judgement.ts';
import { MachineCodePair, type PairOptions } from './machine-code-pair.ts';
import { messagesOf } from './pin-ledger.ts';

export const loadChannels = [0, 1, 2, 3] as const;
export const samplingMs = 10;
export const outputsPerSecond = 200;

export interface LoadLife {
  seconds: number;
  letters: number;
  /** By channel. */
  samples: number[];
  /** Samples that are more than two steps of the converter from the voltage at the pin. */
  wrongSamples: number;
  edges: number;
  asleepShare: number;
  bytesIn: number;
  bytesOut: number;
  /** The firmware's own count of what went wrong, by name; those that are not 0. */
  trouble: Record<string, number>;
  complaints: string[];
}

const volts = (channel: number): number => 0.5 + channel;
const supplyVolts = 5;
const converterSteps = 1024;
const troubles = ['overruns', 'framing_errors', 'discarded', 'untransmitted'].flatMap((name) => [
  `${name}_a`,
  `${name}_b`,
]);

export function liveLoad(options: PairOptions & { seconds: number }): LoadLife {
  const pair = new MachineCodePair({
    ...options,
    program: {
      letterMs: 1000 / outputsPerSecond,
      lettersPerMove: 50,
      analogChannels: loadChannels,
      samplingMs,
    },
  });
  for (const channel of loadChannels) pair.machine.setVolts(channel, volts(channel));
  pair.start();
  pair.toggleInput();
  const { machine } = pair;
  const from = { letters: pair.pins.letters.length, asleep: machine.sleptCycles, cycle: machine.cycle };
  const before = pair.device.info();
  const startedAt = pair.now;
  pair.run(1000 * options.seconds);
  const letters = pair.pins.letters.length - from.letters;
  const asleepShare = (machine.sleptCycles - from.asleep) / (machine.cycle - from.cycle);
  const after = pair.device.info();
  const seconds = (pair.now - startedAt) / 1000;
  const grown = (key: string): number => Number(after.get(key)) - Number(before.get(key));
  pair.rest();
  const info = pair.device.info();
  const samples = loadChannels.map(() => 0);
  let wrongSamples = 0;
  const { complaints, edges } = judge(pair, (end) => {
    const inputs = Buffer.concat(end.histories[0]!.inputs.map(({ bytes }) => bytes));
    for (const [kind, low, high] of messagesOf(inputs) as [number, number, number][]) {
      if ((kind & 0xf0) !== 0xe0) continue;
      const channel = kind & 0x0f;
      samples[channel]! += 1;
      const expected = (volts(channel) / supplyVolts) * converterSteps;
      if (Math.abs((low | (high << 7)) - expected) > 2) wrongSamples += 1;
    }
  });
  const trouble: Record<string, number> = {};
  for (const key of [...troubles, 'malformed']) {
    const count = Number(info.get(key));
    if (count !== 0) trouble[key] = count;
  }
  return {
    seconds,
    letters,
    samples,
    wrongSamples,
    edges: edges.applied,
    asleepShare,
    bytesIn: grown('received_a') + grown('received_b'),
    bytesOut: grown('transmitted_a') + grown('transmitted_b'),
    trouble,
    complaints,
  };
}
