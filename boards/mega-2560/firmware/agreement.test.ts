/**
 * The machine code and the simulated Firmata of the same profile are given the same random messages: they must say the same, count the same as
 * malformed, and drive their pins alike. One message at a time, as the two differ in when they say what nobody asked for.
 */
import { describe, expect, test } from 'vitest';
import { pinModes } from '../../profile.ts';
import { SimulatedFirmata } from '../../simulated/firmata.ts';
import { mega2560FencedProfile } from '../fenced-profile.ts';
import { type FirmwareRig, startAttached } from './firmware.test-rig.ts';

const messagesPerLife = 120;
const seeds = [1, 2, 3];
/** Software serial is the model's alone; servos are measured in motion.test.ts. */
const modes = [
  pinModes.input,
  pinModes.output,
  pinModes.pwm,
  pinModes.pullUp,
  pinModes.stepper,
  pinModes.oneWire,
  pinModes.ignore,
  0x33,
];

/** xorshift32. */
function randomFrom(seed: number): (below: number) => number {
  let state = (seed * 0x9e37_79b9) >>> 0;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function randomMessage(random: (below: number) => number): number[] {
  const pin = () => random(76);
  const mode = () => modes[random(modes.length)]!;
  switch (random(14)) {
    case 0:
    case 1:
    case 2:
      return [0xf4, pin(), mode()];
    case 3:
    case 4:
      return [0xf5, pin(), random(2)];
    case 5:
      return [0x90 | random(10), random(128), random(2)];
    case 6:
    case 7:
      return [0xe0 | random(16), random(128), random(3)];
    case 8:
      return [0xf0, 0x6f, pin(), random(128), random(2), 0xf7];
    case 9:
    case 10:
      return [0xf0, 0x6d, pin(), 0xf7];
    case 11:
      return [0xd0 | random(10), random(2)];
    case 12:
      return [[0xf9], [0xf0, 0x79, 0xf7], [0xf0, 0x69, 0xf7], [0xf0, 0x71, 0x41, 0, 0xf7]][random(4)]!;
    default: {
      // What is none: stray bytes, unknown commands, sysexes of nothing, cut ones.
      const nonsense = [
        [0x42],
        [0xf2],
        [0xf0, 0xf7],
        [0xf0, 0x05, 1, 2, 0xf7],
        [0xf0, 0x6d, 0xf0, 0x79, 0xf7],
        [0xf4, 0xf9],
        [0xf0, 0x70, 3, 0xf7],
      ];
      return nonsense[random(nonsense.length)]!;
    }
  }
}

function pinsOfMachine(rig: FirmwareRig, device: SimulatedFirmata): string[] {
  return device.pins.all.map((pin) => {
    const { number } = pin;
    if (pin.mode === pinModes.pwm) {
      const duty = rig.machine.pwm(number)?.duty ?? rig.machine.level(number);
      return `${number} pwm ${Math.round(duty * 255)}`;
    }
    return describePin(device, number, rig.machine.isOutput(number), rig.machine.level(number));
  });
}

function pinsOfModel(device: SimulatedFirmata): string[] {
  return device.pins.all.map((pin) => {
    if (pin.mode === pinModes.pwm) return `${pin.number} pwm ${Math.round(pin.duty * 255)}`;
    const isDriven = pin.mode === pinModes.output || pin.mode === pinModes.stepper;
    return describePin(device, pin.number, isDriven, pin.level);
  });
}

/** The level of a pin that floats is nobody's promise. */
function describePin(device: SimulatedFirmata, number: number, isDriven: boolean, level: number): string {
  const pin = device.pins.all[number]!;
  if (pin.mode === pinModes.ignore && pin.profile.capabilities.length === 0) return `${number} not offered`;
  const isPulledUp = pin.isInput && pin.value === 1;
  return `${number} mode ${pin.mode} ${isDriven ? `drives ${level}` : isPulledUp ? `pulled up to ${level}` : 'floats'}`;
}

describe('machine code and model agree', () => {
  test.each(seeds)('life %i', (seed) => {
    const random = randomFrom(seed);
    const rig = startAttached();
    const device = new SimulatedFirmata({ profile: mega2560FencedProfile });
    const said: number[] = [];
    device.onTransmit = (bytes) => said.push(...bytes);
    device.tick(0);
    for (let index = 0; index < messagesPerLife; index++) {
      const message = randomMessage(random);
      said.length = 0;
      device.receive(0, Uint8Array.from(message));
      rig.send(0, ...message);
      rig.run(10);
      const what = `message ${index}: ${message.map((byte) => byte.toString(16)).join(' ')}`;
      expect([what, rig.taken(0)]).toEqual([what, said]);
      expect([what, pinsOfMachine(rig, device)]).toEqual([what, pinsOfModel(device)]);
    }
    expect(Number(rig.info().get('malformed'))).toBe(device.malformedCount);
  }, 60_000);
});
