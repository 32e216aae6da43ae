/** What keeps `understudy device` from flashing a board or from hearing it. docs/exit-codes.md says how each ends. */
export type DeviceErrorCode =
  /** The port is not there, is no serial port, or this user may not open it. */
  | 'DEVICE_PORT_UNUSABLE'
  /** Another process has it open. */
  | 'DEVICE_PORT_LOCKED'
  /** It was open and is gone. */
  | 'DEVICE_PORT_LOST'
  /** Nothing came back. */
  | 'DEVICE_SILENT'
  /** Something came back, but no info line of ours. */
  | 'DEVICE_GARBLED'
  /** It answers as a Firmata without a fence. */
  | 'DEVICE_FOREIGN'
  /** The hex cannot be read, is damaged, is another firmware's, or leaves no room for the bootloader. */
  | 'DEVICE_HEX_UNUSABLE'
  /** avrdude ended with an error. */
  | 'DEVICE_FLASH_FAILED'
  /** What answers after flashing is not what was flashed. */
  | 'DEVICE_FLASH_DIFFERS'
  /** avrdude is not installed. */
  | 'MACHINE_AVRDUDE'
  /** Options that exclude each other. */
  | 'USAGE_ARGUMENT';

export class DeviceError extends Error {
  readonly code: DeviceErrorCode;
  constructor(code: DeviceErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'DeviceError';
    this.code = code;
  }
}
