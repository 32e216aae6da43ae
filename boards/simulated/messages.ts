/**
 * Numbers and codings of the Firmata protocol 2.6 as firmata-io speaks it (github.com/firmata/protocol,
 * protocol.md, i2c.md, onewire.md, accelStepperFirmata.md, serial-1.0.md; PingFirmata for 0x75).
 */

export const command = {
  digitalMessage: 0x90,
  reportAnalog: 0xc0,
  reportDigital: 0xd0,
  analogMessage: 0xe0,
  startSysex: 0xf0,
  setPinMode: 0xf4,
  setDigitalPin: 0xf5,
  endSysex: 0xf7,
  reportVersion: 0xf9,
  systemReset: 0xff,
} as const;

export const sysex = {
  serial: 0x60,
  accelStepper: 0x62,
  analogMappingQuery: 0x69,
  analogMappingResponse: 0x6a,
  capabilityQuery: 0x6b,
  capabilityResponse: 0x6c,
  pinStateQuery: 0x6d,
  pinStateResponse: 0x6e,
  extendedAnalog: 0x6f,
  servoConfig: 0x70,
  string: 0x71,
  stepper: 0x72,
  oneWire: 0x73,
  pingRead: 0x75,
  i2cRequest: 0x76,
  i2cReply: 0x77,
  i2cConfig: 0x78,
  firmware: 0x79,
  samplingInterval: 0x7a,
} as const;

export const protocolMajor = 2;
export const protocolMinor = 6;

/** Each byte as two: low seven bits, then the eighth. */
export function toPairs(bytes: Iterable<number>): number[] {
  const pairs: number[] = [];
  for (const byte of bytes) pairs.push(byte & 0x7f, (byte >> 7) & 0x01);
  return pairs;
}

/** The reverse of `toPairs`; a last byte without its partner is dropped. */
export function fromPairs(pairs: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(pairs.length >> 1);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = (pairs[2 * i]! & 0x7f) | ((pairs[2 * i + 1]! & 0x7f) << 7);
  return bytes;
}

/** Two seven-bit bytes, low first, as a number of 14 bits. */
export function pair(low: number, high: number): number {
  return (low & 0x7f) | ((high & 0x7f) << 7);
}

/** Packs bytes into a continuous stream of seven-bit groups (Encoder7Bit of ConfigurableFirmata). */
export function to7Bit(bytes: Iterable<number>): number[] {
  const groups: number[] = [];
  let held = 0;
  let heldBits = 0;
  for (const byte of bytes) {
    held |= byte << heldBits;
    heldBits += 8;
    while (heldBits >= 7) {
      groups.push(held & 0x7f);
      held >>= 7;
      heldBits -= 7;
    }
  }
  if (heldBits > 0) groups.push(held & 0x7f);
  return groups;
}

/** The reverse of `to7Bit`; bits that make no whole byte are dropped. */
export function from7Bit(groups: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((groups.length * 7) >> 3);
  let held = 0;
  let heldBits = 0;
  let count = 0;
  for (const group of groups) {
    held |= (group & 0x7f) << heldBits;
    heldBits += 7;
    if (heldBits >= 8) {
      bytes[count++] = held & 0xff;
      held >>= 8;
      heldBits -= 8;
    }
  }
  return bytes;
}

/** AccelStepper's 32-bit signed integer: magnitude in 31 bits, low first, sign in bit 3 of the fifth byte. */
export function encodeSigned32(value: number): number[] {
  const magnitude = Math.abs(value);
  return [
    magnitude & 0x7f,
    (magnitude >>> 7) & 0x7f,
    (magnitude >>> 14) & 0x7f,
    (magnitude >>> 21) & 0x7f,
    ((magnitude >>> 28) & 0x07) | (value < 0 ? 0x08 : 0),
  ];
}

export function decodeSigned32(bytes: Uint8Array): number {
  const magnitude =
    (bytes[0]! & 0x7f) +
    (bytes[1]! & 0x7f) * 2 ** 7 +
    (bytes[2]! & 0x7f) * 2 ** 14 +
    (bytes[3]! & 0x7f) * 2 ** 21 +
    (bytes[4]! & 0x07) * 2 ** 28;
  return (bytes[4]! & 0x08) !== 0 && magnitude !== 0 ? -magnitude : magnitude;
}

/** AccelStepper's float: 23 bits of significand, a decimal exponent biased by 11, sign in bit 6 of byte 3. */
export function decodeFloat(bytes: Uint8Array): number {
  const significand =
    (bytes[0]! & 0x7f) | ((bytes[1]! & 0x7f) << 7) | ((bytes[2]! & 0x7f) << 14) | ((bytes[3]! & 0x03) << 21);
  const exponent = ((bytes[3]! >> 2) & 0x0f) - 11;
  const sign = (bytes[3]! >> 6) & 0x01 ? -1 : 1;
  return sign * significand * 10 ** exponent;
}
