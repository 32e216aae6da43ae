import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listPorts } from './port-list.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'understudy-ports-test-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function file(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), `${text}\n`);
}

function tty(name: string, device: string, driver: string): void {
  mkdirSync(join(root, 'sys/class/tty', name), { recursive: true });
  mkdirSync(join(root, device), { recursive: true });
  mkdirSync(join(root, 'sys/drivers', driver), { recursive: true });
  symlinkSync(join(root, device), join(root, 'sys/class/tty', name, 'device'));
  symlinkSync(join(root, 'sys/drivers', driver), join(root, device, 'driver'));
}

describe('listPorts', () => {
  it('describes a USB adapter by its own words, and gives the name that stays', () => {
    tty('ttyUSB0', 'sys/devices/usb1/1-2/1-2:1.0/ttyUSB0', 'ftdi_sio');
    file('sys/devices/usb1/1-2/product', 'TTL232R-3V3');
    file('sys/devices/usb1/1-2/manufacturer', 'FTDI');
    file('sys/devices/usb1/1-2/serial', 'FT4X2Y');
    file('sys/devices/usb1/1-2/idVendor', '0403');
    file('sys/devices/usb1/1-2/idProduct', '6001');
    mkdirSync(join(root, 'dev/serial/by-id'), { recursive: true });
    symlinkSync('../../ttyUSB0', join(root, 'dev/serial/by-id/usb-FTDI-if00'));
    expect(listPorts(root)).toEqual([
      {
        path: join(root, 'dev/ttyUSB0'),
        description: 'FTDI TTL232R-3V3, USB 0403:6001, serial FT4X2Y',
        stablePath: join(root, 'dev/serial/by-id/usb-FTDI-if00'),
      },
    ]);
  });

  it('lists a UART of the computer, in the order of the numbers, and no empty slot of an 8250', () => {
    tty('ttyAMA10', 'sys/devices/soc/uart10', 'uart-pl011');
    tty('ttyAMA2', 'sys/devices/soc/uart2', 'uart-pl011');
    tty('ttyS0', 'sys/devices/platform/serial8250', 'serial8250');
    file('sys/class/tty/ttyS0/type', '0');
    mkdirSync(join(root, 'sys/class/tty/tty1'));
    expect(listPorts(root).map(({ path, description }) => [path.split('/').at(-1), description])).toEqual([
      ['ttyAMA2', 'UART of this computer (uart-pl011)'],
      ['ttyAMA10', 'UART of this computer (uart-pl011)'],
    ]);
  });

  it('is empty where there is no sysfs', () => {
    expect(listPorts(root)).toEqual([]);
  });
});
