/** A hex before it is flashed: whole, ours, and short enough. */
import { readFileSync } from 'node:fs';
import { parseIntelHex } from '../../boards/mega-2560/emulator/intel-hex.ts';
import { programBytes } from '../../boards/mega-2560/emulator/registers.ts';
import { DeviceError } from './device-error.ts';

/** The Arduino's bootloader has the last 8 KB of the program memory (fuse BOOTSZ). */
export const bootloaderBytes = 8192;

export interface FirmwareImage {
  file: string;
  version: string;
  usedBytes: number;
}

/** `keepsBootloader`: it is flashed through the bootloader, which must survive. Throws DeviceError. */
export function readFirmwareImage(file: string, keepsBootloader: boolean): FirmwareImage {
  const refuse = (text: string, cause?: unknown): DeviceError =>
    new DeviceError('DEVICE_HEX_UNUSABLE', `${file}${text}`, cause);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw refuse(` cannot be read: ${(error as Error).message}`, error);
  }
  const parsed = parseIntelHex(text, programBytes);
  if (parsed.kind === 'fault') throw refuse(`:${parsed.line}: ${parsed.fault}: ${parsed.text}`);
  const roomBytes = programBytes - (keepsBootloader ? bootloaderBytes : 0);
  if (parsed.usedBytes > roomBytes) {
    throw refuse(
      ` must be at most ${roomBytes} bytes, the bootloader has the rest (got ${parsed.usedBytes})`,
    );
  }
  const [, version] =
    /understudy firmware=(\d+\.\d+\.\d+\S*) /.exec(Buffer.from(parsed.bytes).toString('latin1')) ?? [];
  if (version === undefined) {
    throw refuse(' is not the firmware of the fenced board; what is another goes with avrdude itself');
  }
  return { file, version, usedBytes: parsed.usedBytes };
}
