/**
 * Arduino Mega 2560 with our fenced firmware (boards/mega-2560/firmware): two of its UARTs are the lines to the boards, so that pins
 * 16..19 are not offered besides 0 and 1 (USB console); nor are the firmware's missing features, serial ports and ping.
 */
import { type BoardProfile, type PinProfile, pinModes, pinProfile } from '../profile.ts';
import { mega2560Profile } from './profile.ts';

/** TX2, RX2 (board b), TX1, RX1 (board a). */
const linePins: ReadonlySet<number> = new Set([16, 17, 18, 19]);
const missingModes: ReadonlySet<number> = new Set([pinModes.serial, pinModes.pingRead]);

function fenced(pin: PinProfile, number: number): PinProfile {
  if (linePins.has(number)) return pinProfile({});
  return { ...pin, capabilities: pin.capabilities.filter(({ mode }) => !missingModes.has(mode)) };
}

export const mega2560FencedProfile: BoardProfile = {
  ...mega2560Profile,
  name: 'mega-2560-fenced',
  firmwareName: 'UnderstudyMega2560',
  firmwareMajor: 1,
  firmwareMinor: 0,
  pins: mega2560Profile.pins.map(fenced),
};
