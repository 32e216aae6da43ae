/**
 * Addresses in data space and vector numbers of the ATmega2560 (datasheet, "Register Summary" and "Interrupt Vectors"),
 * as far as more than one file needs them or a table of them says more than the code that uses it.
 */

export const programBytes = 256 * 1024;
export const eepromBytes = 4096;
/** Registers and I/O registers come before the RAM. */
export const ramStart = 0x200;
export const ramBytes = 8192;

export const register = {
  pinChangeFlags: 0x3b,
  externalFlags: 0x3c,
  externalMask: 0x3d,
  eepromControl: 0x3f,
  eepromData: 0x40,
  eepromAddress: 0x41,
  timerControl: 0x43,
  sleepControl: 0x53,
  resetCause: 0x54,
  clockPrescaler: 0x61,
  watchdogControl: 0x60,
  pinChangeControl: 0x68,
  externalControlA: 0x69,
  externalControlB: 0x6a,
  pinChangeMask0: 0x6b,
  adcLow: 0x78,
  adcHigh: 0x79,
  adcControlA: 0x7a,
  adcControlB: 0x7b,
  adcMultiplexer: 0x7c,
  asynchronousStatus: 0xb6,
  twiBitRate: 0xb8,
  twiStatus: 0xb9,
  twiAddress: 0xba,
  twiData: 0xbb,
  twiControl: 0xbc,
} as const;

export const vector = {
  external0: 1,
  pinChange0: 9,
  watchdog: 12,
  adc: 29,
  eepromReady: 30,
  twi: 39,
} as const;

/** Bits of `register.resetCause` (MCUSR). */
export const resetCause = { powerOn: 0x01, external: 0x02, brownOut: 0x04, watchdog: 0x08 } as const;
