/**
 * The calls of Debian's avrdude that put the firmware on an Arduino Mega, and their running.
 *
 * Fuses go first, in a call of their own: the second erases the chip, and only after EESAVE is set do terms and sessions
 * survive that (boards/mega-2560/firmware/README.md, Build and flash). The Arduino's bootloader can write no fuses.
 */
import { spawn } from 'node:child_process';
import { DeviceError } from './device-error.ts';

export interface FlashOptions {
  /** avrdude's name of it; `wiring` is the Arduino's bootloader on USB. */
  programmer: string;
  /** Of the programmer; a USB programmer needs none. */
  port: string | null;
  /** Bits a second of that port; null: the programmer's own. */
  baudRate: number | null;
  fuses: boolean;
  hex: string;
}

export const bootloaderProgrammer = 'wiring';
const bootloaderBaudRate = 115_200;
const fuses = { lfuse: '0xff', hfuse: '0xd1', efuse: '0xfc' };
const flashMsMax = 300_000;

/** Words of each call, in their order, `avrdude` first. */
export function avrdudeCalls(options: FlashOptions): string[][] {
  const { programmer, port, hex } = options;
  const isBootloader = programmer === bootloaderProgrammer;
  const baudRate = options.baudRate ?? (isBootloader ? bootloaderBaudRate : null);
  const head = ['avrdude', '-c', programmer, '-p', 'm2560'];
  if (port !== null) head.push('-P', port);
  if (baudRate !== null) head.push('-b', String(baudRate));
  const calls: string[][] = [];
  if (options.fuses) {
    calls.push([
      ...head,
      ...Object.entries(fuses).flatMap(([name, value]) => ['-U', `${name}:w:${value}:m`]),
    ]);
  }
  // -D: the bootloader erases page by page as it writes.
  calls.push([...head, ...(isBootloader ? ['-D'] : []), '-U', `flash:w:${hex}:i`]);
  return calls;
}

/** As a shell would take it. */
export function shellText(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

/** What avrdude says goes to our standard error as it comes. Rejects with DeviceError. */
export function runAvrdude(words: readonly string[]): Promise<void> {
  const [program, ...rest] = words;
  return new Promise((resolve, reject) => {
    const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    // Not spawn's own `timeout`: its timer keeps this process alive when there was nothing to start.
    const deadline = setTimeout(() => child.kill(), flashMsMax);
    let said = '';
    const take = (chunk: Buffer): void => {
      said = (said + chunk.toString()).slice(-4000);
      process.stderr.write(chunk);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(deadline);
      if (error.code === 'ENOENT') {
        const text = 'avrdude is not installed: sudo tools/install-debian-packages.sh firmware';
        return reject(new DeviceError('MACHINE_AVRDUDE', text, error));
      }
      reject(new DeviceError('DEVICE_FLASH_FAILED', `avrdude cannot be started: ${error.message}`, error));
    });
    child.on('close', (code, signal) => {
      clearTimeout(deadline);
      if (code === 0) return resolve();
      const how = code === null ? `was ended by ${signal}` : `ended with code ${code}`;
      reject(
        new DeviceError(
          'DEVICE_FLASH_FAILED',
          `avrdude ${how}${remedyFor(said)}. The call: ${shellText(words)}`,
        ),
      );
    });
  });
}

function remedyFor(said: string): string {
  if (/permission denied/i.test(said)) {
    return ': this user may not use the port or the programmer (sudo usermod -aG dialout $USER, or its udev rule)';
  }
  if (/not in sync|timeout communicating|stk500\w*_(getsync|recv)/i.test(said)) {
    return ': the bootloader does not answer. With RESET-EN cut, press reset as the call begins, or use an ISP programmer';
  }
  if (/could not find|no such file|can't open|did not find any/i.test(said))
    return ': port or programmer not found';
  return '';
}
