import { expect, test } from 'vitest';
import { Random } from '../random.ts';
import { FirmataFirmware } from './firmata-firmware.ts';

const reportVersion = Uint8Array.of(0xf9);
const outputPin13 = Uint8Array.of(0xf4, 13, 1);
const pin13High = Uint8Array.of(0xf5, 13, 1);
const reportAnalog0 = Uint8Array.of(0xc0, 1);

function said(messages: readonly Uint8Array[]): string {
  return messages.map((bytes) => Buffer.from(bytes).toString('hex')).join(' ');
}

/** Wakes it whenever it asks for it. */
function listen(firmware: FirmataFirmware, fromMs: number, untilMs: number): string[] {
  const heard: string[] = [];
  for (let now = fromMs; now <= untilMs; now = Math.max(now, firmware.nextWakeAt()!)) {
    for (const bytes of firmware.advance(now)) heard.push(`${now} ${said([bytes])}`);
  }
  return heard;
}

test('announces itself when it is switched on, answers, and drives its pins', () => {
  const firmware = new FirmataFirmware(new Random(1).unit);
  expect(firmware.nextWakeAt()).toBe(0);
  expect(said(firmware.advance(0))).toMatch(/^f90206 f079/);
  firmware.outputs(reportVersion, 5);
  expect(firmware.nextWakeAt()).toBe(5);
  expect(said(firmware.advance(5))).toBe('f90206');
  firmware.outputs(outputPin13, 6);
  firmware.outputs(pin13High, 7);
  expect(firmware.firmata.pins.pin(13).level).toBe(1);
});

test('a reset drives the outputs to their safe state and announces the device again', () => {
  const firmware = new FirmataFirmware(new Random(1).unit);
  firmware.advance(0);
  firmware.outputs(outputPin13, 6);
  firmware.outputs(pin13High, 7);
  firmware.reset();
  expect(firmware.firmata.pins.pin(13).level).toBe(0);
  expect(said(firmware.advance(8))).toMatch(/^f90206 f079/);
});

test('reports its sensors at the same times with the same seed, whoever else asks for the time', () => {
  const heard = (extraWakes: boolean) => {
    const firmware = new FirmataFirmware(new Random(7).unit);
    firmware.advance(0);
    firmware.outputs(reportAnalog0, 1);
    if (!extraWakes) return listen(firmware, 1, 2000);
    const early = listen(firmware, 1, 777);
    return [...early, ...listen(firmware, 777, 2000)];
  };
  const reports = heard(false);
  expect(reports.length).toBeGreaterThan(80);
  expect(heard(true)).toEqual(reports);
});
