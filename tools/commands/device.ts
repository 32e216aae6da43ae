/** `understudy device`: put the firmware on an Arduino Mega, and ask one who it is. */
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { askInfo } from '../device/ask-info.ts';
import { avrdudeCalls, bootloaderProgrammer, runAvrdude, shellText } from '../device/avrdude.ts';
import { DeviceError } from '../device/device-error.ts';
import { readFirmwareImage } from '../device/firmware-image.ts';
import { type DeviceInfo, infoTable } from '../device/info-line.ts';
import { requireFreePort, resetWarning } from '../device/serial-port.ts';
import { wholeNumber } from '../program.ts';

interface InfoOptions {
  timeout: number;
  json?: true;
}

interface FlashCommandOptions extends InfoOptions {
  port?: string;
  programmer: string;
  baudRate?: number;
  hex: string;
  fuses?: true;
  console?: string;
  dryRun?: true;
}

const committedFirmwareFile = fileURLToPath(
  new URL('../../boards/mega-2560/firmware/understudy-mega-2560.hex', import.meta.url),
);
const refuse = (message: string): Error => new InvalidArgumentError(message);
const timeoutOf = wholeNumber(refuse, 100, 60_000);
const infoTimeoutMs = 5000;
/** A bootloader waits for another program before it starts ours. */
const afterFlashTimeoutMs = 10_000;

export function registerDevice(program: Command): void {
  const device = program.command('device').description('the fenced board (Arduino Mega): flash it, ask it');
  device
    .command('info')
    .description('ask a fenced board on its USB console: firmware, term, session, counters')
    .argument('<port>', 'its USB port, such as /dev/ttyACM0')
    .option('--timeout <ms>', 'how long to ask', timeoutOf, infoTimeoutMs)
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  understudy device info /dev/ttyACM0
  understudy device info /dev/ttyACM0 --json | jq .info.term

Careful: ${resetWarning}.
docs/wiring.md tells how to cut the bridge. Exit codes: 0 it answered; 9 no port, no answer, or another device (DEVICE_*).`,
    )
    .action(async (port: string, options: InfoOptions) => {
      warn(options);
      const info = await askInfo({ path: port, timeoutMs: options.timeout });
      report({ kind: 'device-info', port, info }, `${port}\n${infoTable(info)}`, options);
    });
  device
    .command('flash')
    .description('write the firmware with avrdude, then read back who answers')
    .option('--port <path>', "the programmer's port; with the Arduino's bootloader its USB port")
    .option(
      '--programmer <name>',
      `avrdude's name of it, such as usbasp; ${bootloaderProgrammer} is the Arduino's own bootloader`,
      bootloaderProgrammer,
    )
    .option(
      '--baud-rate <bits/s>',
      "of that port (default: the programmer's)",
      wholeNumber(refuse, 50, 4_000_000),
    )
    .option('--hex <file>', 'another build of the firmware', committedFirmwareFile)
    .option(
      '--fuses',
      'write the fuses too, first (ISP programmer only): no bootloader, EEPROM kept, brown-out',
    )
    .option(
      '--console <path>',
      "where to read back: the board's USB port (default: --port, with the bootloader)",
    )
    .option('--timeout <ms>', 'how long to wait for that answer', timeoutOf, afterFlashTimeoutMs)
    .option('--dry-run', 'check everything but the port, print the calls of avrdude, run none')
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  understudy device flash --port /dev/ttyACM0
  understudy device flash --programmer usbasp --fuses --console /dev/ttyACM0
  understudy device flash --programmer usbasp --dry-run

The device restarts: end the pair first. An ISP programmer and --fuses are recommended
(boards/mega-2560/firmware/README.md says why). Exit codes: 0 flashed and read back (or no console to read); 2 options or
hex are wrong; 9 the port, avrdude or the device failed (DEVICE_*); 12 avrdude is not installed.`,
    )
    .action(flash);
}

async function flash(options: FlashCommandOptions): Promise<void> {
  const isBootloader = options.programmer === bootloaderProgrammer;
  if (isBootloader && options.fuses === true) {
    throw new DeviceError(
      'USAGE_ARGUMENT',
      "--fuses needs an ISP programmer: the Arduino's bootloader can write none",
    );
  }
  if (isBootloader && options.port === undefined) {
    throw new DeviceError(
      'USAGE_ARGUMENT',
      `--programmer ${bootloaderProgrammer} needs --port, the board's USB port`,
    );
  }
  const image = readFirmwareImage(options.hex, isBootloader);
  const calls = avrdudeCalls({
    programmer: options.programmer,
    port: options.port ?? null,
    baudRate: options.baudRate ?? null,
    fuses: options.fuses === true,
    hex: options.hex,
  });
  const commands = calls.map(shellText);
  if (options.dryRun === true) {
    return report({ kind: 'device-flash', dryRun: true, image, commands }, commands.join('\n'), options);
  }
  const console = options.console ?? (isBootloader ? options.port! : null);
  // `usb` and `usb:serial` are avrdude's names of no file.
  if (options.port?.startsWith('/') === true) requireFreePort(options.port);
  warn(options);
  for (const call of calls) await runAvrdude(call);
  const info = console === null ? null : await readBack(console, image.version, options.timeout);
  const result = `flashed firmware ${image.version} (${image.usedBytes} bytes)`;
  const heard =
    info === null ? 'not read back: no --console' : `read back from ${console}\n${infoTable(info)}`;
  report({ kind: 'device-flash', dryRun: false, image, commands, info }, `${result}, ${heard}`, options);
}

async function readBack(path: string, version: string, timeoutMs: number): Promise<DeviceInfo> {
  const info = await askInfo({ path, timeoutMs });
  if (info.firmware === version) return info;
  throw new DeviceError(
    'DEVICE_FLASH_DIFFERS',
    `firmware ${version} was flashed, but ${info.firmware} answers on ${path}: is that the same board?`,
  );
}

function warn(options: { json?: true }): void {
  if (options.json !== true) process.stderr.write(`understudy: ${resetWarning}.\n`);
}

function report(result: Record<string, unknown>, text: string, options: { json?: true }): void {
  const json = JSON.stringify({
    schema: 1,
    ...result,
    ...('info' in result ? { warning: resetWarning } : {}),
  });
  process.stdout.write(`${options.json === true ? json : text}\n`);
}
