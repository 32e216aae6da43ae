import { expect, test } from 'vitest';
import { mega2560Profile } from './mega-2560/profile.ts';
import { type BoardProfile, pinModes } from './profile.ts';
import { unoProfile } from './uno/profile.ts';

function pinsWith(profile: BoardProfile, mode: number): number[] {
  return profile.pins.flatMap((pin, number) =>
    pin.capabilities.some((each) => each.mode === mode) ? [number] : [],
  );
}

test('an Uno has the pins that its documentation names', () => {
  expect(unoProfile.pins).toHaveLength(20);
  expect(pinsWith(unoProfile, pinModes.pwm)).toEqual([3, 5, 6, 9, 10, 11]);
  expect(pinsWith(unoProfile, pinModes.analog)).toEqual([14, 15, 16, 17, 18, 19]);
  expect(pinsWith(unoProfile, pinModes.i2c)).toEqual([18, 19]);
  expect(pinsWith(unoProfile, pinModes.output)).not.toContain(1);
});

test('a Mega 2560 has the pins that its documentation names', () => {
  expect(mega2560Profile.pins).toHaveLength(70);
  expect(pinsWith(mega2560Profile, pinModes.pwm)).toEqual([
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 44, 45, 46,
  ]);
  expect(pinsWith(mega2560Profile, pinModes.analog)).toEqual(
    Array.from({ length: 16 }, (_, index) => 54 + index),
  );
  expect(pinsWith(mega2560Profile, pinModes.i2c)).toEqual([20, 21]);
  expect(pinsWith(mega2560Profile, pinModes.serial)).toEqual([14, 15, 16, 17, 18, 19]);
});

test('analog channels count up without gaps, and their resolution is ten bits', () => {
  for (const profile of [unoProfile, mega2560Profile]) {
    const channels = profile.pins.flatMap((pin) => (pin.analogChannel === null ? [] : [pin.analogChannel]));
    expect(channels).toEqual(channels.map((_, index) => index));
    for (const pin of profile.pins) {
      const analog = pin.capabilities.find((each) => each.mode === pinModes.analog);
      expect(analog?.resolutionBits).toBe(pin.analogChannel === null ? undefined : 10);
    }
  }
});
