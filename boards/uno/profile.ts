/**
 * Arduino Uno (ATmega328P). Pins 0 and 1 are the UART of the controller's link and are not offered, as
 * StandardFirmata has it. PWM on 3, 5, 6, 9, 10, 11; A0..A5 are pins 14..19; I2C on A4 (SDA), A5 (SCL).
 */
import { type BoardProfile, type PinProfile, pinProfile } from '../profile.ts';

const pwmPins = new Set([3, 5, 6, 9, 10, 11]);
const pinCount = 20;
const firstAnalogPin = 14;

function pin(number: number): PinProfile {
  if (number < 2) return pinProfile({});
  if (number < firstAnalogPin) return pinProfile({ digital: true, pwm: pwmPins.has(number) });
  const analogChannel = number - firstAnalogPin;
  return pinProfile({ digital: true, analogChannel, i2c: analogChannel >= 4 });
}

export const unoProfile: BoardProfile = {
  name: 'uno',
  firmwareName: 'UnderstudySimulated.ino',
  firmwareMajor: 2,
  firmwareMinor: 6,
  sysexBytesMax: 256,
  analogReferenceVolts: 5,
  pins: Array.from({ length: pinCount }, (_, number) => pin(number)),
};
