import { expect, test } from 'vitest';
import { pinModes } from '../profile.ts';
import { mega2560FencedProfile } from './fenced-profile.ts';
import { mega2560Profile } from './profile.ts';

test('the lines to the boards and the console are not offered, everything else is', () => {
  const offered = mega2560FencedProfile.pins.flatMap((pin, number) =>
    pin.capabilities.length > 0 ? [number] : [],
  );
  const all = Array.from({ length: 70 }, (_, number) => number);
  expect(offered).toEqual(all.filter((pin) => ![0, 1, 16, 17, 18, 19].includes(pin)));
});

test('a pin has what it has on the plain board, without serial ports and ping', () => {
  const missing: readonly number[] = [pinModes.serial, pinModes.pingRead];
  for (const number of [2, 14, 20, 46, 54]) {
    const plain = mega2560Profile.pins[number]!;
    const fenced = mega2560FencedProfile.pins[number]!;
    expect(fenced.capabilities).toEqual(plain.capabilities.filter(({ mode }) => !missing.includes(mode)));
    expect(fenced.analogChannel).toBe(plain.analogChannel);
  }
});
