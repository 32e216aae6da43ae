/**
 * Arduino Mega 2560 (ATmega2560). Pins 0 and 1 are the UART of the controller's link and are not offered. PWM
 * on 2..13 and 44..46; A0..A15 are pins 54..69; I2C on 20 (SDA), 21 (SCL); Serial1..3 on 19/18, 17/16, 15/14.
 */
import { type BoardProfile, type PinProfile, pinProfile } from '../profile.ts';

const pinCount = 70;
const firstAnalogPin = 54;
/** Pin to Firmata's serial pin type (2 RX1, 3 TX1, 4 RX2, 5 TX2, 6 RX3, 7 TX3). */
const serialPinTypes = new Map([
  [19, 2],
  [18, 3],
  [17, 4],
  [16, 5],
  [15, 6],
  [14, 7],
]);

function pin(number: number): PinProfile {
  if (number < 2) return pinProfile({});
  if (number >= firstAnalogPin) return pinProfile({ digital: true, analogChannel: number - firstAnalogPin });
  return pinProfile({
    digital: true,
    pwm: (number >= 2 && number <= 13) || (number >= 44 && number <= 46),
    i2c: number === 20 || number === 21,
    serialPinType: serialPinTypes.get(number),
  });
}

export const mega2560Profile: BoardProfile = {
  name: 'mega-2560',
  firmwareName: 'UnderstudySimulated.ino',
  firmwareMajor: 2,
  firmwareMinor: 6,
  sysexBytesMax: 256,
  analogReferenceVolts: 5,
  pins: Array.from({ length: pinCount }, (_, number) => pin(number)),
};
