/**
 * What a kind of microcontroller board has: pins, their modes and resolutions, and what each pin does when no
 * controller lives (protocol/README.md §12.4, hold time). A profile is data; the simulation, the supervisor and
 * the firmware read the same one.
 */

/** Pin modes by their Firmata numbers (Firmata protocol 2.6, "pin modes"; 0x75 is PingFirmata's addition). */
export const pinModes = {
  input: 0x00,
  output: 0x01,
  analog: 0x02,
  pwm: 0x03,
  servo: 0x04,
  i2c: 0x06,
  oneWire: 0x07,
  stepper: 0x08,
  serial: 0x0a,
  pullUp: 0x0b,
  pingRead: 0x75,
  ignore: 0x7f,
} as const;

export interface PinCapability {
  mode: number;
  /** Bits, as the capability response carries them. */
  resolutionBits: number;
}

/**
 * `low`: driven to 0, servo and stepper without drive. `released`: high impedance, so that an external
 * resistor decides; the next write to the pin drives it again.
 */
export type SafeState = 'low' | 'released';

export interface PinProfile {
  capabilities: readonly PinCapability[];
  /** Number of the analog input on this pin, as in A0. */
  analogChannel: number | null;
  safeState: SafeState;
}

export interface BoardProfile {
  /** Folder name of the board under boards/. */
  name: string;
  /** What the firmware report says. */
  firmwareName: string;
  firmwareMajor: number;
  firmwareMinor: number;
  /** Longest sysex the device accepts, in bytes between start and end. */
  sysexBytesMax: number;
  /** Full scale of the analog inputs in volts. */
  analogReferenceVolts: number;
  pins: readonly PinProfile[];
}

/** The names of a pin's abilities, as board documentation has them. */
export interface PinAbilities {
  digital?: boolean;
  pwm?: boolean;
  analogChannel?: number;
  i2c?: boolean;
  /** Firmata's serial pin type: 0 RX0, 1 TX0, 2 RX1, ... */
  serialPinType?: number;
  safeState?: SafeState;
}

/** Spells a pin out in the order in which StandardFirmata reports capabilities. */
export function pinProfile(abilities: PinAbilities): PinProfile {
  const capabilities: PinCapability[] = [];
  const add = (mode: number, resolutionBits: number) => capabilities.push({ mode, resolutionBits });
  if (abilities.digital) {
    add(pinModes.input, 1);
    add(pinModes.pullUp, 1);
    add(pinModes.output, 1);
  }
  if (abilities.analogChannel !== undefined) add(pinModes.analog, 10);
  if (abilities.pwm) add(pinModes.pwm, 8);
  if (abilities.digital) add(pinModes.servo, 14);
  if (abilities.i2c) add(pinModes.i2c, 1);
  if (abilities.digital) {
    add(pinModes.oneWire, 1);
    add(pinModes.stepper, 21);
  }
  if (abilities.serialPinType !== undefined) add(pinModes.serial, abilities.serialPinType);
  if (abilities.digital) add(pinModes.pingRead, 1);
  return {
    capabilities,
    analogChannel: abilities.analogChannel ?? null,
    safeState: abilities.safeState ?? 'low',
  };
}
