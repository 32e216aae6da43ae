/**
 * The serial ports of this computer, with what the kernel knows of them. From sysfs, so that it also works where
 * `udevadm` is missing (which `SerialPort.list()` cannot do without).
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface ListedPort {
  path: string;
  /** Such as `FTDI TTL232R-3V3, serial FT4X2Y` or `UART of the board (uart-pl011)`. */
  description: string;
  /** The name that stays the same whichever socket it is plugged into; null when it has none. */
  stablePath: string | null;
}

/** `root`: where `sys` and `dev` are. */
export function listPorts(root = '/'): ListedPort[] {
  const folder = join(root, 'sys/class/tty');
  if (!existsSync(folder)) return [];
  const stable = stablePaths(root);
  return readdirSync(folder)
    .toSorted((left, right) => left.localeCompare(right, 'en', { numeric: true }))
    .flatMap((name) => {
      const device = join(folder, name, 'device');
      // Consoles and pseudo-terminals of the kernel have no device behind them.
      if (!existsSync(device)) return [];
      const driver = linkName(join(device, 'driver'));
      const path = join(root, 'dev', name);
      // Four slots of an 8250 are there on every PC, whether or not there is a chip.
      if (driver === null || (driver === 'serial8250' && fileText(join(folder, name, 'type')) === '0'))
        return [];
      return [{ path, description: describe(device, driver), stablePath: stable.get(name) ?? null }];
    });
}

function describe(device: string, driver: string): string {
  // A USB port is an interface of the adapter: its names are one or two folders up.
  let folder = realpathSync(device);
  for (let level = 0; level < 4; level++) {
    const product = fileText(join(folder, 'product'));
    if (product !== null) {
      const words = [fileText(join(folder, 'manufacturer')), product]
        .filter((each) => each !== null)
        .join(' ');
      const serial = fileText(join(folder, 'serial'));
      const ids = `${fileText(join(folder, 'idVendor'))}:${fileText(join(folder, 'idProduct'))}`;
      return `${words}, USB ${ids}${serial === null ? '' : `, serial ${serial}`}`;
    }
    folder = dirname(folder);
  }
  return `UART of this computer (${driver})`;
}

function stablePaths(root: string): Map<string, string> {
  const folder = join(root, 'dev/serial/by-id');
  const found = new Map<string, string>();
  if (!existsSync(folder)) return found;
  for (const name of readdirSync(folder)) {
    const target = linkName(join(folder, name));
    if (target !== null) found.set(target, join(folder, name));
  }
  return found;
}

function linkName(path: string): string | null {
  try {
    return readlinkSync(path).split('/').at(-1)!;
  } catch {
    return null;
  }
}

function fileText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
