/**
 * Asks a device on its USB console who it is.
 *
 *     open at 115200 --> "?" again and again --> info line                           --> it is ours
 *                              |
 *                              '-- time over --> 57600, Firmata's version query --> it answers: a Firmata without fence
 *                                                                               '-> silent, or garbled
 *
 * The question is repeated because opening may have reset the device, and its bootloader swallows what comes in the
 * first second or two. Afterwards the port's speed is changed without opening it again: another opening, another reset.
 */
import { PromptSerialPort } from '../../firmware-host/links/prompt-serial-port.ts';
import { DeviceError } from './device-error.ts';
import { type DeviceInfo, parseInfoLine } from './info-line.ts';
import { portFault, requireFreePort } from './serial-port.ts';

export interface AskOptions {
  path: string;
  /** 100..60000 ms: how long the console is asked; the Firmata probe takes as long again, at most 2 s. */
  timeoutMs: number;
}

const consoleBaudRate = 115_200;
const firmataBaudRate = 57_600;
const questionIntervalMs = 400;
const probeMsMax = 2000;
/** An info line has some 700 characters; what is longer without an end is noise. */
const keptCharactersMax = 8192;
const shownBytes = 16;
/** REPORT_VERSION and REPORT_FIRMWARE (Firmata protocol 2.6): every Firmata answers one of them. */
const firmataQuestion = Uint8Array.of(0xf9, 0xf0, 0x79, 0xf7);

/** Rejects with DeviceError. */
export async function askInfo({ path, timeoutMs }: AskOptions): Promise<DeviceInfo> {
  requireFreePort(path);
  const port = await openPort(path);
  try {
    const atConsole = await listen(port, path, '?', timeoutMs, infoIn);
    if (atConsole.found !== null) return atConsole.found;
    await setSpeed(port, path, firmataBaudRate);
    const probe = await listen(port, path, firmataQuestion, Math.min(timeoutMs, probeMsMax), firmataIn);
    if (probe.found !== null) {
      throw new DeviceError(
        'DEVICE_FOREIGN',
        `${path} answers as ${probe.found} at ${firmataBaudRate} baud: a Firmata without a fence. It works as a device of kind ` +
          `plain; 'understudy device flash' makes a fenced one of an Arduino Mega`,
      );
    }
    throw noAnswer(path, timeoutMs, atConsole.heard);
  } finally {
    await closePort(port);
  }
}

function noAnswer(path: string, timeoutMs: number, heard: Uint8Array): DeviceError {
  if (heard.length === 0) {
    return new DeviceError(
      'DEVICE_SILENT',
      `${path} did not answer within ${timeoutMs} ms: is this the USB console (UART0) of a flashed Arduino Mega, and does it have power?`,
    );
  }
  const shown = Buffer.from(heard.subarray(0, shownBytes))
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
  return new DeviceError(
    'DEVICE_GARBLED',
    `${path} sent ${heard.length} bytes within ${timeoutMs} ms, but no info line (they begin ${shown}): another device, ` +
      'another speed, or one of its lines to the boards instead of its USB console?',
  );
}

function infoIn(heard: Uint8Array): DeviceInfo | null {
  // A line counts when its end has come: the last number may be half of one.
  const lines = Buffer.from(heard).toString('latin1').split(/\r?\n/).slice(0, -1);
  return lines.map(parseInfoLine).find((info) => info !== null) ?? null;
}

/** "Firmata 2.5" from a version report, with the firmware's name once that has come too. */
function firmataIn(heard: Uint8Array): string | null {
  const bytes = [...heard];
  for (const [at, byte] of bytes.entries()) {
    if (byte === 0xf9 && bytes[at + 1]! >= 2 && bytes[at + 1]! < 16 && bytes[at + 2]! < 128) {
      return `Firmata ${bytes[at + 1]}.${bytes[at + 2]}`;
    }
    const end = bytes.indexOf(0xf7, at);
    if (byte !== 0xf0 || bytes[at + 1] !== 0x79 || end < at + 4) continue;
    const halves = bytes.slice(at + 4, end);
    const letters = halves.flatMap((low, index) =>
      index % 2 === 0 ? [low | ((halves[index + 1] ?? 0) << 7)] : [],
    );
    return `Firmata ${bytes[at + 2]}.${bytes[at + 3]}, ${Buffer.from(letters).toString('latin1')}`;
  }
  return null;
}

interface Heard<T> {
  found: T | null;
  heard: Uint8Array;
}

function listen<T>(
  port: PromptSerialPort,
  path: string,
  question: string | Uint8Array,
  timeoutMs: number,
  find: (heard: Uint8Array) => T | null,
): Promise<Heard<T>> {
  return new Promise((resolve, reject) => {
    let heard: Buffer = Buffer.alloc(0);
    const end = (settle: () => void): void => {
      clearInterval(asking);
      clearTimeout(deadline);
      port.off('data', take);
      port.off('close', lost);
      port.off('error', lost);
      settle();
    };
    const take = (bytes: Buffer): void => {
      heard = Buffer.concat([heard, bytes]).subarray(-keptCharactersMax);
      const found = find(heard);
      if (found !== null) end(() => resolve({ found, heard }));
    };
    const lost = (error?: Error | null): void =>
      end(() =>
        reject(
          new DeviceError('DEVICE_PORT_LOST', `${path} went away: ${error?.message ?? 'closed'}`, error),
        ),
      );
    const ask = (): void => {
      port.write(Buffer.from(question), undefined, (error) => {
        if (error) lost(error);
      });
    };
    const asking = setInterval(ask, questionIntervalMs);
    const deadline = setTimeout(() => end(() => resolve({ found: null, heard })), timeoutMs);
    port.on('data', take);
    port.on('close', lost);
    port.on('error', lost);
    ask();
  });
}

function openPort(path: string): Promise<PromptSerialPort> {
  return new Promise((resolve, reject) => {
    const port = new PromptSerialPort({ path, baudRate: consoleBaudRate, hupcl: false });
    // A lost port says `error` also when nobody waits for an answer.
    port.on('error', () => {});
    port.open((error) => (error ? reject(portFault(path, error)) : resolve(port)));
  });
}

function setSpeed(port: PromptSerialPort, path: string, baudRate: number): Promise<void> {
  return new Promise((resolve, reject) =>
    port.update({ baudRate }, (error) => (error ? reject(portFault(path, error)) : resolve())),
  );
}

function closePort(port: PromptSerialPort): Promise<void> {
  if (!port.isOpen) return Promise.resolve();
  return new Promise((resolve) => port.close(() => resolve()));
}
